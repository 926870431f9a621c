from __future__ import annotations

from itertools import pairwise
from math import log
from statistics import pstdev

import pytest

from tests.venue.pyth.support import NOW_MS
from venue.pyth import BASE_PRICES, FEEDS, PEGGED, Episode, PricePath, Regime, Script, demo_script
from venue.pyth.script import worst

SEEDS = range(50)

MOVING = tuple(symbol for symbol in FEEDS if symbol not in PEGGED)


def move(path: PricePath, symbol: str, start_ms: int, end_ms: int) -> float:
    return log(path.at(symbol, NOW_MS + end_ms)[0] / path.at(symbol, NOW_MS + start_ms)[0])


def test_any_moment_in_any_order() -> None:
    moments = [NOW_MS + step * 7_919 for step in range(-30, 40)]
    one, other = (PricePath(5, NOW_MS, script=demo_script(5)) for _ in range(2))
    forward = {(symbol, moment): one.at(symbol, moment) for moment in moments for symbol in FEEDS}
    backward = {(symbol, moment): other.at(symbol, moment) for moment in reversed(moments) for symbol in FEEDS}
    assert forward == backward
    assert forward != {key: PricePath(6, NOW_MS).at(*key) for key in forward}


def test_the_origin_is_the_base_price() -> None:
    path = PricePath(1, NOW_MS)
    for symbol, base in BASE_PRICES.items():
        assert path.at(symbol, NOW_MS)[0] == pytest.approx(base * 1e8, abs=1)


@pytest.mark.parametrize("speed", [1, 60])
def test_momentum_is_clear_at_the_origin_for_every_seed(speed: int) -> None:
    moves = []
    for seed in SEEDS:
        path = PricePath(seed, NOW_MS, speed=speed, script=demo_script(seed))
        moves += [move(path, symbol, -900_000 // speed, 0) for symbol in MOVING]
    assert all(0.003 < abs(each) < 0.009 for each in moves)
    assert 0.35 < sum(each > 0 for each in moves) / len(moves) < 0.65


@pytest.mark.parametrize(
    ("symbol", "low", "high"), [("BTC", 0.0020, 0.0035), ("ETH", 0.0020, 0.0035), ("SOL", 0.0025, 0.0045)]
)
def test_liveliness(symbol: str, low: float, high: float) -> None:
    paths = [PricePath(seed, NOW_MS) for seed in SEEDS]
    starts = range(20_000, 320_000, 17_000)
    assert low < pstdev([move(path, symbol, start, start + 15_000) for path in paths for start in starts]) < high
    ticks = [abs(move(path, symbol, start, start + 240)) for path in paths for start in starts]
    assert sorted(ticks)[len(ticks) // 2] > 0.000_08


def test_ticks_stay_within_what_a_feed_may_do() -> None:
    path = PricePath(2, NOW_MS, script=demo_script(2))
    for symbol in MOVING:
        mantissas = [path.at(symbol, NOW_MS + moment)[0] for moment in range(-60_000, 60_000, 240)]
        assert all(abs(log(after / before)) < 0.01 for before, after in pairwise(mantissas))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_demo_tells_its_story(seed: int) -> None:
    script = demo_script(seed)
    assert script == demo_script(seed)
    (crash,) = (each for each in script.episodes if each.regime is Regime.CRASH)
    assert crash.duration_ms is not None
    assert 18_000 <= crash.start_ms <= 24_000
    assert 6_000 <= crash.duration_ms <= 8_000
    assert -0.062 < crash.move < -0.051
    assert script.period_ms is not None
    assert 240_000 <= script.period_ms <= 300_000
    for symbol in MOVING:
        assert script.offset(script.period_ms - 1, symbol) == pytest.approx(0, abs=1e-12)
        assert script.offset(script.period_ms * 3, symbol) == 0
        assert script.offset(crash.start_ms + crash.duration_ms, symbol) < -0.04
    path = PricePath(seed, NOW_MS, script=script)
    falls = [move(path, symbol, crash.start_ms, crash.start_ms + crash.duration_ms) for symbol in MOVING]
    assert all(-0.075 < fall < -0.035 for fall in falls)
    seen = {each.regime for moment in range(0, script.period_ms, 500) for each in script.active(moment)}
    assert seen == {Regime.TREND, Regime.CRASH, Regime.FROZEN, Regime.WIDE, Regime.DISCONNECT}
    assert [each.regime for each in script.active(script.period_ms + crash.start_ms)] == [Regime.CRASH]


def test_frozen_stands_still_and_comes_back() -> None:
    path = PricePath(4, NOW_MS)
    path.enter(Regime.FROZEN, NOW_MS + 5_000, ["ETH"], duration_s=8)
    assert path.at("ETH", NOW_MS + 12_999) == path.at("ETH", NOW_MS + 5_000)
    assert path.publish_time("ETH", NOW_MS + 12_999) == NOW_MS // 1000 + 5
    assert path.publish_time("BTC", NOW_MS + 12_999) == NOW_MS // 1000 + 12
    assert path.at("ETH", NOW_MS + 13_000) == PricePath(4, NOW_MS).at("ETH", NOW_MS + 13_000)
    repeating = Script((Episode(Regime.FROZEN, 100, 50),), period_ms=1_000)
    assert [repeating.standing(moment, "ETH") for moment in (-5, 99, 120, 150, 2_149)] == [-5, 99, 100, 150, 2_100]


def test_wide_future_and_worst() -> None:
    path = PricePath(4, NOW_MS)
    path.enter(Regime.WIDE, NOW_MS, ["ETH"])
    path.enter(Regime.FUTURE, NOW_MS, ["BTC"])
    mantissa, conf = path.at("ETH", NOW_MS)
    assert conf * 10_000 > mantissa * 50
    mantissa, conf = path.at("BTC", NOW_MS)
    assert conf * 10_000 < mantissa * 50
    assert path.publish_time("BTC", NOW_MS) > NOW_MS // 1000 + 2
    assert path.regimes(NOW_MS) == {Regime.WIDE, Regime.FUTURE}
    assert worst(path.regimes(NOW_MS)) is Regime.FUTURE
    assert worst([]) is Regime.CALM


def test_moves_last_and_calm_stops_them_where_they_stand() -> None:
    path, plain = PricePath(4, NOW_MS), PricePath(4, NOW_MS)
    path.enter(Regime.CRASH, NOW_MS, move=-0.05, duration_s=6)
    path.enter(Regime.TREND, NOW_MS + 10_000, ["ETH"], move=0.02, duration_s=10)
    path.enter(Regime.CALM, NOW_MS + 15_000)

    def added(symbol: str, elapsed_ms: int) -> float:
        return log(path.at(symbol, NOW_MS + elapsed_ms)[0] / plain.at(symbol, NOW_MS + elapsed_ms)[0])

    assert added("BTC", 60_000) == pytest.approx(-0.05, abs=1e-6)
    assert added("ETH", 60_000) == pytest.approx(-0.04, abs=1e-6)
    assert path.regimes(NOW_MS + 15_000) == frozenset()
