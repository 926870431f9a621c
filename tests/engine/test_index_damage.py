"""Whatever becomes of the index's file, the engine goes on and the tables come back."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.errors import StoreError
from tests.engine.indexed import agree, founded, indexed, settle, tables, trade
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


async def test_one_that_is_held_by_somebody_is_left_to_them(tmp_path: Path) -> None:
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


async def test_one_that_is_deleted_under_way_is_made_anew(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(1), 20)
        await run.indexer.pass_once()
        (tmp_path / "index.db").unlink()
        await settle(run)
        agree(tmp_path)


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
