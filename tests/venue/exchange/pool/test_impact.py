"""Price impact, and the pool of tokens that pays for it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices
from tests.venue.exchange.pool.trades import STEEP, stocked
from venue.exchange.draft import Draft
from venue.exchange.ledger import Overdrawn
from venue.exchange.pool.impact import price_impact, settle_swap_impact, tokens_owed
from venue.exchange.pool.params import ImpactParams
from venue.exchange.pool.state import impact_pool
from venue.exchange.pool.units import FLOAT, TokenPrice, factor

FAST = settings(max_examples=60, deadline=None, derandomize=True, database=None)
USD = st.integers(0, 10**7 * FLOAT)
WETH = TokenPrice("WETH", 4_000 * 10**12, 5_000 * 10**12, 1)


def impact(a: int, b: int, a_after: int, b_after: int, params: ImpactParams = STEEP) -> tuple[int, bool]:
    """Of whole USD."""
    return price_impact(a * FLOAT, b * FLOAT, a_after * FLOAT, b_after * FLOAT, params)


@pytest.mark.parametrize(
    ("before", "after", "usd", "improved"),
    [
        ((0, 0), (50_000, 0), "-25", False),
        ((50_000, 0), (100_000, 0), "-75", False),
        ((50_000, 0), (50_000, 20_000), "8", True),
        ((0, 50_000), (20_000, 50_000), "8", True),
        ((50_000, 0), (50_000, 50_000), "12.5", True),
        ((50_000, 0), (50_000, 70_000), "8.5", True),
        ((50_000, 0), (50_000, 90_000), "-3.5", True),
        ((50_000, 0), (50_000, 100_000), "-12.5", False),
        ((50_000, 0), (70_000, 20_000), "0", False),
        ((50_000, 0), (0, 50_000), "-12.5", False),
    ],
)
def test_same_side_and_crossover(before: tuple[int, int], after: tuple[int, int], usd: str, improved: bool) -> None:
    assert impact(*before, *after) == (factor(usd), improved)


def test_a_crossing_may_improve_the_balance_and_still_cost() -> None:
    """d0 = 50,000: 5e-9 * d0**2 = 12.5; d1 = 40,000: 1e-8 * d1**2 = 16."""
    assert impact(50_000, 0, 50_000, 90_000) == (factor("-3.5"), True)


def test_the_positive_factor_is_never_above_the_negative_one() -> None:
    greedy = ImpactParams(factor("3e-8"), factor("1e-8"))
    even = ImpactParams(factor("1e-8"), factor("1e-8"))
    assert impact(50_000, 0, 50_000, 20_000, greedy) == impact(50_000, 0, 50_000, 20_000, even) == (16 * FLOAT, True)
    assert impact(50_000, 0, 50_000, 70_000, greedy) == impact(50_000, 0, 50_000, 70_000, even) == (21 * FLOAT, True)


def test_exponents_go_by_direction() -> None:
    mixed = ImpactParams(factor("1e-8"), factor("1e-8"), positive_exponent=1, negative_exponent=3)
    assert impact(0, 0, 100, 0, mixed) == (-factor("0.01"), False)
    assert impact(100, 0, 50, 0, mixed) == (factor("0.0000005"), True)
    assert impact(100, 0, 0, 50, mixed) == (factor("0.000001") - factor("0.00125"), True)


def test_below_one_usd_is_nothing() -> None:
    loud = ImpactParams(FLOAT, FLOAT)
    assert price_impact(0, 0, FLOAT - 1, 0, loud) == (0, False)
    assert price_impact(0, 0, FLOAT, 0, loud) == (-FLOAT, False)
    assert price_impact(FLOAT, 0, FLOAT, 1, loud) == (FLOAT, True)
    assert price_impact(FLOAT - 1, 0, 0, 0, loud) == (0, True)


@given(USD, USD, USD, USD)
@FAST
def test_the_two_sides_are_alike(a: int, b: int, a_after: int, b_after: int) -> None:
    """Unless both meet: then which side it comes from is a matter of naming, and both formulas agree."""
    there, mirrored = price_impact(a, b, a_after, b_after, STEEP), price_impact(b, a, b_after, a_after, STEEP)
    assert there == mirrored


@given(USD, USD, st.integers(0, 10**7 * FLOAT))
@FAST
def test_improved_is_what_comes_closer_and_the_rest_never_earns(a: int, b: int, moved: int) -> None:
    usd, improved = price_impact(a, b, a + moved, b, STEEP)
    assert improved is (abs(a + moved - b) < abs(a - b))
    assert improved or usd <= 0


@given(USD, USD, st.integers(1, 10**7 * FLOAT))
@FAST
def test_there_and_back_never_wins(a: int, b: int, moved: int) -> None:
    assert price_impact(a, b, a + moved, b, STEEP)[0] + price_impact(a + moved, b, a, b, STEEP)[0] <= 0


@given(st.integers(FLOAT, 10**6 * FLOAT), st.integers(1, 10**12))
@FAST
def test_the_two_formulas_meet_where_the_sides_are_equal(gap: int, step: int) -> None:
    """Just short of balance and just beyond it are worth the same but for what a step is."""
    short, beyond = (price_impact(gap, 0, gap, gap + each, STEEP)[0] for each in (-step, step))
    assert abs(short - beyond) <= 1
    assert short >= 0


@pytest.mark.parametrize(("usd", "owed"), [(0, 0), (5, 0), (-1, 1), (-4_000 * 10**12, 1), (-4_000 * 10**12 - 1, 2)])
def test_what_is_owed_is_rounded_up_at_the_low_price(usd: int, owed: int) -> None:
    assert tokens_owed(WETH, usd) == owed


def settled(house: House, usd: int, account: str = "wallet:alice") -> tuple[int, int]:
    return house.run(lambda draft: settle_swap_impact(draft, draft.pool(SYMBOL), "WETH", WETH, usd, account))


def test_a_bonus_is_floored_at_the_high_price_and_capped_by_the_impact_pool() -> None:
    house = stocked()
    house.credit("WETH", impact_pool(SYMBOL), 10)
    high = WETH.max
    assert settled(house, high - 1) == (0, 0)
    assert settled(house, 3 * high + high - 1) == (3, 0)
    assert house.held("WETH", impact_pool(SYMBOL)) == 7
    assert settled(house, 9 * high + 1) == (7, 2 * high)
    assert settled(house, high) == (0, high)
    assert (house.wallet("WETH"), house.held("WETH", impact_pool(SYMBOL))) == (10, 0)


def test_a_charge_goes_into_the_impact_pool_if_it_can_be_paid() -> None:
    house = stocked()
    house.credit("WETH", "wallet:alice", 5)
    assert settled(house, -4 * WETH.min - 1) == (-5, 0)
    assert (house.wallet("WETH"), house.held("WETH", impact_pool(SYMBOL))) == (0, 5)
    with pytest.raises(Overdrawn):
        settled(house, -1)
    assert settled(house, 0) == (0, 0)


def test_a_draft_that_is_dropped_changes_nothing() -> None:
    house = stocked()
    house.credit("WETH", impact_pool(SYMBOL), ETH)
    draft = Draft(house.exchange, house.now_ms)
    settle_swap_impact(draft, draft.pool(SYMBOL), "WETH", prices()["WETH"], 100 * FLOAT, "wallet:alice")
    draft.pool(SYMBOL).position_impact = 7
    assert (draft.balance("WETH", "wallet:alice"), house.wallet("WETH")) == (ETH // 50, 0)
    assert house.exchange.pools[SYMBOL].position_impact == 0
    assert replace(house.exchange.pools[SYMBOL]) == house.exchange.pools[SYMBOL]
    assert house.held("USDC", "pool:" + SYMBOL) == 5_000_000 * USDC
