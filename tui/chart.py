"""Values over time as lines of text: axes, dots, markers and gaps, told apart by shape and never by colour alone.

Drawn here and not by plotext, which takes 25 ms for a screen, keeps one figure for the whole process, and knows neither
gaps nor bands.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from tui import format as fmt
from tui.bar import Piece, shorten
from tui.canvas import Canvas
from tui.scale import Scale, Times, scale
from tui.tones import Line, Span, Tone

GAP_MS = 150_000
"""Points further apart are not joined: in between nothing was known."""
LEAST_WIDTH, LEAST_HEIGHT = 24, 5
BAND = "░"
_MARKER_EVERY = 6
_TIME_ROOM = 9


Dot = tuple[int, float | None]
"""A time (unix ms) and a value; None is a gap. Plain tuples: there are thousands, and nothing else is as cheap."""
Range = tuple[int, float | None, float | None]
"""A time (unix ms) and the bounds of a value; None is a gap."""
_AT = itemgetter(0)


class Sign(NamedTuple):
    """Something that happened, as one character."""

    at_ms: int
    char: str
    tone: Tone = Tone.STRONG


@dataclass(frozen=True, slots=True)
class Trace:
    """Values in the order of time: a line of dots, or a `marker` every few columns."""

    name: str
    dots: Sequence[Dot]
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, from `first_ms` to `last_ms`. `label` writes a value; there is a trace, and signs stand on the
    first one."""

    title: str
    first_ms: int
    last_ms: int
    label: Callable[[float], str]
    traces: tuple[Trace, ...]
    band: Sequence[Range] = ()
    signs: Sequence[Sign] = ()
    legend: str = ""
    """What band and signs mean."""
    zero: bool = False
    """Nought has a line of its own."""
    remark: str = ""
    nothing: str = "no values yet"
    """What to say where there is nothing to draw."""


def chart_lines(chart: Chart, width: int, height: int, margin: int = 0) -> list[Line]:
    """Title, plot and times: exactly `height` lines. `margin`: least room left of the axis, to align several."""
    seen = _seen(chart)
    values = [value for trace in seen for value in _known(trace)]
    lines = [_title(chart, seen, width)]
    if not values or width < LEAST_WIDTH or height < LEAST_HEIGHT:
        words = "no room for this chart" if values else chart.nothing
        lines += [((" " + part, Tone.DIM),) for part in fmt.wrap(words, width - 2, 2)]
    else:
        band = _within(chart, chart.band)
        edges = (edge for each in band for edge in each[1:] if edge is not None)
        bounds = [*values, *edges, *([0.0] if chart.zero else ())]
        lines += _plot(chart, seen, band, scale(min(bounds), max(bounds), height - 2), width, margin)
    return (lines + [()] * height)[:height]


def _known(trace: Trace) -> list[float]:
    return [value for _, value in trace.dots if value is not None]


def _within(chart: Chart, band: Sequence[Range]) -> Sequence[Range]:
    first = bisect_left(band, chart.first_ms, key=_AT)
    return band[first : bisect_right(band, chart.last_ms, key=_AT)]


def _seen(chart: Chart) -> list[Trace]:
    """The traces as far as they are in the time that is shown."""
    found = []
    for trace in chart.traces:
        first = bisect_left(trace.dots, chart.first_ms, key=_AT)
        last = bisect_right(trace.dots, chart.last_ms, key=_AT)
        found.append(Trace(trace.name, trace.dots[first:last], trace.marker))
    return found


def _plot(
    chart: Chart, seen: Sequence[Trace], band: Sequence[Range], values: Scale, width: int, margin: int
) -> list[Line]:
    marks = {values.dot(value) // 4: chart.label(value) for value in values.ticks}
    margin = max(margin, *(len(text) + 2 for text in marks.values()))
    canvas = Canvas(max(width - margin - 1, 1), values.dots // 4)
    times = Times.over(chart.first_ms, chart.last_ms, 2 * canvas.columns)
    if chart.zero:
        for column in range(canvas.columns):
            canvas.shade(column, values.dot(0) // 4, ("┄", Tone.DIM))
    _shade(canvas, band, times, values)
    for trace in seen:
        if trace.marker:
            _mark(canvas, trace, times, values)
        else:
            _join(canvas, trace, times, values)
    _sign(canvas, chart.signs, seen[0], times, values)
    lines: list[Line] = []
    for row, line in enumerate(canvas.lines()):
        edge = "┤" if row in marks else "│"
        lines.append(((fmt.fit(marks.get(row, ""), margin - 1, right=True) + edge, Tone.DIM), *line))
    return [*lines, _clock(times, margin, canvas.columns)]


def _shade(canvas: Canvas, band: Sequence[Range], times: Times, values: Scale) -> None:
    reach: dict[int, tuple[float, float]] = {}
    for (at_ms, low, high), (following_ms, _, _) in pairwise((*band, *band[-1:])):
        if low is None or high is None:
            continue
        start = times.dot(at_ms) // 2
        end = times.dot(following_ms) // 2 if following_ms - at_ms <= GAP_MS else start
        for column in range(start, end + 1):
            lowest, highest = reach.get(column, (low, high))
            reach[column] = min(low, lowest), max(high, highest)
    for column, (low, high) in reach.items():
        for row in range(values.dot(high) // 4, values.dot(low) // 4 + 1):
            canvas.shade(column, row, (BAND, Tone.DIM))


def _join(canvas: Canvas, trace: Trace, times: Times, values: Scale) -> None:
    """Known neighbours as one line, a lonely value as a dot; many in one column as their reach."""
    last: tuple[int, int, int] | None = None
    top = bottom = 0
    for at_ms, value in trace.dots:
        if value is None:
            last = None
            continue
        x, y = times.dot(at_ms), values.dot(value)
        if last is not None and at_ms - last[2] > GAP_MS:
            last = None
        if last is None or last[0] != x:
            if last is not None:
                canvas.line(last[0], last[1], x, y)
            top = bottom = y
            canvas.run(x, y, y)
        elif not top <= y <= bottom:
            top, bottom = min(top, y), max(bottom, y)
            canvas.run(x, top, bottom)
        last = x, y, at_ms


def _mark(canvas: Canvas, trace: Trace, times: Times, values: Scale) -> None:
    """Every few columns, moving along with the time; and the newest."""
    for column in range(canvas.columns):
        if times.slot(column) % _MARKER_EVERY == 0:
            _put(canvas, (trace.marker, Tone.STRONG), column, _value(trace, times.begin_ms(column)), values)
    newest = next((dot for dot in reversed(trace.dots) if dot[1] is not None), None)
    if newest is not None:
        _put(canvas, (trace.marker, Tone.STRONG), times.dot(newest[0]) // 2, newest[1], values)


def _sign(canvas: Canvas, signs: Sequence[Sign], trace: Trace, times: Times, values: Scale) -> None:
    for sign in signs:
        if times.first_ms <= sign.at_ms <= times.last_ms:
            value = _value(trace, sign.at_ms)
            # What happened while no price was known stands at the foot.
            at = values.low if value is None else value
            _put(canvas, (sign.char, sign.tone), times.dot(sign.at_ms) // 2, at, values)


def _put(canvas: Canvas, span: Span, column: int, value: float | None, values: Scale) -> None:
    if value is not None:
        canvas.put(column, values.dot(value) // 4, span)


def _value(trace: Trace, at_ms: int) -> float | None:
    """The newest value at that time, or the one that came soon after; None where nothing was known."""
    after = bisect_right(trace.dots, at_ms, key=_AT)
    near = (value for at, value in trace.dots[max(after - 1, 0) : after + 1] if abs(at - at_ms) <= GAP_MS)
    return next(near, None)


def _title(chart: Chart, seen: Sequence[Trace], width: int) -> Line:
    """Its name, what its shapes mean and the newest values; what has no room is left out, the values last."""
    pieces = [Piece(9, ((chart.title, Tone.STRONG),))]
    several = len(seen) > 1
    for trace in seen:
        known = _known(trace)
        shape = f"{trace.marker or '⠤⠒'} {trace.name} " if several else ""
        if known and trace.dots[-1][1] is not None:
            pieces.append(Piece(8, ((shape, Tone.DIM), (chart.label(known[-1]), Tone.TEXT))))
        elif known:
            pieces.append(Piece(8, ((shape, Tone.DIM), (fmt.UNKNOWN, Tone.WARN))))
    first = _known(seen[0])
    if first:
        name = f"{seen[0].name} " if several else ""
        pieces.append(Piece(6, ((f"{name}min {chart.label(min(first))} max {chart.label(max(first))}", Tone.DIM),)))
    if chart.legend and first:
        pieces.append(Piece(5, ((chart.legend, Tone.DIM),)))
    if chart.remark:
        pieces.append(Piece(7, ((fmt.clean(chart.remark), Tone.DIM),)))
    line = shorten(pieces, max(width - 2, 1), "  ")
    rule = "─" * (width - 3 - sum(len(text) for text, _ in line))
    return ((" ", Tone.TEXT), *line, (f" {rule}", Tone.DIM))


def _clock(times: Times, margin: int, columns: int) -> Line:
    """Times of day under the plot."""
    text = [" "] * columns
    for column, label in times.ticks(_TIME_ROOM):
        start = column - len(label) // 2
        if start >= 0 and start + len(label) <= columns:
            text[start : start + len(label)] = label
    return ((fmt.fit("UTC", margin - 1, right=True) + "└", Tone.DIM), ("".join(text), Tone.DIM))
