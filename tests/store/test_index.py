"""The index's file: a whole transaction or none, damage told from a disk in the way, prices saved from a wreck."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from store import index
from store.errors import Damaged, StoreError
from store.index import Batch, Row

PRICES: tuple[Row, ...] = tuple((at_ms, "ETH", str(at_ms), "1", None) for at_ms in range(1_000, 1_100))
BLOCKS: tuple[Row, ...] = tuple((n, "ETH", 1_000 + n, n, "1", "2", "3", "4", 0.1) for n in range(1, 50))
POSITION: Row = (7, "a", "ETH", "long", "5", "6", "7", "8", "0", 1, "OPEN", "0", "0", "0")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / index.FILE


def written(path: Path) -> None:
    with closing(index.create(path)) as connection:
        batch = Batch(positions=[POSITION], snapshots=BLOCKS, prices=PRICES, liquidatable=[7], meta={"seq": "3"})
        index.write(connection, batch)


def test_it_is_its_owners_and_says_again_what_was_written(path: Path) -> None:
    written(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with closing(index.open_existing(path)) as connection:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.with_name("index.db-wal").stat().st_mode & 0o777 == 0o600
        index.verify(connection)
        assert index.read_meta(connection) == {"seq": "3"}
        assert [row[:-1] for row in index.ask(connection, "SELECT * FROM positions")] == [POSITION]
        assert index.ask(connection, "PRAGMA synchronous") == [(1,)]
        assert index.ask(connection, "PRAGMA journal_mode") == [("wal",)]
    assert not path.with_name("index.db-wal").exists()


def test_positions_are_replaced_and_blocks_and_prices_are_not(path: Path) -> None:
    written(path)
    with closing(index.open_existing(path)) as connection:
        closed = (*POSITION[:10], "CLOSED", *POSITION[11:])
        other = (*BLOCKS[0][:4], "9", *BLOCKS[0][5:])
        changes = Batch(positions=[closed], snapshots=[other], liquidatable=[], meta={"seq": "4", "gap_upto": None})
        index.write(connection, changes)
        assert [row[:-1] for row in index.ask(connection, "SELECT * FROM positions")] == [closed]
        assert index.ask(connection, "SELECT mark FROM market_snapshots WHERE block = 1") == [("1",)]
        assert index.ask(connection, "SELECT * FROM liquidatable") == []
        index.write(connection, Batch(liquidatable=None, meta={"seq": None}))
        assert index.read_meta(connection) == {}


def test_a_batch_that_fails_leaves_nothing(path: Path) -> None:
    written(path)
    with closing(index.open_existing(path)) as connection:
        before = list(connection.iterdump())
        wrong = (8, *POSITION[1:3], "sideways", *POSITION[4:])
        with pytest.raises(StoreError, match="CHECK constraint") as refused:
            index.write(connection, Batch(positions=[(9, *POSITION[1:]), wrong], meta={"seq": "9"}))
        assert refused.value.code == "INDEX_UNUSABLE", "the fault is not the file's"
        assert list(connection.iterdump()) == before
        index.write(connection, Batch(meta={"seq": "4"}))


def test_somebody_in_the_way_is_no_damage(path: Path) -> None:
    written(path)
    with closing(index.open_existing(path)) as connection, closing(sqlite3.connect(path)) as other:
        connection.execute("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked") as refused:
            index.write(connection, Batch(meta={"seq": "4"}))
        assert (type(refused.value), refused.value.code) == (StoreError, "INDEX_UNUSABLE")
        other.rollback()
        index.write(connection, Batch(meta={"seq": "4"}))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE positions SET margin = '9'",
        "UPDATE market_snapshots SET mark_usd = 0.2 WHERE block = 4",
        "UPDATE prices SET symbol = 'BTC' WHERE at_ms = 1050",
        "UPDATE positions SET owner = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_row_that_is_not_what_was_written_is_found(path: Path, change: str) -> None:
    written(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute(change)
        other.commit()
    with closing(index.open_existing(path)) as connection, pytest.raises(Damaged):
        index.verify(connection)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"not a database, but long enough to look like one" * 100),
        lambda path: _sql(path, "PRAGMA application_id = 1"),
        lambda path: _sql(path, "PRAGMA user_version = 2"),
        lambda path: _sql(path, "DROP VIEW position_health"),
        lambda path: _sql(path, "CREATE TABLE more (a)"),
    ],
)
def test_what_is_not_an_index_is_not_opened(path: Path, spoil: Callable[[Path], None]) -> None:
    written(path)
    spoil(path)
    for opened in (index.open_existing, index.open_read_only):
        with pytest.raises(Damaged) as refused:
            opened(path)
        assert refused.value.code == "INDEX_DAMAGED"


def test_meta_is_not_believed_when_it_was_edited(path: Path) -> None:
    written(path)
    _sql(path, "UPDATE meta SET value = '2'")
    with closing(index.open_existing(path)) as connection, pytest.raises(Damaged, match="a row of meta"):
        index.read_meta(connection)


def _sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def test_what_is_old_is_pruned_some_at_a_time(path: Path) -> None:
    written(path)
    with closing(index.open_existing(path)) as connection:
        for table, old in (("prices", 10), ("market_snapshots", 9)):
            assert index.prune(connection, table, 1_010, 4) == 4
            assert index.prune(connection, table, 1_010, 400) == old - 4
            assert index.prune(connection, table, 1_010, 400) == 0
        assert index.ask(connection, "SELECT min(at_ms), count(*) FROM prices") == [(1_010, 90)]
        assert index.ask(connection, "SELECT min(at_ms), count(*) FROM market_snapshots") == [(1_010, 40)]
        index.verify(connection)


def test_one_damaged_file_is_kept_and_its_prices_are_read_from_both_ends(path: Path) -> None:
    written(path)
    path.with_name(index.DAMAGED_FILE).write_text("an older one")
    away = index.set_aside(path)
    assert (away.name, path.exists()) == (index.DAMAGED_FILE, False)
    _sql(away, "UPDATE prices SET mark = 'x' WHERE at_ms = 1007")
    with closing(index.create(path)) as connection:
        assert index.save_prices(connection, away) == 99
        index.verify(connection)
        assert len(index.ask(connection, "SELECT 1 FROM positions")) == 0
    away.write_bytes(b"nothing of it is left")
    with closing(index.open_existing(path)) as connection:
        assert index.save_prices(connection, away) == 0
        index.write(connection, Batch(meta={"seq": "4"}))


def test_one_goes_under_a_numbered_name_where_the_first_is_taken(path: Path) -> None:
    for name in (index.DAMAGED_FILE, f"{index.DAMAGED_FILE}-2-wal"):
        path.with_name(name).mkdir()
        (path.with_name(name) / "mine").write_text("kept")
    written(path)
    away = index.set_aside(path)
    assert (away.name, path.exists()) == (f"{index.DAMAGED_FILE}-3", False)
    with closing(index.create(path)) as connection:
        assert index.save_prices(connection, away) == len(PRICES)
    assert (path.with_name(index.DAMAGED_FILE) / "mine").exists()


def test_where_there_is_none_nothing_is_made(path: Path) -> None:
    with pytest.raises(StoreError, match=r"index\.db: no such file") as refused:
        index.open_read_only(path)
    assert refused.value.code == "NO_INDEX"
    assert not path.exists()
