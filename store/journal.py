"""The journal: an append-only table of facts, one hash chain, one read-write connection in the world.

A shared SQLite connection is no transaction boundary under asyncio: a neighbour's commit ends it early and a
cancelled caller leaves it open. So a whole transaction is one function, run on the connection's own thread and
shielded from the caller's cancellation. See docs/decisions/0002-single-writer.md.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import aiosqlite

from store.chain import REPLAY_PAGE, Chain, Entry, Mark, chain, hash_at
from store.errors import Damaged, StoreError
from store.head import Head, HeadFile
from store.refused import damaged, held, refused
from store.said import FAILURES, is_held
from store.unbroken import unbroken

APPLICATION_ID = 0x50455250
SCHEMA_VERSION = 1
T = TypeVar("T")

_PRAGMAS = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
PRAGMA foreign_keys=ON;
PRAGMA busy_timeout=5000;
PRAGMA trusted_schema=OFF;
PRAGMA cell_size_check=ON;
PRAGMA mmap_size=0;
"""


class _Writer(aiosqlite.Connection):
    """aiosqlite's thread, with whole transactions as the only thing that may be run on it."""

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.shield(self._execute(work, self._conn))  # type: ignore[no-untyped-call]


class Journal:
    """Appends facts durably and replays them in order. Use `Journal.open`."""

    def __init__(self, connection: _Writer, path: Path, epoch: int, head: HeadFile) -> None:
        self._writer = connection
        self._epoch = epoch
        self._chain = Chain(path)
        self._head = head
        self._is = _identity(path)
        self.path = path
        self.answered: Callable[[], None] = lambda: None
        """Called on the writer's thread when the disk has taken or refused a commit; who appends hears it when the loop
        turns, which may be later."""

    @property
    def seq(self) -> int:
        """Number of the newest entry, 0 when there is none; known once `replay` has run through."""
        return self._chain.seq

    @classmethod
    async def open(cls, directory: Path) -> "Journal":
        """Opens or creates `perpdesk.db` in `directory` for writing; the caller holds the directory's Lease.

        Raises Damaged when the file is not a journal, is from a newer perpdesk, was cut short or SQLite calls it
        corrupt, and StoreError when the disk refuses. Cancelled, it leaves nothing open.
        """
        return await unbroken(cls._open(directory), cls.close)

    @classmethod
    async def _open(cls, directory: Path) -> "Journal":
        path = directory / "perpdesk.db"
        head = _begun(path)
        connection = _Writer(lambda: sqlite3.connect(path, isolation_level=None), iter_chunk_size=64)
        try:
            await connection
            epoch = await connection.run(_prepare)
        except BaseException as error:
            head.close()
            await connection.close()
            if isinstance(error, FAILURES):
                raise refused(path, error) from error
            raise
        return cls(connection, path, epoch, head)

    async def newest(self) -> int:
        """The number of the newest entry on the disk, before anything has been replayed; 0 when there is none."""
        try:
            return await self._writer.run(_newest)
        except FAILURES as error:
            raise refused(self.path, error) from error

    async def replay(self, after: Mark | None = None) -> AsyncIterator[Entry]:
        """Every entry from the first, or from the one behind `after`, checked against the hash chain and the head that
        was seen last.

        Raises Damaged at the first that does not fit, when newest entries are missing, or when `after` is a place in
        another journal.
        """
        head = self._head.read()
        if after is not None:
            await self._begin(after, head)
        while True:
            try:
                rows = await self._writer.run(self._chain.page)
            except FAILURES as error:
                raise refused(self.path, error) from error
            for row in rows:
                entry = self._chain.check(row)
                if head and entry.seq == head.seq and self._chain.hash != head.hash:
                    raise damaged(self.path, f"entry {entry.seq} is not the one perpdesk.head remembers")
                yield entry
            if len(rows) < REPLAY_PAGE:
                break
        if head and head.seq > self._chain.seq:
            raise damaged(self.path, f"entries {self._chain.seq + 1} to {head.seq} are missing")

    async def _begin(self, after: Mark, head: Head | None) -> None:
        known = [after, Mark(head.seq, head.hash)] if head and head.seq <= after.seq else [after]
        try:
            for mark in known:
                if await self._writer.run(partial(hash_at, seq=mark.seq)) != mark.hash:
                    raise damaged(self.path, f"entry {mark.seq} is not the one that was remembered")
        except FAILURES as error:
            raise refused(self.path, error) from error
        self._chain.seq, self._chain.hash = after.seq, after.hash

    async def append(self, facts: Sequence[tuple[str, str]], at_ms: int) -> int:
        """Makes (kind, payload) pairs durable in one transaction and returns the number of the last.

        Raises sqlite3.Error when the disk refuses; then the next to open the journal finds all of it or nothing. Raises
        StoreError("JOURNAL_HELD") when a neighbour's lock was in the way of all of it. Raises Damaged("FENCED") when
        another process has taken the journal over, Damaged("GONE") when the file is not there any more: nobody would
        ever find what is written to it then.
        """
        rows = []
        seq, digest = self._chain.seq, self._chain.hash
        for kind, payload in facts:
            seq += 1
            digest = chain(digest, seq, at_ms, kind, payload)
            rows.append((seq, at_ms, self._epoch, kind, payload, digest))
        head = Head(seq, digest)
        await self._writer.run(partial(self._commit, rows=rows, head=head))
        self._chain.seq, self._chain.hash = seq, digest
        return seq

    def _commit(
        self, connection: sqlite3.Connection, rows: list[tuple[int, int, int, str, str, bytes]], head: Head
    ) -> None:
        try:
            if _identity(self.path) != self._is:
                raise Damaged("GONE", f"{self.path}: moved, deleted or replaced while it was written")
            _commit(connection, self._epoch, rows, self._head, head)
        except sqlite3.Error as error:
            if is_held(error):
                raise held(self.path, error) from error
            raise
        finally:
            self.answered()

    async def hash_at(self, seq: int) -> bytes | None:
        """The hash of an entry; None where there is no such entry. Raises StoreError."""
        try:
            return await self._writer.run(partial(hash_at, seq=seq))
        except FAILURES as error:
            raise refused(self.path, error) from error

    async def close(self) -> None:
        """Closes the connection; everything appended is already durable."""
        await self._writer.close()
        self._head.close()


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands there; None where there is none."""
    try:
        of = path.stat()
    except FileNotFoundError:
        return None
    return of.st_dev, of.st_ino


def check_there(path: Path, head: Head | None) -> None:
    """Raises Damaged when there is no journal where a head remembers one."""
    if head is not None and not (path.is_file() and path.stat().st_size):
        raise damaged(path, "the journal is gone, perpdesk.head beside it remembers entries")


def _check_whole(path: Path, head: Head | None) -> None:
    """Raises Damaged when newest entries are missing. Whoever opens a log that is damaged half way for writing takes
    away what is behind the damage, so that nobody could save it any more."""
    if head is None:
        return
    check_there(path, head)
    with suppress(*FAILURES), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        newest = _newest(connection)
        if head.seq > newest:
            raise damaged(path, f"entries {newest + 1} to {head.seq} are missing")


def _begun(path: Path) -> HeadFile:
    """The head beside a journal, which is an empty file where there was none. Raises Damaged as above, and StoreError
    when the disk refuses."""
    try:
        head = HeadFile(path.parent)
        try:
            _check_whole(path, head.read())
            path.touch(mode=0o600, exist_ok=True)
        except BaseException:
            head.close()
            raise
    except OSError as error:
        raise StoreError("STATE_UNUSABLE", f"{path}: {error.strerror}") from error
    return head


def _prepare(connection: sqlite3.Connection) -> int:
    """Schema, pragmas, and a new epoch."""
    application, version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _HEADER)
    if application == 0 and version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        connection.executescript(_PRAGMAS)
        connection.executescript((files("store") / "schema" / "001_journal.sql").read_text())
    elif application != APPLICATION_ID:
        raise Damaged("NOT_A_JOURNAL", "perpdesk.db is not a perpdesk journal; move it away or name another --state")
    elif version > SCHEMA_VERSION:
        raise Damaged("NEWER_SCHEMA", f"perpdesk.db has schema {version}, this perpdesk knows {SCHEMA_VERSION}; update")
    connection.executescript(_PRAGMAS)
    connection.execute("BEGIN IMMEDIATE")
    row = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    if row is None or not str(row[0]).isdecimal():
        raise Damaged(
            "JOURNAL_DAMAGED", "perpdesk.db has lost its epoch; perpdesk will not trade on it: restore a backup"
        )
    epoch = int(row[0]) + 1
    connection.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (str(epoch),))
    connection.execute("COMMIT")
    return epoch


_HEADER = ("application_id", "user_version")


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0])


def _commit(
    connection: sqlite3.Connection,
    epoch: int,
    rows: list[tuple[int, int, int, str, str, bytes]],
    file: HeadFile,
    head: Head,
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        (current,) = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        if int(current) != epoch:
            raise Damaged("FENCED", f"epoch {current} has taken this journal over from epoch {epoch}")
        connection.executemany(
            "INSERT INTO journal (seq, at_ms, epoch, kind, payload, hash) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    file.write(head)
