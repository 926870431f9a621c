"""The third screen: how the agent is doing, and everything that happened."""

from collections.abc import Iterable, Sequence
from typing import Any

from textual.widget import Widget

from engine.snapshot import DeskRow, Event
from tui.agent_figures import agent_lines
from tui.board import Board
from tui.detail import DeskPage
from tui.key_line import bindings
from tui.lines import Lines
from tui.panes import EXCHANGE, LOG, OVERVIEW, Pane, log
from tui.reasons import Place
from tui.session import Session
from tui.tones import Line


class AgentLog(Board):
    """Two lines about the agent above the log, which stands still while its operator reads further down."""

    DEFAULT_CSS = """
    AgentLog #doing { height: 2; }
    AgentLog #panes { height: 1fr; }
    """
    BINDINGS = bindings(Place.AGENT_LOG)
    place = Place.AGENT_LOG
    panes = LOG
    first = len(OVERVIEW + EXCHANGE)

    def __init__(self, session: Session, pane: int = 0) -> None:
        super().__init__(session, pane)
        self._doing = Lines(session.palette, id="doing")
        self.grids[0].anchored = True

    def body(self) -> Iterable[Widget]:
        """The agent, then the log."""
        yield self._doing
        yield from super().body()

    def draw_body(self) -> None:
        """Both."""
        self._doing.draw(agent_lines(self.session.frame.snapshot.agent, self.size.width))
        super().draw_body()

    def _heading(self, pane: Pane) -> Line:
        return log.heading(self.session.frame.log)

    def _rows(self, pane: Pane) -> Sequence[Any]:
        return self.session.frame.log.rows

    def _desk(self) -> DeskRow | None:
        """The desk the line under the cursor is about. Not `selected_desk`: lines move, and h must not follow them."""
        row = self.grid.chosen
        return self.session.desk(row.address) if isinstance(row, Event) and row.address else None

    def can_open(self) -> bool:
        """A line about a desk that is still enrolled."""
        return self._desk() is not None

    def action_open(self) -> None:
        """enter"""
        if desk := self._desk():
            self.app.push_screen(DeskPage(self.session, desk))
