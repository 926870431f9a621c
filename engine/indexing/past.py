"""The last day of every market, read back from the index for the charts."""

from engine.exchange_rows import MarketPoint, Wad
from engine.history import COARSE
from engine.indexing.file import IndexFile
from store.index import Row, Value

_PRICES = """
SELECT min(at_ms), symbol, index_price, confidence, mark, at_ms / :every FROM prices
WHERE at_ms >= :since GROUP BY symbol, at_ms / :every ORDER BY 1
"""
_INTEREST = """
SELECT min(at_ms), market, long_open_interest, short_open_interest, at_ms / :every FROM market_snapshots
WHERE at_ms >= :since GROUP BY market, at_ms / :every
"""


async def past(file: IndexFile, now_ms: int) -> dict[str, tuple[MarketPoint, ...]]:
    """A point a minute, oldest first, where a price was known; by market. Raises StoreError when it cannot be read."""
    begin = {"since": now_ms - COARSE.most * COARSE.every_ms, "every": COARSE.every_ms}
    interest = {(row[1], row[-1]): row[2:4] for row in await file.ask(_INTEREST, begin)}
    found: dict[str, list[MarketPoint]] = {}
    for row in await file.ask(_PRICES, begin):
        found.setdefault(str(row[1]), []).append(_point(row, interest.get((row[1], row[-1]), (None, None))))
    return {symbol: tuple(points) for symbol, points in found.items()}


def _point(row: Row, interest: Row) -> MarketPoint:
    return MarketPoint(
        at_ms=int(str(row[0])),
        index=_wad(row[2]),
        conf=_wad(row[3]),
        mark=_wad(row[4]),
        long_oi=_wad(interest[0]),
        short_oi=_wad(interest[1]),
        carry_per_hour=None,
    )


def _wad(text: Value) -> Wad | None:
    return None if text is None else int(str(text))
