"""What a journal says of every moment, packed: its events, and the marks of its markets. Memory grows with neither
screens nor looks: some 40 bytes an event, and a bounded number of points per market."""

import json
import zlib
from bisect import bisect_left, bisect_right
from dataclasses import astuple, replace
from decimal import Decimal
from functools import lru_cache

from engine.chronicle import RING, Chronicle
from engine.exchange_rows import MarketPoint
from engine.settlement import Recorded
from engine.snapshot import Event, EventPage
from venue.exchange.machine import carry_step
from venue.exchange.state import Exchange

PAGE = 500
HOUR_S = 3_600
DAY_MS = 86_400_000
MOST_POINTS = 4_096


class Bygones:
    """Every event, numbered as the engine numbers them: from 1, without a gap."""

    def __init__(self) -> None:
        self._chronicle = Chronicle(logging=False)
        self._pages: list[bytes] = []
        """Each of `PAGE` events, packed; those that fill no page yet are in the chronicle alone."""
        self._page = lru_cache(maxsize=2 * RING // PAGE)(self._unpack)

    def tell(self, item: Recorded) -> int:
        """Takes a fact; the number of the newest event so far."""
        before = self._chronicle.number
        self._chronicle.record((item,), replayed=True)
        number = self._chronicle.number
        if number != before and number % PAGE == 0:
            page = self._chronicle.since(number - PAGE).events
            self._pages.append(zlib.compress(json.dumps([astuple(event) for event in page]).encode()))
        return number

    def between(self, since: int, newest: int) -> EventPage:
        """Events above `since` up to `newest`; of these the last `RING`, as from an engine."""
        first = max(since + 1, newest - RING + 1, 1)
        found: list[Event] = []
        packed = len(self._pages) * PAGE
        for number in range((first - 1) // PAGE, min(-(-newest // PAGE), len(self._pages))):
            found += self._page(number)
        if newest > packed:
            found += self._chronicle.since(max(packed, first - 1)).events
        return EventPage(tuple(event for event in found if first <= event.number <= newest), max(0, first - 1 - since))

    def _unpack(self, number: int) -> tuple[Event, ...]:
        return tuple(Event(*row) for row in json.loads(zlib.decompress(self._pages[number])))


class Marks:
    """What markets of the embedded exchange were over the whole journal; the index price is in no journal."""

    def __init__(self) -> None:
        self._every_ms = 5_000
        self._series: dict[str, list[MarketPoint]] = {}
        """With what longs pay per block; how long a block is, no journal says."""
        self._bucket = -1

    def take(self, exchange: Exchange, at_ms: int) -> None:
        """Adds a point per market where one is due; where they become too many, every other one goes."""
        bucket = at_ms // self._every_ms
        if bucket == self._bucket or not exchange.markets:
            return
        self._bucket = bucket
        for market in exchange.markets.values():
            carry = carry_step(market, 1) / market.params.index_scale
            interest = (market.long_open_interest, market.short_open_interest)
            series = self._series.setdefault(market.symbol, [])
            series.append(MarketPoint(at_ms, None, None, market.mark, *interest, carry))
        if max(map(len, self._series.values())) > MOST_POINTS:
            self._every_ms *= 2
            for series in self._series.values():
                del series[1::2]

    def between(self, market: str, since_ms: int, until_ms: int, block_seconds: Decimal) -> tuple[MarketPoint, ...]:
        """Points of a market, oldest first; never more than a day."""
        points = self._series.get(market, [])
        first = bisect_left(points, max(since_ms, until_ms - DAY_MS), key=_at)
        blocks_per_hour = HOUR_S / float(block_seconds)
        return tuple(
            replace(point, carry_per_hour=(point.carry_per_hour or 0.0) * blocks_per_hour)
            for point in points[first : bisect_right(points, until_ms, key=_at)]
        )


def _at(point: MarketPoint) -> int:
    return point.at_ms
