"""The signal engine: momentum and volatility over a rolling window of index samples (seed desk-agent, tier 2).

Floats are right here: this is a judgement on prices, not money.
"""

import itertools
import math
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.sections import Signal

FULL_WINDOW = 0.8
"""Share of the lookback that samples must span before a momentum is believed."""
MIN_SAMPLES = 5
SESSION_HOURS_UTC = (7, 21)
"""Active session: London open to New York close, Monday to Friday."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the window says of one market. `momentum` is the move over the window, `volatility` the realised one:
    the square root of the summed squared log returns; both are fractions."""

    market: str
    momentum: float
    volatility: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A verdict on entering one market; `allow` False says why in `reason`."""

    market: str
    allow: bool
    is_long: bool
    momentum: float
    reason: str


@dataclass(slots=True)
class Window:
    """Samples of one market over the lookback, oldest first; older ones fall out as newer ones come in."""

    lookback_ms: int
    samples: deque[tuple[int, float]] = field(default_factory=deque)

    def add(self, at_ms: int, price: float) -> None:
        """Takes a sample; one that is not newer than the last, or no price, is ignored."""
        if price <= 0 or not math.isfinite(price) or (self.samples and at_ms <= self.samples[-1][0]):
            return
        self.samples.append((at_ms, price))
        while self.samples[0][0] < at_ms - self.lookback_ms:
            self.samples.popleft()

    def change(self) -> float | None:
        """The move from the oldest sample to the newest, or None with fewer than two."""
        if len(self.samples) < 2:
            return None
        return self.samples[-1][1] / self.samples[0][1] - 1

    def reading(self, market: str, now_ms: int) -> Reading | None:
        """None until the window is filled well enough, or when its newest sample has grown old."""
        if len(self.samples) < MIN_SAMPLES:
            return None
        first, last = self.samples[0], self.samples[-1]
        if last[0] - first[0] < FULL_WINDOW * self.lookback_ms or now_ms - last[0] > self.lookback_ms / 4:
            return None
        prices = [price for _, price in self.samples]
        squares = (math.log(after / before) ** 2 for before, after in itertools.pairwise(prices))
        return Reading(market, last[1] / first[1] - 1, math.sqrt(sum(squares)))


def in_session(now_ms: int) -> bool:
    """Whether the active trading session is on."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return now.weekday() < 5 and SESSION_HOURS_UTC[0] <= now.hour < SESSION_HOURS_UTC[1]


def evaluate_entry(market: str, reading: Reading | None, signal: Signal, now_ms: int) -> Entry:
    """Whether to enter a market now, and on which side; the reason carries the numbers."""
    if reading is None:
        return Entry(market, False, True, 0.0, f"{market}: too few fresh samples in the window")
    said = f"{market} momentum {reading.momentum:+.2%}, vol {reading.volatility:.2%}"
    is_long = reading.momentum > 0
    if signal.require_active_session and not in_session(now_ms):
        return Entry(market, False, is_long, reading.momentum, f"{said}: outside the active session")
    if reading.volatility > float(signal.max_volatility_pct):
        limit = f"{float(signal.max_volatility_pct):.2%}"
        return Entry(market, False, is_long, reading.momentum, f"{said} over {limit}")
    if abs(reading.momentum) < float(signal.entry_momentum_pct):
        limit = f"{float(signal.entry_momentum_pct):.2%}"
        return Entry(market, False, is_long, reading.momentum, f"{said}: under {limit}")
    return Entry(market, True, is_long, reading.momentum, said)


def rank(entries: list[Entry]) -> list[Entry]:
    """Allowed entries first, the strongest |momentum| first among equals."""
    return sorted(entries, key=lambda entry: (not entry.allow, -abs(entry.momentum)))
