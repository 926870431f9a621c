from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.venue.avantis.support import held
from venue.avantis.pnl import closing_fee, gross, liquidation_price, notional, profit
from venue.avantis.positions import Held
from venue.avantis.units import TEN
from venue.perp import Profit, UnknownPnl

FEE = 450_000_000
"""0.045 %."""
PRICES = st.integers(1, 10**15)
POSITIONS = st.builds(
    held,
    is_long=st.booleans(),
    collateral=st.integers(1, 10**13),
    leverage=st.integers(TEN, 500 * TEN),
    open_price=PRICES,
    rollover=st.integers(0, 10**9),
    funding=st.integers(-(10**9), 10**9),
)


@pytest.mark.parametrize(
    ("position", "price", "expected", "net"),
    [
        # 20 USDC at 10x is 200; 5 % of 200 is 10; owed 0.12 - 0.02; 0.045 % of 200 is 0.09
        (held(), 2100 * TEN, Profit(10_000_000, -100_000, 90_000), 9_810_000),
        (held(is_long=False), 2100 * TEN, Profit(-10_000_000, -100_000, 90_000), -10_190_000),
        (held(), 2000 * TEN, Profit(0, -100_000, 90_000), -190_000),
        (held(funding=-500_000), 1900 * TEN, Profit(-10_000_000, 380_000, 90_000), -9_710_000),
        # 2 USDC at 50x is 100; 0.6 % up is 0.6, less 0.045: what 30 % of the collateral becomes
        (
            held(collateral=2_000_000, leverage=50 * TEN, rollover=0, funding=0),
            2012 * TEN,
            Profit(600_000, 0, 45_000),
            555_000,
        ),
        # a third of a step: down for who wins, and down for who loses
        (held(collateral=1, leverage=TEN, open_price=3, rollover=0, funding=0), 4, Profit(0, 0, 1), -1),
        (held(is_long=False, collateral=1, leverage=TEN, open_price=3, rollover=0, funding=0), 4, Profit(-1, 0, 1), -2),
    ],
)
def test_by_hand(position: Held, price: int, expected: Profit, net: int) -> None:
    made = profit(position, price, FEE)
    assert made == expected
    assert isinstance(made, Profit)
    assert made.net == net


def test_leaving_pays_the_spread_as_well() -> None:
    made = profit(held(), 2000 * TEN, FEE, 100_000_000)  # 0.045 % and 0.01 % of 200
    assert isinstance(made, Profit)
    assert made.closing_fee == 110_000
    assert profit(held(), 2000 * TEN, FEE, -100_000_000) == profit(held(), 2000 * TEN, FEE)


@pytest.mark.parametrize(
    ("position", "price", "word"),
    [
        (held(), None, "price"),
        (held(), 0, "price"),
        (held(), -5, "price"),
        (held(rollover=None), 2000 * TEN, "owes"),
        (held(funding=None), 2000 * TEN, "owes"),
        (held(is_pnl=True), 2000 * TEN, "Upside"),
    ],
)
def test_what_nobody_can_tell_is_no_number(position: Held, price: int | None, word: str) -> None:
    made = profit(position, price, FEE)
    assert isinstance(made, UnknownPnl)
    assert word in made.why


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        # 2000 x (17 - 0.1) / 200 is 169
        (held(), 1831 * TEN),
        (held(is_long=False), 2169 * TEN),
        (held(rollover=0, funding=0), 1830 * TEN),
        # 85 % at 50x is 1.7 % of the price
        (held(leverage=50 * TEN, rollover=0, funding=0), 1966 * TEN),
        (held(is_long=False, leverage=50 * TEN, rollover=0, funding=0), 2034 * TEN),
        # at 1x and owing nothing there are 15 % left
        (held(leverage=TEN, rollover=0, funding=0), 300 * TEN),
        # being paid 4 USDC of funding, a long at 1x cannot be liquidated
        (held(leverage=TEN, rollover=0, funding=-4_000_000), 0),
        # owing 20 of 20: 3 more than it may lose, 1.5 % of 200 above its opening
        (held(rollover=20_000_000, funding=0), 2030 * TEN),
        (held(rollover=None), None),
    ],
)
def test_liquidation_by_hand(position: Held, expected: int | None) -> None:
    assert liquidation_price(position) == expected


@given(POSITIONS, PRICES)
def test_gross_is_exact_and_rounds_against_the_trader(position: Held, price: int) -> None:
    sign = 1 if position.is_long else -1
    size = Fraction(position.collateral * position.leverage, TEN)
    exact = sign * Fraction(price - position.open_price, position.open_price) * size
    assert 0 <= exact - gross(position, price) < 1


@given(POSITIONS, PRICES)
def test_what_one_side_wins_the_other_loses(position: Held, price: int) -> None:
    other = replace(position, is_long=not position.is_long)
    assert gross(position, price) + gross(other, price) in (0, -1)


@given(POSITIONS, PRICES, st.integers(0, TEN))
def test_net_is_its_parts(position: Held, price: int, percent: int) -> None:
    made = profit(position, price, percent)
    assert isinstance(made, Profit)
    assert position.rollover is not None
    assert position.funding is not None
    fee = closing_fee(position, percent)
    assert made.net == gross(position, price) - position.rollover - position.funding - fee
    assert 0 <= fee - Fraction(position.collateral * position.leverage * percent, 100 * TEN * TEN) < 1
    assert fee >= notional(position) * percent // (100 * TEN)


@given(POSITIONS)
def test_at_its_liquidation_price_85_percent_are_lost(position: Held) -> None:
    price = liquidation_price(position)
    assert price is not None
    assert position.rollover is not None
    assert position.funding is not None
    left = gross(position, price) - position.rollover - position.funding
    lost = Fraction(-85 * position.collateral, 100)
    step = Fraction(position.collateral * position.leverage, TEN * position.open_price)
    if price > 0:
        assert lost - 1 <= left <= lost + step + 1


@given(POSITIONS, PRICES, PRICES)
def test_a_better_price_is_never_worse(position: Held, one: int, other: int) -> None:
    low, high = sorted((one, other))
    better = gross(position, high) - gross(position, low)
    assert better >= 0 if position.is_long else better <= 0
