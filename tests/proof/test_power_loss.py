"""Power lost at any moment of the journal's own writing: all that was acknowledged is there, and the journal opens."""

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import rmtree

import pytest

from store import journal
from store.chain import Entry
from store.errors import StoreError
from store.head import Head, HeadFile
from store.journal import Journal
from store.reader import Reader
from tests.proof.places import in_memory
from tests.proof.weak_disk import Disk, Image, Op, images, moments, opened_on
from tests.scale import SEED, scaled

IMAGES = scaled(200, 1_000, 4_000)
LIVES = 3
COMMITS = 220
PATIENCE = 400
"""Images among which a planted fault is found."""


async def written(directory: Path, rng: random.Random) -> tuple[list[Op], list[Entry]]:
    """What lives of a journal have done to the disk, and what was to be in there."""
    disk, wanted = Disk(), list[Entry]()
    for _ in range(LIVES):
        kept = await opened_on(disk, directory)
        try:
            assert [entry async for entry in kept.replay()] == wanted
            for _ in range(COMMITS):
                facts = [("Fact", "x" * rng.choice((40, 300, 5_000))) for _ in range(rng.choice((1, 1, 2, 30)))]
                at_ms = len(wanted)
                wanted += [Entry(kept.seq + number, at_ms, *fact) for number, fact in enumerate(facts, 1)]
                disk.acknowledged(await kept.append(facts, at_ms))
        finally:
            await kept.close()
    return disk.log, wanted


async def wrong(image: Image, directory: Path, wanted: list[Entry]) -> str:
    """What a start after a power loss gets wrong; nothing if nothing."""
    try:
        kept = await Journal.open(image.put(directory))
        try:
            found = [entry async for entry in kept.replay()]
            if found != wanted[: len(found)]:
                return "entries that nobody wrote"
            if len(found) < image.told:
                return f"{image.told} entries were acknowledged, {len(found)} are there"
            await kept.append([("Fact", "goes on")], len(wanted))
        finally:
            await kept.close()
        with closing(Reader(directory)) as reader:
            assert reader.newest() == len(found) + 1
    except StoreError as error:
        return f"refused: {error}"
    finally:
        rmtree(directory)
    return ""


async def first_wrong(otherwise: Path, count: int, seed: int = SEED) -> tuple[int, str]:
    """How many images were tried, and what the first that was wrong came to."""
    with in_memory(otherwise) as folder:
        return await _first_wrong(folder, count, seed)


async def _first_wrong(folder: Path, count: int, seed: int) -> tuple[int, str]:
    rng = random.Random(seed)
    (folder / "written").mkdir()
    log, wanted = await written(folder / "written", rng)
    assert {"write", "sync", "cut", "gone", "told"} & {op.what for op in log} >= {"write", "sync", "gone", "told"}
    tried = 0
    for image in images(log, moments(log, count, rng), rng):
        tried += 1
        if said := await wrong(image, folder / "image", wanted):
            return tried, f"seed {seed}, power lost after operation {image.at}, {image.keep} kept: {said}"
    return tried, ""


@pytest.mark.timeout(3600)
async def test_power_is_lost(tmp_path: Path, tried: Callable[[int], None]) -> None:
    count, said = await first_wrong(tmp_path, IMAGES)
    assert not said
    tried(count)


def slack(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(journal, "_PRAGMAS", journal._PRAGMAS.replace("synchronous=FULL", "synchronous=NORMAL"))


def slacker(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(journal, "_PRAGMAS", journal._PRAGMAS.replace("synchronous=FULL", "synchronous=OFF"))


def witness_first(patch: pytest.MonkeyPatch) -> None:
    commit = journal._commit

    class Mute(HeadFile):
        def __init__(self) -> None:
            """Says nothing: it has been said before."""

        def write(self, head: Head) -> None:
            """As above."""

    def hasty(connection, epoch, rows, file, head):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        file.write(head)
        commit(connection, epoch, rows, Mute(), head)

    patch.setattr(journal, "_commit", hasty)


@pytest.mark.parametrize(
    ("plant", "found"),
    [(slack, "acknowledged|are missing"), (slacker, "acknowledged|missing|refused"), (witness_first, "are missing")],
    ids=["synchronous=NORMAL", "synchronous=OFF", "the witness before the entry"],
)
async def test_what_is_planted_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], found: str
) -> None:
    plant(monkeypatch)
    _, said = await first_wrong(tmp_path, PATIENCE)
    with pytest.raises(AssertionError, match=found):
        assert not said, said
