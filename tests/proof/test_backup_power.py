"""Power lost at any moment of a backup, and of a restore: nothing is ever taken for whole that is not, and what was
said to be done lasts."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from types import ModuleType

import pytest
from click.testing import CliRunner

import store.backup
import store.reader
from store.chain import Entry, Mark
from store.errors import StoreError
from store.head import remembered
from store.journal import Journal
from store.reader import entries
from tests.engine.journals import write
from tests.proof.places import in_memory
from tests.proof.weak_tree import KEEPS, Moment, Tree
from tests.scale import SEED, scaled
from tui import audit_verbs

ENTRIES = 40
TIMES = scaled(2, 8, 40)
"""How often each moment loses power, in each way."""
Said = tuple[int, str]


@dataclass
class Wreck:
    """What a power loss has left, looked at. `wrong` is what nobody may find; nothing if nothing."""

    rng: random.Random
    folder: Path
    tried: int = 0
    found: set[str] = field(default_factory=set)

    def first_wrong(self, tree: Tree, judge: Callable[[Path, bool], str]) -> str:
        """Of every moment, in every way; `judge` is told whether all was said to be done."""
        for moment in tree.moments:
            done = moment is tree.moments[-1]
            for keep in KEEPS * TIMES:
                if said := self._one(moment, keep, judge, done=done):
                    return f"seed {SEED}, power lost after {moment.after}, {keep} kept: {said}"
        return ""

    def _one(self, moment: Moment, keep: str, judge: Callable[[Path, bool], str], *, done: bool) -> str:
        left = moment.put(self.folder / "left", keep, self.rng)
        self.tried += 1
        try:
            return judge(left, done)
        finally:
            rmtree(left)


def ran(verb: str, *arguments: object) -> tuple[bool, str]:
    """Whether it did what it was asked to; or refused it, and why."""
    result = CliRunner().invoke(audit_verbs.__dict__[verb], [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, StoreError):
        raise AssertionError(f"{verb} knows no word for it") from result.exception
    return result.exception is None, str(result.exception or result.output)


def written(folder: Path, count: int, seed: int) -> list[Entry]:
    folder.mkdir()
    asyncio.run(write(folder, count, seed))
    return list(entries(folder))


def backed_up(otherwise: Path, name: str, plant: Callable[[], None] = lambda: None) -> Said:
    """How many losses were tried, and what the first that was wrong came to."""
    with in_memory(otherwise) as folder:
        whole = written(folder / "state", ENTRIES, 1)
        (folder / "place").mkdir()
        tree = Tree(folder / "place")
        plant()
        with tree.lived():
            made, said = ran("backup", folder / "state", folder / "place" / name)
        assert made, said
        wreck = Wreck(random.Random(f"{SEED}:{name}"), folder)

        def judge(left: Path, done: bool) -> str:
            copy = left / name
            restored, said = ran("restore", copy, folder / "back") if copy.exists() else (False, "it is not there")
            if not restored:
                wreck.found.add("none")
                return f"it was done, and {said}" if done else ""
            wreck.found.add("whole")
            found = list(entries(folder / "back"))
            rmtree(folder / "back")
            if done and remembered(copy) is None:
                return "it was done, and its perpdesk.head says nothing"
            return "" if found == whole else f"a backup of {len(found)} entries, {len(whole)} there were"

        said = wreck.first_wrong(tree, judge)
        assert said or wreck.found == {"none", "whole"}
        return wreck.tried, said


def read(directory: Path) -> list[Entry]:
    """What is in there; nothing where it cannot be read."""
    try:
        return list(entries(directory))
    except StoreError:
        return []


async def begun(directory: Path) -> list[Entry] | None:
    """What an engine that starts there finds; None where it refuses to."""
    try:
        kept = await Journal.open(directory)
    except StoreError:
        return None
    try:
        return [entry async for entry in kept.replay()]
    except StoreError:
        return None
    finally:
        await kept.close()


def put_back(otherwise: Path, into: str, plant: Callable[[], None] = lambda: None) -> Said:
    """The same of a restore, into a directory with a journal of its own, an empty one, or one that is not there."""
    with in_memory(otherwise) as folder:
        whole = written(folder / "state", ENTRIES, 1)
        assert ran("backup", folder / "state", folder / "copy")[0]
        (folder / "place").mkdir()
        here = folder / "place" / "here"
        before = written(here, ENTRIES // 2, 2) if into == "another" else []
        if into == "empty":
            here.mkdir()
        tree = Tree(folder / "place")
        how = ("--replace",) if before else ()
        plant()
        with tree.lived():
            made, said = ran("restore", folder / "copy", here, *how)
        assert made, said
        wreck = Wreck(random.Random(f"{SEED}:{into}"), folder)

        def judge(place: Path, done: bool) -> str:
            left = place / "here"
            left.mkdir(exist_ok=True)
            found = asyncio.run(begun(left))
            wreck.found.add("refused" if found is None else "new" if found == whole else "old")
            if found != whole and (done or found not in (None, before)):
                return "an engine refuses it" if found is None else f"an engine finds {len(found)} other entries"
            if done and before and [each for old in left.glob("replaced-*") for each in read(old)] != before:
                return "what was set aside is gone"
            again, said = ran("restore", folder / "copy", left, "--replace")
            return "" if again and list(entries(left)) == whole else f"again, it comes to {said}"

        said = wreck.first_wrong(tree, judge)
        assert said or wreck.found == {"refused", "new", "old"}
        return wreck.tried, said


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["copy", "new/places/copy"])
def test_power_is_lost_while_a_backup_is_made(tmp_path: Path, name: str, tried: Callable[[int], None]) -> None:
    count, said = backed_up(tmp_path, name)
    assert not said
    tried(count)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("into", ["another", "empty", "new"])
def test_power_is_lost_while_a_backup_is_put_back(tmp_path: Path, into: str, tried: Callable[[int], None]) -> None:
    count, said = put_back(tmp_path, into)
    assert not said
    tried(count)


Plant = Callable[[pytest.MonkeyPatch], None]


def forgets(module: ModuleType, *which: int) -> Plant:
    """Some of the syncs of a module are left out, counted from the first."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        sync, calls = module.sync, list[Path]()

        def forgetful(path: Path) -> None:
            calls.append(path)
            if len(calls) not in which:
                sync(path)

        patch.setattr(module, "sync", forgetful)

    return plant


def both(*plants: Plant) -> Plant:
    """Each of them would do."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        for each in plants:
            each(patch)

    return plant


def unsynced_head(patch: pytest.MonkeyPatch) -> None:
    def write(folder: Path, mark: Mark) -> None:
        (folder / "perpdesk.head.new").write_text(f"{mark.seq:020d} {mark.hash.hex()}\n")
        (folder / "perpdesk.head.new").rename(folder / "perpdesk.head")

    patch.setattr(store.backup, "_write_head", write)


BACKUP: dict[str, Plant] = {
    "the copy": forgets(store.reader, 1),
    "the head": unsynced_head,
    "what is in it": forgets(store.backup, 1, 2),
    "its new name": forgets(store.backup, 3),
}
"""Each of the two of what is in it would do: the first is for who finds it under its new name after a loss."""
RESTORE: dict[str, Plant] = {
    "the copy": forgets(store.reader, 1),
    "the head": unsynced_head,
    "what was there": forgets(store.backup, 1),
    "its new name": both(forgets(store.backup, 4), forgets(audit_verbs, 1)),
}
"""Others only keep an order that nobody is misled without: an engine refuses a head and a journal that do not fit."""


@pytest.mark.parametrize("plant", BACKUP.values(), ids=BACKUP.keys())
def test_a_sync_that_a_backup_leaves_out_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    _, said = backed_up(tmp_path, "copy", lambda: plant(monkeypatch))
    assert "power lost after" in said


@pytest.mark.parametrize("plant", RESTORE.values(), ids=RESTORE.keys())
def test_a_sync_that_a_restore_leaves_out_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    _, said = put_back(tmp_path, "another", lambda: plant(monkeypatch))
    assert "power lost after" in said
