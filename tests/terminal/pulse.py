"""A beating engine, and what is done to its terminal meanwhile."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.terminal.pty_app import PtyApp


class Beating:
    """The program of `beating_app` on a pty."""

    def __init__(self, child: PtyApp, file: Path) -> None:
        self.child = child
        self._file = file

    def during(self, trouble: Callable[[PtyApp, float], None], seconds: float) -> tuple[int, float]:
        """Beats, and the longest gap between two in milliseconds, while there is trouble."""
        began = time.monotonic()
        trouble(self.child, seconds)
        ended = time.monotonic()
        lines = [line.split() for line in self._file.read_text(encoding="utf-8").splitlines()]
        within = [(int(beats), float(gap)) for at, beats, gap in lines if began <= float(at) <= ended]
        if not within:
            return 0, (ended - began) * 1000
        return within[-1][0] - within[0][0], max(gap for _, gap in within)


@contextmanager
def beating(folder: Path) -> Iterator[Beating]:
    """Ends with the context."""
    child = PtyApp(
        str(folder / "state"), str(folder / "pulse"), module="tests.terminal.beating_app", XDG_CONFIG_HOME=str(folder)
    )
    try:
        child.wait_for("Desks 12")
        yield Beating(child, folder / "pulse")
    finally:
        child.end()


def nothing(_: PtyApp, seconds: float) -> None:
    """The terminal takes what it is sent."""
    time.sleep(seconds)


def stalls(child: PtyApp, seconds: float) -> None:
    """It takes nothing."""
    child.stop_reading()
    time.sleep(seconds)
    child.start_reading()


def suspends(child: PtyApp, seconds: float) -> None:
    """Its operator presses ctrl-z again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        child.keys("\x1a")
        time.sleep(0.2)


def resizes(child: PtyApp, seconds: float) -> None:
    """Its window is dragged about, a hundred sizes a second."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        number += 1
        child.child.setwinsize(30 + number % 20, 90 + number % 80)
        time.sleep(0.01)
    child.resize(160, 45)


def hangs_up(child: PtyApp, seconds: float) -> None:
    """It is gone for good."""
    child.hang_up()
    time.sleep(seconds)
