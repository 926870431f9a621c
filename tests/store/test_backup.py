"""Copies of a journal: whole while somebody writes, and put back so that no moment of it starts a wrong one."""

import asyncio
import itertools
import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import rmtree

import pytest

from store import backup, files
from store.chain import Mark
from store.errors import Damaged, StoreError
from store.journal import Journal
from store.lease import Lease
from store.reader import Reader, entries


async def written(directory: Path, count: int, first: int = 1) -> Journal:
    journal = await Journal.open(directory)
    async for _ in journal.replay():
        pass
    for number in range(first, first + count):
        await journal.append([("Noted", f'{{"number":"{number}"}}')], number)
    return journal


def mark_of(directory: Path) -> Mark:
    with Reader(directory) as reader:
        for _ in reader.read(reader.newest()):
            pass
        return reader.mark


def backed_up(source: Path, target: Path) -> Mark:
    with backup.draft(target) as made:
        backup.copy(source, made.folder)
        mark = mark_of(made.folder)
        made.finish(mark)
    return mark


def filled(directory: Path, count: int) -> Path:
    directory.mkdir()

    async def fill() -> None:
        await (await written(directory, count)).close()

    asyncio.run(fill())
    return directory


async def test_a_copy_made_while_somebody_writes_is_whole(tmp_path: Path) -> None:
    source = tmp_path / "state"
    source.mkdir()
    journal = await written(source, 300)
    stop = asyncio.Event()

    async def write_on() -> None:
        while not stop.is_set():
            await journal.append([("Noted", '{"number":"more"}')], 1_000)

    writing = asyncio.create_task(write_on())
    try:
        for number in range(5):
            mark = await asyncio.to_thread(backed_up, source, tmp_path / f"copy-{number}")
            assert mark.seq >= 300
            assert mark_of(tmp_path / f"copy-{number}") == mark
    finally:
        stop.set()
        await writing
        await journal.close()
    for path in (tmp_path / "copy-4").iterdir():
        assert path.name in ("perpdesk.db", "perpdesk.head")
        assert path.stat().st_mode & 0o077 == 0


def test_a_folder_that_exists_is_never_written_over(tmp_path: Path) -> None:
    source = filled(tmp_path / "state", 3)
    (tmp_path / "copy").mkdir()
    with pytest.raises(StoreError, match="name a folder that does not exist"):
        backed_up(source, tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_what_was_there_is_set_aside_whole(tmp_path: Path) -> None:
    source, directory = filled(tmp_path / "old", 5), filled(tmp_path / "state", 9)
    mark = backed_up(source, tmp_path / "copy")
    aside = backup.put_back(tmp_path / "copy", directory, mark)
    assert mark_of(directory) == mark
    assert aside is not None
    assert mark_of(aside).seq == 9


class Died(Exception):
    """The power went."""


class Steps:
    """Whatever makes a step; before the one at `last` it dies."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.count = 0

    def of(self, do: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **more: object) -> object:
            self.count += 1
            if self.count == self.last:
                raise Died
            return do(*arguments, **more)

        return step


def cut_short(directory: Path) -> None:
    """The newest three are gone; perpdesk.head remembers them."""
    with closing(sqlite3.connect(directory / "perpdesk.db")) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM journal WHERE seq > 6")
        connection.commit()


@pytest.mark.parametrize("cut", ["wal", "no wal", "no journal", "cut short"])
def test_at_every_step_it_may_die_and_never_starts_a_journal_that_is_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    mark = backed_up(filled(tmp_path / "old", 5), tmp_path / "copy")
    for step in itertools.count(1):
        directory = filled(tmp_path / f"state-{step}", 9)
        whole = mark_of(directory)
        if cut == "no journal":
            (directory / "perpdesk.db").unlink()
        elif cut == "cut short":
            cut_short(directory)
            assert asyncio.run(_start(directory)) is None
        elif cut == "wal":
            with closing(sqlite3.connect(directory / "perpdesk.db")) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
        steps = Steps(step)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", steps.of(Path.rename))
            patch.setattr(backup, "sync", steps.of(files.sync))
            try:
                backup.put_back(tmp_path / "copy", directory, mark)
            except Died:
                pass
            else:
                break
        assert steps.count == step
        found = asyncio.run(_start(directory))
        assert found in (None, mark.seq, whole.seq)
        assert found != 0
        backup.put_back(tmp_path / "copy", directory, mark)
        assert asyncio.run(_start(directory)) == mark.seq
        assert mark_of(directory) == mark
    assert step > 6


async def _start(directory: Path) -> int | None:
    """How many entries an engine would find, None where it refuses to start."""
    try:
        journal = await Journal.open(directory)
    except Damaged:
        return None
    try:
        return len([entry async for entry in journal.replay()])
    except Damaged:
        return None
    finally:
        await journal.close()


def test_entries_survive_the_way_there_and_back(tmp_path: Path) -> None:
    source = filled(tmp_path / "state", 50)
    mark = backed_up(source, tmp_path / "copy")
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    assert backup.put_back(tmp_path / "copy", fresh, mark) is None
    assert list(entries(fresh)) == list(entries(source))


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_backup_that_is_written_to_meanwhile_replaces_nothing(tmp_path: Path) -> None:
    copy, directory = tmp_path / "copy", filled(tmp_path / "state", 9)
    mark = backed_up(filled(tmp_path / "old", 5), copy)
    whole, names = mark_of(directory), _names(directory)
    asyncio.run(_goes_on(copy))
    with pytest.raises(StoreError, match="written to while it was copied") as caught:
        backup.put_back(copy, directory, mark)
    assert caught.value.code == "BACKUP_CHANGED"
    assert (_names(directory), mark_of(directory)) == (names, whole)


async def _goes_on(directory: Path) -> None:
    await (await written(directory, 1, 6)).close()


@pytest.mark.parametrize("what", ["a file", "a link"])
def test_a_partial_folder_of_somebody_else_is_left_alone(tmp_path: Path, what: str) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "perpdesk.db").write_text("theirs")
    partial = tmp_path / "copy.partial-theirs"
    if what == "a link":
        partial.symlink_to(foreign)
    else:
        foreign.rename(partial)
        (partial / "thesis.tex").write_text("theirs")
    assert backed_up(filled(tmp_path / "state", 5), tmp_path / "copy").seq == 5
    assert (partial / "perpdesk.db").read_text() == "theirs"


def test_what_a_backup_left_that_was_killed_goes_with_the_next(tmp_path: Path) -> None:
    partial = tmp_path / "copy.partial-12345678"
    partial.mkdir()
    for name in ("perpdesk.db", "perpdesk.db-journal", "perpdesk.db-wal", "perpdesk.db-shm", "perpdesk.head.new"):
        (partial / name).write_text("half")
    assert backed_up(filled(tmp_path / "state", 5), tmp_path / "copy").seq == 5
    assert _names(tmp_path / "copy") == ["perpdesk.db", "perpdesk.head"]
    assert _names(tmp_path) == ["copy", "state"]


def test_of_two_at_the_same_time_one_gets_the_name(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "state", 5), tmp_path / "copy"
    with backup.draft(target) as first, backup.draft(target) as second:
        for made in (first, second):
            backup.copy(source, made.folder)
        second.finish(mark_of(second.folder))
        with pytest.raises(StoreError, match="something already") as caught:
            first.finish(mark_of(first.folder))
        assert caught.value.code == "TARGET_TAKEN"
    assert _names(tmp_path) == ["copy", "state"]
    assert mark_of(target).seq == 5


def test_a_draft_that_is_taken_away_as_it_begins_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody tidies up between the folder and its lease, at each moment of either."""
    lease, left = Lease, ["goes", "is held", "goes after it was opened"]
    held: list[Lease] = []

    def raced(folder: Path) -> Lease:
        what = left.pop() if left else ""
        if what == "goes":
            folder.rmdir()
        elif what == "is held":
            held.append(lease(folder))
        taken = lease(folder)
        if what == "goes after it was opened":
            rmtree(folder)
        return taken

    monkeypatch.setattr(backup, "Lease", raced)
    with backup.draft(tmp_path / "copy") as made:
        assert not left
        assert _names(made.folder) == ["perpdesk.lock"]
    for each in held:
        each.release()


def test_a_full_disk_names_the_target(tmp_path: Path) -> None:
    """By a limit on the size of files, which the kernel refuses as it does where nothing is left."""
    source = filled(tmp_path / "state", 1_000)
    room = 48 << 10
    assert (source / "perpdesk.db").stat().st_size > room
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with backup.draft(tmp_path / "copy") as made:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
        try:
            with pytest.raises(StoreError) as caught:
                backup.copy(source, made.folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value).startswith(f"{made.folder}/perpdesk.db: ")
    assert not isinstance(caught.value, Damaged)
    assert not made.folder.exists()
