"""The pages behind a row: one desk with its life, one position near its end."""

from collections import deque
from collections.abc import Iterable, Sequence

from textual.containers import Container
from textual.widget import Widget

from engine.snapshot import DeskRow, Event, LiquidationRow
from tui.cached import cached
from tui.deck import Deck
from tui.desk_chart import HOURS, desk_chart_lines
from tui.desk_figures import desk_lines
from tui.figures import position_lines
from tui.key_line import bindings
from tui.life_figures import decision_lines, plan_lines, timeline_lines
from tui.lines import Lines
from tui.panes.desks import name
from tui.panes.liquidations import identity
from tui.reasons import Place
from tui.session import Session
from tui.tones import Line, Tone
from tui.track import SPANS, Track

_EVENTS = 500
_CHART_WIDTH, _CHART_HEIGHT = 120, 32
"""Least width of the terminal and height of the words for a chart of the past above them."""


class Page(Deck):
    """Figures left, words right."""

    DEFAULT_CSS = """
    Page #page { layout: horizontal; height: 1fr; }
    Page #figures { width: 58; }
    Page.-narrow #figures { width: 50; }
    Page.-narrow #words { margin: 0 0 0 1; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._figures = Lines(session.palette, id="figures")
        self._words = Lines(session.palette, id="words")

    def body(self) -> Iterable[Widget]:
        """Two panes."""
        yield Container(self._figures, self._words, id="page")

    def measure(self) -> None:
        """Leaves the words some room in a narrow terminal."""
        super().measure()
        self.set_class(self.app.size.width < 100, "-narrow")

    def action_back(self) -> None:
        """esc"""
        if not self.session.cancel():
            self.dismiss()


class PastPage(Page):
    """A page with the past of a market on it, read by a worker: the screen never waits for it."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._track = Track(session.port, "")

    def _follow(self, market: str) -> None:
        """The past of this market from now on."""
        if market != self._track.market:
            self._track = Track(self.session.port, market)

    def _look_back(self, span_ms: int) -> None:
        """Asks for what is missing of the time up to what the screen shows."""
        now_ms = self.session.frame.snapshot.at_ms
        if self._track.market and self._track.claim(now_ms, now_ms - span_ms):
            self.run_worker(self._read(self._track, now_ms, now_ms - span_ms), group="past", exit_on_error=False)

    async def _read(self, track: Track, now_ms: int, since_ms: int) -> None:
        if await track.ask(now_ms, since_ms) and track is self._track:
            self.draw_body()


class DeskPage(PastPage):
    """Everything about one desk."""

    BINDINGS = bindings(Place.DETAIL)
    place = Place.DETAIL

    def __init__(self, session: Session, desk: DeskRow) -> None:
        super().__init__(session)
        self._desk = desk
        self._chart = cached(desk_chart_lines)
        self._events: deque[Event] = deque(maxlen=_EVENTS)
        self._seen = self._dropped = self._leaps = 0

    def selected_desk(self) -> DeskRow | None:
        """The desk of this page, as it is now."""
        return self.session.desk(self._desk.address)

    def draw_body(self) -> None:
        """Figures, the last plan or decision, and what happened."""
        desk = self.selected_desk()
        self._read_events()
        if desk is None:
            self._figures.draw([((f" {name(self._desk)} is no longer enrolled", Tone.WARN),)])
            return
        width, height = self._words.size
        self._figures.draw(desk_lines(desk, *self._figures.size))
        words = [*self._past(desk, width, height)]
        words += self._decided(desk, width, height - len(words))
        words += timeline_lines(self._events, self._dropped, width, height - len(words))
        self._words.draw(words)

    def _past(self, desk: DeskRow, width: int, height: int) -> Sequence[Line]:
        """The index with what happened to the desk, where there is room left for its life."""
        market = desk.market or (desk.plan.market if desk.plan else "")
        if self.app.size.width < _CHART_WIDTH or height < _CHART_HEIGHT or not market:
            return []
        self._follow(market)
        self._look_back(SPANS[HOURS][0])
        return self._chart(self._track.state(), market, tuple(self._events), width, height // 3)

    def _decided(self, desk: DeskRow, width: int, height: int) -> list[Line]:
        """The last plan with what was seen, and the last decision where it is another one."""
        decision = next((row for row in self.session.frame.snapshot.decisions if row.address == desk.address), None)
        if desk.plan is None:
            return decision_lines(decision, width)
        newer = decision is not None and decision.at_ms > desk.plan.at_ms
        lines = decision_lines(decision, width) if newer else []
        return lines + plan_lines(desk.plan, width, height - len(lines))

    def _read_events(self) -> None:
        if self._leaps != self.session.frame.leaps:
            self._leaps = self.session.frame.leaps
            self._seen = self._dropped = 0
            self._events.clear()
        page = self.session.port.events(self._seen)
        if page.events:
            self._seen = page.events[-1].number
        self._dropped += page.dropped
        self._events.extend(event for event in page.events if event.address == self._desk.address)


class PositionPage(PastPage):
    """One position of the liquidation queue."""

    DEFAULT_CSS = """
    PositionPage.-short #page #figures { width: 1fr; }
    PositionPage.-short #page #words { display: none; }
    """

    BINDINGS = bindings(Place.POSITION)
    place = Place.POSITION

    def __init__(self, session: Session, row: LiquidationRow) -> None:
        super().__init__(session)
        self._row = row
        self._chart = cached(desk_chart_lines)

    def measure(self) -> None:
        """The figures alone where there is no room for a chart beside them."""
        super().measure()
        self.set_class(self.app.size.width < _CHART_WIDTH, "-short")

    def draw_body(self) -> None:
        """Its figures, followed while it stays in the queue, and the index of its market."""
        rows = self.session.frame.snapshot.liquidations
        now = next((row for row in rows if identity(row) == identity(self._row)), None)
        self._row = now or self._row
        market = next((row for row in self.session.frame.snapshot.markets if row.symbol == self._row.market), None)
        self._figures.draw(position_lines(self._row, market, now is None, self._figures.size.width))
        if self.app.size.width >= _CHART_WIDTH:
            self._follow(self._row.market)
            self._look_back(SPANS[HOURS][0])
            width, height = self._words.size
            self._words.draw(self._chart(self._track.state(), self._row.market, (), width, min(height, 20)))
