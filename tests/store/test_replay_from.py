"""A journal replayed from a place in it."""

from pathlib import Path

import pytest

from store.chain import Mark
from store.errors import Damaged
from store.head import Head, HeadFile
from store.journal import Journal
from store.reader import Reader
from tests.store.test_journal import edit, opened, written


def marks(directory: Path) -> list[Mark]:
    with Reader(directory) as reader:
        return [Mark(), *(reader.mark for _ in reader.read(99))]


async def seqs(journal: Journal, after: Mark) -> list[int]:
    return [entry.seq async for entry in journal.replay(after)]


@pytest.mark.parametrize("seq", range(6))
async def test_only_what_is_behind_it_comes_and_the_next_entry_fits(tmp_path: Path, seq: int) -> None:
    await written(tmp_path)
    async with opened(tmp_path) as journal:
        assert await seqs(journal, marks(tmp_path)[seq]) == list(range(seq + 1, 6))
        assert await journal.append([("Fact", "{}")], 9) == 6
    assert len(marks(tmp_path)) == 7


@pytest.mark.parametrize("mark", [Mark(3, bytes(32)), Mark(0, bytes(31) + b"x"), Mark(6, bytes(32))])
async def test_a_place_in_another_journal_is_refused(tmp_path: Path, mark: Mark) -> None:
    await written(tmp_path)
    with Reader(tmp_path) as reader:
        assert not reader.knows(mark)
    async with opened(tmp_path) as journal:
        with pytest.raises(Damaged, match=f"entry {mark.seq} is not the one that was remembered"):
            await seqs(journal, mark)


@pytest.mark.parametrize("seq", [2, 3, 4])
async def test_the_head_is_held_against_the_journal_wherever_it_begins(tmp_path: Path, seq: int) -> None:
    await written(tmp_path)
    place = marks(tmp_path)[seq]
    head = HeadFile(tmp_path)
    head.write(Head(3, bytes(32)))
    head.close()
    async with opened(tmp_path) as journal:
        with pytest.raises(Damaged, match="entry 3 is not the one"):
            await seqs(journal, place)


async def test_missing_newest_entries_are_noticed(tmp_path: Path) -> None:
    await written(tmp_path)
    place = marks(tmp_path)[2]
    edit(tmp_path, "DROP TRIGGER journal_is_never_cut", "DELETE FROM journal WHERE seq > 3")
    with pytest.raises(Damaged, match="entries 4 to 5 are missing"):
        async with opened(tmp_path) as journal:
            await seqs(journal, place)
