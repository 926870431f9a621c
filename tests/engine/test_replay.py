"""Replaying recorded prices: the live functions on the live checks, in the order of time, without looking ahead."""

import json
import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from engine.agent.outcomes import Outcome, outcome
from engine.agent.recording import simulated
from engine.agent.replay import COST, Decision, Result, Terms, grid
from engine.agent.signals import Entry, Window, evaluate_entry, rank
from engine.sections import Signal
from tests.engine.recordings import (
    BOTH,
    FIXTURE,
    QUICK,
    SHORT,
    T0,
    TEN_MINUTES,
    climb,
    csv,
    fixture_rows,
    item,
    run,
    stream,
    update,
)
from venue.pyth import RefusalCode

STREAM = stream(fixture_rows())[:180]


def bare(result: Result) -> list[Decision]:
    return [replace(each, outcome=None) for each in result.decisions]


def test_exact_decisions_on_an_even_climb() -> None:
    found = run(csv(*climb(1500)), SHORT).decisions
    assert [(each.at_ms - T0) // 1000 for each in found] == [300, 600, 900, 1200, 1500]
    assert found[0] == Decision(T0 + 300_000, "ETH", True, False, None, None, 1005.0, found[0].reason)
    assert found[0].reason == "ETH: too few fresh samples in the window"
    assert [each.allow for each in found] == [False, True, True, True, True]
    second = found[1]
    assert (second.price, second.is_long) == (1010.0, True)
    assert second.momentum == pytest.approx(0.01)
    assert second.reason == "ETH momentum +1.00%, vol 0.31%"
    gained = 1020.0 / 1010.0 - 1 - COST
    assert second.outcome == Outcome(gained, gained, -COST)
    assert [each.outcome is None for each in found] == [True, False, False, True, True]


def test_a_fall_is_sold_and_a_flat_price_is_left_alone() -> None:
    fall = run(csv(*climb(1200, slope=-1 / 60)), SHORT).decisions[1]
    assert (fall.allow, fall.is_long) == (True, False)
    assert fall.outcome is not None
    assert fall.outcome.after == pytest.approx(1 - 980 / 990 - COST)
    flat = run(csv(*climb(1200, slope=0.0)), SHORT).decisions[1]
    assert (flat.allow, flat.momentum, flat.reason) == (False, 0.0, "ETH momentum +0.00%, vol 0.00%: under 0.15%")


def test_the_configured_row_sums_up_the_decisions() -> None:
    alternatives = grid(TEN_MINUTES, [Decimal("0.0015"), Decimal("0.02")], [Decimal("0.03")], [600_000])
    result = run(csv(*climb(1500)), replace(SHORT, alternatives=alternatives))
    mine, strict = result.rows
    outcomes = [each.outcome.after for each in result.decisions if each.outcome]
    assert (mine.configured, mine.entries, mine.longs, mine.shorts, mine.judged) == (True, 4, 4, 0, 2)
    assert (mine.mean, mine.gained, mine.worst) == (sum(outcomes) / 2, 1.0, min(outcomes))
    assert (strict.configured, strict.entries, strict.mean, strict.gained, strict.worst) == (False, 0, None, None, None)


# --- the same by hand: no replay, only the live functions -------------------------------------------------------------


def by_hand(signal: Signal, terms: Terms) -> list[tuple[int, Entry, Outcome | None]]:
    rows = fixture_rows()
    first, last = rows[0][0], rows[-1][0]

    def price(market: str, at_ms: int) -> float:
        return next(price for at, symbol, price in reversed(rows) if symbol == market and at <= at_ms)

    windows = {market: Window(signal.momentum_lookback_ms) for market in terms.markets}
    sampled, found = first, []
    for now in range(first + terms.every_ms, last + 1, terms.every_ms):
        while sampled <= now:
            for market, window in windows.items():
                window.add(sampled, price(market, sampled))
            sampled += terms.sample_ms
        best = rank([evaluate_entry(each, windows[each].reading(each, now), signal, now) for each in terms.markets])[0]
        after = None
        if best.allow and now + terms.horizon_ms <= last:
            end, entered = now + terms.horizon_ms, price(best.market, now)
            between = [p for at, symbol, p in rows if symbol == best.market and now < at <= end]
            span = min(*between, entered), max(*between, entered)
            after = outcome(best.is_long, entered, price(best.market, end), span, terms.cost)
        found.append((now, best, after))
    return found


def test_the_fixture_is_decided_as_the_live_functions_decide_it() -> None:
    signal = Signal()
    alternatives = grid(signal, [Decimal("0.001"), Decimal("0.004")], [Decimal("0.002")], [300_000, 900_000])
    terms = Terms(signal, BOTH, alternatives)
    result = run(FIXTURE.read_bytes(), terms)
    expected = by_hand(signal, terms)
    assert [(each.at_ms, each.market, each.allow, each.is_long, each.reason) for each in result.decisions] == [
        (at, best.market, best.allow, best.is_long, best.reason) for at, best, _ in expected
    ]
    assert [each.outcome for each in result.decisions] == [after for _, _, after in expected]
    assert 5 < sum(each.allow for each in result.decisions) < len(result.decisions)
    assert len(result.rows) == 5
    for row in result.rows:
        hand = by_hand(row.signal, terms)
        judged = [after.after for _, _, after in hand if after]
        entries = [best.is_long for _, best, _ in hand if best.allow]
        assert (row.longs, row.shorts, row.judged) == (sum(entries), len(entries) - sum(entries), len(judged))
        assert row.mean == (pytest.approx(sum(judged) / len(judged)) if judged else None)
        assert row.worst == (min(judged) if judged else None)


def test_the_fixture_is_what_the_simulator_makes() -> None:
    assert FIXTURE.read_text().splitlines() == list(simulated(7, 3, 10, BOTH))
    assert FIXTURE.stat().st_size < 100_000


# --- Hermes recordings ------------------------------------------------------------------------------------------------


def test_a_hermes_recording_decides_as_the_same_prices_in_csv() -> None:
    as_csv = "\n".join(["time,market,price", *FIXTURE.read_text().splitlines()[1:361]])
    as_lines = "\n".join(line for _, line in STREAM)
    as_sse = "".join(f"data:{line}\n\n:\n" for _, line in STREAM) + "event: error\ndata: Connection timeout (24h)\n"
    single = "\n".join(json.dumps(each) for _, line in STREAM for each in json.loads(line)["parsed"])
    expected = run(as_csv, QUICK).decisions
    assert any(each.allow for each in expected)
    for other in (as_lines, as_sse, single, as_lines.replace("\n", "\r\n"), "\ufeff" + as_lines):
        assert run(other, QUICK).decisions == expected


def noise(kind: int, at_s: int, earlier: str) -> str:
    spoiled = [
        earlier,
        update(item("ETH", 4000, at_s, conf=0)),
        update({**item("ETH", 4000, at_s), "id": "0" * 64}),
        update(item("BTC", 4000, at_s - 60)),
        update(item("ETH", 4000, at_s + 3600)),
        update(item("ETH", 4000, 0)),
        update(),
    ]
    return spoiled[kind]


@given(st.dictionaries(st.integers(1, len(STREAM) - 1), st.tuples(st.integers(0, 6), st.integers(0, 10**6))))
@examples(max_examples=40)
def test_refused_and_repeated_prices_change_no_decision(extra: dict[int, tuple[int, int]]) -> None:
    lines: list[str] = []
    for number, (at, line) in enumerate(STREAM):
        lines.append(line)
        if number in extra:
            kind, which = extra[number]
            lines.append(noise(kind, at, STREAM[which % (number + 1)][1]))
    clean, spoiled = run("\n".join(line for _, line in STREAM), QUICK), run("\n".join(lines), QUICK)
    assert spoiled.decisions == clean.decisions
    assert spoiled.rows == clean.rows


@given(st.randoms(use_true_random=False), st.integers(1, 3))
@examples(max_examples=20)
def test_the_order_within_a_moment_and_repetitions_change_no_decision(rng: random.Random, times: int) -> None:
    rows = fixture_rows()[:360]
    rng.shuffle(shuffled := [row for row in rows for _ in range(times)])
    shuffled.sort(key=lambda row: row[0])
    text = "\n".join(["time,market,price", *(f"{at},{market},{price:.8f}" for at, market, price in shuffled)])
    plain = "\n".join(FIXTURE.read_text().splitlines()[:361])
    assert run(text, QUICK).decisions == run(plain, QUICK).decisions


@given(st.integers(1, len(STREAM)))
@examples(max_examples=40)
def test_what_comes_later_changes_nothing_before(kept: int) -> None:
    full = run("\n".join(line for _, line in STREAM), QUICK)
    cut = run("\n".join(line for _, line in STREAM[:kept]), QUICK)
    until_ms = STREAM[kept - 1][0] * 1000
    assert bare(cut) == [each for each in bare(full) if each.at_ms <= until_ms]
    known = {each.at_ms: each.outcome for each in full.decisions}
    assert all(each.outcome in (None, known[each.at_ms]) for each in cut.decisions)
    settled = [each for each in full.decisions if each.allow and each.at_ms + QUICK.horizon_ms <= until_ms]
    assert [each.outcome for each in cut.decisions if each.outcome] == [each.outcome for each in settled]


# --- checks and gaps --------------------------------------------------------------------------------------------------


def test_a_wick_is_refused_and_counted() -> None:
    rows = climb(1500)
    wick = [(at, market, price * (1.2 if at == 610 else 1)) for at, market, price in rows]
    plain, spoiled = run(csv(*rows), SHORT), run(csv(*wick), SHORT)
    assert spoiled.refused == {RefusalCode.JUMP: 1}
    assert spoiled.accepted == plain.accepted - 1
    assert spoiled.decisions == plain.decisions


def test_nothing_is_decided_on_wide_prices() -> None:
    lines = [update(item("ETH", price, T0 // 1000 + at, conf=10**10)) for at, _, price in climb(900)]
    found = run("\n".join(lines), SHORT).decisions
    assert [(each.allow, each.price, each.reason) for each in found] == [
        (False, None, "ETH: no tradable price, the feed is wide")
    ] * 3


def test_rows_too_far_apart_are_stale_unless_told_otherwise() -> None:
    rows = csv(*climb(1500, step_s=60))
    shifted = replace(SHORT, sample_ms=55_000, every_ms=290_000)
    assert not any(each.allow for each in run(rows, shifted).decisions)
    assert "ETH: no tradable price, the feed is stale" in {each.reason for each in run(rows, shifted).decisions}
    assert any(each.allow for each in run(rows, replace(shifted, max_age_s=60)).decisions)


def test_in_a_gap_of_the_recording_nobody_is_asked() -> None:
    day = 86_400
    rows = [*climb(900), *((at + day, market, price) for at, market, price in climb(900))]
    result = run(csv(*rows), SHORT)
    at = [(each.at_ms - T0) // 1000 for each in result.decisions]
    assert at == [300, 600, 900, day, day + 300, day + 600, day + 900]
    assert [each.outcome for each in result.decisions] == [None] * 7
    assert not result.decisions[3].allow
    assert (result.first_ms, result.last_ms) == (T0, T0 + (day + 900) * 1000)


def test_centuries_between_two_rows_take_no_time() -> None:
    text = f"time,market,price\n{T0},ETH,1000\n4102444799000,ETH,1001\n"
    assert len(run(text, replace(SHORT, every_ms=1000, sample_ms=1000)).decisions) <= 31


def test_other_markets_are_read_and_not_chosen() -> None:
    rows = [row for at, _, price in climb(900) for row in ((at, "ETH", price), (at, "SOL", price * (1 + at / 9000)))]
    assert {each.market for each in run(csv(*rows), SHORT).decisions} == {"ETH"}
    assert {each.market for each in run(csv(*rows), replace(SHORT, markets=("ETH", "SOL"))).decisions[1:]} == {"SOL"}
    assert run(csv(*rows), replace(SHORT, markets=("BTC",))).first_ms is None
