"""A node that has had enough: it is left alone, and a close gets through on what was kept back for it."""

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tests.chain.avantis_house import House, Outside, outside, process, staged
from tests.chain.node import Node
from tests.chain.stage import TRADER, Stage
from tests.venue.chain.memory import Memory
from tests.venue.chain.rpc_server import Question, RpcServer, serving, too_often
from venue.avantis.claims import Claim
from venue.chain.bucket import Budget
from venue.chain.envelope import RpcError
from venue.chain.rpc import Rpc
from venue.perp import CloseOrder, Filled, OpenOrder, PositionRef, Waiting

USDC = 10**6
WAD = 10**18
PATIENCE = 10
"""Questions that are answered once the storm has passed its worst."""


class Storm:
    """Before a real node: passes questions on as long as `left` lasts, and answers 429 afterwards."""

    def __init__(self, out: Outside, server: RpcServer) -> None:
        self.left = 10**9
        self.refused = 0
        self._url = out.node.http_url
        server.always = self

    async def __call__(self, request: web.BaseRequest, question: Question) -> web.StreamResponse:
        if self.left <= 0:
            self.refused += 1
            return await too_often("60")(request, question)
        self.left -= 1
        async with aiohttp.ClientSession() as session, session.post(self._url, json=question) as answer:
            return web.Response(body=json.dumps(await answer.json()).encode())


class Bench:
    """One process whose only node is behind the storm, with a position."""

    def __init__(self, out: Outside, house: House, storm: Storm, ref: PositionRef) -> None:
        self.out = out
        self.house = house
        self.storm = storm
        self.ref = ref


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[Stage, None, None]:
    with staged(session_node) as made:
        yield made


@pytest_asyncio.fixture
async def bench(stage: Stage) -> AsyncGenerator[Bench, None]:
    claims: list[Claim] = []

    async def ours() -> tuple[Claim, ...]:
        return tuple(claims)

    async with outside(stage) as out, serving(1) as servers:
        storm = Storm(out, servers[0])
        async with process(out, Memory(), ours, (str(servers[0].url),)) as house:
            await house.sender.adopt()
            await house.approve()
            await house.venue.open(OpenOrder("open", "desk", "ETH", True, 100 * USDC, 10 * WAD))
            await house.settle()
            await out.execute()
            await house.settle()
            filled = await house.venue.outcome("open")
            assert isinstance(filled, Filled)
            claims.append(Claim("desk", filled.ref, out.clock.now_ms(), ordering=False))
            await house.watch.look()
            yield Bench(out, house, storm, filled.ref)


async def reads(bench: Bench, count: int) -> int:
    """So many questions that nothing hangs on; how many were answered."""
    answered = 0
    for _ in range(count):
        with suppress(RpcError):
            await bench.house.endpoints.read(Rpc.block_number)
            answered += 1
    return answered


async def test_a_close_lands_while_nothing_else_is_answered(bench: Bench) -> None:
    bench.storm.left = 0
    assert await reads(bench, 200) == 0
    assert bench.storm.refused == 1, "it says to leave it alone for a minute, and is"
    bench.storm.left = PATIENCE
    assert await reads(bench, 200) == 0
    assert bench.storm.left == PATIENCE
    opened = await bench.house.venue.open(OpenOrder("more", "desk", "BTC", True, 100 * USDC, 10 * WAD))
    assert not isinstance(opened, Waiting)
    outcome = await bench.house.venue.close(CloseOrder("close", "desk", bench.ref))
    assert isinstance(outcome, Waiting)
    assert (bench.storm.refused, bench.storm.left >= 0) == (1, True)
    await bench.out.mine()
    await bench.out.execute()
    assert bench.out.world.held(TRADER) == []


async def test_a_close_that_is_refused_costs_no_more_than_was_kept_back(bench: Bench) -> None:
    bench.storm.left = 0
    for number in range(30):
        await bench.house.venue.close(CloseOrder(f"close {number}", "desk", bench.ref))
    assert 1 <= bench.storm.refused <= Budget().reserve + 1
