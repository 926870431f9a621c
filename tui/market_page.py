"""The page of a market: its figures left, its past as charts right, or below where the terminal is narrow."""

from collections.abc import Sequence

from engine.snapshot import MarketRow
from tui import format as fmt
from tui.chart import chart_lines
from tui.detail import PastPage
from tui.key_line import bindings
from tui.market_figures import CURVE_LINES, charts, curve_lines, listed, market_lines
from tui.reasons import Place
from tui.session import Session
from tui.tones import Line, Tone
from tui.track import SPANS

_FIGURE_LINES = 14
_CURVE = 3
"""The curve's number among what may be large; after the charts."""
_AXIS = 11
"""Room of all axes, so that one time is one column in all charts."""
_ALL_AT_ONCE = 28
"""At this height the charts that are not the large one are shown as well."""


class MarketPage(PastPage):
    """Everything about one market. The past is read by a worker; charts are drawn when there is something new."""

    DEFAULT_CSS = """
    MarketPage #page #figures { width: 46; }
    MarketPage #page #words { margin: 0 0 0 1; }
    MarketPage.-narrow #page { layout: vertical; }
    MarketPage.-narrow #page #figures { width: 1fr; height: 8; }
    MarketPage.-narrow #page #words { margin: 0; }
    """
    BINDINGS = bindings(Place.MARKET)
    place = Place.MARKET

    def __init__(self, session: Session, row: MarketRow) -> None:
        super().__init__(session)
        self._row = row
        self._follow(row.symbol)
        self._span = 0
        self._large = 0
        self._drawn: object = None
        """What the charts were drawn of."""

    def action_span(self) -> None:
        """l: a longer time, and after the longest the shortest again."""
        self._span = (self._span + 1) % len(SPANS)
        self.draw_body()

    def action_chart(self) -> None:
        """tab: the next chart is the large one."""
        self._large = (self._large + 1) % (_CURVE if self._curve_aside() else _CURVE + 1)
        self.draw_body()

    def draw_body(self) -> None:
        """The figures of now; the charts where they are others."""
        snapshot = self.session.frame.snapshot
        now = next((row for row in snapshot.markets if row.symbol == self._row.symbol), None)
        self._row = now or self._row
        width, height = self._figures.size
        lines = market_lines(self._row, width, height)
        if now is None:
            lines.append(((" no longer listed: these are its last figures", Tone.WARN),))
        if self._curve_aside():
            lines += [(), *curve_lines(self._row, width)]
            self._large %= _CURVE
        self._figures.draw(lines)
        self._look_back(SPANS[self._span][0])
        self._draw_charts()

    def _curve_aside(self) -> bool:
        """Whether there is room for the curve under the figures."""
        return self._figures.size.height >= _FIGURE_LINES + CURVE_LINES

    def _draw_charts(self) -> None:
        width, height = self._words.size
        curve = self._row if self._large == _CURVE else None
        of = (self._track.points, self._track.trouble, self._track.answered, self._span, self._large, width, height)
        if (*of, curve) != self._drawn:
            self._drawn = (*of, curve)
            self._words.draw(self._chart_lines(width, height))

    def _chart_lines(self, width: int, height: int) -> Sequence[Line]:
        if not self._track.answered:
            words = self._track.trouble and f"the past cannot be read: {self._track.trouble}"
            return [((" " + part, Tone.WARN),) for part in fmt.wrap(words, width - 2, 3)] if words else []
        lines: list[Line] = []
        if self._track.trouble:
            lines.append(((fmt.fit(f" the newest cannot be read: {self._track.trouble}", width), Tone.WARN),))
        height -= len(lines)
        if self._large == _CURVE:
            return [*lines, *curve_lines(self._row, min(width, 60))]
        drawn = list(charts(self._track.points, self._span, listed=listed(self._row)))
        large = drawn.pop(self._large)
        if height < _ALL_AT_ONCE:
            return [*lines, *chart_lines(large, width, height, _AXIS)]
        small = height // 4
        lines += chart_lines(large, width, height - 2 * small, _AXIS)
        return [*lines, *(line for chart in drawn for line in chart_lines(chart, width, small, _AXIS))]
