"""The axes of a chart: values to dots on round bounds that stay, times to dots that only ever move whole dots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, floor, log10

_MINUTE = 60_000
_STEPS_MS = tuple(_MINUTE * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720))
_LEAST_REACH = 1e-5
"""Of a value that does not move: an axis that can be told from rounding."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to rows of dots, counted from the top."""

    low: float
    high: float
    dots: int
    ticks: tuple[float, ...]

    def dot(self, value: float) -> int:
        """Where a value is."""
        return round((self.high - value) / (self.high - self.low) * (self.dots - 1))


def scale(least: float, most: float, rows: int) -> Scale:
    """From a little below the least to a little above the most, with ticks every few of the rows."""
    reach = max(most - least, max(abs(most), abs(least)) * _LEAST_REACH or _LEAST_REACH)
    step = _nice(reach / max(rows / 2.5, 1.5))
    bound = step / 5
    low, high = (floor(least / bound + 1e-9)) * bound, ceil(most / bound - 1e-9) * bound
    if high - low < reach * 0.99:
        low, high = low - 2 * bound, high + 2 * bound
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    ticks = tuple(number * step for number in range(first, last + 1))
    return Scale(low, high, 4 * rows, ticks or (low, high))


def _nice(raw: float) -> float:
    """The next of 1, 2, 5 and 10 times a power of ten."""
    size: float = 10.0 ** floor(log10(raw))
    return next(size * factor for factor in (1, 2, 5, 10, 20) if size * factor >= raw * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Times:
    """Times (unix ms) to columns of dots; the newest is in the last one."""

    first_ms: int
    last_ms: int
    dots: int
    dot_ms: int
    """Time in one column of dots."""

    @classmethod
    def over(cls, first_ms: int, last_ms: int, dots: int) -> "Times":
        """So many columns of dots from then to then."""
        return cls(first_ms, last_ms, dots, max((last_ms - first_ms) // dots, 1))

    def dot(self, at_ms: int) -> int:
        """Where a time is; below nought or beyond the last where it is not shown."""
        return at_ms // self.dot_ms - self.last_ms // self.dot_ms + self.dots - 1

    def begin_ms(self, column: int) -> int:
        """When a column of characters begins."""
        return (2 * column - self.dots + 1 + self.last_ms // self.dot_ms) * self.dot_ms

    def slot(self, column: int) -> int:
        """A number that stays with a column as it moves to the left."""
        return self.begin_ms(column) // self.dot_ms // 2

    def ticks(self, room: int) -> Sequence[tuple[int, str]]:
        """Columns of characters and times of day in UTC, at least `room` columns apart."""
        cell_ms = 2 * self.dot_ms
        step = next((step for step in _STEPS_MS if step >= room * cell_ms), 2 * _STEPS_MS[-1])
        first = self.begin_ms(0)
        found = range(-(-first // step) * step, self.last_ms + 1, step)
        return [(self.dot(at_ms) // 2, datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M")) for at_ms in found]
