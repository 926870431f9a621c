"""Blocks that are none of the chain: announced by a socket, or believed for a while. All of it passes by itself."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest

from tests.venue.chain.test_heads import Fork, head, polled, take
from venue.chain.answers import Head
from venue.chain.heads import Gap, Heads
from venue.chain.stall import Stall


async def announcing_nonsense(fork: Fork) -> AsyncGenerator[Head | None, None]:
    for number in range(10**9, 10**9 + 1_000):
        await fork.sleep(1.0)
        yield head(number)


async def test_a_socket_that_lies_is_only_a_hint_and_no_sign_of_life() -> None:
    fork = Fork()
    heads = Heads(
        fork, lambda: announcing_nonsense(fork), clock=lambda: fork.now_s, sleep=fork.sleep, jitter=lambda: 0.5
    )
    async with aclosing(heads.events()) as events:
        assert await take(events, 1) == [head(100)]
        waiting = asyncio.create_task(take(events, 1))
        await fork.naps(200)
        assert heads.tip == head(100)
        assert heads.pulse.stall(fork.now_s) is not Stall.NONE, "however much it announces"
        fork.top = 101
        assert await waiting == [head(101)]
        assert heads.pulse.stall(fork.now_s) is Stall.NONE


@pytest.mark.parametrize("at_first", [True, False])
async def test_a_false_block_that_was_believed_is_given_up_by_itself(at_first: bool) -> None:
    fork = Fork()
    heads = polled(fork)
    async with aclosing(heads.events()) as events:
        if not at_first:
            await take(events, 1)
        fork.top = 10**9
        assert (await take(events, 1 if at_first else 2))[-1] == head(10**9)
        fork.top = 101
        assert await take(events, 2) == [Gap(100, 101), head(101)]
        assert heads.pulse.since_s < fork.now_s, "it may be an old one"
        for number in range(102, 105):
            fork.top = number
            assert await take(events, 1) == [head(number)]
            assert heads.pulse.since_s == fork.now_s
        assert heads.pulse.why_not(fork.now_s) == ""


def late(number: int, branch: int) -> Head:
    return replace(head(number, branch), timestamp_s=10**15)


async def test_a_false_clock_does_not_stop_the_pulse() -> None:
    fork = Fork()
    heads = polled(fork)
    async with aclosing(heads.events()) as events:
        await take(events, 1)
        fork.top, honest = 101, fork.get
        fork.get = late  # type: ignore[method-assign]
        await take(events, 1)
        fork.get = honest  # type: ignore[method-assign]
        for number in (102, 103):
            fork.top = number
            await take(events, 1)
        assert heads.pulse.since_s == fork.now_s
