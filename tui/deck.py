"""What every screen has: the status line on top, message and key lines at the bottom, the operator's actions."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from engine.exchange_rows import PoolRow, RequestRow
from engine.snapshot import DeskRow
from tui.actions import BY_ID
from tui.alarms_page import AlarmsPage
from tui.arm_dialog import ArmDialog
from tui.close_all import CloseAllDialog
from tui.desk_dialogs import QuarantineDialog, ReduceDialog
from tui.dialogs import CancelDialog, CloseDialog
from tui.format import fit
from tui.forms.dialog import KindDialog
from tui.help_page import HelpPage
from tui.key_line import key_line
from tui.lines import Lines
from tui.note_dialog import NoteDialog
from tui.palette import FindDialog
from tui.reasons import Place, Sight
from tui.session import Session
from tui.settings import MIN_HEIGHT, MIN_WIDTH
from tui.status import status_line
from tui.tones import Tone


class Deck(Screen[None], inherit_bindings=False):
    """Base of the screens of panes and of the detail pages."""

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
        return Sight(
            self.session.info,
            self.session.frame.snapshot,
            self.selected_desk(),
            self.place,
            can_open=self.can_open(),
            request=self.selected_request(),
            replaying=self.session.tape is not None,
            browser=self.session.ui.browser,
        )

    def selected_desk(self) -> DeskRow | None:
        """The desk that h and c mean."""
        return None

    def selected_request(self) -> RequestRow | None:
        """The request that x and t mean."""
        return None

    def selected_pool(self) -> PoolRow | None:
        """The pool that a new request is for, to begin with."""
        return None

    def can_open(self) -> bool:
        """Whether the row under the cursor has a page of its own."""
        return False

    def draw_frame(self, fresh: bool) -> None:
        """One tick of the frame clock; `fresh` says that there is a new snapshot."""
        self.draw_status()
        self.draw_bars()
        if fresh:
            self.draw_body()

    def draw_status(self) -> None:
        """The line on top."""
        frame = self.session.frame
        status, requests = frame.snapshot.status, frame.snapshot.request_counts
        degen = frame.snapshot.agent.degen
        line = status_line(
            status,
            frame.now_ms(),
            self.size.width,
            frame.silent_ms(),
            frame.dropped,
            requests,
            degen,
            self.session.port.lag_ms(),
        )
        self._status.draw([line])

    def draw_bars(self) -> None:
        """The two lines at the bottom."""
        width = self.size.width
        self._message.draw([self.session.message_line(width)])
        self._keys.draw([key_line(self.sight(), width, self.session.keymap)])

    def on_resize(self) -> None:
        """The terminal has another size."""
        self.measure()

    def measure(self) -> None:
        """Says so where there is too little room for figures that can be trusted."""
        width, height = self.app.size
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
        """What stood still behind another screen catches up, also with the size of the terminal."""
        self.measure()

    async def action_operate(self, action_id: str) -> None:
        """Runs an action of the registry, or says why it cannot be done."""
        action, sight = BY_ID[action_id], self.sight()
        if why := action.why_disabled(sight):
            self.session.say(f"{action.name(sight)}: {why}", Tone.WARN)
        else:
            await self.run_action(action.call)

    async def action_operate_as(self, action_id: str, title: str) -> None:
        """Runs an action that was chosen by what it was called, unless by now it would do something else."""
        if (now := BY_ID[action_id].name(self.sight())) != title:
            self.session.say(f"{title}: nothing was done, by now it would {now}", Tone.WARN)
        else:
            await self.action_operate(action_id)

    def action_arm(self) -> None:
        """A"""
        self.app.push_screen(ArmDialog(self.session))

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

    def action_close_all(self) -> None:
        """C"""
        self.app.push_screen(CloseAllDialog(self.session))

    def action_note(self) -> None:
        """N"""
        if desk := self.selected_desk():
            self.app.push_screen(NoteDialog(self.session, desk))

    def action_palette(self) -> None:
        """: and ctrl+p"""
        self.app.push_screen(FindDialog(self.session, self.sight(), self, self.session.destinations))

    def action_reduce_desk(self) -> None:
        """v"""
        if desk := self.selected_desk():
            self.app.push_screen(ReduceDialog(self.session, desk))

    def action_quarantine(self) -> None:
        """u: setting aside asks, giving back does not."""
        desk = self.selected_desk()
        if desk is not None and desk.quarantine:
            self.session.release(desk)
        elif desk is not None:
            self.app.push_screen(QuarantineDialog(self.session, desk))

    def action_cancel_request(self) -> None:
        """x"""
        if request := self.selected_request():
            self.app.push_screen(CancelDialog(self.session, request))

    def action_retry_request(self) -> None:
        """t"""
        if request := self.selected_request():
            self.session.retry_request(request)

    def action_new_request(self) -> None:
        """n"""
        pool = self.selected_pool()
        self.app.push_screen(KindDialog(self.session, "" if pool is None else pool.symbol))

    def action_pane(self, number: int) -> None:
        """1 to 9"""
        self.session.show_pane(number)

    def action_alarms(self) -> None:
        """a"""
        self.app.push_screen(AlarmsPage(self.session))

    def action_help(self) -> None:
        """?"""
        self.app.push_screen(HelpPage(self.session))

    def action_tape(self, word: str) -> None:
        """The keys of a replay; what they show is seen at once."""
        if self.session.tape is not None:
            self.session.tape.do(word)
            self.session.say("")  # what was said before belongs to another moment
            self.draw_frame(self.session.frame.pull())

    def action_leave(self) -> None:
        """q"""
        if self.session.leave():
            self.app.exit()
