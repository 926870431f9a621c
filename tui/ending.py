"""How a screen ends: in order, and in time, also where its loop is stuck."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

from engine.stopping import Stopping, nobody, nothing
from tui.terminal import EXIT_HANGUP, EXIT_TERMINATED


def status_of(number: int) -> int:
    """The exit status of an orderly stop by SIGINT or SIGTERM, of a run that had a screen."""
    return 0 if number == signal.SIGINT else EXIT_TERMINATED


class Ending:
    """What a stop that is counted in time does to the screen, and the screen to it.

    `outlived`: the engine goes on when the terminal has hung up, so that a hang-up is no stop.
    """

    def __init__(self, stopping: Stopping, *, outlived: bool = False) -> None:
        self._stopping = stopping
        self._outlived = outlived

    def watch(self, leave: Callable[[int], None], hang_up: Callable[[], None], give_back: Callable[[], None]) -> None:
        """On the loop of the screen. A signal is heard where that loop is stuck, too: it begins the stop, and `leave`
        (with the exit status) or `hang_up` is done by the loop. `give_back`: see Stopping."""
        loop = asyncio.get_running_loop()

        def by_the_loop(do: Callable[[], None]) -> None:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(do)

        def hung_up() -> None:
            self.begun(EXIT_HANGUP)
            by_the_loop(hang_up)

        self._stopping.stop = lambda number: by_the_loop(lambda: leave(status_of(number)))
        self._stopping.give_back = give_back
        self._stopping.by_signals()
        signal.signal(signal.SIGHUP, lambda *_: hung_up())

    def begun(self, status: int) -> None:
        """The screen is left with this exit status."""
        if status != EXIT_HANGUP or not self._outlived:
            self._stopping.begin()

    def over(self) -> None:
        """The terminal is as it was."""
        self._stopping.stop, self._stopping.give_back = nobody, nothing


def alone() -> Ending:
    """Of a process that ends with its screen."""
    return Ending(Stopping(lambda: ""))
