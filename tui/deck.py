"""What every screen has: the status line on top, message and key lines at the bottom, the operator's actions."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from engine.snapshot import DeskRow
from tui.actions import BY_ID, Place, Sight, key_line
from tui.dialogs import CloseDialog, HelpPage
from tui.format import fit
from tui.lines import Lines
from tui.session import Session
from tui.settings import MIN_HEIGHT, MIN_WIDTH
from tui.status import status_line
from tui.tones import Tone


class Deck(Screen[None], inherit_bindings=False):
    """Base of the overview and the detail pages."""

    DEFAULT_CSS = """
    Deck { layers: base over; }
    Deck > .bar { height: 1; }
    Deck > #small { layer: over; width: 100%; height: 100%; display: none; background: $background; }
    Deck.-small > #small { display: block; }
    """
    place: ClassVar[Place]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._status, self._message, self._keys = (Lines(session.palette) for _ in range(3))
        for bar in (self._status, self._message, self._keys):
            bar.add_class("bar")
        self._small = Lines(session.palette, id="small")

    def compose(self) -> ComposeResult:
        """Bars around the body."""
        yield self._status
        yield from self.body()
        yield self._message
        yield self._keys
        yield self._small

    def body(self) -> Iterable[Widget]:
        """What is between the bars."""
        return ()

    def draw_body(self) -> None:
        """Draws what a new snapshot changes between the bars."""

    def sight(self) -> Sight:
        """What the operator sees and may do here."""
        desk = self.selected_desk()
        return Sight(self.session.info, self.session.frame.snapshot, desk, self.place)

    def selected_desk(self) -> DeskRow | None:
        """The desk that h and c mean."""
        return None

    def draw_frame(self, fresh: bool) -> None:
        """One tick of the frame clock; `fresh` says that there is a new snapshot."""
        width = self.size.width
        frame = self.session.frame
        self._status.draw([status_line(frame.snapshot.status, frame.now_ms(), width, frame.silent_ms(), frame.dropped)])
        self.draw_bars()
        if fresh:
            self.draw_body()

    def draw_bars(self) -> None:
        """The two lines at the bottom."""
        width = self.size.width
        self._message.draw([self.session.message_line(width)])
        self._keys.draw([key_line(self.sight(), width)])

    def on_resize(self) -> None:
        """Says so where there is too little room for figures that can be trusted."""
        width, height = self.size
        small = width < MIN_WIDTH or height < MIN_HEIGHT
        self.set_class(small, "-small")
        words = f"perpdesk needs {MIN_WIDTH}x{MIN_HEIGHT}, this is {width}x{height}"
        text = fit(words.center(width), width)
        self.call_after_refresh(self._after_resize, small, text, height)

    def _after_resize(self, small: bool, text: str, height: int) -> None:
        if small:
            self._small.draw([()] * (height // 2) + [((text, Tone.TEXT),)])
        self.draw_frame(fresh=True)

    def on_screen_resume(self) -> None:
        """What was frozen behind a dialog catches up."""
        self.call_after_refresh(self.draw_frame, fresh=True)

    async def action_operate(self, action_id: str) -> None:
        """Runs an action of the registry, or says why it cannot be done."""
        action, sight = BY_ID[action_id], self.sight()
        if why := action.why_disabled(sight):
            self.session.say(f"{action.name(sight)}: {why}", Tone.WARN)
        else:
            await self.run_action(action_id if "(" in action_id else f"{action_id}()")

    def action_halt(self) -> None:
        """h"""
        if desk := self.selected_desk():
            self.session.toggle_halt(desk)

    def action_halt_all(self) -> None:
        """H"""
        self.session.halt_all()

    def action_close_desk(self) -> None:
        """c"""
        if desk := self.selected_desk():
            self.app.push_screen(CloseDialog(self.session, desk))

    def action_help(self) -> None:
        """?"""
        self.app.push_screen(HelpPage(self.session))

    def action_leave(self) -> None:
        """q"""
        if self.session.leave():
            self.app.exit()
