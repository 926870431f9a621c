"""Bugs that a program is given on purpose: what looks for them must find each."""

import asyncio
import fcntl
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

from engine import pulse, stopping
from engine.engine import Engine
from engine.life import Life
from store import chain, index, journal
from store.head import Head, HeadFile
from store.journal import Journal
from venue.exchange.requests.checks import check_account
from venue.exchange.state import Exchange

LATE = 30
"""Rows that are held back."""


def answers_first() -> None:
    """Facts are acknowledged, and written some time later."""
    commit = journal._commit
    held: list[tuple[int, int, int, str, str, bytes]] = []

    def later(
        connection: sqlite3.Connection,
        epoch: int,
        rows: list[tuple[int, int, int, str, str, bytes]],
        file: HeadFile,
        head: Head,
    ) -> None:
        held.extend(rows)
        if len(held) > LATE:
            commit(connection, epoch, held, file, head)
            held.clear()

    patch("store.journal._commit", later).start()


def forgets_names() -> None:
    """A request that is sent again is another one."""

    def careless(exchange: Exchange, account: str, kind: str, client_id: str) -> None:
        check_account(exchange, account, kind, "")

    patch("venue.exchange.requests.create.check_account", careless).start()
    for place in ("venue.exchange.machine", "venue.exchange.requests.listing"):
        patch(f"{place}.check_name", lambda _exchange, _name: None).start()


def shares_the_lock() -> None:
    """Whoever comes has the directory as well."""
    patch("fcntl.LOCK_EX", fcntl.LOCK_SH).start()


STOP_S = 1.5
HUNG_S = 0.5
PIPE = "hung"
"""A pipe of this name in the state directory that nobody writes to is a disk that does not answer."""
WAITS = "waits"
"""There since somebody has waited for it."""


def _waits(directory: Path) -> None:
    """In the kernel, as who waits for a disk does."""
    with suppress(FileNotFoundError):  # it answers
        pipe = directory / PIPE
        pipe.stat()
        (directory / WAITS).touch()
        pipe.open("rb").close()


def _impatient() -> None:
    """What counts in seconds counts faster."""
    stopping.STOP_S = STOP_S
    pulse.LOOK_S = 0.1
    patch("engine.disk.HUNG_S", HUNG_S).start()


class _Connection:
    """A commit waits for the disk, everything before it is done."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement == "COMMIT":
            (_, _, file), *_ = self._connection.execute("PRAGMA database_list").fetchall()
            _waits(Path(file).parent)
        return self._connection.execute(statement, *values)


def hangs() -> None:
    """The disk may stop to answer, in a commit of the journal."""
    _impatient()
    commit = journal._commit

    def on_it(connection: sqlite3.Connection, *rest: Any) -> None:
        commit(_Connection(connection), *rest)  # type: ignore[arg-type]

    patch("store.journal._commit", on_it).start()


def hangs_in_the_index() -> None:
    """The same in what is written into the index, and nowhere else."""
    _impatient()
    patch("engine.indexing.file.CLOSE_S", 0.2).start()
    patch("engine.indexing.indexer.FLUSH_S", 0.2).start()
    transaction = index._transaction

    def on_it(connection: sqlite3.Connection) -> Any:
        return transaction(_Connection(connection))  # type: ignore[arg-type]

    patch("store.index._transaction", on_it).start()


def hangs_at_the_start() -> None:
    """The same where the journal is read."""
    _impatient()
    page = chain.Chain.page

    def on_it(self: chain.Chain, connection: sqlite3.Connection) -> Any:
        _waits(self.path.parent)
        return page(self, connection)

    patch("store.chain.Chain.page", on_it).start()


def hangs_at_the_end() -> None:
    """It stops to answer when a run is told to end, which it hears while a commit waits."""
    hangs()
    end = Life.end

    def with_it(self: Life) -> None:
        directory = self._engine._options.directory
        with suppress(FileExistsError):
            os.mkfifo(directory / PIPE)

        def heard() -> None:
            if (directory / WAITS).exists():
                end(self)
            else:
                asyncio.get_running_loop().call_later(0.02, heard)

        heard()

    patch.object(Life, "end", with_it).start()


def fails_and_hangs() -> None:
    """The engine ends by a fault of its own, and then the journal is not closed while that pipe is there."""
    _impatient()
    close = Journal.close

    async def faulty(_: Engine) -> None:
        await asyncio.sleep(0.1)
        raise RuntimeError("a fault")

    async def slow(self: Journal) -> None:
        await asyncio.to_thread(_waits, self.path.parent)
        await close(self)

    patch.object(Engine, "_run_later", faulty).start()
    patch.object(Journal, "close", slow).start()


def hangs_beside_the_start() -> None:
    """A thread of the loop's waits for that pipe from before the journal is opened."""
    _impatient()

    def waits(directory: Path) -> str:
        asyncio.get_running_loop().run_in_executor(None, _waits, directory)
        return ""

    patch("engine.engine.others_in", waits).start()


def gets_stuck(where: str) -> None:
    """A screen waits in that method, once somebody has made that pipe beside the configuration."""
    _impatient()
    kind, _, name = where.rpartition(".")
    done = getattr(resolve_name(kind), name)

    def first_waits(self: object) -> object:
        _waits(Path(os.environ["XDG_CONFIG_HOME"]))
        return done(self)

    patch(where, first_waits).start()


def spins() -> None:
    """The loop of the engine is caught in a call that does not return, once somebody has made that pipe."""
    _impatient()
    patch("engine.disk.DiskLoop.pass_once", _spun).start()


async def _spun(self: Any) -> str:
    directory = Path(self._show.__self__._options.directory)
    while (directory / PIPE).exists():
        sum(range(1_000))
    return "spun"
