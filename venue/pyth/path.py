"""A price for any moment, past or future, from a seed alone: nothing is stepped, so nothing has to be stored.

Floats are fine here: these prices are invented. What leaves is integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import blake2b
from itertools import chain
from math import exp, floor, sqrt
from types import MappingProxyType
from typing import Final

from venue.pyth.price import FEEDS, PEGGED, Feed
from venue.pyth.script import Episode, Regime, Script, rises_first

BASE_PRICES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "ETH": 1_956.56,
        "BTC": 64_886.18,
        "SOL": 82.4,
        "BNB": 612.0,
        "XRP": 1.34,
        "DOGE": 0.0921,
        "LINK": 8.87,
        "AVAX": 9.12,
        "ARB": 0.1034,
        "SUI": 0.948,
        "HYPE": 31.6,
        "AERO": 0.337,
        "USDC": 0.9998,
    }
)
LOOKBACK_S: Final = 900
"""The momentum window in market seconds: before the origin every feed trends clearly for this long."""

_LIVELINESS: Final[Mapping[str, float]] = MappingProxyType({"BTC": 0.9, "ETH": 1.0, "USDC": 0.05})
_PEG: Final = 0.01
"""How much of every move reaches a feed that is pegged."""
_OTHERS: Final = 1.3
_PERIODS_S: Final = tuple(30.0 * 3**octave for octave in range(7))
_SIGMA: Final = 0.000_056
"""Per square root of a market second: 15 market minutes then move about 0.28 %, one standard deviation."""
_CALM_CONF, _CRASH_CONF, _WIDE_CONF = 0.0005, 0.0015, 0.02
_DEFAULT_S: Final[Mapping[Regime, float]] = MappingProxyType({Regime.TREND: 60.0, Regime.CRASH: 6.0})
_DEFAULT_MOVE: Final[Mapping[Regime, float]] = MappingProxyType({Regime.TREND: 0.01, Regime.CRASH: -0.051})
_FUTURE_S: Final = 3_600
_MASK: Final = 2**64 - 1


def _unit(key: int, index: int) -> float:
    """A number in [-1, 1) that looks random and depends on nothing but its arguments (splitmix64)."""
    word = (key + index * 0x9E3779B97F4A7C15) & _MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
    return (word ^ (word >> 31)) / 2**63 - 1.0


def _key(*parts: object) -> int:
    return int.from_bytes(blake2b(":".join(map(str, parts)).encode(), digest_size=8).digest())


class Noise:
    """Smooth noise over time whose moves grow with the square root of the time between them, up to some hours."""

    def __init__(self, *name: object) -> None:
        self._octaves = [(_key(*name, period), period, sqrt(3 * period)) for period in _PERIODS_S]

    def at(self, seconds: float) -> float:
        """The value at a moment, in units of one standard deviation per square root of a second."""
        return sum(height * self._octave(key, seconds / period) for key, period, height in self._octaves)

    @staticmethod
    def _octave(key: int, place: float) -> float:
        # Each octave has its own phase, or all of them would stand still together on the common grid points.
        place += (key & 0xFFFF) / 0x10000
        index = floor(place)
        part = place - index
        left, right = _unit(key, index), _unit(key, index + 1)
        return left + (right - left) * part * part * (3 - 2 * part)


class PricePath:
    """Prices of `bases` (USD at `origin_ms`, unix ms) moved by noise, a script and whatever `enter` adds.

    `speed` compresses market time: at 60 one second moves like one minute. The same arguments and the same
    entered episodes give the same prices, whenever and in whatever order they are asked for.
    """

    def __init__(
        self,
        seed: int,
        origin_ms: int,
        *,
        speed: float = 60.0,
        script: Script | None = None,
        bases: Mapping[str, float] = BASE_PRICES,
        feeds: Mapping[str, Feed] = FEEDS,
    ) -> None:
        self.seed = seed
        self.origin_ms = origin_ms
        self.speed = speed
        self.feeds = {symbol: feeds[symbol] for symbol in bases}
        self._bases = dict(bases)
        self._script = script or Script()
        self._entered = Script()
        self._market = Noise(seed, "market")
        self._own = {symbol: Noise(seed, symbol) for symbol in bases}
        self._origin = {symbol: self._noise(symbol, 0.0) for symbol in bases}
        self._lead = {symbol: self._leading_move(symbol) for symbol in bases}

    def at(self, symbol: str, t_ms: int) -> tuple[int, int]:
        """Mantissa and confidence of `symbol` at `t_ms` (unix ms), in 10**expo USD. Raises `KeyError`."""
        elapsed = self._standing(symbol, t_ms)
        scripted = self._script.offset(elapsed, symbol) + self._entered.offset(elapsed, symbol)
        noise = self._noise(symbol, elapsed / 1000 * self.speed) - self._origin[symbol]
        move = noise + scripted + self._before(symbol, elapsed)
        price = self._bases[symbol] * exp(move * _PEG if symbol in PEGGED else move)
        mantissa = max(1, round(price * 10.0 ** -self.feeds[symbol].expo))
        return mantissa, max(1, round(mantissa * self._width(symbol, t_ms)))

    def publish_time(self, symbol: str, t_ms: int) -> int:
        """The publish time (unix s) the price at `t_ms` carries: frozen feeds stop, future ones run ahead."""
        ahead = _FUTURE_S if Regime.FUTURE in self.regimes(t_ms, symbol) else 0
        return (self.origin_ms + self._standing(symbol, t_ms)) // 1000 + ahead

    def regimes(self, t_ms: int, symbol: str | None = None) -> frozenset[Regime]:
        """What is going on at `t_ms`, for one feed or for any."""
        elapsed = t_ms - self.origin_ms
        both = chain(self._script.active(elapsed, symbol), self._entered.active(elapsed, symbol))
        return frozenset(episode.regime for episode in both)

    def enter(
        self,
        regime: Regime,
        t_ms: int,
        symbols: Iterable[str] | None = None,
        *,
        duration_s: float | None = None,
        move: float | None = None,
    ) -> None:
        """Start `regime` at `t_ms` (unix ms), for `duration_s` or until CALM is entered, which ends everything entered.

        `move` is the lasting change of the log price over a trend (60 s, +0.01) or a crash (6 s, -0.051).
        """
        elapsed = t_ms - self.origin_ms
        if regime is Regime.CALM:
            kept = (each.ended(elapsed) if each.active(elapsed) else each for each in self._entered.episodes)
            self._entered = Script(tuple(kept))
            return
        seconds = _DEFAULT_S.get(regime) if duration_s is None else duration_s
        episode = Episode(
            regime,
            elapsed,
            None if seconds is None else round(seconds * 1000),
            None if symbols is None else frozenset(symbols),
            _DEFAULT_MOVE.get(regime, 0.0) if move is None else move,
        )
        self._entered = replace(self._entered, episodes=(*self._entered.episodes, episode))

    def _standing(self, symbol: str, t_ms: int) -> int:
        elapsed = t_ms - self.origin_ms
        return min(self._script.standing(elapsed, symbol), self._entered.standing(elapsed, symbol))

    def _noise(self, symbol: str, market_s: float) -> float:
        scale = _SIGMA * _LIVELINESS.get(symbol, _OTHERS)
        return scale * (0.75 * self._market.at(market_s) + 0.66 * self._own[symbol].at(market_s))

    def _leading_move(self, symbol: str) -> float:
        """What must be added over the window before the origin for its total move to be 0.4..0.8 %."""
        size = 0.006 + 0.002 * _unit(_key(self.seed, symbol, "lead"), 0)
        wanted = size if rises_first(self.seed, symbol) else -size
        return wanted - (self._origin[symbol] - self._noise(symbol, -LOOKBACK_S))

    def _before(self, symbol: str, elapsed_ms: int) -> float:
        """The leading trend, shifted to end at nothing: the price at the origin is the base price."""
        left = min(max(-elapsed_ms / 1000 * self.speed / LOOKBACK_S, 0.0), 1.0)
        return -self._lead[symbol] * left

    def _width(self, symbol: str, t_ms: int) -> float:
        going_on = self.regimes(t_ms, symbol)
        if Regime.WIDE in going_on:
            return _WIDE_CONF
        return (_CRASH_CONF if Regime.CRASH in going_on else _CALM_CONF) * _LIVELINESS.get(symbol, _OTHERS)
