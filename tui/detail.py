"""The pages behind a row: one desk with its life, one position near its end."""

from collections import deque
from collections.abc import Iterable

from textual.containers import Container
from textual.widget import Widget

from engine.snapshot import DeskRow, Event, LiquidationRow
from tui.actions import Place, bindings
from tui.deck import Deck
from tui.desk_figures import desk_lines
from tui.figures import position_lines
from tui.life_figures import decision_lines, plan_lines, timeline_lines
from tui.lines import Lines
from tui.panes.desks import name
from tui.session import Session
from tui.tones import Line, Tone

_EVENTS = 500


class Page(Deck):
    """Figures left, words right."""

    DEFAULT_CSS = """
    Page #page { layout: horizontal; height: 1fr; }
    Page #figures { width: 58; }
    Page.-narrow #figures { width: 50; }
    Page.-narrow #words { margin: 0 0 0 1; }
    """
    BINDINGS = bindings(Place.DETAIL)
    place = Place.DETAIL

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


class DeskPage(Page):
    """Everything about one desk."""

    def __init__(self, session: Session, desk: DeskRow) -> None:
        super().__init__(session)
        self._desk = desk
        self._events: deque[Event] = deque(maxlen=_EVENTS)
        self._seen = 0
        self._dropped = 0

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
        words = self._decided(desk, width, height)
        words += timeline_lines(self._events, self._dropped, width, height - len(words))
        self._words.draw(words)

    def _decided(self, desk: DeskRow, width: int, height: int) -> list[Line]:
        """The last plan with what was seen, and the last decision where it is another one."""
        decision = next((row for row in self.session.frame.snapshot.decisions if row.address == desk.address), None)
        if desk.plan is None:
            return decision_lines(decision, width)
        newer = decision is not None and decision.at_ms > desk.plan.at_ms
        lines = decision_lines(decision, width) if newer else []
        return lines + plan_lines(desk.plan, width, height - len(lines))

    def _read_events(self) -> None:
        page = self.session.port.events(self._seen)
        if page.events:
            self._seen = page.events[-1].number
        self._dropped += page.dropped
        self._events.extend(event for event in page.events if event.address == self._desk.address)


class PositionPage(Page):
    """One position of the liquidation queue."""

    def __init__(self, session: Session, row: LiquidationRow) -> None:
        super().__init__(session)
        self._row = row

    def draw_body(self) -> None:
        """Its figures, followed while it stays in the queue."""
        rows = self.session.frame.snapshot.liquidations
        now = next((row for row in rows if row.position_id == self._row.position_id), None)
        self._row = now or self._row
        market = next((row for row in self.session.frame.snapshot.markets if row.symbol == self._row.market), None)
        self._figures.draw(position_lines(self._row, market, now is None))
