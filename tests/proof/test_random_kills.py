"""kill -9 of the real program at any moment, its start among them: nothing acknowledged is lost, nothing done twice."""

import asyncio
import json
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.patient import PATIENCE_S
from tests.proof.control import ready
from tests.proof.house import House, Operator
from tests.proof.zygote import Life, born
from tests.scale import SEED, Progress, scaled

KILLS: Final = scaled(24, 500, 10_000)
OF_A_HOUSE: Final = 40
"""Kills until a new directory begins, so that none of them grows too long to be looked through after each."""
AT_ONCE: Final = scaled(1, 2, 3)
"""Directories; each has one program at a time."""
LONGEST_S: Final = 0.4
"""Of the life of a program that is ready."""
STARTING_S: Final = 0.25
READY_S: Final = 3.0
LIVED: Final = "9s"
PATIENCE: Final = 200
"""Kills by which a planted bug is found."""


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo that has gone on for long enough to have positions."""
    folder = tmp_path_factory.mktemp("lived")
    life = born(folder, "demo", "--headless", "--seed", "7", "--for", LIVED, "--state", str(folder / "state"))
    assert life.status() == 0, life.words()
    return folder / "state"


class Run:
    """Lives of programs on one directory."""

    def __init__(self, folder: Path, lived: Path, number: int, kills: int, plant: str) -> None:
        self.number = number
        self.kills = kills
        rng = random.Random(f"{SEED}:{number}")
        self.folder = folder / f"house-{number}"
        self.folder.mkdir()
        self.state = self.folder / "state"
        shutil.copytree(lived, self.state)
        self.house = House(self.state)
        assert self.house.read_on() == ""
        self.operator = Operator(f"h{number}", rng)
        self.took: list[float] = []
        self.began = 0.0
        self._desks = list(self.house.world.house.desks)
        self._rng = rng
        self._plant = plant
        self._env = {"PERPDESK_INDEX__ENABLED": "false"} if plant else {}  # it would stop by itself

    async def killed(self) -> str:
        """One life, its sudden end, and what is wrong after it."""
        life = self._born()
        commanding = asyncio.create_task(self._commands(life))
        early = self._rng.random() < 0.25
        if early:
            await asyncio.to_thread(life.ended, self._rng.uniform(0, STARTING_S))
        else:
            await asyncio.wait((commanding,), timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        status = life.kill()
        await asyncio.wait((commanding,))
        if not early:
            await commanding
        elif not commanding.cancelled():
            commanding.exception()
        return (
            self.house.wrong(self.operator) if status == -signal.SIGKILL else f"it ended with {status}: {life.words()}"
        )

    async def _commands(self, life: Life) -> None:
        self.took.append(await ready(self.state, life) - self.began)
        limit = self._rng.uniform(0, LONGEST_S)
        commanding = asyncio.create_task(self.operator.commands(self.state, self._desks))
        await asyncio.to_thread(life.ended, limit)
        life.send(signal.SIGKILL)
        await commanding

    async def settles(self) -> str:
        """Left alone, a last program does what is still to be done, and stops when it is asked to."""
        life = self._born()
        await ready(self.state, life)
        await self.operator.commands(self.state, self._desks, most=2)
        end = time.monotonic() + PATIENCE_S
        while not life.ended(0.05) and time.monotonic() < end:
            if said := self.house.read_on():
                return said
            if not self.house.waiting() and self.operator.unanswered is None:
                break
        life.send(signal.SIGTERM)
        if status := life.status():
            return f"it ended with {status}: {life.words()[-500:]}"
        return self.house.wrong(self.operator) or (
            f"{left} requests are stuck" if (left := self.house.waiting()) else ""
        )

    def _born(self) -> Life:
        self.began = time.monotonic()
        arguments = ("demo", "--headless", "--seed", "7", "--state", str(self.state))
        return born(self.folder, *arguments, plant=self._plant, **self._env)


async def first_wrong(
    folder: Path, lived: Path, kills: int, took: list[float], progress: Progress, plant: str = ""
) -> str:
    """What a kill that does harm comes to; nothing if none does."""
    houses = range(-(-kills // OF_A_HOUSE))
    for first in houses[::AT_ONCE]:
        together = houses[first : first + AT_ONCE]
        kills_of = {number: min(OF_A_HOUSE, kills - number * OF_A_HOUSE) for number in together}
        told = await asyncio.gather(*(_wrong(Run(folder, lived, *each, plant), took) for each in kills_of.items()))
        if said := next(filter(None, told), ""):
            return said
        progress(f"{sum(kills_of.values()) + first * OF_A_HOUSE:,} of {kills:,}")
    return ""


async def _wrong(run: Run, took: list[float]) -> str:
    """What the first kill in one directory comes to that does harm."""
    for kill in range(run.kills):
        if said := await run.killed():
            return f"seed {SEED}, house {run.number}, kill {kill}: {said}"
    if said := await run.settles():
        return f"seed {SEED}, house {run.number}, in the end: {said}"
    took += run.took
    shutil.rmtree(run.folder)
    return ""


@pytest.mark.timeout(6 * 3600)
async def test_killed_at_random(
    lived: Path,
    tmp_path: Path,
    tried: Callable[[int], None],
    progress: Progress,
    capsys: pytest.CaptureFixture[str],
) -> None:
    took: list[float] = []
    said = await first_wrong(tmp_path, lived, KILLS, took, progress)
    assert not said
    took.sort()
    at_99 = took[len(took) * 99 // 100]
    with capsys.disabled():
        figures = {"kills": KILLS, "ready_p50_s": round(took[len(took) // 2], 3), "ready_p99_s": round(at_99, 3)}
        sys.stderr.write(json.dumps(figures) + "\n")
    assert at_99 < READY_S
    tried(KILLS)


@pytest.mark.parametrize(
    ("plant", "found"),
    [("answers_first", "was acknowledged|was there and is gone"), ("forgets_names", "was done 2 times")],
)
async def test_what_is_planted_is_found(
    lived: Path, tmp_path: Path, progress: Progress, plant: str, found: str
) -> None:
    assert re.search(found, await first_wrong(tmp_path, lived, PATIENCE, [], progress, plant))
