"""What a pool is worth, at both ends of its range, and what is reserved of it."""

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices
from tests.venue.exchange.pool.trades import deposited, opened, pool_of, refused, stocked
from venue.exchange.draft import Draft
from venue.exchange.pool.state import Interest
from venue.exchange.pool.units import FLOAT, Prices, TokenPrice, apply_factor, factor
from venue.exchange.pool.value import market_token_price, pool_value, reserved_share, side_pnl, supply
from venue.exchange.reasons import Reason

WIDE = prices(4_900, 5_100)


def value(house: House, at: Prices = WIDE, share: int = FLOAT, *, maximize: bool) -> int:
    draft = Draft(house.exchange, house.now_ms)
    return pool_value(draft, draft.pool(SYMBOL), at, share, maximize) // FLOAT


@pytest.mark.parametrize(("maximize", "usd"), [(True, 10 * 5_100 + 50_000), (False, 10 * 4_900 + 50_000)])
def test_liquidity_at_either_end(maximize: bool, usd: int) -> None:
    assert value(stocked(10, 50_000), maximize=maximize) == usd


@pytest.mark.parametrize(("is_long", "maximize", "low"), [(True, True, False), (True, False, True),
                                                          (False, True, True), (False, False, False)])  # fmt: skip
def test_profit_by_side_and_end(is_long: bool, maximize: bool, low: bool) -> None:
    house = stocked(10, 50_000)
    opened(house, 10_000, ETH, is_long=is_long)
    worth = 2 * (4_900 if low else 5_100) * FLOAT
    expected = worth - 10_000 * FLOAT if is_long else 10_000 * FLOAT - worth
    assert side_pnl(pool_of(house), WIDE, is_long, maximize=maximize) == expected


@pytest.mark.parametrize(
    ("maximize", "usd"),
    [
        (True, 10 * 5_100 + 50_000 + 2 * 100 + 2 * 100),
        (False, 10 * 4_900 + 50_000 - 2 * 100 - 2 * 100),
    ],
)
def test_traders_profit_is_taken_off_at_the_other_end(maximize: bool, usd: int) -> None:
    house = stocked(10, 50_000)
    opened(house, 10_000, ETH)
    opened(house, 10_000, ETH, is_long=False)
    assert value(house, maximize=maximize) == usd


def test_profit_counts_up_to_its_cap_and_losses_in_full() -> None:
    house = stocked(10, 50_000)
    pool_of(house).long_interest = Interest(usd=0, tokens=8 * ETH)
    pool_of(house).short_interest = Interest(usd=0, tokens=2 * ETH)
    at = prices()
    assert value(house, at, maximize=True) == 100_000 - 40_000 + 10_000
    assert value(house, at, factor("0.5"), maximize=True) == 100_000 - 25_000 + 10_000


def test_the_position_impact_pool_is_owed_at_the_other_end() -> None:
    house = stocked(10, 50_000)
    pool_of(house).position_impact = ETH
    assert value(house, maximize=True) == 10 * 5_100 + 50_000 - 4_900
    assert value(house, maximize=False) == 10 * 4_900 + 50_000 - 5_100


def test_a_market_token_is_one_usd_until_there_is_one() -> None:
    house = stocked(10, 50_000)
    draft = Draft(house.exchange, house.now_ms)
    assert (supply(draft, draft.pool(SYMBOL)), market_token_price(draft, draft.pool(SYMBOL), WIDE, FLOAT, True)) == (
        0, FLOAT,
    )  # fmt: skip
    house = stocked(0, 0)
    deposited(house, 10 * ETH, 50_000 * USDC)
    draft = Draft(house.exchange, house.now_ms)
    pool = draft.pool(SYMBOL)
    assert supply(draft, pool) == 100_000 * ETH
    assert market_token_price(draft, pool, WIDE, FLOAT, True) == factor("1.01")
    assert market_token_price(draft, pool, WIDE, FLOAT, False) == factor("0.99")


def test_the_reserved_share_is_of_the_low_worth() -> None:
    house = stocked(10, 50_000)
    opened(house, 10_000, ETH)
    opened(house, 10_000, ETH, is_long=False)
    draft = Draft(house.exchange, house.now_ms)
    pool = draft.pool(SYMBOL)
    assert reserved_share(draft, pool, WIDE, True) == 2 * 5_100 * FLOAT // (10 * 4_900)
    assert reserved_share(draft, pool, WIDE, False) == factor("0.2")
    empty = Draft(stocked(0, 0).exchange, 0)
    assert reserved_share(empty, empty.pool(SYMBOL), WIDE, True) == 0


def test_prices_must_be_sound_and_there() -> None:
    good = TokenPrice("WETH", 4, 5, 1)
    assert good.mid == 4
    for bad in ((TokenPrice("WETH", 0, 5, 1),), (TokenPrice("WETH", 6, 5, 1),), (good, good)):
        with refused(Reason.BAD_PRICE):
            Prices(bad)
    found = Prices((good,))
    assert "WETH" in found
    assert "USDC" not in found
    with refused(Reason.MISSING_PRICE):
        found["USDC"]


def test_factors_cut_off_toward_zero() -> None:
    assert (apply_factor(7, factor("0.5")), apply_factor(-7, factor("0.5"))) == (3, -3)
    assert factor("1/3") == FLOAT // 3
