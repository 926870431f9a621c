"""The hash chain that a journal is: what an entry is, how the next one fits, and where a reader stands in it."""

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from store.refused import damaged

GENESIS = bytes(32)
REPLAY_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One journaled fact: `kind` names its type, `payload` is JSON text."""

    seq: int
    at_ms: int
    kind: str
    payload: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a journal: the number of an entry that was read, and its hash."""

    seq: int = 0
    hash: bytes = GENESIS


def chain(previous: bytes, seq: int, at_ms: int, kind: str, payload: str) -> bytes:
    """The 32-byte hash of a row, over the hash of the row before and everything the row says."""
    return hashlib.blake2b(previous + f"{seq}|{at_ms}|{kind}|{payload}".encode(), digest_size=32).digest()


def hash_at(connection: sqlite3.Connection, seq: int) -> bytes | None:
    """The hash that is written beside an entry; None where there is no such entry, or something else beside it."""
    if seq == 0:
        return GENESIS
    row = connection.execute("SELECT hash FROM journal WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row is not None and isinstance(row[0], bytes) else None


Row = tuple[int, int, str, str, bytes]


class Chain:
    """Where a reader stands in the chain of a journal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seq = 0
        self.hash = GENESIS

    def page(self, connection: sqlite3.Connection, most: int = REPLAY_PAGE) -> list[Row]:
        """The next rows, at most `most`."""
        return connection.execute(
            "SELECT seq, at_ms, kind, payload, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",
            (self.seq, most),
        ).fetchall()

    def check(self, row: Row) -> Entry:
        """The next entry. Raises Damaged when it is missing or does not fit."""
        seq, at_ms, kind, payload, stored = row
        if seq != self.seq + 1:
            raise damaged(self.path, f"entry {self.seq + 1} is missing")
        if chain(self.hash, seq, at_ms, kind, payload) != stored:
            raise damaged(self.path, f"entry {seq} does not fit the hash chain")
        self.seq, self.hash = seq, stored
        return Entry(seq, at_ms, kind, payload)
