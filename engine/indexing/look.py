"""What one read of the world gives the index, and the transaction that is made of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.indexing.rows import Figures, bucket_rows, figures, market_row, position_row
from engine.indexing.waiting import Gap, Piece
from store.index import Batch, Row
from venue.exchange.state import Exchange

PARTIAL = "partial"
"""In `meta` while positions are written in pieces: some rows are newer than `seq` says."""
Due = Callable[[Exchange], Iterable[int]]
"""Ids of the positions that may be liquidated, by the exact rule."""


@dataclass(frozen=True, slots=True)
class Place:
    """A fact that was committed."""

    seq: int
    at_ms: int
    """Unix ms; 0 where it was not shown, because a snapshot includes it."""


@dataclass(frozen=True, slots=True)
class Look:
    """Everything of one fact; taken quickly, made into rows elsewhere."""

    place: Place
    piece: Piece
    positions: list[Figures]
    markets: list[Row]
    buckets: list[Row]
    due: tuple[int, ...] | None


def look(exchange: Exchange, place: Place, piece: Piece, due: Due) -> Look:
    """At what a piece names."""
    markets = list(exchange.markets.values()) if piece.markets else []
    return Look(
        place=place,
        piece=piece,
        positions=[figures(exchange.positions[each]) for each in piece.positions],
        markets=[market_row(each) for each in markets],
        buckets=[row for each in markets for row in bucket_rows(each.symbol, each.params)],
        due=tuple(due(exchange)) if piece.markets else None,
    )


def batch(seen: Look, gap: Gap | None, digest: bytes) -> Batch:
    """Its transaction; `digest` is the journal's hash at its fact. Rows of positions are made as they are written."""
    meta: dict[str, str | None] = {PARTIAL: None if seen.piece.whole else "1"}
    if gap is not None:
        meta |= {"gap_after": str(gap.after), "gap_upto": str(gap.upto)}
    if seen.piece.whole:
        meta |= {"seq": str(seen.place.seq), "hash": digest.hex()}
        meta |= {"at_ms": str(seen.place.at_ms)} if seen.place.at_ms else {}
    return Batch(
        positions=map(position_row, seen.positions),
        markets=seen.markets,
        buckets=seen.buckets,
        liquidatable=seen.due,
        snapshots=[row for _, row in seen.piece.blocks],
        prices=seen.piece.prices,
        meta=meta,
    )
