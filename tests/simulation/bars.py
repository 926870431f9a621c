"""What bars an engine from beginning anything new, as it is known outside of it."""

import asyncio
from collections.abc import Sequence

from engine import pulse
from engine.holds import BUDGET
from engine.pulse import JUMP_MS, STOOD_S
from engine.settlement import HOLD_S
from engine.worker import Worker

GUARDING = ("positions", "profits", "risk")
GRACE_S = 2.0
"""Longest between a question whether anything may be begun and its beginning; a look and a commit are between them."""


class Bars:
    """Of one process after the other."""

    def __init__(self) -> None:
        self.born()

    def born(self) -> None:
        """Another process knows nothing of what was before it."""
        self._jumped: float | None = None
        self._last_jump = float("-inf"), 0
        self._stood: float | None = None
        self._absent: dict[str, float] = {}
        self._guards: tuple[Worker, ...] = ()
        self._beats_from_s = float("inf")

    def guarded_by(self, workers: Sequence[Worker]) -> None:
        """The process works."""
        self._beats_from_s = now_s() + pulse.BEAT_S
        self._guards = tuple(worker for worker in workers if worker.name in GUARDING)

    def jumped(self, by_ms: int) -> None:
        """Somebody has set the clock. Of two between two beats, only what they come to may have been seen."""
        (at_s, before_ms), self._last_jump = self._last_jump, (now_s(), by_ms)
        together_ms = by_ms + before_ms if now_s() - at_s <= pulse.BEAT_S else by_ms
        if min(abs(by_ms), abs(together_ms)) > JUMP_MS:
            self._jumped = now_s()
        elif together_ms != by_ms:
            self._jumped = None

    def stood(self, seconds: float) -> None:
        """The process was stopped until now. Before its first beat that is a start which took long, and it knows little
        that could be old."""
        if seconds > STOOD_S and now_s() - seconds > self._beats_from_s:
            self._stood = now_s()

    def second(self) -> None:
        """A second has passed."""
        self._absent = {
            guard.name: self._absent.get(guard.name, now_s()) for guard in self._guards if _is_absent(guard)
        }

    @property
    def has_just_stood(self) -> bool:
        """Whether something may have been asked before, and begun after."""
        return self._stood is not None and now_s() - self._stood <= GRACE_S

    def why_not(self) -> str:
        """Why nothing may be begun at this moment, or nothing."""
        now = now_s()
        for since, what in ((self._jumped, "the clock jumped"), (self._stood, "the process stood still")):
            if since is not None and GRACE_S < now - since < HOLD_S:
                return f"{now - since:.1f} s after {what}"
        absent = [
            guard.name
            for guard in self._guards
            if _is_absent(guard) and now - self._absent.get(guard.name, now) > GRACE_S
        ]
        return f"while nobody guards what is open: {absent}" if absent else ""


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


def _is_absent(guard: Worker) -> bool:
    return guard.in_a_row >= BUDGET or guard.late
