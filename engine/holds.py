"""Why nothing new is begun, run-wide: an operator has not armed it, time jumped, or nobody guards what is open.

One desk that fails is quarantined by the manager; a loop that guards all of them and fails, or hangs, bars new risk for
all; a journal that cannot be written ends the engine. While the disk does not answer nothing can be begun, because an
intent must be durable first: that needs no reason here. Leaving positions never waits for any of it.
"""

from collections.abc import Callable, Iterable

from engine.worker import Worker

GUARDS = ("positions", "profits", "risk")
"""Loops without which a position would be nobody's."""
BUDGET = 5
"""Passes in a row that such a loop may fail: with back-off, a quarter of a minute."""


class Holds:
    """Asked before anything is begun."""

    def __init__(self, *reasons: Callable[[], str]) -> None:
        self._reasons = reasons
        self._guards: tuple[Worker, ...] = ()

    def guarded_by(self, workers: Iterable[Worker]) -> None:
        """Those of the engine's loops that guard what is open."""
        self._guards = tuple(worker for worker in workers if worker.name in GUARDS)

    def why_not(self) -> str:
        """The first reason, or nothing."""
        return next(filter(None, (reason() for reason in self._reasons)), "") or self._unguarded()

    def _unguarded(self) -> str:
        absent = [f"{worker.name} {how}" for worker in self._guards if (how := _absent(worker))]
        return f"{' and '.join(absent)}: nothing is opened while nobody guards what is" if absent else ""

    def alarms(self) -> tuple[str, ...]:
        """What bars new risk and no other alarm says."""
        return tuple(filter(None, (self._unguarded(),)))


def _absent(worker: Worker) -> str:
    """A pass that hangs guards no better than those that fail."""
    if worker.in_a_row >= BUDGET:
        return "failing"
    return "late" if worker.late else ""
