"""Durable operations per second, beside bare SQLite appending the same rows with the same batching."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from engine import codec
from engine.settlement import Settlement
from tests.bench.report import report
from tests.engine.house import settled
from venue.exchange.commands import Deposit
from venue.exchange.facts import Deposited
from venue.exchange.fixed import WAD
from venue.exchange.ledger import Move

ROW = codec.encode(Deposited("a", (Move("external", "wallet:a", WAD),)))
TURNS = 3


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

    # In turns, and the best of each: how fast the disk syncs changes from one second to the next.
    turns = [(asyncio.run(_timed(all_callers)), _bare(operations, callers)) for _ in range(TURNS)]
    ours, bare = (operations / min(seconds) for seconds in zip(*turns, strict=True))
    report(name, case, ours, "operations/s", "bare SQLite, same rows and batches", bare)


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
        connection.executescript((files("store") / "schema" / "001_journal.sql").read_text())
        rows = [(seq, 1_700_000_000_000, 1, *ROW, bytes(32)) for seq in range(1, operations + 1)]
        began = time.perf_counter()
        for begin in range(0, operations, batch):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", rows[begin : begin + batch])
            connection.execute("COMMIT")
        return time.perf_counter() - began
