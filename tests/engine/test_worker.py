"""Loops: jittered, never overlapping, never silently dead."""

import asyncio
import random

import pytest

from engine.keeper_rows import KeeperHealth
from engine.settlement import StoreFailed
from engine.worker import BACKOFF_CEILING_S, FIRST_PASS_S, Cadence, Worker
from tests.engine.house import ManualClock


async def turn(times: int = 5) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def test_passes_follow_the_cadence_with_jitter() -> None:
    clock = ManualClock()
    passes = []

    async def work() -> str:
        passes.append(clock.monotonic())
        return "fine"

    worker = Worker("w", Cadence(10, 20), work, clock, random.Random(1))
    task = asyncio.create_task(worker.run())
    await turn()
    for _ in range(20):
        clock.advance(20)
        await turn()
    assert len(passes) == 21
    assert all(10 <= slept <= 20 for slept in clock.slept)
    assert len(set(clock.slept)) > 10
    assert (worker.row().health, worker.row().passes, worker.row().detail) == (KeeperHealth.OK, 21, "fine")
    task.cancel()


async def test_a_failing_pass_is_retried_with_back_off_and_shown() -> None:
    clock = ManualClock()
    failing = True

    async def work() -> str:
        if failing:
            raise RuntimeError("no")
        return "fine"

    worker = Worker("w", Cadence(0.1, 0.1), work, clock, random.Random(1))
    task = asyncio.create_task(worker.run())
    for _ in range(10):
        await turn()
        clock.advance(60)
    await turn()
    assert worker.row().health is KeeperHealth.FAILING
    assert clock.slept[0] < clock.slept[3] <= clock.slept[-1] == 30.0
    failing = False
    clock.advance(60)
    await turn()
    assert worker.row().health is KeeperHealth.OK
    task.cancel()


async def test_a_pass_that_hangs_is_late() -> None:
    clock = ManualClock()
    hang = asyncio.Event()
    passes = 0

    async def work() -> str:
        nonlocal passes
        passes += 1
        if passes > 1:
            await hang.wait()
        return ""

    worker = Worker("w", Cadence(1, 1), work, clock, random.Random(1))
    task = asyncio.create_task(worker.run())
    await turn()
    clock.advance(1)
    await turn()
    assert worker.row().health is KeeperHealth.OK
    clock.advance(10)
    assert worker.row().health is KeeperHealth.LATE
    task.cancel()


async def test_a_broken_store_ends_the_loop() -> None:
    async def work() -> str:
        raise StoreFailed("STORE_FAILED", "disk")

    with pytest.raises(StoreFailed):
        await Worker("w", Cadence(1, 1), work, ManualClock(), random.Random(1)).run()


def test_a_demo_runs_its_cadences_faster() -> None:
    assert Cadence(300, 480).faster(60) == Cadence(5, 8)


async def test_a_first_pass_that_hangs_is_late_unless_it_is_meant_to_go_on() -> None:
    clock = ManualClock()

    async def hang() -> str:
        await asyncio.Event().wait()
        return ""

    for endless, health in ((False, KeeperHealth.LATE), (True, KeeperHealth.OK)):
        worker = Worker("w", Cadence(1, 1), hang, clock, random.Random(1), endless=endless)
        task = asyncio.create_task(worker.run())
        await turn()
        assert worker.row().health is KeeperHealth.OK
        clock.advance(FIRST_PASS_S + 1)
        assert worker.row().health is health
        task.cancel()
        await asyncio.wait((task,))


async def test_work_that_cancels_itself_does_not_end_its_loop() -> None:
    clock = ManualClock()

    async def cancelled() -> str:
        raise asyncio.CancelledError

    worker = Worker("w", Cadence(1, 1), cancelled, clock, random.Random(1))
    task = asyncio.create_task(worker.run())
    for _ in range(3):
        await turn()
        clock.advance(60)
    assert not task.done()
    assert worker.row().health is KeeperHealth.FAILING
    assert worker.failures >= 2
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()


async def test_endless_work_that_goes_on_again_is_well_and_its_next_fault_is_the_first() -> None:
    clock = ManualClock()
    faults: asyncio.Queue[None] = asyncio.Queue()

    async def work() -> str:
        await faults.get()
        raise RuntimeError("no")

    worker = Worker("w", Cadence(0.1, 0.1), work, clock, random.Random(1), endless=True)
    task = asyncio.create_task(worker.run())
    for _ in range(8):
        faults.put_nowait(None)
        await turn()
        assert worker.row().health is KeeperHealth.FAILING
        clock.advance(BACKOFF_CEILING_S)
        await turn()
    assert (worker.in_a_row, worker.row().health) == (8, KeeperHealth.FAILING)
    clock.advance(BACKOFF_CEILING_S + 1)
    assert worker.row().health is KeeperHealth.OK
    faults.put_nowait(None)
    await turn()
    assert (worker.in_a_row, worker.failures, worker.row().health) == (1, 9, KeeperHealth.FAILING)
    task.cancel()
