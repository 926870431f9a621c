"""Rows of the index, made of what the exchange remembers. Pure; their columns are those of store/schema/index.sql."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

from engine.history import KNOWN
from engine.snapshot import Snapshot
from store.index import Row, Value
from venue.exchange import curve, facts
from venue.exchange.fixed import WAD
from venue.exchange.health import health
from venue.exchange.params import MarketParams
from venue.exchange.state import Exchange, Market

CHANGES = (facts.PositionOpened, facts.PositionIncreased, facts.PositionReduced, facts.PositionLiquidated)
"""Facts that change a position, and the curve it is on."""
ON_CURVES = (facts.MarketListed, facts.BlockAdvanced, *CHANGES)
"""All that the index shows comes of these."""

Figures = tuple[int, str, str, bool, int, int, int, int, int, str, int, int, int]
"""What a position was at one moment, cheap to take: its row without what can be made of it elsewhere."""

figures = attrgetter(
    *("id", "user_id", "market", "is_long", "base_size", "entry_notional", "margin", "carry_snapshot", "open_block"),
    *("status", "realized_pnl", "payout", "end_payout"),
)


def position_row(taken: Figures) -> Row:
    """Of `positions`."""
    number, owner, market, is_long, size, entry, margin, carry, block, status, realised, payout, end_payout = taken
    return (
        *(number, owner, market, "long" if is_long else "short"),
        *(str(size), str(entry), str(entry * WAD // size), str(margin), str(carry)),
        *(block, str(status), str(realised), str(payout), str(end_payout)),
    )


def market_row(market: Market) -> Row:
    """Of `markets`."""
    return (
        *(market.symbol, str(market.base_reserve), str(market.quote_reserve), str(market.mark)),
        *(str(market.long_open_interest), str(market.short_open_interest)),
        *(str(market.cumulative_carry_index), str(market.params.index_scale), market.last_funding_block),
    )


def bucket_rows(symbol: str, params: MarketParams) -> Iterator[Row]:
    """Of `leverage_buckets`."""
    for place, (ceiling, buffer) in enumerate(params.buckets):
        yield symbol, place, float(ceiling), float(buffer)


def price_rows(snapshot: Snapshot) -> Iterator[Row]:
    """Of `prices`: every feed with a price, and every market of the venue. One that is not believed is unknown."""
    for row in snapshot.markets:
        index, conf = (row.index, row.conf) if row.health in KNOWN else (None, None)
        if index is not None or row.mark is not None:
            yield snapshot.at_ms, row.symbol, _text(index), _text(conf), _text(row.mark)


def _text(number: int | None) -> Value:
    return None if number is None else str(number)


def scan(exchange: Exchange) -> list[int]:
    """Ids of the open positions past their limit, by looking at each."""
    held = exchange.open_positions.values()
    return [each.id for each in held if health(exchange.markets[each.market], each).liquidatable]


class Held(Protocol):
    """As much of a position as the curves must know."""

    @property
    def market(self) -> str: ...

    @property
    def is_long(self) -> bool: ...

    @property
    def entry_notional(self) -> int:
        """Of one that was liquidated: what it was then."""


@dataclass(slots=True)
class Curve:
    """What a block's snapshot says of a market."""

    base: int
    quote: int
    long: int = 0
    short: int = 0
    carry: int = 0


class Curves:
    """The markets as of one fact, kept by facts alone: a commit may hold more of them behind a block's, and its
    snapshot must not show those."""

    def __init__(self, markets: Iterable[Market] = ()) -> None:
        self._curves = {
            each.symbol: Curve(
                each.base_reserve,
                each.quote_reserve,
                each.long_open_interest,
                each.short_open_interest,
                each.cumulative_carry_index,
            )
            for each in markets
        }

    def fold(self, fact: object, positions: Mapping[int, Held]) -> None:
        """Takes one of `ON_CURVES`; of the positions those are looked up that it speaks of."""
        match fact:
            case facts.MarketListed():
                self._curves[fact.symbol] = Curve(fact.params.initial_base, fact.params.initial_quote)
            case facts.BlockAdvanced():
                for each in fact.carries:
                    self._curves[each.symbol].carry = each.index
            case facts.PositionOpened():
                self._trade(fact.market, fact.is_long, fact.notional, fact)
            case facts.PositionIncreased():
                held = positions[fact.position_id]
                self._trade(held.market, held.is_long, fact.notional, fact)
            case facts.PositionReduced():
                held = positions[fact.position_id]
                self._trade(held.market, held.is_long, -fact.entry_notional, fact)
            case facts.PositionLiquidated():
                held = positions[fact.position_id]
                self._trade(held.market, held.is_long, -held.entry_notional, fact)

    def _trade(self, symbol: str, is_long: bool, notional: int, after: "_Reserves") -> None:
        traded = self._curves[symbol]
        traded.base, traded.quote = after.base_reserve, after.quote_reserve
        if is_long:
            traded.long += notional
        else:
            traded.short += notional

    def snapshots(self, block: int, seq: int, at_ms: int) -> Iterator[tuple[int, Row]]:
        """Of `market_snapshots`, every market as it is now; each with the number of the block's fact."""
        for symbol, each in self._curves.items():
            mark = curve.mark(each.base, each.quote)
            money = (str(mark), str(each.long), str(each.short), str(each.carry), mark / WAD)
            yield seq, (block, symbol, at_ms, seq, *money)


class _Reserves(Protocol):
    @property
    def base_reserve(self) -> int: ...

    @property
    def quote_reserve(self) -> int: ...
