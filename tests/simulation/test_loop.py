"""The loop that everything else here stands on."""

import asyncio
import itertools
import random

import pytest

from tests.simulation.loop import Deadlock, Killed, SimLoop, Spinning


def run(work: object, seed: int = 1) -> SimLoop:
    loop = SimLoop(random.Random(seed))
    try:
        loop.run_until_complete(work)  # type: ignore[arg-type]
    finally:
        loop.bury()
    return loop


def order(seed: int) -> list[int]:
    told: list[int] = []

    async def one(number: int) -> None:
        await asyncio.sleep(1)
        told.append(number)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number) for number in range(8)))

    run(all_of_them(), seed)
    return told


def test_time_is_that_of_the_next_timer() -> None:
    async def day() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    assert run(day()).time() == 86_400


def test_who_goes_first_is_drawn_from_the_seed() -> None:
    assert order(3) == order(3)
    assert len({tuple(order(seed)) for seed in range(10)}) > 5


def test_waiting_for_nobody_is_a_deadlock() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run(stuck())


def test_a_loop_that_lets_no_time_pass_is_noticed() -> None:
    async def spin() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0)

    with pytest.raises(Spinning):
        run(spin())


def test_threads_are_refused() -> None:
    async def cheat() -> None:
        await asyncio.to_thread(print)

    with pytest.raises(AssertionError, match="threads"):
        run(cheat())


def test_a_kill_falls_between_two_steps_and_nothing_goes_on() -> None:
    steps: list[int] = []

    async def walk() -> None:
        for step in range(100):
            steps.append(step)
            await asyncio.sleep(0.1)

    loop = SimLoop(random.Random(1))
    loop.dies_at = 20
    with pytest.raises(Killed):
        loop.run_until_complete(walk())
    loop.bury()
    assert steps == list(range(len(steps)))
    assert loop.steps == 20 > len(steps) > 5
