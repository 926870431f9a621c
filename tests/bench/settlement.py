"""Durable operations per second, beside bare SQLite appending rows of the same size with the same batching."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from engine.settlement import Settlement
from tests.bench.report import report
from tests.engine.house import settled
from venue.exchange.commands import Deposit
from venue.exchange.fixed import WAD

ROW = ("Deposited", '{"user":"a","moves":[{"source":"external","target":"wallet:a","amount":"1000000000000000000"}]}')


def serial() -> None:
    """One operation at a time."""
    _compare("settlement.serial", "1 in flight", 2_000, 1)


def grouped() -> None:
    """Sixty-four callers at once."""
    _compare("settlement.grouped", "64 in flight", 20_000, 64)


def _compare(name: str, case: str, operations: int, callers: int) -> None:
    async def call(settlement: Settlement) -> None:
        for _ in range(operations // callers):
            await settlement.submit(Deposit("a", WAD))

    async def all_callers(settlement: Settlement) -> None:
        await asyncio.gather(*(call(settlement) for _ in range(callers)))

    value = operations / asyncio.run(_timed(all_callers))
    report(name, case, value, "operations/s", "bare SQLite, same batches", operations / _bare(operations, callers))


async def _timed(work: Callable[[Settlement], Awaitable[None]]) -> float:
    with tempfile.TemporaryDirectory() as directory:
        async with settled(Path(directory)) as settlement:
            began = time.perf_counter()
            await work(settlement)
            return time.perf_counter() - began


def _bare(operations: int, batch: int) -> float:
    with (
        tempfile.TemporaryDirectory() as directory,
        closing(sqlite3.connect(f"{directory}/bare.db", isolation_level=None)) as connection,
    ):
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        connection.execute("CREATE TABLE rows (seq INTEGER PRIMARY KEY, kind TEXT, payload TEXT, hash BLOB)")
        began = time.perf_counter()
        for _ in range(operations // batch):
            connection.execute("BEGIN IMMEDIATE")
            rows = [(*ROW, bytes(32))] * batch
            connection.executemany("INSERT INTO rows (kind, payload, hash) VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
        return time.perf_counter() - began
