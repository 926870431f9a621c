"""Makes the index of a state directory anew from its journal, while no engine runs on it; and says how one is."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

from engine.indexing.look import Place, batch, look
from engine.indexing.rows import Curves, scan
from engine.indexing.waiting import PIECE, Piece
from engine.replay import fold
from engine.world import World
from store import index
from store.errors import StoreError
from store.index import Batch, Row
from store.lease import Lease
from store.reader import Reader
from venue.exchange.facts import BlockAdvanced

NEW_FILE = "index.db.new"


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows each table has."""

    positions: int
    markets: int
    market_snapshots: int
    prices: int
    liquidatable: int


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """How an index is."""

    seq: int
    """Newest fact that all of it includes."""
    at_ms: int
    behind: int
    """Newer facts in the journal."""
    gap: bool
    """Whether older blocks are still being filled in."""
    rows: Rows
    size: int
    """In bytes, what SQLite keeps beside it included."""
    oldest_price_ms: int | None
    oldest_block: int | None


def status(directory: Path) -> IndexStatus:
    """Of the index in a state directory, running or not. Raises StoreError where there is no journal or no index, or
    when one cannot be read."""
    path = directory / index.FILE
    with Reader(directory) as reader, closing(index.open_read_only(path)) as connection:
        meta = index.read_meta(connection)
        rows = {
            each.name: _number(connection, f"SELECT count(*) FROM {each.name}") or 0  # noqa: S608 - names of ours
            for each in fields(Rows)
        }
        seq = int(meta.get("seq", "0"))
        return IndexStatus(
            seq=seq,
            at_ms=int(meta.get("at_ms", "0")),
            behind=reader.newest() - seq,
            gap="gap_upto" in meta,
            rows=Rows(**rows),
            size=sum(each.stat().st_size for each in index.files_of(path) if each.exists()),
            oldest_price_ms=_number(connection, "SELECT min(at_ms) FROM prices"),
            oldest_block=_number(connection, "SELECT min(block) FROM market_snapshots"),
        )


def rebuild(directory: Path, since_ms: int, progress: Callable[[int, int], None]) -> IndexStatus:
    """Folds the whole journal into a new index that takes the place of the old one; prices are kept as far as they
    can be read, blocks from before `since_ms` (unix ms) are left out. Tells `progress` how many entries of how many.

    Raises Locked while an engine runs, other StoreErrors when the journal or the disk is at fault; then the old index
    is as it was.
    """
    with Reader(directory) as reader:
        newest = reader.newest()
        with Lease(directory):
            new, old = directory / NEW_FILE, directory / index.FILE
            try:
                _remove(new)
                with closing(index.create(new)) as connection:
                    index.save_prices(connection, old)
                    _write(connection, reader, _Told(newest, progress), since_ms)
                for beside in index.files_of(old)[1:]:  # a log of the old one would be taken for one of the new
                    beside.unlink(missing_ok=True)
                new.replace(old)
            except OSError as error:
                raise StoreError("INDEX_UNUSABLE", f"{new}: {error.strerror}") from error
            finally:
                _remove(new)
    return status(directory)


@dataclass(frozen=True, slots=True)
class _Told:
    newest: int
    progress: Callable[[int, int], None]


def _write(connection: sqlite3.Connection, reader: Reader, told: _Told, since_ms: int) -> None:
    world, place = World(), Place(0, 0)
    rows: list[Row] = []
    for entry in reader.read(told.newest):
        fact = fold(world, entry)
        place = Place(entry.seq, entry.at_ms)
        if isinstance(fact, BlockAdvanced) and entry.at_ms >= since_ms:
            curves = Curves(world.exchange.markets.values())
            rows += (row for _, row in curves.snapshots(fact.block, entry.seq, entry.at_ms))
        if len(rows) >= PIECE:
            index.write(connection, Batch(snapshots=rows))
            rows = []
        told.progress(entry.seq, told.newest)
    index.write(connection, Batch(snapshots=rows))
    for piece in _pieces(world):
        index.write(connection, batch(look(world.exchange, place, piece, scan), None, reader.mark.hash))


def _pieces(world: World) -> Iterator[Piece]:
    """All positions; with the last of them the rest."""
    ids = list(world.exchange.positions)
    for begin in range(0, len(ids), PIECE):
        yield Piece(set(ids[begin : begin + PIECE]), markets=False, blocks=[], prices=[], whole=False)
    yield Piece(set(), markets=True, blocks=[], prices=[], whole=True)


def _number(connection: sqlite3.Connection, question: str) -> int | None:
    found = index.ask(connection, question)[0][0]
    return found if isinstance(found, int) else None


def _remove(path: Path) -> None:
    for each in index.files_of(path):
        each.unlink(missing_ok=True)
