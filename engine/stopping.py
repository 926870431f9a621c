"""A stop that ends: so long after it has begun, the process does, whatever in it waits for a disk or for anybody else.

Killed at any moment it loses nothing that was acknowledged, so that its end needs nobody's answer. It is seen to by a
thread: the loop may be what hangs.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import NoReturn

import structlog

from engine import logs

STOP_S = 8.0
"""From the first word of a stop to its end: below the ten seconds that a service manager's operator waits."""
NOT_STOPPED = 74
"""Exit status: something would not end, as a rule the disk."""
LAST_WORDS_S = 1.0
"""For a line on stderr: a terminal that takes nothing must not keep us either."""
DEEP = 8
"""Calls that are told of a thread that is stuck."""
log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def nobody(_number: int) -> None:
    """It is stopping already."""


def nothing() -> None:
    """There is nothing to give back."""


class Stopping:
    """Waits for a stop to begin, by a signal or by itself, and then for the end of the process; there is no way back.

    `why` says what keeps it from ending, as far as that is known; where `thread` stands (None: this one) is in the log.
    """

    def __init__(self, why: Callable[[], str], stop: Callable[[int], None] = nobody, thread: int | None = None) -> None:
        self._why = why
        self.stop = stop
        """Told the number of the first signal, on a thread of its own. Raises nothing."""
        self.thread = thread or threading.get_ident()
        self.give_back: Callable[[], None] = nothing
        """Done before the process ends on the spot. Waits for nobody."""
        self.begun = False
        """Set before anybody is told."""
        self._told: SimpleQueue[int] = SimpleQueue()  # which a handler may fill whatever it has interrupted
        threading.Thread(target=self._watch, name="stopping", daemon=True).start()

    def by_signals(self) -> None:
        """SIGTERM and SIGINT stop in order, the second of them ends at once. On the main thread, as often as somebody
        else has taken them."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.signalled)

    def begin(self) -> None:
        """The stop has begun by itself; as often as anybody likes, from any thread."""
        self.begun = True
        self._told.put(0)

    def signalled(self, number: int, _frame: FrameType | None) -> None:
        self.begun = True
        self._told.put(number)

    def _watch(self) -> None:
        signals, number = 0, self._told.get()
        end_s = time.monotonic() + STOP_S
        last = threading.Timer(STOP_S + LAST_WORDS_S * 2, os._exit, (NOT_STOPPED,))
        last.daemon = True
        last.start()  # whatever keeps the words below
        while True:
            if number:
                signals += 1
                if signals > 1:
                    self._end(128 + number)
                self.stop(number)
            try:
                number = self._told.get(timeout=max(end_s - time.monotonic(), 0.0))
            except Empty:
                self._give_up()

    def _give_up(self) -> NoReturn:
        self._given_back()
        try:
            at, why = calls_of(self.thread), self._why() or "the log says where it waits"
            log.error("not stopped", within_s=STOP_S, why=why, at=at)
            logs.close()
            _say(f"perpdesk: not stopped within {STOP_S:.0f} s: {why}\n")
        finally:
            os._exit(NOT_STOPPED)

    def _end(self, status: int) -> NoReturn:
        self._given_back()
        os._exit(status)

    def _given_back(self) -> None:
        with suppress(Exception):  # it ends, whatever becomes of that
            self.give_back()


def calls_of(thread: int) -> str:
    """The innermost calls of a thread, by file and line; never the values they work on. The source is not looked at: it
    may be on the disk that does not answer."""
    frame, calls = sys._current_frames().get(thread), list[str]()
    while frame is not None and len(calls) < DEEP:
        calls.append(f"{frame.f_code.co_name} ({frame.f_code.co_filename}:{frame.f_lineno})")
        frame = frame.f_back
    return " < ".join(calls)


def _say(line: str) -> None:
    def write() -> None:
        with suppress(OSError):
            os.write(2, line.encode())

    words = threading.Thread(target=write, daemon=True)
    words.start()
    words.join(LAST_WORDS_S)
