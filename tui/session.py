"""One operator at one terminal: what they see, what they ask for, and what they are told."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import App

from engine.commands import MOST_LEAVES, Command, Leave, Receipt
from engine.exchange_rows import RequestRow, Wad
from engine.port import Port
from engine.snapshot import DeskRow
from tui.actions import BY_ID
from tui.export import export
from tui.format import clean, fit
from tui.frame import Frame
from tui.fuses import Fuses
from tui.memory import Memory
from tui.orders import WHOLE, Orders
from tui.panes.desks import name
from tui.panes.requests import name as request_name
from tui.reasons import Sight
from tui.settings import UiSettings
from tui.table import Row, Table
from tui.tape import Tape
from tui.tape_line import tape_line
from tui.tones import Line, Palette, Span, Tone

if TYPE_CHECKING:
    from tui.palette import Hit

_HALT_ALL = "halt all"
_QUIT = "quit"
PARTLY = "PARTLY"
"""The code of a command of which some was done."""
_SAID_SECONDS = 12.0
_NOTHING: Span = ("", Tone.TEXT)


class Session:
    """Shared by all screens; `changed` is called when the message line says something else."""

    def __init__(
        self, app: App[int], port: Port, ui: UiSettings, palette: Palette, clock_ms: Callable[[], int]
    ) -> None:
        self._app = app
        self.port = port
        self.ui = ui
        self.keymap = ui.keymap
        self.memory = Memory()
        """What the screen looks like from one run to the next."""
        self.tape: Tape | None = None
        """What is shown is past, and played from this."""
        self.destinations: Callable[[], Iterable[Hit]] = tuple
        """Where the palette can go."""
        self.palette = palette
        self.info = port.info()
        self.frame = Frame(port, clock_ms)
        self.orders = Orders(port, self.frame)
        self.changed: Callable[[], None] = lambda: None
        self.show_pane: Callable[[int], None] = lambda number: None
        """Goes to a pane, on whichever screen it is."""
        self.drafts: dict[str, dict[str, str]] = {}
        """What was typed into a form and not accepted yet, by form: a refusal or a slip of the finger loses nothing."""
        self._asked: set[str] = set()
        """Requests with a command on its way."""
        self.fuses = Fuses(app, lambda: self.changed())
        self._said = _NOTHING
        self._said_at = 0.0

    def say(self, text: str, tone: Tone = Tone.TEXT) -> None:
        """Tells the operator something in the message line."""
        self._said, self._said_at = (text, tone), monotonic()
        self.changed()

    def message_line(self, width: int) -> Line:
        """What burns, else what was said last, else the tape of a replay or the first alarm."""
        text, tone = self.fuses.words(), Tone.ALARM
        if not text and monotonic() - self._said_at < _SAID_SECONDS:
            text, tone = self._said
        if not text and self.tape is not None:
            return tape_line(self.tape.sight(), width, self.keymap)
        alarms = self.frame.snapshot.status.alarms
        if not text and alarms:
            more = f" (and {len(alarms) - 1} more: a)" if len(alarms) > 1 else ""
            text, tone = f"alarm{more}: {alarms[0]}", Tone.LOSS
        if not text:
            return ()
        text = clean(text)
        return ((" ", Tone.TEXT), (fit(f" {text} ", min(len(text) + 2, width - 1)), tone))

    def desk(self, address: str) -> DeskRow | None:
        """The desk as it is on the screen now."""
        return next((desk for desk in self.frame.snapshot.desks if desk.address == address), None)

    def toggle_halt(self, desk: DeskRow) -> None:
        """Halts the desk at once, or lifts its halt."""
        if desk.halted_by is None:
            self.submit(self.orders.halt(desk), f"halt {name(desk)}")
        else:
            self.submit(self.orders.resume(desk), f"resume {name(desk)}")

    def arm(self, phrase: str) -> None:
        """Lets a run with real money begin orders."""
        self.submit(self.orders.arm(phrase), "live orders")

    def halt_all(self) -> None:
        """The first call arms, the second fires."""
        if self.fuses.put_out(_HALT_ALL):
            self.submit(self.orders.halt_all(), "halt all desks")
            return
        number = sum(desk.halted_by is None for desk in self.frame.snapshot.desks)
        key = self.keymap.shown(BY_ID["halt_all"]).split()[0]
        desks = f"{number} desk" if number == 1 else f"{number} desks"
        self.fuses.light(
            _HALT_ALL, self.ui.arm_seconds, lambda left: f"{key} again within {left} s halts {desks}, esc cancels"
        )

    def close_soon(self, desk: DeskRow, worst: Wad) -> None:
        """Counts down, then closes the desk no worse than this price."""
        title, address, seen_seq = name(desk), desk.address, self.frame.snapshot.seq
        self.fuses.light(
            f"closing {title}",
            self.ui.close_seconds,
            lambda left: f"closing {title} in {left} s, esc cancels",
            lambda: self.submit(self.orders.close(address, worst, seen_seq), f"close {title}"),
        )

    def reduce_soon(self, desk: DeskRow, share: int, worst: Wad) -> None:
        """Counts down, then closes this share of the desk's position no worse than this price."""
        address, seen_seq = desk.address, self.frame.snapshot.seq
        words = f"{name(desk)} by {share * 100 // WHOLE}%"
        self.fuses.light(
            f"reducing {name(desk)}",
            self.ui.close_seconds,
            lambda left: f"reducing {words} in {left} s, esc cancels",
            lambda: self.submit(self.orders.reduce(address, share, worst, seen_seq), f"reduce {words}"),
        )

    def quarantine(self, desk: DeskRow) -> None:
        """Sets the desk aside."""
        self.submit(self.orders.quarantine(desk), f"quarantine {name(desk)}")

    def close_all_soon(self, leaves: tuple[Leave, ...]) -> None:
        """Counts down, then closes all of these, each no worse than its price."""
        seen_seq = self.frame.snapshot.seq
        words = f"{len(leaves)} position{'' if len(leaves) == 1 else 's'}"
        self.fuses.light(
            "closing all",
            self.ui.close_seconds,
            lambda left: f"closing {words} in {left} s, esc cancels",
            lambda: self._close_all(leaves, seen_seq, words),
        )

    def _close_all(self, leaves: tuple[Leave, ...], seen_seq: int, words: str) -> None:
        for first in range(0, len(leaves), MOST_LEAVES):
            some = leaves[first : first + MOST_LEAVES]
            self.submit(self.orders.close_each(some, seen_seq), f"close {words}")

    def note(self, desk: DeskRow, text: str, seen_seq: int) -> None:
        """Leaves words on the desk in place of those seen then, or takes them away."""
        self.submit(self.orders.note(desk, text, seen_seq), f"note on {name(desk)}")

    def acknowledge(self, alarm: str) -> None:
        """The alarm is known; where it may not be said so, why."""
        sight = Sight(self.info, self.frame.snapshot, None, replaying=self.tape is not None)
        if why := BY_ID["acknowledge"].why_disabled(sight):
            self.say(f"acknowledge: {why}", Tone.WARN)
        else:
            self.submit(self.orders.acknowledge(alarm), "acknowledge")

    def release(self, desk: DeskRow) -> None:
        """Gives the desk back to the loops."""
        self.submit(self.orders.release(desk), f"release {name(desk)}")

    def request(self, key: str) -> RequestRow | None:
        """The request as it is on the screen now."""
        return next((row for row in self.frame.snapshot.requests if row.key == key), None)

    def cancel_request(self, row: RequestRow) -> None:
        """Takes a request back."""
        self._ask(row, self.orders.cancel_request(row.key), f"cancel {request_name(row)}")

    def retry_request(self, row: RequestRow) -> None:
        """Executes a request now."""
        self._ask(row, self.orders.retry_request(row.key), f"retry {request_name(row)}")

    def _ask(self, row: RequestRow, command: Command, words: str) -> None:
        """One command at a time for one request: a key pressed twice is not meant twice."""
        if row.key in self._asked:
            self.say(f"{words}: already asked, the answer is on its way", Tone.WARN)
            return
        self._asked.add(row.key)
        self.submit(command, words, lambda _: self._asked.discard(row.key))

    def cancel(self) -> bool:
        """Puts out whatever burns; False if nothing did."""
        names = self.fuses.put_all_out()
        if names:
            self.say(f"cancelled: {', '.join(names)}")
        return bool(names)

    def leave(self) -> bool:
        """True on the second call within the window; at once where the engine runs on without this screen."""
        if self.info.attached or self.fuses.put_out(_QUIT):
            return True
        key = self.keymap.shown(BY_ID["leave"]).split()[0]
        self.fuses.light(_QUIT, self.ui.quit_seconds, lambda left: f"{key} again to stop the engine and quit")
        return False

    def export(self, name: str, table: Table[Row], rows: Sequence[Row]) -> None:
        """Writes the rows of a pane to a file, and says where it is."""
        folder, now_ms = self.ui.exports, self.frame.now_ms()

        async def write() -> None:
            try:
                path = await asyncio.to_thread(export, folder, name, table, rows, now_ms)
            except OSError as error:
                self.say(f"export: {folder}: {error.strerror or error}", Tone.LOSS)
            except Exception as error:
                # Whatever went wrong, the operator is told and the screen goes on.
                self.say(f"export: not written ({type(error).__name__})", Tone.ALARM)
            else:
                self.say(f"export: {len(rows):,} rows in {path}")

        self._app.run_worker(write(), group="export", exit_on_error=False)

    def submit(self, command: Command, words: str, then: Callable[[Receipt | None], None] | None = None) -> None:
        """Sends a command; its receipt appears in the message line. `then` is told the receipt, None if none came."""
        self.say(f"{words}: sent", Tone.DIM)
        self._app.run_worker(self._submit(command, words, then), group="submit", exit_on_error=False)

    async def _submit(self, command: Command, words: str, then: Callable[[Receipt | None], None] | None) -> None:
        receipt = None
        try:
            async with asyncio.timeout(self.ui.receipt_seconds):
                receipt = await self.port.submit(command)
        except TimeoutError:
            self.say(f"{words}: no answer yet, outcome unknown", Tone.ALARM)
        except Exception as error:
            # Whatever went wrong, the operator is told and the screen goes on.
            self.say(f"{words}: not sent ({type(error).__name__})", Tone.ALARM)
        else:
            self._answer(receipt, words)
        finally:
            if then is not None:
                then(receipt)

    def _answer(self, receipt: Receipt, words: str) -> None:
        if receipt.code == PARTLY:
            self.say(f"{words}: only partly, {receipt.text}", Tone.WARN)
        elif receipt.ok:
            self.say(f"{words}: {receipt.text or 'done'}", Tone.DIM)
        else:
            self.say(f"{words} refused, {receipt.code}: {receipt.text}", Tone.LOSS)
