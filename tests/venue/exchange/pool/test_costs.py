"""Who pays a cost, in which order, and at which end of the prices."""

from fractions import Fraction

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, prices
from tests.venue.exchange.pool.trades import closed, opened, pool_of, refused, stocked
from venue.exchange.draft import Draft
from venue.exchange.ledger import EXTERNAL
from venue.exchange.pool.accrue import next_borrowing, pending_borrowing
from venue.exchange.pool.costs import Purse
from venue.exchange.pool.state import Interest
from venue.exchange.pool.units import FLOAT, TokenPrice, factor
from venue.exchange.reasons import Reason

NEAR, FAR = TokenPrice("WETH", 7, 9, 1), TokenPrice("USDC", 2, 3, 1)


def purse(output: int, held: int, secondary: int) -> Purse:
    draft = Draft(stocked().exchange, 0)
    for token, amount in (("WETH", output + held), ("USDC", secondary)):
        draft.pay(token, EXTERNAL, "bank", amount)
    made = Purse(draft, "bank", NEAR, FAR, held)
    made.earn("WETH", output)
    made.earn("USDC", secondary)
    return made


@pytest.mark.parametrize(
    ("usd", "left", "failed", "unpaid"),
    [
        (0, (4, 3, 10), "", 0),
        (7, (3, 3, 10), "", 0),
        (8, (2, 3, 10), "", 0),
        (28, (0, 3, 10), "", 0),
        (29, (0, 2, 10), "", 0),
        (49, (0, 0, 10), "", 0),
        (50, (0, 0, 9), "", 0),
        (52, (0, 0, 8), "", 0),
        (69, (0, 0, 0), "", 0),
        (70, (0, 0, 0), "it", 1),
        (99, (0, 0, 0), "it", 30),
    ],
)
def test_output_then_collateral_then_secondary_at_low_prices_rounded_up(
    usd: int, left: tuple[int, int, int], failed: str, unpaid: int
) -> None:
    made = purse(4, 3, 10)
    assert made.pay("it", usd, "target") == unpaid
    assert (made.output, made.collateral, made.secondary, made.failed) == (*left, failed)
    assert made.draft.balance("WETH", "target") == 7 - left[0] - left[1]
    assert made.draft.balance("USDC", "target") == 10 - left[2]


def test_after_a_failure_nothing_is_paid() -> None:
    made = purse(0, 1, 0)
    assert made.pay("first", 8, "target") == 1
    made.earn("WETH", 5)
    assert made.pay("second", 7, "target") == 7
    assert (made.failed, made.output, made.draft.balance("WETH", "target")) == ("first", 5, 1)


def test_borrowing_is_of_the_liquidity_at_the_low_price() -> None:
    house = stocked(borrowing_per_second=factor("0.000001"))
    opened(house, 500_000, 10 * ETH)
    draft = Draft(house.exchange, house.now_ms + 1_000)
    wide = prices(4_000, 6_000)
    found = next_borrowing(draft, draft.pool(SYMBOL), wide, True)
    assert found == factor("0.000001") * 100 * 6_000 // (1_000 * 4_000)
    draft.now_ms += 1
    assert next_borrowing(draft, draft.pool(SYMBOL), prices(4_999), True) * 1_000 <= 1_001 * factor("0.0000001")
    assert pending_borrowing(Interest(usd=FLOAT - 1, borrowing=0), 1) == 0


def test_what_is_worth_keeping_is_seen_at_the_low_price() -> None:
    house = stocked()
    opened(house, 10_000, 10_000 * USDC, collateral_token="USDC")
    opened(house, 10_000, ETH)
    pool = pool_of(house)
    assert pool.params.min_collateral_usd == FLOAT
    report = closed(house, 5_000, prices(4_999, 5_001), take=ETH - ETH // 5_000)
    assert report.remaining is None


@pytest.mark.parametrize("usd", [5_200, 5_400])
def test_a_part_of_profit_or_loss_is_cut_off_toward_zero(usd: int) -> None:
    house = stocked()
    held = opened(house, 50_000, 2 * ETH, prices(5_300)).position
    report = closed(house, 20_000, prices(usd))
    exact = Fraction((held.tokens * usd * 10**12 - held.size) * report.tokens, held.tokens)
    assert exact.denominator > 1
    assert report.base_pnl_usd == int(exact)


@pytest.mark.parametrize(("token", "amount"), [("WETH", 2 * ETH), ("USDC", 10_000 * USDC)])
def test_the_output_is_worth_its_low_price(token: str, amount: int) -> None:
    house, wide = stocked(), prices(5_500, 6_000)
    opened(house, 50_000, amount, collateral_token=token)
    worth = amount * wide[token].min + 5_000 * ETH // 6_000 * wide["WETH"].min
    with refused(Reason.MIN_OUTPUT):
        closed(house, 50_000, wide, collateral_token=token, min_output=worth + 1)
    closed(house, 50_000, wide, collateral_token=token, min_output=worth)
