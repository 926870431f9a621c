"""The index: tables made of the journal for everybody's queries, in a database of their own beside it.

It may be lost at any time, so its commits are not waited for (`synchronous=NORMAL`). One connection writes it; who
reads it opens it read-only. Everything here is plain SQL on a connection that belongs to one thread.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from store.errors import Damaged, StoreError
from store.said import FAILURES, code_of, shown, words

APPLICATION_ID = 0x50455249
SCHEMA_VERSION = 1
FILE = "index.db"
DAMAGED_FILE = "index.db.damaged"
_OTHER_PLACES = 8
"""Numbered names beside it, for when it is taken."""
DAMAGED = "INDEX_DAMAGED"
"""Code of the error for one that cannot be believed."""
BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a database in use."""

Value = str | int | float | None
Row = tuple[Value, ...]
"""A row of a table without its `crc`."""

_PRAGMAS = """
PRAGMA busy_timeout=1000;
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
PRAGMA journal_size_limit=67108864;
PRAGMA trusted_schema=OFF;
PRAGMA cell_size_check=ON;
PRAGMA mmap_size=0;
"""
_WIDTHS = {"positions": 15, "markets": 10, "leverage_buckets": 5, "market_snapshots": 10, "prices": 6, "meta": 3}
"""Columns of the tables whose rows carry a checksum."""
_AGED = {
    "market_snapshots": "DELETE FROM market_snapshots WHERE (block, market) IN (SELECT block, market FROM "
    "(SELECT block, market, at_ms FROM market_snapshots ORDER BY block LIMIT ?) WHERE at_ms < ?)",
    "prices": "DELETE FROM prices WHERE (at_ms, symbol) IN (SELECT at_ms, symbol FROM "
    "(SELECT at_ms, symbol FROM prices ORDER BY at_ms LIMIT ?) WHERE at_ms < ?)",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written in one transaction."""

    positions: Iterable[Row] = ()
    markets: Iterable[Row] = ()
    buckets: Iterable[Row] = ()
    liquidatable: Iterable[int] | None = None
    """Ids in place of those that were there; None leaves them."""
    snapshots: Iterable[Row] = ()
    """Those that are there already stay as they are."""
    prices: Iterable[Row] = ()
    meta: Mapping[str, str | None] = field(default_factory=dict)
    """None takes the key away."""


def create(path: Path) -> sqlite3.Connection:
    """A new index, for its owner only. Raises StoreError or OSError: FileExistsError when there is a file."""
    for suffix in BESIDE:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    with _told(), _closed_on_error(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(_PRAGMAS + f"BEGIN;\n{_schema()}\nCOMMIT;")
    return connection


def open_existing(path: Path) -> sqlite3.Connection:
    """The index at `path`, for writing. Raises Damaged for what is not one, or is of another version; StoreError or
    OSError when the file cannot be had. What its rows say is checked by `verify`."""
    path.chmod(0o600)
    with _told(), _closed_on_error(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout=1000")
        _check_header(connection)
        connection.executescript(_PRAGMAS)
    return connection


def open_read_only(path: Path) -> sqlite3.Connection:
    """For questions only. Raises StoreError when there is none, Damaged when it is not one."""
    if not path.is_file():
        raise StoreError("NO_INDEX", f"{path}: no such file; a running engine writes it, or `perpdesk index rebuild`")
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with _told(), _closed_on_error(sqlite3.connect(uri, uri=True)) as connection:
        _check_header(connection)
    return connection


def verify(connection: sqlite3.Connection) -> None:
    """Looks at every page and every row; takes seconds per million rows. Raises Damaged at the first that is wrong."""
    with _told():
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(shown(str(verdict)))
        for table in _WIDTHS:
            _checked(table, connection.execute(f"SELECT * FROM {table}"))  # noqa: S608 - a name of ours


def write(connection: sqlite3.Connection, batch: Batch) -> None:
    """Makes all of a batch visible at once. Raises Damaged when the file is, StoreError when it cannot be written; then
    nothing of it is there."""
    with _told(), _transaction(connection):
        _put(connection, batch)


def prune(connection: sqlite3.Connection, table: str, before_ms: int, most: int) -> int:
    """Deletes rows of `market_snapshots` or `prices` from before a time (unix ms), oldest first, at most `most`, and
    returns how many. Raises as `write` does."""
    with _told():
        return connection.execute(_AGED[table], (most, before_ms)).rowcount


def ask(connection: sqlite3.Connection, question: str, values: Mapping[str, Value] | None = None) -> list[Row]:
    """Rows of a query. Raises as `write` does."""
    with _told():
        return connection.execute(question, dict(values or {})).fetchall()


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """What the index says of itself. Raises Damaged when it cannot be read."""
    with _told():
        rows = connection.execute("SELECT * FROM meta").fetchall()
        _checked("meta", rows)
        return {key: value for key, value, _ in rows}


def set_aside(path: Path) -> Path:
    """Moves an index away, with what SQLite keeps beside it; one that lies there already goes. Returns where it is:
    under a numbered name where something lies there that cannot go. Raises OSError."""
    away = path.with_name(DAMAGED_FILE)
    for number in range(2, 2 + _OTHER_PLACES):
        with suppress(OSError):
            return _moved(path, away)
        away = path.with_name(f"{DAMAGED_FILE}-{number}")
    return _moved(path, away)


def _moved(path: Path, away: Path) -> Path:
    for beside in files_of(away)[1:]:
        beside.unlink(missing_ok=True)
    path.replace(away)
    for beside, there in zip(files_of(path)[1:], files_of(away)[1:], strict=True):
        with suppress(OSError):  # a new one takes them away
            beside.replace(there)
    return away


def save_prices(connection: sqlite3.Connection, source: Path) -> int:
    """Copies the prices of another index as far as they can be read, from both ends; returns how many were."""
    before = connection.total_changes
    insert = _insert("prices", "IGNORE")
    uri = f"{source.resolve().as_uri()}?mode=ro"
    with suppress(*FAILURES), closing(sqlite3.connect(uri, uri=True)) as old, _transaction(connection):
        for order in ("", " DESC"):
            with suppress(*FAILURES):
                for row in old.execute(f"SELECT * FROM prices ORDER BY at_ms{order}"):  # noqa: S608
                    if row[-1] == _crc(row[:-1]):
                        connection.execute(insert, row)
    return connection.total_changes - before


def damaged(why: str) -> Damaged:
    """The error that says what is wrong with an index."""
    return Damaged(DAMAGED, f"{FILE}: {why}")


def _put(connection: sqlite3.Connection, batch: Batch) -> None:
    for table, rows, otherwise in (
        ("positions", batch.positions, "REPLACE"),
        ("markets", batch.markets, "REPLACE"),
        ("leverage_buckets", batch.buckets, "REPLACE"),
        ("market_snapshots", batch.snapshots, "IGNORE"),
        ("prices", batch.prices, "IGNORE"),
        ("meta", [item for item in batch.meta.items() if item[1] is not None], "REPLACE"),
    ):
        connection.executemany(_insert(table, otherwise), ((*row, _crc(row)) for row in rows))
    if batch.liquidatable is not None:
        connection.execute("DELETE FROM liquidatable")
        connection.executemany("INSERT INTO liquidatable VALUES (?)", ((each,) for each in batch.liquidatable))
    gone = [(key,) for key, value in batch.meta.items() if value is None]
    connection.executemany("DELETE FROM meta WHERE key = ?", gone)


@cache
def _insert(table: str, otherwise: str) -> str:
    return f"INSERT OR {otherwise} INTO {table} VALUES ({', '.join('?' * _WIDTHS[table])})"  # noqa: S608


def _checked(table: str, rows: Iterable[Row]) -> None:
    for row in rows:
        if row[-1] != _crc(row[:-1]):
            raise damaged(f"a row of {table} is not what was written: {row[0]!a}")


def _crc(row: Sequence[Value]) -> int:
    return zlib.crc32(repr(tuple(row)).encode())


@cache
def _schema() -> str:
    return (files("store") / "schema" / "index.sql").read_text()


_ITEMS = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"


@cache
def _items() -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_schema())
        return connection.execute(_ITEMS).fetchall()


def _check_header(connection: sqlite3.Connection) -> None:
    found = tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if found != (APPLICATION_ID, SCHEMA_VERSION) or connection.execute(_ITEMS).fetchall() != _items():
        raise damaged("it is not an index, or one of another perpdesk")


_IN_THE_WAY = (
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM),
)


@contextmanager
def _told() -> Iterator[None]:
    """Damage of the file, told from a disk or a neighbour that is in the way, and from rows that do not belong."""
    try:
        yield
    except FAILURES as error:
        if code_of(error) in _IN_THE_WAY or isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise StoreError("INDEX_UNUSABLE", f"{FILE}: {words(error)}") from error
        raise damaged(words(error)) from error


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def files_of(path: Path) -> list[Path]:
    """The files of an index, whether they are there or not."""
    return [path, *(path.with_name(path.name + suffix) for suffix in BESIDE)]
