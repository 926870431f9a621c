"""The journal held against the chain: what it says ended is there, and what somebody else did is found."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from eth_typing import ChecksumAddress

from engine.audit import Finding, audit, caught_up
from engine.live.audit_chain import against_chain
from engine.replay import world_of
from engine.world import World
from tests.chain.avantis_house import MinedStage, staged
from tests.chain.fleet import AMPLE, Clock, allowed, fleet
from tests.chain.fleet_proxy import proxied
from tests.chain.node import Node
from tests.chain.stage import TRADER
from tests.chain.test_fleet import settle
from tests.venue.avantis_writes.test_intent_log import signed
from venue.avantis.addresses import BASE
from venue.avantis.intent_facts import IntentEnded, IntentResult, Source
from venue.avantis.intent_state import EndedIntent
from venue.chain.agreed import AgreedNode
from venue.chain.endpoints import Endpoints
from venue.chain.facts import Result
from venue.chain.rpc import Rpc

DESKS = 5
Meanwhile = Callable[[], Awaitable[None]]


class Busy(AgreedNode):
    """Something happens before it is asked for a nonce."""

    def __init__(self, endpoints: Endpoints, meanwhile: Meanwhile) -> None:
        super().__init__(endpoints)
        self._meanwhile = meanwhile

    async def nonce(self, address: ChecksumAddress, block: int | None = None) -> int:
        await self._meanwhile()
        return await super().nonce(address, block)


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[MinedStage, None, None]:
    with staged(session_node) as made:
        yield made


@pytest_asyncio.fixture
async def world(stage: MinedStage, tmp_path: Path) -> AsyncGenerator[World, None]:
    """Of a journal whose orders have all ended."""
    before = await stage.node.snapshot()
    await allowed(stage)
    async with proxied(stage.node.http_url) as proxy, fleet(proxy, tmp_path, Clock()) as ship:
        await ship.sender.adopt()
        assert await asyncio.gather(*(ship.order(number) for number in range(DESKS))) == [None] * DESKS
        await settle(stage, ship)
    yield world_of(tmp_path)
    await stage.node.rpc("anvil_dropAllTransactions")
    await stage.node.revert(before)


async def compared(
    stage: MinedStage, world: World, meanwhile: Meanwhile | None = None, later: Callable[[], World] | None = None
) -> dict[str, Finding]:
    endpoints = Endpoints([Rpc(httpx.URL(stage.node.http_url), within_s=20.0)], BASE, budget=AMPLE)
    node = AgreedNode(endpoints)
    if meanwhile is not None:
        node = Busy(endpoints, meanwhile)
    try:
        return {each.check: each for each in await against_chain(world, node, later or (lambda: world))}
    finally:
        await endpoints.aclose()


def intent(result: IntentResult) -> EndedIntent:
    """One whose nonce the chain has never seen used."""
    order = replace(signed("i"), trader=TRADER)
    return EndedIntent(order, IntentEnded("i", result, Source.CHAIN, "", None, 0))


async def test_what_ended_is_there(stage: MinedStage, world: World) -> None:
    world.intents.ended["i"] = intent(IntentResult.EXPIRED)
    found = await compared(stage, world)
    assert {check: (each.cases, each.faults) for check, each in found.items()} == {
        "nonces": (1, []),
        "sent": (DESKS, []),
        "intents": (1, []),
    }


async def test_what_never_was_or_went_otherwise_is_found(stage: MinedStage, world: World) -> None:
    ended = world.wallets.chains[TRADER].ended
    first, second, *_ = ended
    ended[first] = replace(ended[first], hash="0x" + "12" * 32)
    ended[second] = replace(ended[second], result=Result.REVERTED)
    world.intents.ended["i"] = intent(IntentResult.DONE)
    found = await compared(stage, world)
    assert [fault.split(":")[0] for fault in found["sent"].faults] == [first, second]
    assert "the chain does not know" in found["sent"].faults[0]
    assert "went through on the chain, and ended reverted" in found["sent"].faults[1]
    assert found["intents"].faults == ["i: its nonce was never used on the chain, and it ended DONE"]


@pytest.mark.parametrize(("off", "words"), [(-1, "somebody else sent from it"), (1, "another chain?")])
async def test_nonces_that_are_not_the_chains_are_found(stage: MinedStage, world: World, off: int, words: str) -> None:
    world.wallets.chains[TRADER].next_nonce += off
    (fault,) = (await compared(stage, world))["nonces"].faults
    assert words in fault


@pytest.mark.parametrize("who", ["the engine", "somebody else", "both"])
async def test_what_an_engine_sends_meanwhile_is_told_from_what_others_send(
    stage: MinedStage, tmp_path: Path, who: str
) -> None:
    before = await stage.node.snapshot()
    await allowed(stage)
    async with proxied(stage.node.http_url) as proxy, fleet(proxy, tmp_path, Clock()) as ship:
        await ship.sender.adopt()
        assert await ship.order(0) is None
        await settle(stage, ship)
        report = audit(tmp_path)
        assert report.ok

        async def meanwhile() -> None:
            if who != "somebody else":
                assert [await ship.order(number) for number in (1, 2)] == [None, None]
            if who != "the engine":
                await stage.node.rpc("eth_sendTransaction", {"from": TRADER, "to": TRADER, "gas": hex(21_000)})
            await stage.node.mine()

        found = await compared(stage, report.world, meanwhile, lambda: caught_up(tmp_path, report))
        assert found["nonces"].cases == 1
        assert [fault.rpartition(": ")[2] for fault in found["nonces"].faults] == (
            [] if who == "the engine" else ["somebody else sent from it"]
        )
    await stage.node.rpc("anvil_dropAllTransactions")
    await stage.node.revert(before)


async def test_with_the_journal_as_it_was_the_engine_would_be_taken_for_somebody_else(
    stage: MinedStage, tmp_path: Path
) -> None:
    before = await stage.node.snapshot()
    await allowed(stage)
    async with proxied(stage.node.http_url) as proxy, fleet(proxy, tmp_path, Clock()) as ship:
        await ship.sender.adopt()
        world = world_of(tmp_path)

        async def meanwhile() -> None:
            assert await ship.order(0) is None
            await stage.node.mine()

        (fault,) = (await compared(stage, world, meanwhile))["nonces"].faults
        assert "somebody else" in fault
    await stage.node.rpc("anvil_dropAllTransactions")
    await stage.node.revert(before)
