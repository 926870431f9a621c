"""The signal engine: what a window says, and when it says nothing."""

import math
from datetime import UTC, datetime

import pytest

from engine.agent.signals import Entry, Reading, Window, evaluate_entry, in_session, rank
from engine.sections import Signal

LOOKBACK = 900_000
NOW = 10_000_000
SIGNAL = Signal()


def window(*prices: float, step_ms: int = 60_000, end_ms: int = NOW) -> Window:
    made = Window(LOOKBACK)
    for back, price in enumerate(reversed(prices)):
        made.samples.appendleft((end_ms - back * step_ms, price))
    return made


def test_momentum_is_the_move_over_the_window_and_volatility_what_was_realised_in_it() -> None:
    prices = [100.0 * 1.001**n for n in range(15)]
    reading = window(*prices).reading("ETH", NOW)
    assert reading is not None
    assert reading.momentum == pytest.approx(1.001**14 - 1)
    assert reading.volatility == pytest.approx(math.log(1.001) * math.sqrt(14))


def test_samples_older_than_the_lookback_fall_out() -> None:
    made = Window(LOOKBACK)
    for minute in range(60):
        made.add(minute * 60_000, 100.0 + minute)
    assert len(made.samples) == 16
    assert made.change() == pytest.approx(159 / 144 - 1)


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_price_is_no_sample(price: float) -> None:
    made = Window(LOOKBACK)
    made.add(1, price)
    assert not made.samples


def test_a_sample_that_is_not_newer_is_ignored() -> None:
    made = Window(LOOKBACK)
    for at in (5, 5, 4):
        made.add(at, 100.0)
    assert len(made.samples) == 1


@pytest.mark.parametrize(
    "made",
    [
        window(),
        window(*[100.0] * 4, step_ms=225_000),
        window(*[100.0] * 10),
        window(*[100.0] * 15, end_ms=NOW - 240_000),
    ],
    ids=["empty", "too few", "too short", "too old"],
)
def test_an_unfilled_or_old_window_gives_no_reading(made: Window) -> None:
    assert made.reading("ETH", NOW) is None


@pytest.mark.parametrize(
    ("momentum", "volatility", "allow", "is_long"),
    [
        (0.0015, 0.01, True, True),
        (-0.0015, 0.01, True, False),
        (0.00149, 0.01, False, True),
        (-0.00149, 0.01, False, False),
        (0.05, 0.03, True, True),
        (0.05, 0.0301, False, True),
    ],
)
def test_entry_thresholds(momentum: float, volatility: float, allow: bool, is_long: bool) -> None:
    entry = evaluate_entry("ETH", Reading("ETH", momentum, volatility), SIGNAL, NOW)
    assert (entry.allow, entry.is_long) == (allow, is_long)
    assert "momentum" in entry.reason


def test_without_a_reading_there_is_no_entry() -> None:
    assert not evaluate_entry("ETH", None, SIGNAL, NOW).allow


@pytest.mark.parametrize(
    ("when", "open_"),
    [
        (datetime(2026, 11, 20, 6, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 20, 7, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 20, 21, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 21, 12, 0, tzinfo=UTC), False),
    ],
)
def test_the_active_session_is_asked_only_when_required(when: datetime, open_: bool) -> None:
    now_ms = int(when.timestamp() * 1000)
    reading = Reading("ETH", 0.01, 0.01)
    strict = SIGNAL.model_copy(update={"require_active_session": True})
    assert in_session(now_ms) is open_
    assert evaluate_entry("ETH", reading, strict, now_ms).allow is open_
    assert evaluate_entry("ETH", reading, SIGNAL, now_ms).allow


def test_the_strongest_allowed_entry_ranks_first() -> None:
    def entry(market: str, allow: bool, momentum: float) -> Entry:
        return Entry(market, allow, momentum > 0, momentum, "")

    ranked = rank([entry("A", True, 0.002), entry("B", False, 0.9), entry("C", True, -0.004)])
    assert [each.market for each in ranked] == ["C", "A", "B"]
