"""Whether the chain moves, by when its newest block arrived and what that says. Pure: times are the caller's."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from venue.chain.answers import Head

SLOW_S: Final = 30.0
FROZEN_S: Final = 120.0


class Stall(StrEnum):
    """Whether blocks come."""

    NONE = "none"
    SLOW = "slow"
    """None for 30 s: no new risk."""
    FROZEN = "frozen"
    """None for 120 s: only a person leaves positions."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """The last sign of life. A block is one when its number and its own clock have both moved since the one before."""

    since_s: float
    """When it came; before the first, when somebody began to listen."""
    number: int = -1
    timestamp_s: int = 0
    moved: bool = False
    """A block came after the first: before that nobody knows how old the first one was."""

    def after(self, head: Head, now_s: float) -> "Pulse":
        """With a block that was seen at `now_s`, which need be no sign of life: a clock that was wrong once is not what
        later ones are held against."""
        if head.number <= self.number:
            return self
        if self.number < 0 or head.timestamp_s <= self.timestamp_s:
            return Pulse(self.since_s, head.number, head.timestamp_s, self.moved)
        return Pulse(now_s, head.number, head.timestamp_s, moved=True)

    def again(self) -> "Pulse":
        """As old as it is, whatever the next block says: the last one was none of this chain."""
        return Pulse(self.since_s, moved=self.moved)

    def stall(self, now_s: float) -> Stall:
        """How long that was ago."""
        silent_s = now_s - self.since_s
        return Stall.FROZEN if silent_s >= FROZEN_S else Stall.SLOW if silent_s >= SLOW_S else Stall.NONE

    def why_not(self, now_s: float) -> str:
        """Why nothing may be opened, or nothing."""
        if not self.moved:
            return "no new block was seen since the start"
        if self.stall(now_s) is Stall.NONE:
            return ""
        return f"no new block for {now_s - self.since_s:.0f} s: the chain, or the way to it, stands still"

    def why_stay(self, now_s: float) -> str:
        """Why no rule leaves a position either, or nothing."""
        return self.why_not(now_s) if self.stall(now_s) is Stall.FROZEN else ""
