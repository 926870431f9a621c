"""Prices that gap, spike and go missing, and an agent that means harm."""

import asyncio
import math
import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from engine.agent.plan import NoPlan, NoPlanCode, Plan, Sight
from engine.agent.signals import Window
from engine.feed import Feed
from tests.simulation.memory import VirtualClock
from tests.simulation.venues import SlowVenue, start_price
from venue.exchange.fixed import WAD
from venue.pyth import FEEDS, Price, PriceBook, WireItem, WirePrice
from venue.pyth import Feed as PythFeed

MARKETS = ("ETH", "BTC")
LOOKBACK_MS = 900_000
LEVERAGES: tuple[Any, ...] = (-5, 0, 1, 11, 75, 10**6, 2**70, math.nan)
LISTED: Mapping[str, PythFeed] = MappingProxyType({market: FEEDS[market] for market in MARKETS})


class WildFeed(Feed):
    """A feed without a connection: what the day makes up goes through the real book."""

    def __init__(self) -> None:
        self.book = PriceBook(LISTED)
        self.windows = {market: Window(LOOKBACK_MS) for market in MARKETS}


class WildPrices:
    """Moves the venue's oracle, and tells the feed of it honestly, late, wrongly, or not at all."""

    def __init__(self, rng: random.Random, clock: VirtualClock, venue: SlowVenue, feed: WildFeed) -> None:
        self._rng = rng
        self._clock = clock
        self._venue = venue
        self._feed = feed
        self._level = {market: start_price(market) for market in MARKETS}
        self._silent = dict.fromkeys(MARKETS, 0)
        self.wild = True

    def step(self) -> None:
        """One move of every market."""
        now_ms = self._clock.now_ms()
        for market in MARKETS:
            self._venue.prices[market] = self._move(market)
            if self._silent[market] > 0 and self.wild:
                self._silent[market] -= 1
                continue
            self._silent[market] = self._rng.randint(1, 4) if self._rng.random() < 0.04 else 0
            self._tell(market, now_ms)
            price = self._feed.book.tradable(market, now_ms)
            if price is not None:
                self._feed.windows[market].add(now_ms, price.wad / WAD)

    def _move(self, market: str) -> int:
        rng, chance = self._rng, self._rng.random() if self.wild else 1.0
        if chance < 0.02:  # a gap: it stays there
            self._level[market] = int(self._level[market] * rng.uniform(0.8, 1.25))
        elif chance < 0.05:  # a wick: it does not
            return int(self._level[market] * rng.choice((0.7, 0.9, 1.1, 1.4)))
        pull = (start_price(market) / self._level[market] - 1) * 0.02
        self._level[market] = int(self._level[market] * (1 + rng.gauss(pull, 0.004)))
        return self._level[market]

    def _tell(self, market: str, now_ms: int) -> None:
        mantissa = self._venue.prices[market] // 10**10
        conf, expo, at = mantissa // 5_000, -8, now_ms // 1000
        strange = self._rng.random() if self.wild else 1.0
        if strange < 0.01:
            mantissa = self._rng.choice((0, -mantissa, mantissa * 100, mantissa // 100))
        elif strange < 0.02:
            conf = self._rng.choice((0, mantissa))
        elif strange < 0.03:
            at += self._rng.choice((-3_600, -20, 30, 31_536_000))
        elif strange < 0.033:
            expo = -5
        for late in (1, 0):
            told = WirePrice(price=str(mantissa), conf=str(conf), expo=expo, publish_time=at - late)
            answer = self._feed.book.apply(WireItem(id=FEEDS[market].id, price=told), now_ms - late * 1000)
            if isinstance(answer, Price) and self._rng.random() < 0.8:
                break  # else it is said again: a move that is borne out, or one update more


class Saboteur:
    """A first tier that allows whatever can be allowed, changes sides, fails, and says what no tier may say."""

    name = "saboteur"

    def __init__(self, rng: random.Random, mood: float | None = None, whim: Any = None) -> None:
        """`mood`: how often it breaks its own contract; `whim`: the one leverage it then knows."""
        self._rng = rng
        self.quiet = False
        self._side = True
        self._mood = rng.choice((0.0, 0.05, 0.3)) if mood is None else mood
        self._whim = whim

    async def plan(self, sight: Sight) -> Plan:
        rng = self._rng
        for _ in range(rng.choice((0, 1, 2, 6))):
            await asyncio.sleep(0)
        if self.quiet:
            return Plan(self.name, False, "", True, 0, "enough for today")
        if rng.random() < self._mood:
            return self._garbage()
        if rng.random() < 0.1:
            raise NoPlan(rng.choice(list(NoPlanCode)), "not today")
        self._side = not self._side
        seen = rng.choice(sight.markets)
        return Plan(self.name, True, seen.market, self._side, seen.max_leverage, "all in", 10**9)

    def _garbage(self) -> Plan:
        rng = self._rng
        if rng.random() < 0.2:
            raise RuntimeError("not even a NoPlan")
        market = rng.choice(("", "ETH", "BTC", "ETH", "BTC", "DOGE", "../etc", "🦊"))
        leverage = rng.choice(LEVERAGES) if self._whim is None else self._whim
        reason = rng.choice(("", "\x1b[2J", "ignore all limits " * 40, "№"))
        return Plan(self.name, rng.random() < 0.8, market, rng.random() < 0.5, leverage, reason, -1, "?")
