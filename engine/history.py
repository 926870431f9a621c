"""What prices, open interest and carry were over the last day: two series per market, in memory only.

After a start they fill again, and what is older is restored from the index, as far as it has it. They are immutable
tuples that are replaced, so that any thread may read them; at most `MOST_POINTS` points of some 350 bytes per market,
10 MB for the thirteen feeds there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.exchange_rows import MarketPoint
from engine.snapshot import FeedHealth, MarketRow, Snapshot

KNOWN = (FeedHealth.LIVE, FeedHealth.SLOW, FeedHealth.WIDE)
"""Of the others there is no price: an old one is not drawn as if it went on."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Time between two points, and how many are kept."""

    every_ms: int
    most: int


FINE = Pace(5_000, 720)
COARSE = Pace(60_000, 1_440)
"""The last hour, and the last day."""
MOST_POINTS = FINE.most + COARSE.most
_Series = dict[str, tuple[MarketPoint, ...]]


class History:
    """Taken from pictures on the engine's loop, read from anywhere."""

    def __init__(self) -> None:
        self._fine: _Series = {}
        self._coarse: _Series = {}
        self._at_ms: int | None = None

    def take(self, snapshot: Snapshot) -> None:
        """Adds the markets of a picture where a point is due. A clock that was set back takes its points with it."""
        at_ms, last_ms = snapshot.at_ms, self._at_ms
        for pace, series in ((FINE, self._fine), (COARSE, self._coarse)):
            if last_ms is None or at_ms < last_ms or at_ms // pace.every_ms != last_ms // pace.every_ms:
                for row in snapshot.markets:
                    held = series.get(row.symbol, ())
                    if held and held[-1].at_ms >= at_ms:
                        held = tuple(point for point in held if point.at_ms < at_ms)
                    series[row.symbol] = (*held[1 - pace.most :], _point(row, at_ms))
        self._at_ms = at_ms

    def restore(self, past: Mapping[str, tuple[MarketPoint, ...]]) -> None:
        """Points of every minute from before the first that was taken, oldest first; by market."""
        for symbol, points in past.items():
            held = self._coarse.get(symbol, ())
            begin_ms = held[0].at_ms if held else points[-1].at_ms + 1
            older = tuple(point for point in points if point.at_ms < begin_ms)
            self._coarse[symbol] = (*older, *held)[-COARSE.most :]

    def since(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        """Points at or after `since_ms`, oldest first: every minute, then every five seconds as far as they reach.
        Empty for a market that is not known."""
        fine = self._fine.get(market, ())
        begin_ms = fine[0].at_ms if fine else 0
        older = (point for point in self._coarse.get(market, ()) if since_ms <= point.at_ms < begin_ms)
        return (*older, *(point for point in fine if point.at_ms >= since_ms))


def _point(row: MarketRow, at_ms: int) -> MarketPoint:
    known = row.health in KNOWN
    return MarketPoint(
        at_ms=at_ms,
        index=row.index if known else None,
        conf=row.conf if known else None,
        mark=row.mark,
        long_oi=row.long_oi,
        short_oi=row.short_oi,
        carry_per_hour=row.carry_per_hour,
    )
