"""An engine may be told to end at any moment: before it is ready it is broken off, and the next start knows no more."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.config import Settings
from engine.demo.stage import Demo
from engine.engine import Engine, Options
from engine.life import Life, Unbegun
from engine.runtime import Runtime
from store.lease import Lease

NOWHERE = Settings.model_validate({"pyth": {"url": "http://127.0.0.1:9"}})


def engine(directory: Path, progress: Callable[[int, int], None] = lambda _done, _of: None) -> Engine:
    return Engine(Options(NOWHERE, directory, progress=progress), SystemClock(), Chronicle(logging=False))


async def lived(directory: Path) -> int:
    """A run from its start to an orderly stop; its facts."""
    whole = engine(directory)
    life = Life(whole)
    await life.run(life.end)
    return whole.summary.facts


async def test_told_to_end_when_it_is_ready_it_stops_in_order(tmp_path: Path) -> None:
    assert await lived(tmp_path) > 0


async def test_told_to_end_before_it_began_it_does_not_begin(tmp_path: Path) -> None:
    life = Life(engine(tmp_path))
    life.end()
    assert life.ending
    with pytest.raises(Unbegun):
        await life.run(lambda: pytest.fail("it is ready"))
    assert await asyncio.to_thread(lambda: [*tmp_path.glob("perpdesk*")]) == []


async def test_told_to_end_while_it_recovers_it_is_broken_off(tmp_path: Path) -> None:
    facts = await lived(tmp_path)
    told = []

    def progress(done: int, of: int) -> None:
        told.append((done, of))
        life.end()

    life = Life(engine(tmp_path, progress))
    with pytest.raises(Unbegun):
        await life.run(lambda: pytest.fail("it is ready"))
    assert told[-1] == (facts, facts)
    with Lease(tmp_path):
        pass
    assert await lived(tmp_path) >= facts


async def test_a_fault_of_its_own_is_told_as_it_is(tmp_path: Path) -> None:
    life = Life(engine(tmp_path))
    running = asyncio.create_task(life.run(lambda: None))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_a_runtime_is_stopped_while_it_starts(tmp_path: Path) -> None:
    asyncio.run(lived(tmp_path))
    recovering, go_on = threading.Event(), threading.Event()

    def progress(_done: int, _of: int) -> None:
        recovering.set()
        go_on.wait(20)

    runtime = Runtime(Options(NOWHERE, tmp_path, progress=progress))
    stopped = []

    def meanwhile() -> None:
        recovering.wait(20)
        stop = threading.Thread(target=lambda: stopped.append(runtime.stop()))
        stop.start()
        while runtime._loop is None or not runtime._loop._ready:  # type: ignore[attr-defined]
            pass  # until it has been told
        go_on.set()
        stop.join()

    with pytest.raises(Unbegun):
        runtime.start(meanwhile)
    assert stopped == [True]
    assert runtime.failure is None


def test_a_runtime_that_never_began_is_stopped(tmp_path: Path) -> None:
    runtime = Runtime(Options(NOWHERE, tmp_path, Demo(seed=3)))
    assert runtime.stop()
    with pytest.raises(Unbegun):
        runtime.start()
    assert runtime.failure is None


def test_a_runtime_is_stopped_twice(tmp_path: Path) -> None:
    runtime = Runtime(Options(NOWHERE, tmp_path))
    runtime.start()
    assert runtime.stop()
    assert runtime.stop()
