"""New blocks: in order, without holes, and what the chain takes back is said."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx
import pytest

from tests.chain.node import Node
from tests.venue.chain.rpc_server import block_hash
from venue.avantis.addresses import BASE
from venue.chain.answers import Head
from venue.chain.endpoints import Endpoints
from venue.chain.heads import MEMORY, Branch, EndpointBlocks, Event, Gap, Heads, Reorg, WsLost
from venue.chain.rpc import Rpc, RpcCode, RpcError
from venue.chain.stall import Stall
from venue.chain.subscription import subscribed

WITHIN_S = 10.0


def head(number: int, branch: int = 0, parent_branch: int | None = None) -> Head:
    parent = block_hash(number - 1, branch if parent_branch is None else parent_branch)
    return Head(number, block_hash(number, branch), parent, 1_700_000_000 + 2 * number, 7)


class Fork:
    """Blocks by hash: branch 0 throughout, and branch 1 from `at` on. The newest is `top` of `branch`."""

    def __init__(self, at: int = 10**9) -> None:
        self.at = at
        self.top = 100
        self.branch = 0
        self.fetched = 0
        self.broken = False
        self.now_s = 0.0
        self._naps: asyncio.Queue[float] = asyncio.Queue()

    def get(self, number: int, branch: int) -> Head:
        return head(number, branch, 0 if number <= self.at else branch) if number >= self.at else head(number)

    async def newest(self) -> Head | None:
        if self.broken:
            raise RpcError(RpcCode.UNREACHABLE, "gone")
        return self.get(self.top, self.branch)

    async def by_hash(self, block_hash: str) -> Head | None:
        if self.broken:
            raise RpcError(RpcCode.UNREACHABLE, "gone")
        self.fetched += 1
        return self.get(int(block_hash[-32:], 16), int(block_hash[2:34], 16))

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self._naps.put_nowait(seconds)
        await asyncio.sleep(0)

    async def naps(self, count: int) -> None:
        """Waits for so many more."""
        for _ in range(count):
            await self._naps.get()


def branch_of(fork: Fork) -> Branch:
    return Branch(fork.by_hash)


async def known(fork: Fork, first: int, last: int) -> Branch:
    branch = branch_of(fork)
    for number in range(first, last + 1):
        assert await branch.follow(fork.get(number, 0)) == (fork.get(number, 0),)
    return branch


async def test_a_hole_is_filled_and_what_was_said_before_is_no_news() -> None:
    branch = await known(Fork(), 100, 103)
    assert await branch.follow(head(107)) == tuple(head(number) for number in (104, 105, 106, 107))
    for old in (107, 105, 100, 42):
        assert await branch.follow(head(old)) == ()
    assert branch.tip == head(107)


@pytest.mark.parametrize("depth", range(1, 13))
async def test_a_reorg_is_said_with_its_depth_and_the_new_branch_follows(depth: int) -> None:
    fork = Fork(at=121 - depth)
    branch = await known(fork, 100, 120)
    fresh = tuple(fork.get(number, 1) for number in range(fork.at, 123))
    assert await branch.follow(fork.get(122, 1)) == (Reorg(depth, fork.at - 1), *fresh)
    assert await branch.follow(fork.get(121, 1)) == ()
    back = await branch.follow(head(123))
    assert back[0] == Reorg(122 - fork.at + 1, fork.at - 1)
    assert back[-1] == branch.tip == head(123)


async def test_a_shorter_branch_is_a_reorg_too() -> None:
    fork = Fork(at=105)
    branch = await known(fork, 100, 110)
    assert await branch.follow(fork.get(105, 1)) == (Reorg(6, 104), fork.get(105, 1))


async def test_a_walk_that_fails_has_not_happened() -> None:
    fork = Fork(at=105)
    branch = await known(fork, 100, 110)
    fork.broken = True
    with pytest.raises(RpcError):
        await branch.follow(fork.get(112, 1))
    assert branch.tip == head(110)
    fork.broken = False
    assert (await branch.follow(fork.get(112, 1)))[0] == Reorg(6, 104)


async def test_what_is_too_far_or_too_deep_is_a_gap() -> None:
    fork = Fork(at=90)
    branch = await known(fork, 100, 110)
    assert await branch.follow(head(111 + MEMORY)) == (Gap(110, 111 + MEMORY), head(111 + MEMORY))
    assert fork.fetched == 0
    branch = await known(fork, 100, 110)
    assert await branch.follow(fork.get(111, 1)) == (Gap(110, 111), fork.get(111, 1))


async def test_parents_that_nobody_has_or_that_are_none() -> None:
    async def nobody(_: str) -> None:
        return None

    branch = Branch(nobody)
    await branch.follow(head(100))
    assert await branch.follow(head(105)) == ()
    assert branch.tip == head(100)
    liar = Branch(lambda _: Fork().by_hash(block_hash(50)))
    await liar.follow(head(100))
    with pytest.raises(RpcError, match="a parent that is not one block older"):
        await liar.follow(head(105))
    with pytest.raises(RpcError, match="not one newer"):
        await liar.follow(Head(105, "0xother", head(100).hash, 0, 0))


async def take(events: AsyncGenerator[Event, None], count: int) -> list[Event]:
    async with asyncio.timeout(WITHIN_S):
        return [await anext(events) for _ in range(count)]


def polled(fork: Fork) -> Heads:
    return Heads(fork, clock=lambda: fork.now_s, sleep=fork.sleep, jitter=lambda: 0.5)


async def test_polling_finds_what_happened_in_between() -> None:
    fork = Fork(at=103)
    heads = polled(fork)
    async with aclosing(heads.events()) as events:
        assert await take(events, 1) == [head(100)]
        fork.top = 104
        assert await take(events, 4) == [head(number) for number in range(101, 105)]
        fork.branch = 1
        assert (await take(events, 3))[0] == Reorg(2, 102)
    assert heads.tip == fork.get(104, 1)


async def test_thirty_seconds_without_a_block_are_slow_and_two_minutes_frozen() -> None:
    fork = Fork()
    heads = polled(fork)
    async with aclosing(heads.events()) as events:
        await take(events, 1)
        for now_s, stall in ((29.9, Stall.NONE), (30.0, Stall.SLOW), (119.9, Stall.SLOW), (120.0, Stall.FROZEN)):
            fork.now_s = now_s
            assert heads.pulse.stall(fork.now_s) is stall
        fork.broken = True
        waiting = asyncio.create_task(take(events, 1))
        await fork.naps(3)
        assert heads.last_error == "UNREACHABLE: gone"
        assert heads.pulse.stall(fork.now_s) is Stall.FROZEN
        fork.broken, fork.top = False, 101
        assert await waiting == [head(101)]
        assert (heads.pulse.stall(fork.now_s), heads.last_error) == (Stall.NONE, "")


async def test_blocks_whose_clock_stands_still_do_not_count() -> None:
    fork = Fork()
    stuck = [Head(number, block_hash(number), block_hash(number - 1), 1_700_000_000, 7) for number in (100, 101)]
    answers = iter(stuck)

    async def newest() -> Head | None:
        fork.now_s += 40.0
        return next(answers)

    fork.newest = newest  # type: ignore[method-assign]
    heads = polled(fork)
    async with aclosing(heads.events()) as events:
        assert await take(events, 2) == stuck
        assert heads.pulse.stall(fork.now_s) is Stall.SLOW


async def test_a_lost_subscription_is_caught_up_by_polling_and_taken_again_later() -> None:
    fork = Fork()
    connected: list[float] = []
    often = asyncio.Event()

    async def connect() -> AsyncGenerator[Head | None, None]:
        connected.append(fork.now_s)
        if len(connected) == 5:
            often.set()
        if len(connected) > 1:
            raise WsLost("subscription lost: again")
        fork.top = 101
        yield fork.get(101, 0)
        fork.top = 102
        yield None
        fork.top = 105
        raise WsLost("subscription lost: OSError")

    heads = Heads(fork, connect, clock=lambda: fork.now_s, sleep=fork.sleep, jitter=lambda: 0.5)
    async with aclosing(heads.events()) as events:
        assert await take(events, 6) == [head(number) for number in range(100, 106)]
        waiting = asyncio.create_task(take(events, 1))
        async with asyncio.timeout(WITHIN_S):
            await often.wait()
        assert connected == [0.0, 2.5, 6.5, 14.5, 30.5], "further and further apart"
        assert heads.last_error == "subscription lost: again"
        fork.top = 106
        assert await waiting == [head(106)]


@pytest.fixture
async def blocks(node: Node) -> AsyncGenerator[EndpointBlocks, None]:
    endpoints = Endpoints([Rpc(httpx.URL(node.http_url))], BASE)
    yield EndpointBlocks(endpoints)
    await endpoints.aclose()


@pytest.mark.parametrize("by_socket", [False, True])
async def test_against_a_real_node_with_a_real_reorg(node: Node, blocks: EndpointBlocks, by_socket: bool) -> None:
    connect = (lambda: subscribed(node.ws_url, BASE)) if by_socket else None
    heads = Heads(blocks, connect, every_s=0.02)
    async with aclosing(heads.events()) as events:
        first = (await take(events, 1))[0]
        assert isinstance(first, Head)
        fork = await node.snapshot()
        numbers = [first.number]
        for _ in range(3):
            waiting = asyncio.create_task(take(events, 1))
            await node.mine()
            numbers += [event.number for event in await waiting if isinstance(event, Head)]
        assert numbers == list(range(first.number, first.number + 4))
        await node.revert(fork)
        await node.rpc("evm_increaseTime", 100)
        await node.mine(2)
        reorg, *fresh = await take(events, 3)
        assert reorg == Reorg(3, first.number)
        assert [event.number for event in fresh if isinstance(event, Head)] == [first.number + 1, first.number + 2]
        assert heads.tip == fresh[-1]


async def test_a_socket_that_dies_is_lost_and_one_on_another_chain_refused(fresh_node: Node) -> None:
    endpoints = Endpoints([Rpc(httpx.URL(fresh_node.http_url))], BASE)
    with pytest.raises(WsLost, match="another chain"):
        async with aclosing(subscribed(fresh_node.ws_url, 1)) as heads:
            await anext(heads)
    async with aclosing(subscribed(fresh_node.ws_url, BASE)) as heads:
        assert await anext(heads) is None
        await fresh_node.mine()
        assert await anext(heads) == await EndpointBlocks(endpoints).newest()
        fresh_node.kill()
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(WsLost, match="subscription lost"):
                await anext(heads)
    with pytest.raises(WsLost) as caught:
        async with aclosing(subscribed(f"{fresh_node.ws_url}/canary", BASE)) as heads:
            await anext(heads)
    assert "canary" not in str(caught.value)
    await endpoints.aclose()


async def test_a_socket_that_says_nothing_is_lost(node: Node) -> None:
    async with aclosing(subscribed(node.ws_url, BASE, silence_s=0.1)) as heads:
        assert await anext(heads) is None
        with pytest.raises(WsLost, match=r"silent for 0\.1 s"):
            await anext(heads)
