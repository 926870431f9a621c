"""The process that makes snapshots: what the engine learns of it, and that its death at any point harms nothing."""

import asyncio
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from engine import assembly
from engine.config import Settings
from engine.engine import Options
from engine.runtime import Runtime
from engine.stills import make as still
from engine.stills import maker as still_maker
from engine.stills.maker import NoSnapshot, StillMaker, environment
from engine.worker import Cadence
from store import stills
from store.stills import alone, found
from tests.engine.house import ManualClock
from tests.engine.journals import write
from tests.engine.stills import folded, journaled, started
from tests.store.test_journal import edit

NOWHERE = Settings.model_validate({"pyth": {"url": "http://127.0.0.1:9"}})
EMPTY_DESK = (1, "Deposited", '{"user":"a","moves":[]}')

DEADLY = """
import os, shutil, signal, sys
from pathlib import Path
from engine.stills import make as still

def die_at(number):
    left = number
    def deadly(call):
        def called(*arguments, **named):
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = call(*arguments, **named)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer
        return called
    for owner, name in (
        (os, "open"), (os, "write"), (os, "fdatasync"), (os, "fsync"), (os, "ftruncate"), (os, "close"),
        (Path, "rename"), (Path, "unlink"),
    ):
        setattr(owner, name, deadly(getattr(owner, name)))

base, number, status = Path(sys.argv[1]), 0, -1
while status != 0:
    number += 1
    here = base.with_name(f"died-{number}")
    shutil.copytree(base, here)
    child = os.fork()
    if child == 0:
        die_at(number)
        still.make(here, lambda why: None)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
print(number)
"""


def maker(directory: Path, seq: int, newest: int = 0) -> StillMaker:
    return StillMaker(directory, lambda: seq, newest, ManualClock())


def enough(monkeypatch: pytest.MonkeyPatch, facts: int) -> None:
    monkeypatch.setattr(still_maker, "ENOUGH", facts)


async def test_one_is_made_when_enough_has_been_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enough(monkeypatch, 50)
    await write(tmp_path, 80)
    mark, whole = folded(tmp_path)
    making = maker(tmp_path, mark.seq)
    assert await making.pass_once() == f"fact {mark.seq:,}, took 0.0 s"
    now = await started(tmp_path)
    assert (now.begun, now.world, now.told) == (mark.seq, whole.world, whole.told)
    (path,) = found(tmp_path)
    path.unlink()
    assert await making.pass_once() == f"fact {mark.seq:,}, took 0.0 s"
    assert not found(tmp_path), "not before there is enough behind it"


async def test_below_that_none_is_made(tmp_path: Path) -> None:
    await write(tmp_path, 80)
    assert await maker(tmp_path, still_maker.ENOUGH - 1).pass_once() == "none below 20,000 facts"
    assert await maker(tmp_path, still_maker.ENOUGH + 5, 6).pass_once() == "fact 6"
    assert not found(tmp_path)


async def test_a_process_that_fails_is_a_failed_pass_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough(monkeypatch, 1)
    await write(tmp_path, 30)
    with alone(tmp_path), pytest.raises(NoSnapshot, match="another process is making a snapshot"):
        await maker(tmp_path, 30).pass_once()
    edit(tmp_path, "DROP TRIGGER journal_is_never_edited", "UPDATE journal SET at_ms = 0 WHERE seq = 9")
    with pytest.raises(NoSnapshot, match="entry 9 does not fit the hash chain"):
        await maker(tmp_path, 30).pass_once()
    assert not found(tmp_path)


async def test_whoever_is_stopped_takes_the_process_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enough(monkeypatch, 1)
    await write(tmp_path, 30)
    begun: asyncio.Queue[Process] = asyncio.Queue()
    real = asyncio.create_subprocess_exec

    async def noted(*arguments: str, **options: Any) -> Process:
        process = await real(*arguments, **options)
        process.send_signal(signal.SIGSTOP)
        begun.put_nowait(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    task = asyncio.create_task(maker(tmp_path, 30).pass_once())
    process = await begun.get()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert process.returncode == -signal.SIGKILL
    assert not found(tmp_path)


def test_it_is_told_no_secret() -> None:
    given = {
        "PATH": "/bin",
        "PERPDESK_PYTH__KEY": "k",
        "VENICE_API_KEY": "k",
        "BASE_RPC_URL": "u",
        "PYTHONSTARTUP": "x",
    }
    assert environment(given) == {"PATH": "/bin"}


@pytest.mark.parametrize("arguments", [[], ["a", "b"]])
def test_without_one_directory_it_says_how(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert still.main(arguments) == 64
    assert "usage" in capsys.readouterr().err


def test_where_there_is_no_journal_it_says_so_in_one_line(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-P", "-m", "engine.stills.make", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == f"{tmp_path}: no perpdesk.db in there\n"


def _died(base: Path) -> int:
    """Copies of a directory beside it, `died-1` and so on, each left by a maker that was killed one step later than the
    one before; the last one was not. How many there are."""
    run = subprocess.run([sys.executable, "-c", DEADLY, str(base)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return int(run.stdout)


async def test_killed_at_any_point_it_leaves_nothing_that_harms(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    for _ in range(3):
        await journaled(base, [EMPTY_DESK] * 20)
        still.make(base, lambda why: None)
    await journaled(base, [EMPTY_DESK] * 20)
    points = _died(base)
    assert points > 25
    begun = set()
    for number in range(1, points + 1):
        here = tmp_path / f"died-{number}"
        now = await started(here)
        begun.add(now.begun)
        assert (now.seq, now.refused) == (80, ())
        assert now.world == folded(here)[1].world
        assert still.make(here, lambda why: None).seq == 80
        await journaled(here, [EMPTY_DESK])
        assert still.make(here, lambda why: None) == still.Made(81, 1)
        assert [stills.seq_of(path) for path in found(here)] == [81, 80]
        assert not (here / "perpdesk.still.new").exists()
    assert begun == {60, 80}


async def test_an_engine_makes_one_and_the_next_begins_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enough(monkeypatch, 100)
    monkeypatch.setattr(assembly, "SNAPSHOTS", Cadence(0.05, 0.05))
    await write(tmp_path, 200)
    made = Event()
    real = StillMaker._make

    async def noted(self: StillMaker) -> object:
        answer = await real(self)
        made.set()
        return answer

    monkeypatch.setattr(StillMaker, "_make", noted)
    told: list[tuple[int, int]] = []
    first = Runtime(Options(NOWHERE, tmp_path, progress=lambda done, of: told.append((done, of))))
    first.start()
    try:
        assert await asyncio.to_thread(made.wait, 60)
        events = first.events(0)
    finally:
        first.stop()
    begun = stills.seq_of(found(tmp_path)[0])
    assert begun >= 200
    assert told[0] == (told[0][1], told[0][1])
    told.clear()
    again = Runtime(Options(NOWHERE, tmp_path, progress=lambda done, of: told.append((done, of))))
    again.start()
    again.stop()
    newest = told[-1][1]
    assert [done for done, _ in told] == ([begun, newest] if newest > begun else [begun])
    assert again.events(0).events[: len(events.events)] == events.events
