"""Withdrawals: what market tokens are worth, minimums, limits."""

from functools import partial

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices, withdrawal
from tests.venue.exchange.pool.trades import (
    MARKET_TOKEN,
    PLAIN,
    change,
    deposited,
    pool_of,
    pooled,
    refused,
    stock,
    stocked,
    withdrawn,
)
from venue.exchange.draft import Draft
from venue.exchange.ledger import EXTERNAL
from venue.exchange.pool.state import Interest, Pool, fees, liquidity
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.pool.withdrawal import execute_withdrawal
from venue.exchange.reasons import Reason


def filled() -> House:
    house = stocked(0, 0)
    deposited(house, 10 * ETH, 50_000 * USDC)
    return house


def test_both_tokens_come_out_by_what_they_are_worth() -> None:
    house = filled()
    report = withdrawn(house, 20_000 * ETH)
    assert (report.burned, report.pool_value_before, report.supply_before) == (20_000 * ETH, 100_000 * FLOAT, 10**23)
    assert (report.long.amount, report.short.amount) == (2 * ETH, 10_000 * USDC)
    assert (house.wallet("WETH"), house.wallet("USDC")) == (2 * ETH, 10_000 * USDC)
    assert -house.held(MARKET_TOKEN, EXTERNAL) == house.wallet(MARKET_TOKEN) == 80_000 * ETH
    assert pooled(house) == (8 * ETH, 40_000 * USDC)


def test_at_the_low_value_and_the_high_prices_rounded_down() -> None:
    house = filled()
    report = withdrawn(house, 20_000 * ETH, at=prices(4_900, 5_100))
    usd = 99_000 * FLOAT // 5
    assert report.pool_value_before == 99_000 * FLOAT
    assert report.long.amount == usd * 51_000 // 101_000 // (5_100 * 10**12)
    assert report.short.amount == usd * 50_000 // 101_000 // 10**24


def test_fees_stay_and_are_claimable() -> None:
    house = filled()
    change(house, withdrawal_fee=factor("0.001"))
    report = withdrawn(house, 20_000 * ETH)
    assert (report.short.amount, report.short.fee_to_pool, report.short.fee_to_receiver) == (
        9_990 * USDC, 6_300_000, 3_700_000,
    )  # fmt: skip
    assert house.held("USDC", fees(SYMBOL)) == 3_700_000
    assert pooled(house)[1] == 40_006_300_000


def test_the_last_one_takes_everything() -> None:
    house = filled()
    withdrawn(house, 100_000 * ETH)
    assert pooled(house) == (0, 0)
    assert house.held(MARKET_TOKEN, EXTERNAL) == 0
    assert deposited(house, ETH).minted == 5_000 * ETH


def test_paths_on_the_way_out() -> None:
    house = stocked(0, 0, Pool("BTC-USD", "WBTC", "WBTC", "USDC", PLAIN))
    deposited(house, 10 * ETH, 50_000 * USDC)
    stock(house, "BTC-USD", WBTC=10**8)
    report = withdrawn(house, 20_000 * ETH, long_path=(SYMBOL,), short_path=("BTC-USD",))
    assert (report.long.out.token, report.long.out.amount) == ("USDC", 10_000 * USDC)
    assert (report.short.out.token, report.short.out.amount) == ("WBTC", 2 * 10**7)
    assert (house.wallet("USDC"), house.wallet("WBTC"), house.wallet("WETH")) == (10_000 * USDC, 2 * 10**7, 0)


def test_minimums_count_after_fees_and_swaps() -> None:
    house = filled()
    with refused(Reason.MIN_OUTPUT):
        withdrawn(house, 20_000 * ETH, min_long=2 * ETH + 1)
    with refused(Reason.MIN_OUTPUT):
        withdrawn(house, 20_000 * ETH, min_short=10_000 * USDC + 1)
    withdrawn(house, 20_000 * ETH, min_long=2 * ETH, min_short=10_000 * USDC)
    with refused(Reason.MIN_OUTPUT):
        withdrawn(house, 20_000 * ETH, long_path=(SYMBOL,), min_long=10_000 * USDC + 1)
    withdrawn(house, 20_000 * ETH, long_path=(SYMBOL,), min_long=10_000 * USDC)


def test_amounts_that_make_no_sense() -> None:
    house = filled()
    for amount in (0, -1):
        with refused(Reason.EMPTY_WITHDRAWAL_AMOUNT):
            execute_withdrawal(Draft(house.exchange, 1), withdrawal(amount), prices())
    with refused(Reason.INSUFFICIENT_BALANCE):
        house.run(lambda draft: execute_withdrawal(draft, withdrawal(1), prices()))
    with refused(Reason.EMPTY_MARKET):
        house.run(lambda draft: execute_withdrawal(draft, withdrawal(1, market="SOL-USD"), prices()))
    pool_of(house).enabled = False
    with refused(Reason.DISABLED_MARKET):
        withdrawn(house, ETH)


def test_reserves_hold_tokens_back() -> None:
    house = filled()
    pool_of(house).short_interest = Interest(usd=38_000 * FLOAT, tokens=38_000 * ETH // 5_000)
    withdrawn(house, 20_000 * ETH)
    with refused(Reason.INSUFFICIENT_RESERVE):
        withdrawn(house, ETH)


def test_traders_profit_stops_withdrawals() -> None:
    house = filled()
    pool_of(house).long_interest = Interest(usd=0, tokens=7 * ETH)
    with refused(Reason.PNL_FACTOR_LONGS):
        withdrawn(house, ETH)
    pool_of(house).long_interest = Interest()
    pool_of(house).short_interest = Interest(usd=35_000 * FLOAT)
    with refused(Reason.PNL_FACTOR_SHORTS):
        withdrawn(house, ETH)
    pool_of(house).short_interest = Interest(usd=34_000 * FLOAT)
    withdrawn(house, ETH)


def test_a_pool_worth_nothing_gives_nothing() -> None:
    house = filled()
    pool_of(house).position_impact = 20 * ETH
    with refused(Reason.POOL_VALUE_WITHDRAWAL):
        withdrawn(house, ETH)


def test_a_pool_that_holds_nothing_gives_nothing() -> None:
    """All there is, is owed to it."""
    house = filled()
    pool_of(house).short_interest = Interest(usd=0, tokens=100 * ETH)
    for token, held in zip(("WETH", "USDC"), pooled(house), strict=True):
        house.run(partial(Draft.pay, token=token, source=liquidity(SYMBOL), target=EXTERNAL, amount=held))
    with refused(Reason.INSUFFICIENT_POOL):
        withdrawn(house, ETH)


def test_more_than_a_pool_holds_cannot_come_out() -> None:
    """Losses of traders count as the pool's before they have been paid."""
    house = filled()
    pool_of(house).short_interest = Interest(usd=0, tokens=100 * ETH)
    with refused(Reason.INSUFFICIENT_POOL):
        withdrawn(house, 100_000 * ETH)
