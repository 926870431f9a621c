"""The index held against the fold: what it says at the fact it speaks of, read in one go before the fold begins."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine.indexing.look import PARTIAL, Place, batch, look
from engine.indexing.rows import scan
from engine.indexing.waiting import Piece
from engine.world import World
from store import index
from store.errors import StoreError
from store.index import Row

_TABLES = ("positions", "markets", "leverage_buckets", "liquidatable")


@dataclass(frozen=True, slots=True)
class Said:
    """What an index said behind an entry; `fault` when it cannot be believed at all."""

    seq: int
    tables: dict[str, list[Row]]
    fault: str = ""
    partial: bool = False
    """Some of its rows are newer."""


def said(directory: Path) -> Said | None:
    """What the index of a state directory says now; None where there is none."""
    path = directory / index.FILE
    if not path.exists():
        return None
    try:
        with closing(index.open_read_only(path)) as connection:
            connection.execute("BEGIN")
            index.verify(connection)
            meta = index.read_meta(connection)
            seq = int(meta.get("seq", "0"))
            tables = {name: index.ask(connection, f"SELECT * FROM {name}") for name in _TABLES}  # noqa: S608
    except (StoreError, ValueError) as error:
        return Said(0, {}, str(error))
    return Said(seq, tables, partial=PARTIAL in meta)


def differences(told: Said, world: World) -> list[str]:
    """Which tables are not what a world comes to, one line each."""
    whole = Piece(set(world.exchange.positions), markets=True, blocks=[], prices=[], whole=True)
    made = batch(look(world.exchange, Place(told.seq, 0), whole, scan), None, b"")
    expected: dict[str, Iterable[Row]] = {
        "positions": made.positions,
        "markets": made.markets,
        "leverage_buckets": made.buckets,
        "liquidatable": ((each,) for each in made.liquidatable or ()),
    }
    found = []
    for name, rows in expected.items():
        width = None if name == "liquidatable" else -1
        wrong = {row[:width] for row in told.tables[name]} ^ set(rows)
        if wrong:
            found.append(f"{index.FILE}: {len(wrong)} rows of {name} are not what the entries fold to")
    return found
