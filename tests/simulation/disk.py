"""The real journal on a database in memory: what was committed survives every kill, and nothing else does."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar, cast

from store.head import Head, HeadFile
from store.journal import Journal, _prepare, _Writer

T = TypeVar("T")


class Refuses(Protocol):
    """How often the disk will refuse."""

    refusals: int
    refused: int


class _MemoryHead:
    def __init__(self) -> None:
        self.head: Head | None = None

    def read(self) -> Head | None:
        return self.head

    def write(self, head: Head) -> None:
        self.head = head

    def close(self) -> None:
        """It stays."""


class _Arm:
    """Writes when its moment has come: a kill may fall before the transaction, or behind it and before its answer."""

    def __init__(self, connection: sqlite3.Connection, rng: random.Random, weather: Refuses) -> None:
        self._connection = connection
        self._rng = rng
        self._weather = weather

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        await self._wait()
        if self._weather.refusals and self._rng.random() < 0.0005:
            self._weather.refusals -= 1
            self._weather.refused += 1
            raise sqlite3.OperationalError("database or disk is full")
        done = work(self._connection)
        await self._wait()
        return done

    async def _wait(self) -> None:
        await asyncio.sleep(0 if self._rng.random() < 0.8 else self._rng.uniform(0, 0.05))

    async def close(self) -> None:
        """It stays."""


class Disk:
    """Outlives every process."""

    def __init__(self, rng: random.Random, weather: Refuses) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._rng = rng
        self._weather = weather
        self._head = _MemoryHead()

    def journal(self) -> Journal:
        """Opened by a new process: whoever had it before is fenced."""
        epoch, arm = _prepare(self._connection), _Arm(self._connection, self._rng, self._weather)
        return Journal(cast(_Writer, arm), Path("perpdesk.db"), epoch, cast(HeadFile, self._head))

    def newest(self) -> tuple[str, int]:
        """Hash, in hex, and number of the newest entry."""
        row = self._connection.execute("SELECT hex(hash), seq FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        return (row[0].lower(), row[1]) if row else ("", 0)

    def close(self) -> None:
        """Forgets everything."""
        self._connection.close()
