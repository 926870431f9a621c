"""An event loop for tests with real sockets: a machine that is slow, or stands still for a while, makes nothing late.

Deadlines in tests are short, and both ends of a line live in one process. What that process computes, or what its
neighbours keep it from, is no waiting for the other end, and hardly counts.
"""

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 60.0
"""How long a test waits for what must come. It says that something hangs, never that a machine is slow."""
SLACK_S: Final = 4.0
"""How much later than promised something may end on a machine that is busy."""
WORK_S: Final = 0.001
"""What one turn of the loop costs of its own time, at most."""


def until(true: Callable[[], bool], what: str) -> None:
    """Waits for a condition, and keeps the thread for it."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"no {what}"
        time.sleep(0.01)


class PatientLoop(asyncio.SelectorEventLoop):
    """Its time goes on while it waits for something, and by no more than it asked to wait."""

    def __init__(self) -> None:
        self._patient = _PatientSelector()
        super().__init__(self._patient)

    def time(self) -> float:
        return self._patient.now_s()


class _PatientSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self._at_s, self._since = 0.0, time.monotonic()

    def now_s(self) -> float:
        return self._at_s + min(time.monotonic() - self._since, WORK_S)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        at_s, began = self.now_s(), time.monotonic()
        try:
            return super().select(timeout)
        finally:
            self._since = time.monotonic()
            waited = self._since - began
            self._at_s = at_s + (waited if timeout is None else min(waited, max(timeout, 0.0)))
