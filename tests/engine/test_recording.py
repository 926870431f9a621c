"""Reading recordings, and the small sums made of what a replay finds."""

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.agent.outcomes import MOST_POINTS, Extremes, Outcome, Tally, Trace
from engine.agent.recording import MAX_LINE, SIMULATED_FROM_MS, Recording, RecordingCode, RecordingError, simulated
from tests.engine.recordings import SHORT, T0, item, run, update
from venue.pyth import FEEDS, RefusalCode


@pytest.mark.parametrize(
    "row",
    [
        f"{T0},ETH,1956.5",
        "2026-08-01T00:00:00Z,ETH,1956.5",
        "2026-08-01T00:00:00.000+00:00,ETH,1956.50000000999",
        f' "{T0}" , "ETH" , "1956.5" ',
    ],
)
def test_one_row_in_many_spellings(row: str) -> None:
    for text in (f"time,market,price\n{row}\n", f"\ufeffTime, Market, Price\r\n\r\n{row}"):
        (tick,) = Recording(io.BytesIO(text.encode()), "file")
        assert (tick.at_ms, tick.item.id) == (T0, FEEDS["ETH"].id)
        assert (tick.item.price.price, tick.item.price.publish_time) == ("195650000000", T0 // 1000)


def test_a_line_without_an_end_is_not_held() -> None:
    endless = io.BytesIO(b"time,market,price\n" + b"1" * (3 * MAX_LINE))
    with pytest.raises(
        RecordingError, match=r"file: line 2: line: '1{40}': expected at most 1,048,576 bytes"
    ) as caught:
        list(Recording(endless, "file"))
    assert caught.value.code is RecordingCode.BAD_LINE


@given(st.binary(max_size=200), st.sampled_from([b"", b"time,market,price\n", b"{", b'{"parsed":[']))
def test_anything_at_all_is_read_or_refused_in_one_line(data: bytes, before: bytes) -> None:
    said = "file: line 0"
    try:
        list(Recording(io.BytesIO(before + data), "file"))
    except RecordingError as error:
        said = str(error)
    assert said.startswith("file: line ")
    assert said.isprintable()


def test_simulated_prices_are_the_same_for_the_same_seed() -> None:
    lines = list(simulated(3, 1, 60, ("ETH",)))
    assert lines == list(simulated(3, 1, 60, ("ETH",)))
    assert lines != list(simulated(4, 1, 60, ("ETH",)))
    assert lines[:2] == ["time,market,price", f"{SIMULATED_FROM_MS},ETH,1956.56000000"]
    assert len(lines) == 62


def test_the_time_at_which_hermes_could_serve_is_the_arrival() -> None:
    late = item("ETH", 1000, T0 // 1000, metadata={"slot": 1, "proof_available_time": T0 // 1000 + 4})
    ticks = list(Recording(io.BytesIO(update(late).encode()), "file"))
    assert [tick.at_ms for tick in ticks] == [T0 + 4000]


def test_a_gap_of_a_stream_is_believed_when_its_next_line_agrees() -> None:
    lines = [update(item("ETH", 1000, T0 // 1000 + at)) for at in (0, 1, 9000, 9001, 9002)]
    result = run("\n".join(lines), SHORT)
    assert (result.accepted, result.refused) == (4, {RefusalCode.FROM_THE_FUTURE: 1})
    assert result.last_ms == T0 + 9_002_000


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=60),
    st.integers(1, 20),
    st.integers(1, 9),
)
def test_extremes_are_those_of_the_span(steps: list[tuple[int, int]], span: int, entered: int) -> None:
    extremes, seen, now = Extremes(span), [], 0
    for wait, price in steps:
        now += wait
        extremes.add(now, float(price))
        seen.append((now, float(price)))
    within = [price for at, price in seen if at > now - span] + [float(entered)]
    assert extremes.since(now - span, float(entered)) == (min(within), max(within))
    assert len(extremes.highs) + len(extremes.lows) <= 2 * len(within)


def test_the_worst_of_a_tally_may_be_a_gain() -> None:
    tally = Tally()
    for after in (0.5, 0.25):
        tally.judge(Outcome(after, after, after))
    assert (tally.worst, tally.gained, tally.total) == (0.25, 2, 0.75)


def test_a_trace_stays_bounded_and_even() -> None:
    trace = Trace()
    for at in range(10 * MOST_POINTS):
        trace.add(at, 1.0)
    times = [at for at, _ in trace.points]
    assert MOST_POINTS // 2 <= len(times) < MOST_POINTS
    assert len({after - before for before, after in itertools.pairwise(times)}) == 1
