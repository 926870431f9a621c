"""A fault nobody waits for ends in the log and as an alarm; its words, which may be anything, end nowhere."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine import faults, logs
from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.config import Settings
from engine.engine import Engine, Options

SECRET = "canary-of-a-key"
NOWHERE = Settings.model_validate({"pyth": {"url": "http://127.0.0.1:9"}})


class Ends:
    """Fails when nobody has it any more."""

    def __del__(self) -> None:
        raise ValueError(SECRET)


def in_a_thread() -> None:
    def fails(word: str) -> None:
        raise ValueError(word)

    thread = threading.Thread(target=fails, args=(SECRET,), name="odd job")
    thread.start()
    thread.join()


def in_a_finalizer() -> None:
    Ends()
    gc.collect()


def in_a_callback() -> None:
    def fails(word: str) -> None:
        raise ValueError(word)

    asyncio.get_running_loop().call_soon(fails, SECRET)


def in_a_task() -> None:
    async def fails(word: str) -> None:
        raise ValueError(word)

    asyncio.get_running_loop().create_task(fails(SECRET))


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the hooks of the test runner, which fail a test that means to fail."""
    faults.install()
    monkeypatch.setattr(faults, "_of_finalizers", sys.__unraisablehook__)
    monkeypatch.setattr(faults, "_of_threads", threading.__excepthook__)


@pytest.mark.parametrize("fault", [in_a_thread, in_a_finalizer, in_a_callback, in_a_task])
async def test_it_is_one_line_and_one_alarm(
    tmp_path: Path, fault: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    engine = Engine(Options(NOWHERE, tmp_path), SystemClock(), Chronicle(logging=False))
    ready, stop = asyncio.Event(), asyncio.Event()
    with capture_logs() as told:
        running = asyncio.create_task(engine.run(ready.set, stop))
        await ready.wait()
        before = faults.seen()
        assert faults.ALARM not in engine.snapshot.status.alarms
        fault()
        async with asyncio.timeout(20):
            while faults.seen() == before:
                gc.collect()
                await asyncio.sleep(0)
        stop.set()
        await running
    assert engine.snapshot.status.alarms.count(faults.ALARM) == 1
    (line,) = [each for each in told if each["event"] == "unhandled"]
    assert line["error"] == "ValueError"
    assert f"fails ({__file__}:" in line["at"] or f"__del__ ({__file__}:" in line["at"]
    assert SECRET not in repr(told)
    assert capfd.readouterr() == ("", "")


async def test_the_next_engine_begins_without_the_alarm_of_the_last(tmp_path: Path) -> None:
    in_a_thread()
    engine = Engine(Options(NOWHERE, tmp_path), SystemClock(), Chronicle(logging=False))
    stop = asyncio.Event()
    await engine.run(stop.set, stop)
    assert faults.ALARM not in engine.snapshot.status.alarms


def test_hooks_of_others_are_called_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(faults, "_of_threads", told.append)
    monkeypatch.setattr(faults, "_of_finalizers", told.append)
    with capture_logs():
        in_a_thread()
        in_a_finalizer()
    assert len(told) == 2


PROGRAM = """
import sys
import structlog
from engine import logs
from tests.engine.test_faults import Ends, in_a_finalizer, in_a_thread

def within(frame, event, _):
    # A finalizer fails in the middle of a line: on the way into the log, and where a queue would have taken its lock.
    if event == "call" and frame.f_code.co_name in ("write", "_put"):
        Ends()

logs.setup()
in_a_thread()
in_a_finalizer()
sys.setprofile(within)
structlog.get_logger().info("a line")
sys.setprofile(None)
logs.close()
"""


def test_a_program_writes_lines_and_no_traceback() -> None:
    """And a fault in the middle of a line holds up none."""
    root = Path(logs.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=root, env={**os.environ}, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert ["unhandled" in line for line in lines] == [True, True, True, False]
    assert 'event="a line"' in lines[3]
    assert 'what="in thread odd job"' in lines[0]
    assert SECRET not in done.stderr
