"""How often one host may be asked, and who goes first when it may not be asked often. Pure: times are the caller's."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

LEAST_RESERVE: Final = 10
"""A close asks about 7 questions, and proves the chain again after an error."""
_DUST: Final = 1e-9
_URGENT: Final = ContextVar("urgent", default=False)


@contextmanager
def urgently() -> Generator[None, None, None]:
    """Whatever is asked of a chain inside takes risk away, or follows what was sent.

    The questions of a close lie three layers below the one who knows that it is a close: builder, guard and sender ask
    the same whatever they carry. So it goes with the task, and with those that it starts, and not through arguments.
    """
    before = _URGENT.set(True)
    try:
        yield
    finally:
        _URGENT.reset(before)


def is_urgent() -> bool:
    """Whether this is asked `urgently`."""
    return _URGENT.get()


@dataclass(frozen=True, slots=True)
class Budget:
    """What one host may be asked: `rate` a second, `burst` at once, of which `reserve` are only for what is urgent."""

    rate: float = 50.0
    burst: float = 100.0
    reserve: float = 20.0

    @classmethod
    def of(cls, rate: float) -> "Budget":
        """Two seconds' worth at once; a fifth of it, and never less than a close needs, is kept back."""
        burst = max(2 * rate, 2.0 * LEAST_RESERVE)
        return cls(rate, burst, max(burst / 5, float(LEAST_RESERVE)))


@dataclass(slots=True)
class Bucket:
    """What is left of a budget. While its host pauses nothing flows in, and only what is urgent draws on the rest."""

    budget: Budget
    paused_until_s: float = 0.0
    _level: float = field(init=False)
    _at_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._level = self.budget.burst

    def wait(self, now_s: float, urgent: bool) -> float:
        """Seconds until one more may be asked; 0: now."""
        self._fill(now_s)
        floor = 0.0 if urgent else self.budget.reserve
        if (missing := floor + 1.0 - self._level) <= _DUST:
            return 0.0
        return max(self.paused_until_s - now_s, 0.0) + missing / self.budget.rate

    def take(self, now_s: float, urgent: bool) -> float:
        """Takes one if it may; the seconds to wait otherwise."""
        wait = self.wait(now_s, urgent)
        if not wait:
            self._level -= 1.0
        return wait

    def pause(self, now_s: float, for_s: float) -> None:
        """The host wants to be left alone; a shorter pause does not end a longer one."""
        self._fill(now_s)
        self._level = min(self._level, self.budget.reserve)
        self.paused_until_s = max(self.paused_until_s, now_s + for_s)

    def _fill(self, now_s: float) -> None:
        flowing_s = max(0.0, now_s - max(self._at_s, self.paused_until_s))
        self._at_s = max(self._at_s, now_s)
        self._level = min(self.budget.burst, self._level + self.budget.rate * flowing_s)
