"""What happens to a simulated market and when: pure functions of the time since its origin."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from math import log1p

from venue.pyth.price import FEEDS, PEGGED


class Regime(StrEnum):
    """A kind of market weather, from harmless to worst."""

    CALM = "calm"
    TREND = "trend"
    WIDE = "wide"
    FROZEN = "frozen"
    FUTURE = "future"
    CRASH = "crash"
    DISCONNECT = "disconnect"


def worst(regimes: Iterable[Regime]) -> Regime:
    """The one to tell an operator about; CALM when there is none."""
    return max(regimes, key=list(Regime).index, default=Regime.CALM)


@dataclass(frozen=True, slots=True)
class Episode:
    """One regime for a while. Times in ms since the origin; `move` is the lasting change of the log price."""

    regime: Regime
    start_ms: int
    duration_ms: int | None
    """None: until somebody ends it."""
    symbols: frozenset[str] | None = None
    """None: every feed."""
    move: float = 0.0

    def touches(self, symbol: str | None) -> bool:
        """Whether `symbol` is concerned; None asks for any."""
        return symbol is None or self.symbols is None or symbol in self.symbols

    def active(self, elapsed_ms: int) -> bool:
        """Whether it is going on."""
        since = elapsed_ms - self.start_ms
        return since >= 0 and (self.duration_ms is None or since < self.duration_ms)

    def offset(self, elapsed_ms: int) -> float:
        """What it has added to the log price by now: a trend evenly, a crash slowly, then fast, then slowly."""
        if not self.move or not self.duration_ms:
            return 0.0
        part = min(max((elapsed_ms - self.start_ms) / self.duration_ms, 0.0), 1.0)
        return self.move * (part * part * (3 - 2 * part) if self.regime is Regime.CRASH else part)

    def ended(self, elapsed_ms: int) -> Episode:
        """The same, stopped now where it stands."""
        return replace(self, duration_ms=elapsed_ms - self.start_ms, move=self.offset(elapsed_ms))


@dataclass(frozen=True, slots=True)
class Script:
    """Episodes, repeated every `period_ms` if given; their moves must then cancel out, or prices step at the seam."""

    episodes: tuple[Episode, ...] = ()
    period_ms: int | None = None

    def active(self, elapsed_ms: int, symbol: str | None = None) -> Iterator[Episode]:
        """The episodes going on, for one feed or for any."""
        local = self._local(elapsed_ms)
        return (each for each in self.episodes if each.active(local) and each.touches(symbol))

    def offset(self, elapsed_ms: int, symbol: str) -> float:
        """The sum of all moves so far, in log price."""
        local = self._local(elapsed_ms)
        return sum(each.offset(local) for each in self.episodes if each.touches(symbol))

    def standing(self, elapsed_ms: int, symbol: str) -> int:
        """The time at which `symbol` stands: now, or the start of the freeze it is in."""
        local = self._local(elapsed_ms)
        frozen = [each.start_ms for each in self.active(elapsed_ms, symbol) if each.regime is Regime.FROZEN]
        return elapsed_ms - local + min(frozen, default=local)

    def _local(self, elapsed_ms: int) -> int:
        return elapsed_ms if self.period_ms is None or elapsed_ms < 0 else elapsed_ms % self.period_ms


def rises_first(seed: int, symbol: str) -> bool:
    """Whether `symbol` comes into the simulation rising; half of all seeds say so."""
    return random.Random(f"{seed}:{symbol}:first").random() < 0.5  # noqa: S311


def demo_script(seed: int, symbols: Iterable[str] = FEEDS) -> Script:
    """Four and a half minutes of weather: a trend, a crash of 5..6 %, the way back, then trouble of every kind."""
    rng = random.Random(f"{seed}:script")  # noqa: S311
    names = sorted(set(symbols) - PEGGED)
    rising = frozenset(name for name in names if rises_first(seed, name))
    falling = frozenset(names) - rising
    lead, drop = 0.006, log1p(-rng.uniform(0.05, 0.06))
    crash_at, crash_for = rng.randint(18_000, 21_000), rng.randint(6_000, 8_000)
    back_at = crash_at + crash_for + 8_000
    first, second = _some(rng, names), _some(rng, names)
    swing = rng.choice((-1, 1)) * rng.uniform(0.008, 0.014)
    return Script(
        (
            Episode(Regime.TREND, 0, 16_000, rising, lead),
            Episode(Regime.TREND, 0, 16_000, falling, -lead),
            Episode(Regime.CRASH, crash_at, crash_for, None, drop),
            Episode(Regime.TREND, back_at, 60_000, rising, -drop - lead),
            Episode(Regime.TREND, back_at, 60_000, falling, -drop + lead),
            Episode(Regime.FROZEN, 120_000, 12_000, first),
            Episode(Regime.WIDE, 145_000, 6_000, second),
            Episode(Regime.TREND, 160_000, 30_000, None, swing),
            Episode(Regime.DISCONNECT, 200_000, 5_000),
            Episode(Regime.TREND, 215_000, 40_000, None, -swing),
        ),
        period_ms=270_000,
    )


def _some(rng: random.Random, names: list[str]) -> frozenset[str]:
    return frozenset(rng.sample(names, min(3, len(names))))
