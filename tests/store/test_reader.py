"""A journal read from any place in it, beside whoever writes it."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.chain import Mark
from store.errors import Damaged, StoreError
from store.journal import Journal
from store.reader import Reader, entries


async def written(directory: Path, count: int) -> Journal:
    journal = await Journal.open(directory)
    assert [entry async for entry in journal.replay()] == []
    for number in range(count):
        await journal.append([("Fact", f'{{"n":"{number}"}}')], 1_000 + number)
    return journal


async def test_reading_goes_on_from_any_place_it_has_been(tmp_path: Path) -> None:
    journal = await written(tmp_path, 9)
    everything = list(entries(tmp_path))
    with Reader(tmp_path) as reader:
        assert (reader.mark, reader.newest()) == (Mark(), 9)
        assert list(reader.read(4)) == everything[:4]
        place = reader.mark
        assert list(reader.read(100)) == everything[4:]
        assert list(reader.read(1)) == []
        reader.go_to(place)
        assert list(reader.read(2)) == everything[4:6]
        await journal.append([("Fact", "{}")], 2_000)
        assert reader.newest() == 10, "what is written meanwhile is seen"
        assert [entry.seq for entry in reader.read(100)] == [7, 8, 9, 10]
    await journal.close()


async def test_a_page_is_no_border(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.reader.REPLAY_PAGE", 3)
    await (await written(tmp_path, 9)).close()
    with Reader(tmp_path) as reader:
        assert [entry.seq for entry in reader.read(7)] == [1, 2, 3, 4, 5, 6, 7]
    assert len(list(entries(tmp_path))) == 9


async def test_a_place_that_is_no_longer_what_it_was_is_damage(tmp_path: Path) -> None:
    await (await written(tmp_path, 5)).close()
    with Reader(tmp_path) as reader:
        list(reader.read(5))
        reader.go_to(Mark(2, bytes(32)))
        with pytest.raises(Damaged, match="entry 3 does not fit"):
            list(reader.read(1))


async def test_a_journal_that_was_cut_short_is_noticed(tmp_path: Path) -> None:
    await (await written(tmp_path, 5)).close()
    with closing(sqlite3.connect(tmp_path / "perpdesk.db")) as connection:
        connection.execute("DROP TRIGGER journal_is_never_cut")
        connection.execute("DELETE FROM journal WHERE seq > 3")
        connection.commit()
    with Reader(tmp_path) as reader, pytest.raises(Damaged, match="entries 4 to 5 are missing"):
        reader.newest()
    with pytest.raises(Damaged, match="are missing"):
        list(entries(tmp_path))
    (tmp_path / "perpdesk.head").unlink()
    assert len(list(entries(tmp_path))) == 3
    assert not (tmp_path / "perpdesk.head").exists(), "who reads leaves nothing behind"


async def test_a_journal_that_somebody_wrote_anew_is_noticed(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for directory, count in ((mine, 3), (theirs, 4)):
        directory.mkdir()
        await (await written(directory, count)).close()
    head = (theirs / "perpdesk.head").read_bytes()
    (mine / "perpdesk.head").write_bytes(head.replace(b"4 ", b"3 ", 1))
    with pytest.raises(Damaged, match=r"entry 3 is not the one perpdesk\.head remembers"):
        list(entries(mine))


async def test_no_journal_and_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="in there"):
        Reader(tmp_path)
    await asyncio.to_thread((tmp_path / "perpdesk.db").write_bytes, b"something else entirely" * 100)
    with pytest.raises(Damaged):
        Reader(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with closing(sqlite3.connect(other / "perpdesk.db")) as connection:
        connection.execute("CREATE TABLE something (x)")
    with pytest.raises(Damaged, match="not a perpdesk journal"):
        Reader(other)
