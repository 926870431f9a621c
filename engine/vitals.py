"""How long things take: all of them in the buckets of a histogram, the newest for a spread."""

from bisect import bisect_left
from collections import deque
from itertools import accumulate

from engine.keeper_rows import Spread

BOUNDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Seconds: from a commit to a pass that waits for a slow node."""
NEWEST = 256


class Durations:
    """Durations of one thing, in seconds. Written on one thread, read on any."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._newest: deque[float] = deque(maxlen=NEWEST)
        self._spread: Spread | None = None
        self.total_s = 0.0

    def took(self, seconds: float) -> None:
        """One more."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._newest.append(seconds)
        self.total_s += seconds
        self._spread = None

    def spread(self) -> Spread | None:
        """Of the newest `NEWEST`; None before the first."""
        if self._spread is None and self._newest:
            ordered = sorted(self._newest)
            last = len(ordered) - 1
            self._spread = Spread(*(round(ordered[place] * 1000, 2) for place in (last // 2, last * 99 // 100, last)))
        return self._spread

    def buckets(self) -> list[tuple[str, float]]:
        """How many took at most so long, by the bound as text; the last is all of them."""
        return list(zip((*map(str, BOUNDS), "+Inf"), map(float, accumulate(self._counts)), strict=True))
