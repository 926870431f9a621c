"""One state directory, one writer: of ten programs one runs, and who has lost a directory writes no more into it."""

import asyncio
import json
import random
import re
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from statistics import median
from typing import Final

import pytest

from engine.audit import audit
from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.config import Settings
from engine.engine import Engine, Options
from store.chain import Entry
from store.errors import Damaged
from store.journal import Journal
from store.lease import Lease
from store.reader import entries
from tests.patient import PATIENCE_S
from tests.proof.control import ready
from tests.proof.zygote import Life, born
from tests.scale import SEED, scaled

ROUNDS: Final = scaled(2, 20, 150)
AT_ONCE: Final = 10
HISTORIES: Final = scaled(10, 100, 1_000)
LOCKED: Final = 75
AT_MOST_S: Final = 2.0
"""Until one of the others has given up, or the next has taken over, half of the time; on a machine where one program
alone needs long, so many times as long:"""
TIMES: Final = 10


class Crowd:
    """Programs that all want one directory."""

    def __init__(self, folder: Path, plant: str = "") -> None:
        self.folder = folder
        self.state = folder / "state"
        self.runs: Life | None = None
        self.living: list[Life] = []
        self.opened = 0
        self.refused_s: list[float] = []
        self.taken_s: list[float] = []
        self._plant = plant

    def born(self) -> Life:
        return born(self.folder, "demo", "--headless", "--seed", "3", "--state", str(self.state), plant=self._plant)

    async def comes(self) -> str:
        """Ten at once; where one runs already, it dies among them. What is wrong with what becomes of them."""
        began = time.monotonic()
        lives = [self.born() for _ in range(AT_ONCE // 2)]
        if self.runs is not None:
            self.runs.kill()
        self.living = lives + [self.born() for _ in range(AT_ONCE - len(lives))]
        while len(self.living) > 1 and time.monotonic() < began + PATIENCE_S:
            ended = [life for life in self.living if life.ended(0.001)]
            self.living = [life for life in self.living if life not in ended]
            self.refused_s += [time.monotonic() - began] * len(ended)
            for life in ended:
                if said := _refused(life):
                    return said
        if len(self.living) > 1:
            return f"{len(self.living)} run"
        self.living = self.living or [self.born()]  # all of them may have come before the last one had died
        (self.runs,) = self.living
        self.taken_s.append(await ready(self.state, self.runs) - began)
        self.opened += 1
        return self.unspoiled()

    def unspoiled(self) -> str:
        """None but those who ran have opened the journal, and it is whole."""
        with closing(sqlite3.connect(f"{(self.state / 'perpdesk.db').as_uri()}?mode=ro", uri=True)) as connection:
            (epoch,) = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        if int(epoch) != self.opened:
            return f"the journal was opened {epoch} times, {self.opened} programs have run"
        return "" if audit(self.state).ok else "the journal is not whole"


def _refused(life: Life) -> str:
    status, words = life.status(), life.words()
    if status != LOCKED:
        return f"one ended with {status}: {words[-500:]}"
    one = (
        r"perpdesk: state directory \S+ is in use by perpdesk process (\d+|unknown); stop it or name another --state\n"
    )
    return "" if re.fullmatch(one, words) else f"it said {words!r}"


async def crowded(folder: Path, rounds: int, plant: str = "") -> tuple[Crowd, str]:
    """Rounds on one directory, until something is wrong."""
    crowd = Crowd(folder, plant)
    try:
        for number in range(rounds):
            if said := await crowd.comes():
                return crowd, f"round {number}: {said}"
    finally:
        for life in crowd.living:
            life.kill()
    return crowd, ""


@pytest.mark.timeout(7200)
async def test_of_ten_one_runs(
    tmp_path: Path, tried: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "alone").mkdir()
    alone = Crowd(tmp_path / "alone")
    began = time.monotonic()
    life = alone.born()
    alone_s = await ready(alone.state, life) - began
    life.kill()
    crowd, said = await crowded(tmp_path, ROUNDS)
    assert not said
    took = {"refused": crowd.refused_s, "ready": crowd.taken_s}
    figures = {f"{name}_p50_s": round(median(each), 3) for name, each in took.items()}
    figures |= {f"{name}_max_s": round(max(each), 3) for name, each in took.items()}
    with capsys.disabled():
        sys.stderr.write(json.dumps({"programs": ROUNDS * AT_ONCE, **figures}) + "\n")
    assert max(figures["refused_p50_s"], figures["ready_p50_s"]) < max(AT_MOST_S, TIMES * alone_s)
    tried(ROUNDS * AT_ONCE)


@pytest.mark.timeout(300)
async def test_a_lock_that_locks_nobody_out_is_found(tmp_path: Path) -> None:
    _, said = await crowded(tmp_path, 1, "shares_the_lock")
    assert re.search("[0-9]+ run$|ended with|was opened", said)


async def test_a_program_whose_directory_was_taken_stops_by_itself(tmp_path: Path) -> None:
    """Somebody deletes the lock and starts another."""
    crowd = Crowd(tmp_path)
    first = crowd.born()
    await ready(crowd.state, first)
    (crowd.state / "perpdesk.lock").unlink()
    crowd.runs = crowd.born()
    try:
        assert first.status() == 74
        last = first.words().splitlines()[-1]
        assert last == "perpdesk: the journal cannot be written: epoch 2 has taken this journal over from epoch 1"
        crowd.opened = 2
        await ready(crowd.state, crowd.runs)
        assert crowd.unspoiled() == ""
    finally:
        crowd.runs.kill()


def _delete(state: Path) -> None:
    (state / "perpdesk.db").unlink()


def _replace(state: Path) -> None:
    (state / "perpdesk.db").rename(state / "old.db")
    (state / "perpdesk.db").touch()


def _move(state: Path) -> None:
    state.rename(state.with_name("elsewhere"))


def _remove(state: Path) -> None:
    while state.exists():  # it is written to meanwhile
        shutil.rmtree(state, ignore_errors=True)


@pytest.mark.parametrize("lose", [_delete, _replace, _move, _remove])
async def test_a_program_whose_journal_is_gone_acknowledges_nothing_more(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    state = tmp_path / "state"
    life = born(tmp_path, "demo", "--headless", "--seed", "3", "--state", str(state))
    await ready(state, life)
    lose(state)
    status = life.status() if life.ended(60.0) else life.kill()
    assert status == 74
    said = [line for line in life.words().splitlines() if not line.startswith("timestamp=")]
    gone = f"{state / 'perpdesk.db'}: moved, deleted or replaced while it was written"
    assert said == [f"perpdesk: the journal cannot be written: {gone}"]


async def test_a_directory_is_given_back_when_nothing_of_its_journal_is_open_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or whoever comes next would write beside who has not yet left."""
    release, held = Lease.release, list[list[str]]()

    def seen(self: Lease) -> None:
        held.append(_open_in(tmp_path))
        release(self)

    monkeypatch.setattr(Lease, "release", seen)
    nowhere = Settings.model_validate({"pyth": {"url": "http://127.0.0.1:9"}})
    engine = Engine(Options(nowhere, tmp_path), SystemClock(), Chronicle(logging=False))
    stop, running = asyncio.Event(), list[str]()

    def ready() -> None:
        running.extend(_open_in(tmp_path))
        stop.set()

    await engine.run(ready, stop)
    assert {"perpdesk.db", "perpdesk.lock"} <= set(running)
    assert held == [["perpdesk.lock"]]


def _open_in(directory: Path) -> list[str]:
    """Names of the files of a directory that this process has open."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them
            found.append(each.readlink())
    return sorted(file.name for file in found if file.parent == directory)


async def _history(directory: Path, rng: random.Random) -> int:
    """Two take a directory from each other, the lock gone each time; how often who had lost it was refused."""
    written: list[Entry] = []
    held: list[Journal] = []
    leases: list[Lease] = []
    refused = 0
    try:
        for number in range(rng.randint(8, 25)):
            if not held or rng.random() < 0.3:
                (directory / "perpdesk.lock").unlink(missing_ok=True)
                leases.append(Lease(directory))
                held.append(await Journal.open(directory))
                assert [entry async for entry in held[-1].replay()] == written
            writer = rng.choice(held[-2:])
            facts = [("Fact", f"{number}")] * rng.randint(1, 3)
            if writer is held[-1]:
                await writer.append(facts, number)
                written += [Entry(len(written) + 1 + each, number, *fact) for each, fact in enumerate(facts)]
            else:
                with pytest.raises(Damaged, match="taken this journal over") as caught:
                    await writer.append(facts, number)
                assert caught.value.code == "FENCED"
                refused += 1
    finally:
        for journal in held:
            await journal.close()
        for lease in leases:
            lease.release()
    assert list(entries(directory)) == written
    return refused


@pytest.mark.timeout(3600)
async def test_who_has_lost_a_directory_appends_nothing(tmp_path: Path, tried: Callable[[int], None]) -> None:
    refused = 0
    for number in range(HISTORIES):
        directory = tmp_path / f"{number}"
        directory.mkdir()
        refused += await _history(directory, random.Random(f"{SEED}:{number}"))
    assert refused > HISTORIES
    tried(HISTORIES)
