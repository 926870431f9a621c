"""The journal against real SQLite: what is appended is there, in order, and damage never goes unnoticed."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from operator import attrgetter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import store.journal
from store.chain import Entry, hash_at
from store.errors import Damaged, StoreError
from store.journal import _PRAGMAS, Journal

FACTS = [("Opened", '{"a":"1"}'), ("Closed", '{"b":"2"}')]


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Journal]:
    journal = await Journal.open(directory)
    try:
        yield journal
    finally:
        await journal.close()


async def entries(journal: Journal) -> list[Entry]:
    return [entry async for entry in journal.replay()]


async def written(directory: Path, count: int = 5, kind: str = "Fact") -> None:
    async with opened(directory) as journal:
        await entries(journal)
        for number in range(count):
            await journal.append([(kind, f'{{"n":"{number}"}}')], 1_000 + number)


def edit(directory: Path, *statements: str) -> None:
    with closing(sqlite3.connect(directory / "perpdesk.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


async def test_entries_come_back_as_they_were_appended(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        assert await entries(journal) == []
        assert await journal.append(FACTS, 7) == 2
        assert await journal.append(FACTS[:1], 9) == 3
    async with opened(tmp_path) as again:
        assert await entries(again) == [Entry(1, 7, *FACTS[0]), Entry(2, 7, *FACTS[1]), Entry(3, 9, *FACTS[0])]
        assert await again.append(FACTS[:1], 10) == 4


async def test_every_transaction_is_synced_and_the_file_is_private(tmp_path: Path) -> None:
    names = ("journal_mode", "synchronous")
    async with opened(tmp_path) as journal:
        modes = await journal._writer.run(lambda db: [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names])
    assert modes == ["wal", 2]
    assert (tmp_path / "perpdesk.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "damage",
    [
        'UPDATE journal SET payload = \'{"n":"9"}\' WHERE seq = 3',
        "UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 1",
        "UPDATE journal SET kind = 'Other' WHERE seq = 5",
        "DELETE FROM journal WHERE seq = 3",
        "DELETE FROM journal WHERE seq = 1",
        "UPDATE journal SET hash = zeroblob(32) WHERE seq = 4",
    ],
)
async def test_an_edited_or_missing_entry_breaks_the_chain(tmp_path: Path, damage: str) -> None:
    await written(tmp_path)
    edit(tmp_path, "DROP TRIGGER journal_is_never_edited", "DROP TRIGGER journal_is_never_cut", damage)
    async with opened(tmp_path) as journal:
        with pytest.raises(Damaged, match=r"perpdesk\.db: entry \d"):
            await entries(journal)


@pytest.mark.parametrize("statement", ["UPDATE journal SET at_ms = 0", "DELETE FROM journal"])
async def test_the_journal_refuses_to_be_edited(tmp_path: Path, statement: str) -> None:
    await written(tmp_path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        edit(tmp_path, statement)


def open_files(directory: Path) -> list[str]:
    """Of this process, in that directory."""
    links = (str(link.resolve()) for link in Path("/proc/self/fd").iterdir())
    return [link for link in links if link.startswith(f"{directory}/")]


@pytest.mark.parametrize("where", ["sqlite3.connect", "_prepare"])
async def test_cancelled_while_it_is_opened_it_leaves_nothing_open(tmp_path: Path, where: str) -> None:
    """Whatever thread of SQLite's waits for a disk: it is waited for."""
    await written(tmp_path)
    waits, go_on = threading.Event(), threading.Event()
    threads = set(threading.enumerate())
    done = attrgetter(where)(store.journal)

    def slow(*given: Any, **named: Any) -> Any:
        if "uri" not in named:  # who only looks
            waits.set()
            assert go_on.wait(20)
        return done(*given, **named)

    with patch(f"store.journal.{where}", slow):
        opening = asyncio.create_task(Journal.open(tmp_path))
        await asyncio.to_thread(waits.wait, 20)
        for _ in range(2):
            opening.cancel()
            await asyncio.wait((opening,), timeout=0.05)
        assert not opening.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await opening
    for thread in set(threading.enumerate()) - threads:
        if "asyncio" not in thread.name:
            thread.join(5)
            assert not thread.is_alive()
    assert open_files(tmp_path) == []


@pytest.mark.parametrize("damage", ["PRAGMA user_version = 9", "DELETE FROM meta"])
async def test_refused_it_leaves_nothing_open(tmp_path: Path, damage: str) -> None:
    await written(tmp_path)
    edit(tmp_path, damage)
    with pytest.raises(Damaged):
        await Journal.open(tmp_path)
    assert open_files(tmp_path) == []


async def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "perpdesk.db").write_bytes(b"hello" * 1_000)
    with pytest.raises(Damaged, match="not a database"):
        await Journal.open(tmp_path)
    assert (tmp_path / "perpdesk.db").read_bytes() == b"hello" * 1_000


async def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    edit(tmp_path, "CREATE TABLE theirs (x)")
    with pytest.raises(Damaged, match="not a perpdesk journal"):
        await Journal.open(tmp_path)


async def test_a_journal_of_a_newer_perpdesk_is_refused(tmp_path: Path) -> None:
    await written(tmp_path)
    edit(tmp_path, "PRAGMA user_version = 99")
    with pytest.raises(Damaged, match="schema 99"):
        await Journal.open(tmp_path)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("database", "the journal is gone"),
        ("emptied", "the journal is gone"),
        ("newest", "entries 4 to 5 are missing"),
        ("replaced", "is not the one perpdesk.head remembers"),
    ],
)
async def test_a_journal_that_lost_its_newest_entries_is_refused(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, loss: str, said: str
) -> None:
    other = tmp_path_factory.mktemp("other")
    await written(tmp_path)
    database = tmp_path / "perpdesk.db"
    if loss == "database":
        database.unlink()
    elif loss == "emptied":
        database.write_bytes(b"")
    elif loss == "newest":
        edit(tmp_path, "DROP TRIGGER journal_is_never_cut", "DELETE FROM journal WHERE seq > 3")
    else:
        await written(other, 9, "Other")
        (other / "perpdesk.db").replace(database)
    with pytest.raises(Damaged, match=said):
        async with opened(tmp_path) as journal:
            await entries(journal)


@pytest.mark.parametrize("head", [b"", b"torn", None])
async def test_a_lost_witness_is_no_damage(tmp_path: Path, head: bytes | None) -> None:
    await written(tmp_path)
    if head is None:
        (tmp_path / "perpdesk.head").unlink()
    else:
        (tmp_path / "perpdesk.head").write_bytes(head)
    async with opened(tmp_path) as journal:
        assert len(await entries(journal)) == 5


@pytest.mark.parametrize("statement", ["DELETE FROM meta", "UPDATE meta SET value = 'x'"])
async def test_a_lost_epoch_is_damage(tmp_path: Path, statement: str) -> None:
    await written(tmp_path)
    edit(tmp_path, statement)
    with pytest.raises(Damaged, match="lost its epoch"):
        await Journal.open(tmp_path)


async def test_a_neighbour_that_holds_the_file_is_not_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.journal._PRAGMAS", "PRAGMA busy_timeout=1;")
    await written(tmp_path)
    with closing(sqlite3.connect(tmp_path / "perpdesk.db", isolation_level=None)) as neighbour:
        neighbour.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program holds a write lock") as caught:
            await Journal.open(tmp_path)
    assert caught.value.code == "JOURNAL_HELD"
    assert not isinstance(caught.value, Damaged)


async def test_a_neighbour_that_comes_later_is_named_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.journal._PRAGMAS", _PRAGMAS.replace("busy_timeout=5000", "busy_timeout=1"))
    await written(tmp_path)
    async with opened(tmp_path) as journal:
        before = await entries(journal)
        with closing(sqlite3.connect(tmp_path / "perpdesk.db", isolation_level=None)) as neighbour:
            neighbour.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="another program holds a write lock") as caught:
                await journal.append(FACTS, 1)
            assert caught.value.code == "JOURNAL_HELD"
            assert f"fuser {tmp_path / 'perpdesk.db'}" in str(caught.value)
    async with opened(tmp_path) as again:
        assert await entries(again) == before


async def test_a_second_opener_fences_the_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as first:
        await entries(first)
        async with opened(tmp_path) as second:
            with pytest.raises(Damaged, match="taken this journal over"):
                await first.append(FACTS, 1)
            assert await entries(second) == []


async def test_a_full_disk_leaves_nothing_of_a_transaction_and_the_next_one_fits(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await entries(journal)
        await journal._writer.run(lambda db: db.execute("PRAGMA max_page_count = 20").fetchone())
        with pytest.raises(sqlite3.OperationalError, match="full"):
            await journal.append([*FACTS, ("Fact", "x" * 500_000)], 1)
        assert await journal.append(FACTS, 2) == 2
    async with opened(tmp_path) as again:
        assert [entry.at_ms for entry in await entries(again)] == [2, 2]


async def test_cancelling_the_caller_neither_stops_nor_splits_a_transaction(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await entries(journal)
        for _ in range(50):
            call = asyncio.ensure_future(journal._writer.run(_two_halves))
            await asyncio.sleep(0)
            call.cancel()
        in_transaction, rows = await journal._writer.run(_state)
    assert not in_transaction
    assert rows == 100


def _two_halves(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS halves (n INTEGER)")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO halves VALUES (1)")
    connection.execute("INSERT INTO halves VALUES (2)")
    connection.execute("COMMIT")


def _state(connection: sqlite3.Connection) -> tuple[bool, int]:
    (rows,) = connection.execute("SELECT count(*) FROM halves").fetchone()
    return connection.in_transaction, rows


@pytest.mark.parametrize(("quoted", "shown"), [(b"\xa0", "\ufffd"), (b"\x1b", "?"), (b"\n", "")])
async def test_what_sqlite_quotes_of_a_damaged_file_is_one_harmless_line(
    tmp_path: Path, quoted: bytes, shown: str
) -> None:
    await written(tmp_path)
    path = tmp_path / "perpdesk.db"
    path.write_bytes(path.read_bytes().replace(b"seq INTEGER PRIMARY", b"seq" + quoted + b"INTEGXR PRIMARY"))
    with pytest.raises(Damaged) as caught:
        async with opened(tmp_path) as journal:
            await entries(journal)
    assert str(caught.value).isprintable()
    assert shown in str(caught.value)


def test_something_else_beside_an_entry_is_no_hash() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE journal (seq, hash)")
        connection.execute("INSERT INTO journal VALUES (1, 'text'), (2, 9000000000000000000), (3, NULL)")
        assert [hash_at(connection, seq) for seq in range(1, 5)] == [None] * 4
