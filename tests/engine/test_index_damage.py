"""Whatever becomes of the index's file, the engine goes on and the tables come back."""

import os
import random
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.indexing.fill import FillFailed, fill
from engine.indexing.indexer import VERIFIED_EVERY_S, Indexer
from engine.indexing.rebuild import rebuild
from engine.indexing.rows import scan
from engine.indexing.waiting import Gap
from engine.settlement import StoreFailed
from store.errors import Damaged, StoreError
from tests.engine.indexed import FOR_EVER, agree, founded, indexed, picture, settle, tables, trade
from tests.scale import SEED, scaled
from tests.tui.scripted import snapshot


@pytest.mark.parametrize("seed", range(SEED, SEED + scaled(8, 60, 400)))
async def test_whatever_is_flipped_is_found_and_made_anew(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    async with indexed(tmp_path) as run:
        await founded(run)
        run.indexer.take(snapshot())
        await trade(run, random.Random(1), 25)
        await run.indexer.pass_once()
    whole = tables(tmp_path)
    path = tmp_path / "index.db"
    held = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 20, 2_000))):
        held[rng.randrange(len(held))] ^= 1 << rng.randrange(8)
    path.write_bytes(held)
    async with indexed(tmp_path) as run:
        await settle(run)
    agree(tmp_path)
    assert {row[0] for row in tables(tmp_path)["meta"]} == {row[0] for row in whole["meta"]}


@pytest.mark.parametrize(
    "content", [b"", b"x", b"SQLite format 3\0", bytes(70_000), random.Random(1).randbytes(70_000)]
)
async def test_garbage_and_strangers_are_moved_away(tmp_path: Path, content: bytes) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(1), 10)
    (tmp_path / "index.db").write_bytes(content)
    async with indexed(tmp_path) as run:
        await settle(run)
    agree(tmp_path)
    assert (tmp_path / "index.db.damaged").read_bytes() == content


async def test_the_index_of_another_journal_is_not_believed(tmp_path: Path) -> None:
    for name, seed in (("mine", 1), ("theirs", 2)):
        (tmp_path / name).mkdir()
        async with indexed(tmp_path / name) as run:
            await founded(run)
            await trade(run, random.Random(seed), 20)
            await run.indexer.pass_once()
    (tmp_path / "theirs" / "index.db").replace(tmp_path / "mine" / "index.db")
    async with indexed(tmp_path / "mine") as run:
        await settle(run)
    agree(tmp_path / "mine")


async def test_one_that_is_held_by_somebody_is_moved_away_and_made_anew(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(1), 10)
        await run.indexer.pass_once()
    with closing(sqlite3.connect(tmp_path / "index.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        async with indexed(tmp_path) as run:
            await settle(run)
        agree(tmp_path)
        assert (tmp_path / "index.db.damaged").exists()


async def test_one_that_is_deleted_under_way_is_made_anew(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(1), 20)
        await run.indexer.pass_once()
        (tmp_path / "index.db").unlink()
        await settle(run)
        agree(tmp_path)


@pytest.mark.parametrize(
    "lost", [lambda path: path.with_name("index.db-wal").unlink(), lambda path: os.truncate(path, 0)]
)
async def test_a_log_that_is_deleted_or_a_file_that_is_emptied_under_way_is_noticed(
    tmp_path: Path, lost: Callable[[Path], None]
) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(1), 20)
        await run.indexer.pass_once()
        lost(tmp_path / "index.db")
        assert not run.indexer.file.in_place()
        await trade(run, random.Random(2), 20)
        await settle(run)
        agree(tmp_path)
        await trade(run, random.Random(3), 20)
        await run.indexer.pass_once()
        agree(tmp_path)
        assert run.indexer.file.in_place()


async def test_what_a_disk_did_to_rows_that_nobody_reads_is_found_within_a_day(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(1), 20)
        await run.indexer.pass_once()
        with closing(sqlite3.connect(tmp_path / "index.db", isolation_level=None)) as other:
            other.execute("UPDATE positions SET margin = '9'")
        run.clock.advance(VERIFIED_EVERY_S - 100)
        assert (await run.indexer.pass_once()).startswith("fact ")
        with pytest.raises(AssertionError):
            agree(tmp_path)
        run.clock.advance(100)
        assert await run.indexer.pass_once() == "made anew"
        await settle(run)
        agree(tmp_path)
        run.clock.advance(VERIFIED_EVERY_S)
        assert (await run.indexer.pass_once()).startswith("fact ")


async def test_a_log_that_cannot_be_emptied_stops_no_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            if "wal_checkpoint" in sql:
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(sql, *arguments)

    async with indexed(tmp_path) as run:
        await founded(run)
        await run.indexer.pass_once()
    connect: Any = sqlite3.connect

    def connected(path: Any, **named: Any) -> Any:
        return connect(path, **named, factory=Refusing if str(path).endswith("index.db") else sqlite3.Connection)

    monkeypatch.setattr(sqlite3, "connect", connected)
    async with indexed(tmp_path) as run:
        await trade(run, random.Random(1), 10)
        await settle(run)
    monkeypatch.undo()
    agree(tmp_path)


@pytest.mark.parametrize("when", ["start", "pass"])
async def test_damage_of_the_journal_is_not_taken_for_damage_of_the_index(tmp_path: Path, when: str) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await run.indexer.pass_once()

    async def damaged(seq: int) -> bytes:
        raise Damaged("JOURNAL_DAMAGED", "perpdesk.db: malformed")

    async with indexed(tmp_path) as run:
        if when == "start":
            other = Indexer(tmp_path, FOR_EVER, run.clock, damaged, scan)
            try:
                with pytest.raises(Damaged, match=r"perpdesk\.db"):
                    await other.open()
            finally:
                await other.close()
        else:
            run.indexer._hash_at = damaged
            with pytest.raises(StoreFailed, match=r"perpdesk\.db") as failed:
                await run.indexer.pass_once()
            assert failed.value.code == "JOURNAL_DAMAGED"
        assert run.indexer.file.in_place()
    assert not (tmp_path / "index.db.damaged").exists()


async def test_charts_begin_now_where_what_they_remember_is_no_number(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        run.indexer.take(picture(run.clock.now_ms()))
        await run.indexer.pass_once()
    with closing(sqlite3.connect(tmp_path / "index.db", isolation_level=None)) as other:
        other.execute("UPDATE prices SET mark = 'much'")
    async with indexed(tmp_path, clock=run.clock) as run:
        assert await run.indexer.past() == {}


async def test_the_last_words_of_the_process_that_fills_in_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(rows: object) -> None:
        """Nowhere."""

    def ending(words: str) -> None:
        program = tmp_path / "program"
        program.write_text(f"#!/bin/sh\necho '[1]'\nprintf '[2'\n{words}\nexit 3\n")
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))

    ending("echo first >&2; echo MemoryError >&2")
    with pytest.raises(FillFailed, match="has ended early: MemoryError"):
        await fill(tmp_path, Gap(0, 9), 0, write)
    ending("")
    with pytest.raises(FillFailed, match="has ended early: exit status 3"):
        await fill(tmp_path, Gap(0, 9), 0, write)


async def test_a_rebuild_is_never_without_either_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(1), 10)
        await run.indexer.pass_once()
    before = tables(tmp_path)
    replace = Path.replace

    def refused(path: Path, target: Path) -> Path:
        if path.name == "index.db.new":
            raise OSError(5, "Input/output error")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(StoreError, match="Input/output"):
        rebuild(tmp_path, 0, lambda done, of: None)
    assert tables(tmp_path) == before


async def test_a_reader_who_takes_long_stops_nobody(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(1), 10)
        await run.indexer.pass_once()
        with closing(sqlite3.connect(f"file:{tmp_path}/index.db?mode=ro", uri=True, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            before = reader.execute("SELECT count(*) FROM market_snapshots").fetchone()
            await trade(run, random.Random(2), 30)
            await run.indexer.pass_once()
            agree(tmp_path)
            assert reader.execute("SELECT count(*) FROM market_snapshots").fetchone() == before
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader.execute("DELETE FROM positions")


async def test_a_disk_that_refuses_costs_nothing_that_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.indexing.waiting.MOST_BLOCKS", 6)
    async with indexed(tmp_path) as run:
        await founded(run)
        await run.indexer.pass_once()
        with closing(sqlite3.connect(tmp_path / "index.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for seed in range(3):
                await trade(run, random.Random(seed), 20)
                with pytest.raises(StoreError, match="locked"):
                    await run.indexer.pass_once()
        await settle(run)
        agree(tmp_path)
