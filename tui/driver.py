"""Textual's Linux driver, made so that a terminal which stalls or goes away holds nobody up."""

import asyncio
import os
import signal
import termios
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from tui.terminal import RESTORE, hung_up, let_go

if TYPE_CHECKING:
    from textual.app import App

_BACKLOG = 4
"""Writes waiting before the screen stops drawing: more only makes what the operator sees older."""
_LIMIT = 64
"""Writes waiting before they are thrown away, to be made good by one full repaint."""
_RESIZE_SECONDS = 0.1
"""Least time between two layouts of a window that is being dragged: each takes the engine's turn for a while."""
_LAST_WORDS_SECONDS = 2.0
"""How long a line may take to drain at the end, of the time a stop has."""
_AT_ONCE_SECONDS = 0.5


class _Writer(Thread):
    """Bytes to a file descriptor in the background: no lock a shutdown could wait for, no error anybody must catch."""

    def __init__(self, fd: int) -> None:
        super().__init__(daemon=True, name="terminal-output")
        self.queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._fd = fd

    def run(self) -> None:
        while (data := self.queue.get()) is not None:
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                return


class Patient(Driver):
    """Output that never blocks: queued while the other end is slow, thrown away while it takes nothing.

    Goes before one of Textual's drivers, which says how bytes are framed and where keys come from.
    """

    def __init__(
        self,
        app: "App[object]",
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.incomplete = False
        """Something was thrown away: what the operator sees needs a full repaint."""
        self._let_go = False
        self._start_writer()

    def _start_writer(self) -> None:
        self._writer = _Writer(1)
        self._writer.start()

    @property
    def congested(self) -> bool:
        """The other end has not taken what it was sent; anything drawn now would be old when it is seen."""
        return self._writer.queue.qsize() > _BACKLOG

    @property
    def gone(self) -> bool:
        """Nobody is at the other end any more."""
        return self._let_go

    def let_go(self) -> None:
        """Nothing more is read from or written to the other end."""
        self._let_go = True
        let_go()

    def send(self, data: bytes) -> None:
        """Queues output, or drops it when nothing is taken."""
        if self._writer.queue.qsize() < _LIMIT:
            self._writer.queue.put(data)
        else:
            self.incomplete = True

    def suspend_application_mode(self) -> None:
        """As Textual does, but the other end is kept, however slow it is."""
        self.stop_application_mode()
        self._send_the_rest(_AT_ONCE_SECONDS)

    def close(self) -> None:
        """Sends what is left, if it is taken; if it is not, whoever has a last word must not wait for it either."""
        self._send_the_rest(0 if self._let_go else _LAST_WORDS_SECONDS)
        if self._writer.is_alive():
            self.let_go()

    def _send_the_rest(self, within_s: float) -> None:
        super().close()
        self._writer.queue.put(None)
        self._writer.join(within_s)


class TerminalDriver(Patient, LinuxDriver):
    """Never blocks on output, never suspends the process, and lets go of a terminal that hung up."""

    def __init__(
        self,
        app: "App[object]",
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        # SIGTSTP stops every thread, the engine's too.
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    def start_application_mode(self) -> None:
        """Also takes the sizes of a window that is being dragged a few times a second, and the last one for sure."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        loop, resized = asyncio.get_running_loop(), signal.getsignal(signal.SIGWINCH)
        waiting: list[asyncio.TimerHandle] = []

        def now() -> None:
            waiting.clear()
            if callable(resized):
                resized(signal.SIGWINCH, None)

        def soon() -> None:
            if not waiting:
                waiting.append(loop.call_later(_RESIZE_SECONDS, now))

        signal.signal(signal.SIGWINCH, lambda *_: loop.call_soon_threadsafe(soon))

    def _get_terminal_size(self) -> tuple[int, int]:
        """As Rich takes it, whom the app asks: where the terminal knows none (0x0, a serial line or a script), two that
        differ would be laid out in turns for ever."""
        return self._app.console.size

    @property
    def gone(self) -> bool:
        """The terminal hung up."""
        return self._let_go or hung_up(self.fileno)

    def write(self, data: str) -> None:
        """Queues output, or drops it when the terminal takes nothing or is gone."""
        self.send(data.encode("utf-8", "replace"))

    def let_go(self) -> None:
        """A terminal that is only slow is somebody's again: its modes go back, what waits for it does not."""
        self._modes_back()
        super().let_go()

    def _modes_back(self) -> None:
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)

    def abandon(self) -> None:
        """Gives the terminal back as far as it takes that at once: the process is about to end."""
        self._modes_back()
        writer = _Writer(1)
        writer.queue.put(RESTORE.encode())
        writer.queue.put(None)
        writer.start()
        writer.join(_AT_ONCE_SECONDS)

    def _sigtstp_application(self, *_: object) -> None:
        """Nothing to do: the signal is ignored."""

    def _sigcont_application(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        # The kernel sends SIGCONT with a hang-up too; there is no terminal to set up again then.
        if not self.gone:
            self.suspend_application_mode()
            self._start_writer()
            self._must_signal_resume = True
            self.resume_application_mode()
