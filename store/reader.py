"""Reads a journal that somebody else may be writing: its own connection, read-only, short transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from store.chain import REPLAY_PAGE, Chain, Entry, Mark, hash_at
from store.errors import Damaged, StoreError
from store.files import sync
from store.head import remembered
from store.journal import APPLICATION_ID, check_there
from store.refused import damaged, is_damage, refused
from store.said import FAILURES, shown, words


class Reader:
    """A journal open for reading, from any place in it. Raises StoreError when there is none, Damaged when it cannot
    be trusted. No transaction is open between two calls, so a writer is never held up."""

    def __init__(self, directory: Path) -> None:
        path = directory / "perpdesk.db"
        self._chain = Chain(path)
        try:
            self._head = remembered(directory)  # before the journal, which a writer makes longer first
        except OSError as error:
            raise StoreError("STATE_UNUSABLE", f"{directory}/perpdesk.head: {error.strerror}") from error
        check_there(path, self._head)
        if not path.is_file():
            raise StoreError("NO_JOURNAL", f"{directory}: no perpdesk.db in there")
        with self._words():
            self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            with self._words():
                self._connection.execute("PRAGMA query_only = ON")
                if self._connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                    raise Damaged("NOT_A_JOURNAL", f"{path}: not a perpdesk journal")
        except BaseException:
            self.close()
            raise

    @property
    def mark(self) -> Mark:
        """Where it stands: behind the entry that was read last."""
        return Mark(self._chain.seq, self._chain.hash)

    @property
    def is_witnessed(self) -> bool:
        """Whether perpdesk.head would tell that the newest entries are missing."""
        return self._head is not None

    def go_to(self, mark: Mark) -> None:
        """Goes on from a place where it has been."""
        self._chain.seq, self._chain.hash = mark.seq, mark.hash

    def knows(self, mark: Mark) -> bool:
        """Whether a place is one in this journal."""
        with self._words():
            return hash_at(self._connection, mark.seq) == mark.hash

    def last(self) -> int:
        """The number of the last entry there is; 0 when there is none."""
        with self._words():
            return int(self._connection.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0])

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file as such, in its own words; nothing in a sound one."""
        try:
            rows = self._connection.execute("PRAGMA integrity_check(10)").fetchall()
        except FAILURES as error:
            return [words(error)]
        return [shown(str(row[0])) for row in rows if row[0] != "ok"]

    def copy_to(self, target: Path) -> None:
        """Copies the journal as committed by now into a new file, durably; a writer goes on meanwhile.

        Raises StoreError, or OSError, naming the file at fault; then there is no new one.
        """
        target.touch(mode=0o600, exist_ok=False)
        try:
            with closing(sqlite3.connect(target, isolation_level=None)) as copy:
                self._connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            sync(target)
        except BaseException as error:
            target.unlink(missing_ok=True)
            if not isinstance(error, FAILURES):
                raise
            at_fault = self._chain.path if is_damage(error) else target
            raise refused(at_fault, error) from error

    def newest(self) -> int:
        """The number of the newest committed entry; 0 when there is none. Raises Damaged when newer ones are gone."""
        newest = self.last()
        if self._head and self._head.seq > newest:
            raise damaged(self._chain.path, f"entries {newest + 1} to {self._head.seq} are missing")
        return newest

    def read(self, most: int) -> Iterator[Entry]:
        """The next entries, at most `most`, checked against the hash chain; fewer at the end."""
        while most > 0:
            page = min(most, REPLAY_PAGE)
            with self._words():
                rows = self._chain.page(self._connection, page)
            for row in rows:
                entry = self._chain.check(row)
                if self._head and entry.seq == self._head.seq and self._chain.hash != self._head.hash:
                    raise damaged(self._chain.path, f"entry {entry.seq} is not the one perpdesk.head remembers")
                yield entry
            most = most - page if len(rows) == page else 0

    def close(self) -> None:
        """Gives the file back."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            raise refused(self._chain.path, error) from error


def entries(directory: Path) -> Iterator[Entry]:
    """Every committed entry of the journal in `directory`, checked against the hash chain.

    Raises StoreError when there is no journal, Damaged when it cannot be trusted.
    """
    with closing(Reader(directory)) as reader:
        reader.newest()
        yield from reader.read(2**63 - 1)
