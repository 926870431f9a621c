"""The patient loop: no machine is too slow for a deadline, and what does not come is late all the same."""

import asyncio
import time

import pytest

from tests.patient import WORK_S, PatientLoop


def stands_still(seconds: float = 0.05) -> None:
    time.sleep(seconds)


async def test_a_process_that_stands_still_is_not_late_with_an_answer_that_is_there() -> None:
    async def answers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stands_still()
        writer.write(b"here")
        writer.close()

    async with await asyncio.start_server(answers, "127.0.0.1", 0) as server, asyncio.timeout(20 * WORK_S):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        stands_still()
        assert await reader.read() == b"here"
        writer.close()


async def test_what_never_comes_is_late() -> None:
    loop = asyncio.get_running_loop()
    began, before = time.monotonic(), loop.time()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 0.02)
    assert time.monotonic() - began >= 0.02
    assert loop.time() - before >= 0.02


async def test_who_never_waits_runs_into_deadlines_too() -> None:
    async def spins() -> None:
        while True:  # noqa: ASYNC110 - this is the one that never waits
            await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(spins(), 0.01)


async def test_its_time_never_goes_back() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PatientLoop)
    last = loop.time()
    for turn in range(300):
        before, last = last, loop.time()
        assert last >= before
        if not turn % 3:
            await asyncio.sleep(0)
