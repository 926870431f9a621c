"""The index's database on a thread of its own: opened, checked, written, pruned, moved away when it is damaged.

It is the only connection in the world that writes it.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import structlog

from store import index
from store.errors import StoreError
from store.index import Batch

T = TypeVar("T")
log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
PRUNED_AT_ONCE = 1_000
"""Rows in one transaction."""
CLOSE_S = 2.0


class IndexFile:
    """`index.db` in a state directory. Its methods may be awaited from one loop; what they do is done in order."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / index.FILE
        self._thread = ThreadPoolExecutor(1, "index")
        self._connection: sqlite3.Connection | None = None
        self._files: tuple[tuple[int, int], ...] | None = None

    async def open(self) -> dict[str, str]:
        """Opens what is there and returns its meta; it is empty for a new one. Raises StoreError, Damaged among them,
        or OSError, and then it is not open."""
        return await self._run(self._open)

    async def anew(self) -> None:
        """An empty one with the prices of the one that was there, which is moved away. Raises as `open` does."""
        await self._run(self._anew)

    async def verify(self) -> None:
        """Looks at all of it. Raises Damaged."""
        await self._run(lambda: index.verify(self._opened()))

    async def write(self, batch: Batch) -> None:
        """One transaction. Raises StoreError, Damaged among them."""
        await self._run(lambda: index.write(self._opened(), batch))

    async def prune(self, table: str, before_ms: int) -> int:
        """Deletes some rows from before a time (unix ms) and returns how many."""
        return await self._run(lambda: index.prune(self._opened(), table, before_ms, PRUNED_AT_ONCE))

    async def ask(self, question: str, values: Mapping[str, index.Value]) -> list[index.Row]:
        """Rows of a query. Raises as `write` does."""
        return await self._run(lambda: index.ask(self._opened(), question, values))

    def in_place(self) -> bool:
        """Whether it is open, and it and its log are still the files of those names."""
        return self._files is not None and self._files == self._there()

    async def close(self) -> None:
        """Ends what runs and gives the file back; on a disk that does not answer it is left as it is, which costs
        nothing, so that the journal is closed all the same."""
        if self._connection is not None:
            self._connection.interrupt()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._run(self._close)
        except TimeoutError:
            log.warning("the index is not closed", reason=f"the disk has not answered for {CLOSE_S:.0f} s")
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError("INDEX_UNUSABLE", f"{self.path}: it could not be opened")
        return self._connection

    def _open(self) -> dict[str, str]:
        connection = index.open_existing(self.path) if self.path.exists() else index.create(self.path)
        try:
            meta = index.read_meta(connection)
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return meta

    def _anew(self) -> None:
        self._close()
        away = index.set_aside(self.path) if self.path.exists() else None
        self._keep(index.create(self.path))
        if away is not None:
            saved = index.save_prices(self._opened(), away)
            log.info("prices of the old index are kept", rows=saved, old=str(away))

    def _keep(self, connection: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):  # what is wrong the next pass finds
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # from now on there is a log, and a page of the file
        self._connection, self._files = connection, self._there()

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.execute("SELECT 1").fetchone()  # one that was interrupted would leave its WAL behind
                self._connection.close()
        self._connection, self._files = None, None

    def _there(self) -> tuple[tuple[int, int], ...] | None:
        """What stands at its names; None where one is missing or the database is empty."""
        try:
            found = [self.path.stat(), self.path.with_name(f"{self.path.name}-wal").stat()]
        except OSError:
            return None
        return tuple((each.st_dev, each.st_ino) for each in found) if found[0].st_size else None
