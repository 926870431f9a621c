"""A disk that is full, or fails, at any write or sync: the engine stops, loses nothing it acknowledged, and goes on."""

import asyncio
import json
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import apsw
import pytest

from engine import codec
from engine.audit import audit
from engine.desks.commands import BookFees, EnrollToken
from engine.settlement import Settlement, StoreFailed
from store.errors import StoreError
from store.reader import entries
from tests.cli.perpdesk import environment
from tests.engine.house import TOKEN, ManualClock, settled
from tests.proof.control import ready
from tests.proof.places import in_memory
from tests.proof.weak_disk import Disk, images, opened_on
from tests.proof.zygote import born
from tests.scale import SEED, scaled
from venue.exchange.commands import Rejection

COMMANDS: Final = 40
FAULTS: Final = scaled(60, 300, 1_500)
NEVER: Final = 10**9
ENOUGH: Final = 60
ROOM: Final = 64 * 1024


@dataclass
class Breaks:
    """From the operation of a number on, so many operations fail."""

    at: int = NEVER
    times: int = NEVER
    full: bool = True
    seen: int = 0

    def __call__(self, operation: str, file: str) -> Exception | None:
        if file == "perpdesk.head":  # bytes that are there already
            return None
        self.seen += 1
        if not self.at <= self.seen < self.at + self.times:
            return None
        if self.full and operation == "write":
            return _told(apsw.FullError("full"), apsw.SQLITE_FULL)
        code = apsw.SQLITE_IOERR_WRITE if operation == "write" else apsw.SQLITE_IOERR_FSYNC
        return _told(apsw.IOError("input/output error"), code)


def _told(error: Any, code: int) -> Exception:
    error.extendedresult = code
    return error  # type: ignore[no-any-return]


def asked(number: int) -> BookFees:
    return BookFees(TOKEN, f"f{number:04}", 10**6, 0)


async def lived(directory: Path, disk: Disk, told: list[int]) -> None:
    """Asks for fees to be booked and notes what was acknowledged, until all is or the disk refuses."""
    journal = await opened_on(disk, directory)
    settlement = Settlement(journal, ManualClock(), lambda _world, _recorded: None)
    writer = asyncio.create_task(settlement.run())

    async def book(number: int) -> None:
        answer = await settlement.submit(asked(number))
        assert not isinstance(answer, Rejection)
        told.append(number)

    try:
        await settlement.recover()
        await settlement.submit(EnrollToken(TOKEN, "PEPE"))
        for start in range(0, COMMANDS, 4):  # by themselves, and some in one transaction
            await asyncio.gather(*(book(number) for number in range(start, start + 4)))
    finally:
        writer.cancel()
        with suppress(asyncio.CancelledError, StoreFailed):
            await writer
        with suppress(Exception):  # what a connection to such a disk says at its end
            await journal.close()


async def broken(folder: Path, fault: Breaks, rng: random.Random) -> str:
    """What a run on a failing disk, or the next on a sound one, gets wrong; nothing if nothing."""
    disk, told, directory = Disk(fault), list[int](), Path(mkdtemp(dir=folder))
    try:
        await lived(directory, disk, told)
    except StoreError as error:
        if error.code not in ("STORE_FAILED", "STATE_UNUSABLE"):
            return f"the run ended with {error.code}: {error}"
    (left,) = images(disk.log, [len(disk.log)], rng)
    places = {"a stop": directory, "a power loss": left.put(folder / "lost")}
    said = [f"after {name} {wrong}" for name, where in places.items() if (wrong := await _goes_on(where, told))]
    for where in places.values():
        shutil.rmtree(where)
    return "; ".join(said)


async def _goes_on(where: Path, told: list[int]) -> str:
    try:
        return await _all_of_it(where, told)
    except StoreError as error:
        return f"it is refused: {error}"


async def _all_of_it(where: Path, told: list[int]) -> str:
    found = _booked(where) if (where / "perpdesk.db").exists() and told else []
    if lost := {f"f{number:04}" for number in told} - set(found):
        return f"{sorted(lost)} are lost"
    async with settled(where) as settlement:
        await settlement.submit(EnrollToken(TOKEN, "PEPE"))
        for number in range(COMMANDS):
            await settlement.submit(asked(number))
    found = _booked(where)
    if sorted(found) != sorted(f"f{number:04}" for number in range(COMMANDS)):
        return f"{len(found)} fees are booked, {len(set(found))} different ones: expected {COMMANDS}"
    wrong = [fault for finding in audit(where).findings for fault in finding.faults]
    return f"{wrong[0]}" if wrong else ""


def _booked(where: Path) -> list[str]:
    facts = (codec.decode(entry.kind, entry.payload) for entry in entries(where) if entry.kind == "FeesArrived")
    return [str(fact.ref) for fact in facts]  # type: ignore[union-attr]


@pytest.mark.timeout(3600)
async def test_it_refuses_at_any_moment(tmp_path: Path, tried: Callable[[int], None]) -> None:
    rng = random.Random(SEED)
    whole = Breaks()
    with in_memory(tmp_path) as folder:
        assert await broken(folder, whole, rng) == ""
        assert whole.seen > 60
        for number in range(FAULTS):
            fault = Breaks(rng.randint(1, whole.seen), rng.choice((1, 1, 3, NEVER)), rng.random() < 0.5)
            said = await broken(folder, fault, rng)
            assert not said, f"seed {SEED}, case {number}, {fault}: {said}"
    tried(FAULTS)


async def test_an_acknowledgement_before_the_disk_has_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(SEED)

    async def careless(self: Settlement, command: BookFees) -> tuple[()]:
        with suppress(StoreFailed):
            await submit(self, command)
        return ()

    submit = Settlement.submit
    monkeypatch.setattr(Settlement, "submit", careless)
    said = [await broken(tmp_path, Breaks(at), rng) for at in range(40, 46)]
    assert any("are lost" in each for each in said)


async def test_a_program_that_may_write_no_more_says_so_and_starts_again_when_it_may(tmp_path: Path) -> None:
    """By a limit on the size of its files, which the kernel refuses as it does where nothing is left."""
    state = tmp_path / "state"
    arguments = ("demo", "--headless", "--seed", "3", "--state", str(state))
    life = born(tmp_path, *arguments)
    await ready(state, life)
    while not life.ended(0.02) and _announced(life.words()) < ENOUGH:
        pass
    written = (state / "perpdesk.db-wal").stat().st_size
    resource.prlimit(life.pid, resource.RLIMIT_FSIZE, (written + ROOM, written + ROOM))
    assert life.status() == 74
    assert _last_words(life.words()).startswith("perpdesk: the journal cannot be written: ")
    announced = _announced(life.words())
    assert audit(state).ok
    assert audit(state).mark.seq >= announced
    again = born(tmp_path, *arguments, "--for", "0s")
    assert again.status() == 0, again.words()
    assert json.loads(again.out.read_text())["facts"] >= announced
    assert audit(state).ok


def _announced(text: str) -> int:
    """The newest fact that its log has told of: told is durable."""
    return max((int(line.rpartition("seq=")[2]) for line in text.splitlines() if "seq=" in line), default=0)


def _last_words(text: str) -> str:
    """The one line that is no log line; nothing may have been raised through to the user."""
    said = [line for line in text.splitlines() if not line.startswith("timestamp=")]
    assert len(said) == 1, text
    return said[0]


SMALL = """
set -e
mkdir "$1"
mount -t tmpfs -o size=400k tmpfs "$1"
run() { "$2" -m tui.cli demo --headless --seed 3 --state "$1/state" "$3" "$4"; }
status=0
run "$1" "$2" --for 60s >/dev/null 2>"$3/full" || status=$?
mount -o remount,size=40m "$1"
again=0
run "$1" "$2" --for 0s >/dev/null 2>"$3/roomy" || again=$?
cp -r "$1/state" "$3/kept"
echo "$status $again"
"""
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")


def _may_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    tries = subprocess.run((*_UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"), capture_output=True, check=False)
    return tries.returncode == 0


@pytest.mark.skipif(not _may_mount(), reason="no file system may be mounted here; the limit above is refused alike")
def test_a_file_system_without_room(tmp_path: Path) -> None:
    command = (*_UNSHARE, "sh", "-c", SMALL, "sh", str(tmp_path / "small"), sys.executable, str(tmp_path))
    run = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, timeout=110, check=False)
    assert run.stdout == "74 0\n", run.stderr + (tmp_path / "full").read_text()[-2_000:]
    full = (tmp_path / "full").read_text()
    assert "database or disk is full" in _last_words(full)
    found = audit(tmp_path / "kept")
    assert found.ok
    assert found.mark.seq >= _announced(full) > 0
