"""A region promises that the exchange will not liquidate anywhere in it: the exact rule is asked at its very edges."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import exp, log
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.liquidations.regions import CLASSES, REACH, Buckets, Moment, Region, least_gearing, region
from tests.engine.liquidations.books import DEEP, HARSH, UNSTEADY, market, move, position
from venue.exchange.fixed import WAD
from venue.exchange.health import health
from venue.exchange.params import MarketParams
from venue.exchange.state import Market, Position

PARAMS = st.sampled_from([DEEP, UNSTEADY, HARSH])
EDGE = 1e-11
"""How far inside a bound the exact rule is asked: far less than what the region keeps spare."""


def now(here: Market) -> Moment:
    return Moment.of(here, Buckets.of(here.params), 0)


def at(here: Market, log_price: float, carry: float) -> Market:
    """The same curve elsewhere."""
    there = replace(here, cumulative_carry_index=round(carry * here.params.index_scale))
    move(there, exp(log_price - log(here.quote_reserve / here.base_reserve)))
    return there


def inside(safe: Region, is_long: bool, top: float, x: float, y: float) -> tuple[float, float]:
    """(log price, carry) at shares of the way across the region, 0 being its dangerous side and 1 the farthest."""
    carry = safe.carry_low + (safe.carry_high - safe.carry_low) * min(max(y, EDGE), 1 - EDGE)
    edge = safe.sheared + carry
    low, high = max(safe.price_low, edge if is_long else top - 2 * log(REACH)), min(safe.price_high, top)
    if not is_long:
        high = min(high, edge)
    start, end = (low, high) if is_long else (high, low)
    return start + (EDGE if is_long else -EDGE) + (end - start) * x, carry


def probe(here: Market, held: Position, x: float, y: float) -> None:
    """Asks the exact rule at one place of the region of `held`, if there is one."""
    moment = now(here)
    safe = region(moment, held)
    if safe is None:
        return
    log_price, carry = inside(safe, held.is_long, moment.log_price + log(REACH), x, y)
    if not safe.price_low < log_price < safe.price_high:
        return
    there = at(here, log_price, carry)
    assert held.is_long or held.base_size < there.base_reserve
    assert not health(there, held).liquidatable, (safe, log_price, carry)


@settings(deadline=None, max_examples=1_000)
@given(
    params=PARAMS,
    is_long=st.booleans(),
    notional=st.one_of(st.integers(1, 10**4), st.integers(WAD, 10**26), st.integers(10**26, 8 * 10**26)),
    leverage=st.fractions(Fraction(1, 2), 40, max_denominator=50),
    away=st.floats(0.5, 2),
    owed=st.one_of(st.just(0.0), st.floats(-0.05, 0.05), st.floats(-3, 3)),
    x=st.one_of(st.sampled_from((0.0, 1e-9, 1e-6)), st.floats(0, 1)),
    y=st.one_of(st.sampled_from((0.0, 0.5, 1.0)), st.floats(0, 1)),
)
@example(DEEP, False, 5 * 10**26, Fraction(3), 1.0, 0.9, 0.0, 1.0)
def test_nobody_is_liquidatable_in_their_region(
    params: MarketParams,
    is_long: bool,
    notional: int,
    leverage: Fraction,
    away: float,
    owed: float,
    x: float,
    y: float,
) -> None:
    here = market(params)
    held = position(here, 1, is_long, notional, leverage, away, owed)
    if not is_long and held.base_size >= here.base_reserve:
        return
    probe(here, held, x, y)


@pytest.mark.parametrize("is_long", [True, False])
def test_the_edges_of_many_regions(is_long: bool) -> None:
    random, found = Random(3), 0
    for _ in range(1_500):
        here = market(random.choice((DEEP, UNSTEADY, HARSH)))
        notional = round(WAD * 10 ** random.uniform(-17, 8.7))
        owed = random.choice((0.0, random.gauss(0, 0.05), random.uniform(-1.5, 1.5)))
        leverage = Fraction(round(random.uniform(1, 30), 2))
        held = position(here, 1, is_long, notional, leverage, random.uniform(0.8, 1.25), owed)
        found += region(now(here), held) is not None
        for y in (0.0, 0.5, 1.0):
            probe(here, held, 0.0, y)
            probe(here, held, random.random() ** 4, y)
    assert found > 400


@pytest.mark.parametrize("is_long", [True, False])
def test_a_region_reaches_nearly_to_the_end(is_long: bool) -> None:
    """Conservative by a sixteenth of the distance, not by more: else the index would look at everybody all the time."""
    here = market(replace(DEEP, buckets=((Fraction(30), Fraction("0.1")),)))
    for leverage in range(2, 30):
        held = position(here, 1, is_long, 10**22, Fraction(leverage))
        safe = region(now(here), held)
        assert safe is not None
        sheared = now(here).sheared
        distance = abs(sheared - safe.sheared)
        sign = -1 if is_long else 1
        beyond = at(here, sheared + sign * distance * 1.12, 0.0)
        assert health(beyond, held).liquidatable
        assert safe.carry_high - safe.carry_low > distance / 4


def test_near_the_end_there_is_no_region() -> None:
    here = market()
    held = position(here, 1, True, 10**20, Fraction(20), away=1.0)
    while not health(here, held).liquidatable:
        held.margin -= held.margin // 1000
    assert region(now(here), held) is None


def test_classes_of_gearing_double() -> None:
    edges = [least_gearing(number) for number in range(CLASSES)]
    assert edges[0] == 0
    assert all(after == 2 * before for before, after in pairwise(edges[1:]))
