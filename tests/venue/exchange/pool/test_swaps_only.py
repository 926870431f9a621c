"""A pool without an index: deposits, withdrawals and swaps, and no price of anything else."""

from dataclasses import replace

from tests.venue.exchange.pool.house import ETH, USDC, House
from tests.venue.exchange.pool.trades import (
    PLAIN,
    STEEP,
    deposited,
    opened,
    pool_of,
    pooled,
    refused,
    swapped,
    withdrawn,
)
from venue.exchange.draft import Draft
from venue.exchange.ledger import EXTERNAL
from venue.exchange.pool.accrue import accrue
from venue.exchange.pool.state import Interest, Pool
from venue.exchange.pool.units import FLOAT, Prices, TokenPrice, factor
from venue.exchange.pool.value import SIDES, market_token_price, pool_value, reserved_share, side_pnl
from venue.exchange.reasons import Reason

NAME = "WETH-USDC"
BOTH = Prices((TokenPrice("WETH", 5_000 * 10**12, 5_000 * 10**12, 1), TokenPrice("USDC", 10**24, 10**24, 1)))
TIMED = replace(
    PLAIN, swap_impact=STEEP, borrowing_per_second=factor("0.000001"), impact_distribution_per_second=FLOAT,
)  # fmt: skip


def filled() -> House:
    """Borrowing and distribution are on, and find nothing."""
    house = House(PLAIN, Pool(NAME, "", "WETH", "USDC", TIMED))
    deposited(house, 10 * ETH, 50_000 * USDC, BOTH, market=NAME)
    house.now_ms += 86_400_000
    return house


def test_it_needs_its_own_two_prices_only() -> None:
    assert pool_of(filled(), NAME).tokens == ("WETH", "USDC")
    assert pool_of(filled()).tokens == ("WETH", "USDC")
    assert Pool("BTC-USD", "WBTC", "WETH", "USDC", PLAIN).tokens == ("WBTC", "WETH", "USDC")


def test_deposit_swap_and_withdrawal() -> None:
    house = filled()
    assert deposited(house, 0, 5_000 * USDC, BOTH, market=NAME).price_impact_usd == -FLOAT // 4
    assert swapped(house, "WETH", ETH, NAME, at=BOTH).hops[0].balance_improved is False
    assert swapped(house, "USDC", 2_500 * USDC, NAME, at=BOTH).hops[0].price_impact_usd > 0
    amount = house.wallet(f"MT:{NAME}")
    withdrawn(house, amount, BOTH, market=NAME)
    assert pooled(house, NAME) == (0, 0)
    assert house.held(f"MT:{NAME}", EXTERNAL) == 0


def test_its_worth_is_what_it_holds() -> None:
    house = filled()
    draft = Draft(house.exchange, house.now_ms)
    pool = draft.pool(NAME)
    assert pool_value(draft, pool, BOTH, FLOAT, True) == pool_value(draft, pool, BOTH, FLOAT, False) == 10**5 * FLOAT
    assert market_token_price(draft, pool, BOTH, FLOAT, True) == FLOAT
    for is_long in SIDES:
        assert side_pnl(pool, BOTH, is_long, maximize=True) == reserved_share(draft, pool, BOTH, is_long) == 0


def test_time_changes_its_stamps_only() -> None:
    house = filled()
    house.run(lambda draft: accrue(draft, draft.pool(NAME), BOTH))
    pool = pool_of(house, NAME)
    assert (pool.distributed_ms, pool.borrowed_ms) == (house.now_ms, house.now_ms)
    assert (pool.position_impact, pool.long_interest, pool.short_interest) == (0, Interest(), Interest())


def test_no_positions() -> None:
    house = filled()
    with refused(Reason.INVALID_POSITION_MARKET):
        opened(house, 1_000, ETH, BOTH, market=NAME)


def test_its_own_prices_it_does_need() -> None:
    house = filled()
    for missing in ("WETH", "USDC"):
        some = Prices(tuple(BOTH[token] for token in ("WETH", "USDC") if token != missing))
        with refused(Reason.MISSING_PRICE):
            deposited(house, ETH, 0, some, market=NAME)
        with refused(Reason.MISSING_PRICE):
            withdrawn(house, ETH, some, market=NAME)
        with refused(Reason.MISSING_PRICE):
            swapped(house, "WETH", ETH, NAME, at=some)
