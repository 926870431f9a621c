"""The fifth screen: the loops of the engine, and what the one under the cursor did."""

from collections.abc import Iterable, Sequence
from typing import Any

from textual.widget import Widget

from engine.snapshot import DeskRow, Event
from tui.board import Board
from tui.cached import cached
from tui.detail import DeskPage
from tui.figures import title
from tui.key_line import bindings
from tui.life_figures import timeline_lines
from tui.lines import Lines
from tui.panes import EXCHANGE, FUNDS, KEEPERS, LOG, OVERVIEW, Pane, keepers
from tui.panes.keepers import Seen
from tui.reasons import Place
from tui.session import Session
from tui.tones import Line, Tone

_SECOND_MS = 1_000


class Keepers(Board):
    """Keepers above, events of the selected one below."""

    DEFAULT_CSS = """
    Keepers #panes { height: 3fr; }
    Keepers #did { height: 2fr; }
    Keepers.-zoomed #did { display: none; }
    """
    BINDINGS = bindings(Place.KEEPERS)
    place = Place.KEEPERS
    panes = KEEPERS
    first = len(OVERVIEW + EXCHANGE + LOG + FUNDS)

    def __init__(self, session: Session, pane: int = 0) -> None:
        super().__init__(session, pane)
        self._did = Lines(session.palette, id="did")
        self._events = cached(_events)
        self._lines = cached(_lines)
        self._second = -1
        self._healths: tuple[object, ...] = ()
        self._shown: tuple[Seen, ...] = ()

    def body(self) -> Iterable[Widget]:
        """Rows, then events."""
        yield from super().body()
        yield self._did

    def _rows(self, pane: Pane) -> Sequence[Any]:
        """Counted once a second, or when one is in another state: passes run faster than anybody reads."""
        snapshot = self.session.frame.snapshot
        second = snapshot.at_ms // _SECOND_MS
        healths = (snapshot.status.keepers, *((row.name, row.health) for row in snapshot.keepers))
        if (second, healths) != (self._second, self._healths):
            self._second, self._healths = second, healths
            self._shown = keepers.rows(snapshot)
        return self._shown

    def draw_body(self) -> None:
        """Both."""
        super().draw_body()
        self._draw_events()

    def on_grid_moved(self) -> None:
        """Another keeper, other events."""
        super().on_grid_moved()
        self._draw_events()

    def _draw_events(self) -> None:
        seen = self.grid.chosen
        width, height = self._did.size
        self._did.draw(self._lines(seen.row.name, self._of(seen), width, height) if isinstance(seen, Seen) else [])

    def _of(self, seen: Seen) -> tuple[Event, ...]:
        return self._events(seen.row.name, self.session.frame.log.rows)

    def _desk(self) -> DeskRow | None:
        """The desk that the newest of the events is about."""
        seen = self.grid.chosen
        events = self._of(seen) if isinstance(seen, Seen) else ()
        address = next((event.address for event in events if event.address), "")
        return self.session.desk(address) if address else None

    def can_open(self) -> bool:
        """Where there is such a desk."""
        return self._desk() is not None

    def action_open(self) -> None:
        """enter: the page of the desk it was busy with last."""
        if desk := self._desk():
            self.app.push_screen(DeskPage(self.session, desk))


def _events(name: str, log: Sequence[Event]) -> tuple[Event, ...]:
    return tuple(event for event in log if keepers.did(name, event))


def _lines(name: str, events: Sequence[Event], width: int, height: int) -> Sequence[Line]:
    """The newest first."""
    heading = title(f"What {name} did", width)
    if not events:
        return [heading, ((" nothing that the log tells of", Tone.DIM),)]
    return [heading, *timeline_lines(events, 0, width, height)[1:]]
