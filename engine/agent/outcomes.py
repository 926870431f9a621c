"""What a market did after an entry, and what that adds up to over many entries. Fractions of the notional, floats."""

from collections import deque
from dataclasses import dataclass, field

MOST_POINTS = 4096


@dataclass(frozen=True, slots=True)
class Outcome:
    """Moves in favour of an entry, net of costs: where it stood after the horizon, and its best and worst moment."""

    after: float
    best: float
    worst: float


@dataclass(slots=True)
class Extremes:
    """The highest and lowest price of one market over the last `span_ms`, in constant time per price.

    Each queue holds only prices that no later one beats, so that its first is the extreme.
    """

    span_ms: int
    highs: deque[tuple[int, float]] = field(default_factory=deque)
    lows: deque[tuple[int, float]] = field(default_factory=deque)

    def add(self, at_ms: int, price: float) -> None:
        """Takes a price; times (unix ms) must not go back."""
        while self.highs and self.highs[-1][1] <= price:
            self.highs.pop()
        while self.lows and self.lows[-1][1] >= price:
            self.lows.pop()
        for queue in (self.highs, self.lows):
            queue.append((at_ms, price))
            self._forget(queue, at_ms - self.span_ms)

    def since(self, after_ms: int, price: float) -> tuple[float, float]:
        """Lowest and highest price later than `after_ms` (unix ms) and no older than the span, `price` included."""
        self._forget(self.highs, after_ms)
        self._forget(self.lows, after_ms)
        low = min(price, self.lows[0][1]) if self.lows else price
        high = max(price, self.highs[0][1]) if self.highs else price
        return low, high

    @staticmethod
    def _forget(queue: deque[tuple[int, float]], until_ms: int) -> None:
        while queue and queue[0][0] <= until_ms:
            queue.popleft()


def outcome(is_long: bool, entered: float, left: float, span: tuple[float, float], cost: float) -> Outcome:
    """Of an entry at price `entered`, left at `left`, the lowest and highest price in between being `span`."""
    low, high = span
    best, worst = (high, low) if is_long else (low, high)
    sign = 1 if is_long else -1

    def net(price: float) -> float:
        return sign * (price / entered - 1) - cost

    return Outcome(net(left), net(best), net(worst))


@dataclass(slots=True)
class Tally:
    """Entries under one set of parameters. `judged` are those whose price after the horizon is known."""

    longs: int = 0
    shorts: int = 0
    judged: int = 0
    gained: int = 0
    total: float = 0.0
    worst: float = 0.0

    def enter(self, is_long: bool) -> None:
        """Counts an entry."""
        self.longs += is_long
        self.shorts += not is_long

    def judge(self, found: Outcome) -> None:
        """Counts what came of one."""
        self.worst = min(self.worst, found.after) if self.judged else found.after
        self.judged += 1
        self.gained += found.after > 0
        self.total += found.after


@dataclass(slots=True)
class Trace:
    """Prices of one market to draw, thinned evenly so that their number stays bounded."""

    points: list[tuple[int, float]] = field(default_factory=list)
    _stride: int = 1
    _seen: int = 0

    def add(self, at_ms: int, price: float) -> None:
        """Takes a price at a time (unix ms)."""
        if self._seen % self._stride == 0:
            self.points.append((at_ms, price))
        self._seen += 1
        if len(self.points) >= MOST_POINTS:
            self.points = self.points[::2]
            self._stride *= 2
