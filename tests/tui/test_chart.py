"""Charts: every shape where its value is, gaps where nothing was known, and no more than the room there is."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.scripted import NOW
from tui.canvas import Canvas
from tui.chart import GAP_MS, Chart, Sign, Trace, chart_lines
from tui.scale import Times, scale
from tui.tones import Line, Tone

SPAN_MS = 900_000
FIRST_MS = NOW - SPAN_MS
WIDTH, HEIGHT = 60, 12
AXIS = "│┤└"


def texts(lines: Sequence[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def chart(*traces: Trace, **changes: object) -> Chart:
    base = Chart("Price", FIRST_MS, NOW, lambda value: f"{value:.2f}", traces)
    return replace(base, **changes)  # type: ignore[arg-type]


def line(values: Sequence[float | None], every_ms: int = 5_000, name: str = "index", marker: str = "") -> Trace:
    """The newest is now."""
    start = NOW - every_ms * (len(values) - 1)
    return Trace(name, [(start + every_ms * at, value) for at, value in enumerate(values)], marker)


def plot(drawn: Chart, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """The rows between title and times, without the axis."""
    rows = texts(chart_lines(drawn, width, height))[1:-1]
    return [row[max(row.find(edge) for edge in AXIS) + 1 :] for row in rows]


def columns(rows: Sequence[str]) -> list[str]:
    return ["".join(row[at : at + 1] or " " for row in rows) for at in range(max(map(len, rows)))]


def braille(char: str) -> bool:
    return "\u2801" <= char <= "\u28ff"


def heights(rows: Sequence[str]) -> list[int | None]:
    """Per column the first row with a dot."""
    return [next((at for at, char in enumerate(column) if braille(char)), None) for column in columns(rows)]


def test_what_rises_is_drawn_rising_without_holes() -> None:
    found = heights(plot(chart(line([float(number) for number in range(181)]))))
    assert None not in found[1:]
    known = [at for at in found if at is not None]
    assert known == sorted(known, reverse=True)
    assert (known[0], known[-1]) == (HEIGHT - 3, 0)


def test_what_is_unknown_is_a_gap() -> None:
    values = [5.0 if not 60 <= number < 120 else None for number in range(181)]
    rows = columns(plot(chart(line(values))))
    dotted = [any(map(braille, column)) for column in rows]
    third = len(dotted) // 3
    assert all(dotted[1 : third - 1])
    assert not any(dotted[third + 1 : 2 * third - 1])
    assert all(dotted[2 * third + 2 :])


def test_points_far_apart_are_not_joined() -> None:
    near = chart(Trace("index", [(NOW - GAP_MS, 1.0), (NOW, 2.0)]))
    far = chart(Trace("index", [(NOW - GAP_MS - 1, 1.0), (NOW, 2.0)]))
    assert sum(map(braille, "".join(plot(near)))) > 4
    assert sum(map(braille, "".join(plot(far)))) == 2


def test_a_marker_is_told_from_the_line_by_its_shape_and_the_newest_is_marked() -> None:
    drawn = chart(line([1.0] * 181), line([2.0] * 181, name="mark", marker="+"))
    rows = plot(drawn)
    marked = [at for at, row in enumerate(rows) if "+" in row]
    dotted = [at for at, row in enumerate(rows) if any(map(braille, row))]
    assert len(marked) == len(dotted) == 1
    assert marked[0] < dotted[0]
    assert rows[marked[0]].rstrip()[-1] == "+"
    assert {len(part) for part in rows[marked[0]].strip().split("+")[1:-2]} == {5}
    assert "⠤⠒ index 1.00" in texts(chart_lines(drawn, WIDTH, HEIGHT))[0]
    assert "+ mark 2.00" in texts(chart_lines(drawn, WIDTH, HEIGHT))[0]


def test_a_band_lies_around_the_line_and_ends_where_it_is_not_known() -> None:
    trace = line([10.0] * 181)
    band = [(at_ms, *((9.0, 11.0) if at_ms >= NOW - 450_000 else (None, None))) for at_ms, _ in trace.dots]
    rows = plot(chart(trace, band=band))
    shaded = [at for at, column in enumerate(columns(rows)) if "░" in column]
    assert shaded == list(range(shaded[0], len(columns(rows))))
    assert abs(shaded[0] - len(columns(rows)) // 2) <= 1
    column = columns(rows)[-5]
    at = next(place for place, char in enumerate(column) if braille(char))
    assert "░" in column[:at]
    assert "░" in column[at + 1 :]


def test_signs_stand_on_the_line_when_they_happened() -> None:
    trace = line([1.0] * 90 + [9.0] * 91)
    signs = [Sign(NOW - 800_000, "▲"), Sign(NOW - 5_000, "×"), Sign(FIRST_MS - 1, "!")]
    rows = columns(plot(chart(trace, signs=signs)))
    (opened,) = (at for at, column in enumerate(rows) if "▲" in column)
    (closed,) = (at for at, column in enumerate(rows) if "×" in column)
    assert opened < 10 < closed
    assert rows[opened].index("▲") > rows[closed].index("×")
    assert not any("!" in column for column in rows)


def test_what_happened_while_no_price_was_known_stands_at_the_foot() -> None:
    rows = plot(chart(line([1.0] * 60 + [None] * 60 + [9.0] * 61), signs=[Sign(NOW - 450_000, "▼")]))
    assert "▼" in rows[-1]


def test_the_axis_says_values_and_times_and_the_title_least_most_and_newest() -> None:
    drawn = chart(line([100.0 + number / 10 for number in range(181)]), remark="15 min")
    lines = texts(chart_lines(drawn, 80, HEIGHT))
    assert "118.00" in lines[0]
    assert "min 100.00 max 118.00" in lines[0]
    assert "15 min" in lines[0]
    ticks = [float(row.split("┤")[0]) for row in lines if "┤" in row]
    assert ticks == sorted(ticks, reverse=True)
    assert len(ticks) >= 2
    assert {round(high - low, 6) for high, low in pairwise(ticks)} == {5.0}
    assert [word for word in lines[-1].split() if ":" in word][-3:] == ["13:58", "14:00", "14:02"]


def test_an_unknown_newest_value_is_a_question_mark_and_not_the_last_one_known() -> None:
    title = texts(chart_lines(chart(line([1.0] * 90 + [None] * 10)), WIDTH, HEIGHT))[0]
    assert "?" in title
    assert title.split().index("?") == 1


def test_nought_has_a_line() -> None:
    assert any("┄" in row for row in plot(chart(line([0.5, 0.7] * 90), zero=True)))
    assert not any("┄" in row for row in plot(chart(line([0.5, 0.7] * 90))))


def test_without_a_value_there_are_words() -> None:
    lines = texts(chart_lines(chart(line([None] * 90), nothing="no price was ever seen"), WIDTH, HEIGHT))
    assert lines[1].strip() == "no price was ever seen"
    assert len(lines) == HEIGHT


def test_time_moves_by_whole_dots_so_that_little_is_repainted() -> None:
    trace = Trace("index", [(FIRST_MS + 5_000 * at, float(at % 7)) for at in range(150)])
    times = Times.over(FIRST_MS, NOW, 2 * len(columns(plot(chart(trace)))))
    still = NOW - NOW % times.dot_ms
    one = chart(trace, first_ms=still - SPAN_MS, last_ms=still)
    other = chart(trace, first_ms=still + times.dot_ms - 1 - SPAN_MS, last_ms=still + times.dot_ms - 1)
    assert [row[1:] for row in plot(one)] == [row[1:] for row in plot(other)]
    shifted = chart(trace, first_ms=still + 2 * times.dot_ms - SPAN_MS, last_ms=still + 2 * times.dot_ms)
    assert [row[1:20] for row in plot(one)] == [row[:19] for row in plot(shifted)]


def test_bounds_stay_while_values_move_within_them() -> None:
    assert scale(100.2, 118.4, 10) == scale(100.4, 118.1, 10)


finite = st.floats(min_value=-1e15, max_value=1e15, allow_nan=False, width=64)


@given(least=finite, most=finite, rows=st.integers(3, 60))
def test_every_value_has_a_place_on_its_scale(least: float, most: float, rows: int) -> None:
    low, high = sorted((least, most))
    found = scale(low, high, rows)
    assert 0 <= found.dot(high) <= found.dot(low) < 4 * rows
    assert all(0 <= found.dot(tick) < 4 * rows for tick in found.ticks)
    assert 1 <= len(found.ticks) <= rows + 2


@given(
    values=st.lists(st.none() | finite, min_size=1, max_size=40),
    width=st.integers(1, 120),
    height=st.integers(1, 30),
    every_ms=st.integers(1, 400_000),
)
def test_any_values_fill_exactly_the_room_there_is(
    values: list[float | None], width: int, height: int, every_ms: int
) -> None:
    trace = line(values, every_ms)
    band = [(at_ms, value, value) for at_ms, value in trace.dots]
    drawn = chart(trace, replace(trace, name="mark", marker="+"), band=band, zero=True, signs=[Sign(NOW - 7, "▲")])
    lines = texts(chart_lines(replace(drawn, label=lambda value: f"{value:.6g}"), width, height))
    assert len(lines) == height
    assert all(cell_len(text) <= max(width, 4) for text in lines)


def test_a_canvas_leaves_out_what_is_outside() -> None:
    canvas = Canvas(2, 1)
    canvas.run(-1, 0, 3)
    canvas.run(4, 0, 3)
    canvas.run(0, -5, 9)
    canvas.put(2, 0, ("x", Tone.TEXT))
    canvas.shade(0, 1, ("░", Tone.TEXT))
    assert texts(canvas.lines()) == ["⡇ "]


@pytest.mark.parametrize("room", [1, 5, 9, 40])
def test_times_of_day_are_far_enough_apart(room: int) -> None:
    ticks = Times.over(NOW - 86_400_000, NOW, 200).ticks(room)
    assert all(later - at >= room - 1 for (at, _), (later, _) in pairwise(ticks))
    assert all(label.endswith((":00", ":15", ":30", ":45")) for _, label in ticks)
