"""Contracts that are changed in place and a chain that stands still, on a real chain: who may open, who may leave."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress

import pytest
import pytest_asyncio
from pydantic import SecretStr

from engine.config import Settings
from engine.live.chain_watch import ChainWatch, chain_watch
from tests.chain.avantis_house import SLIPPAGE, House, Outside, outside, process, staged
from tests.chain.node import Node
from tests.chain.stage import TRADER, Stage
from tests.venue.chain.memory import Memory
from venue.avantis.adapter import AvantisVenue
from venue.avantis.addresses import AVANTIS
from venue.avantis.claims import Claim
from venue.chain.pins import IMPLEMENTATION
from venue.chain.stall import Stall
from venue.perp import CloseOrder, Declined, Filled, OpenOrder, OrderOutcome, PositionRef

USDC = 10**6
WAD = 10**18
NEW = bytes.fromhex("02" * 20)


class Wall:
    """The chain's time for labels; durations pass when a test says so."""

    def __init__(self, out: Outside) -> None:
        self.now_ms = out.clock.now_ms
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, _: float) -> None:
        await asyncio.sleep(0.02)


class Bench:
    """One process with a watch over its chain."""

    def __init__(self, out: Outside, house: House, claims: list[Claim], settings: Settings) -> None:
        self.out = out
        self.house = house
        self.claims = claims
        self.wall = Wall(out)
        self.chain: ChainWatch = chain_watch(settings, house.endpoints, house.node, house.door, self.wall)
        self.venue = AvantisVenue(
            TRADER,
            ("ETH", "BTC"),
            house.api,
            house.catalogues,
            house.route,
            house.watch,
            out.marks.get,
            SLIPPAGE,
            out.clock.now_ms,
            self.chain.why_not,
            why_stay=self.chain.why_stay,
        )
        self._following = asyncio.create_task(self.chain.follow())

    async def aclose(self) -> None:
        self._following.cancel()
        with suppress(asyncio.CancelledError):
            await self._following

    async def moves(self) -> None:
        """Blocks are mined until that is seen, and all of them are."""
        heads = self.chain.heads
        before = heads.pulse
        async with asyncio.timeout(20):
            while self.chain.heads.pulse is before or not self.chain.heads.pulse.moved:
                await self.out.mine()
                await asyncio.sleep(0.05)
            newest = int(await self.out.node.rpc("eth_blockNumber"), 16)
            while heads.tip is None or heads.tip.number < newest:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)

    async def settled(self, order_id: str, outcome: OrderOutcome) -> OrderOutcome:
        """What becomes of it."""
        for _ in range(4):
            if isinstance(outcome, Filled | Declined):
                break
            await self.house.settle()
            await self.out.execute()
            await self.house.settle()
            outcome = await self.venue.outcome(order_id)
        return outcome

    async def opened(self, order_id: str) -> OrderOutcome:
        order = OpenOrder(order_id, "desk", "ETH", True, 100 * USDC, 10 * WAD)
        outcome = await self.settled(order_id, await self.venue.open(order))
        if isinstance(outcome, Filled):
            self.claims[:] = [Claim("desk", outcome.ref, self.out.clock.now_ms(), ordering=False)]
            await self.house.watch.look()
        return outcome

    async def closed(self, order_id: str, ref: PositionRef, *, by_rule: bool) -> OrderOutcome:
        await self.house.watch.look()
        order = CloseOrder(order_id, "desk", ref, by_rule=by_rule)
        return await self.settled(order_id, await self.venue.close(order))


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[Stage, None, None]:
    with staged(session_node) as made:
        yield made


@pytest_asyncio.fixture(params=["announced", "asked for"])
async def bench(stage: Stage, request: pytest.FixtureRequest) -> AsyncGenerator[Bench, None]:
    claims: list[Claim] = []

    async def mine() -> tuple[Claim, ...]:
        return tuple(claims)

    settings = Settings()
    if request.param == "announced":
        settings = settings.model_copy(update={"base_ws_url": SecretStr(stage.node.ws_url)})
    async with outside(stage) as out, process(out, Memory(), mine) as house:
        await house.sender.adopt()
        await house.approve()
        made = Bench(out, house, claims, settings)
        yield made
        await made.aclose()


async def test_a_contract_that_is_changed_in_place(bench: Bench) -> None:
    refused = await bench.opened("early")
    assert isinstance(refused, Declined)
    assert "no new block was seen" in refused.detail
    await bench.moves()
    refused = await bench.opened("unseen")
    assert isinstance(refused, Declined)
    assert "not compared" in refused.detail
    await bench.chain.pins.pass_once()
    filled = await bench.opened("fine")
    assert isinstance(filled, Filled)

    await bench.out.node.set_storage(AVANTIS.trading, IMPLEMENTATION, NEW)
    await bench.chain.pins.pass_once()
    refused = await bench.opened("changed")
    assert isinstance(refused, Declined)
    assert "trading" in refused.detail
    assert "was changed" in refused.detail
    refused = await bench.closed("rule", filled.ref, by_rule=True)
    assert isinstance(refused, Declined)
    assert refused.code == "HALTED"
    (alarm,) = [text for text in bench.chain.alarms() if "trading" in text]
    assert alarm.startswith("HALTED, only you can close: trading")
    assert isinstance(await bench.closed("by hand", filled.ref, by_rule=False), Filled)

    change = bench.chain.pins.changes[AVANTIS.trading]
    assert await bench.chain.pins.accept(change, "ops") is None
    await bench.chain.pins.pass_once()
    assert isinstance(await bench.opened("accepted"), Filled)


async def test_a_chain_that_stands_still(bench: Bench) -> None:
    await bench.chain.pins.pass_once()
    await bench.moves()
    filled = await bench.opened("moving")
    assert isinstance(filled, Filled)
    await bench.moves()
    bench.wall.now_s += 31.0  # and no block is mined
    refused = await bench.opened("slow")
    assert isinstance(refused, Declined)
    assert "no new block for 31 s" in refused.detail
    assert [text for text in bench.chain.alarms() if text.startswith("REDUCING")]
    assert bench.chain.why_stay() == ""
    bench.wall.now_s += 89.0
    refused = await bench.closed("frozen", filled.ref, by_rule=True)
    assert isinstance(refused, Declined)
    assert (refused.code, bench.chain.heads.pulse.stall(bench.wall.now_s)) == ("HALTED", Stall.FROZEN)
    assert [text for text in bench.chain.alarms() if text.startswith("HALTED")]
    await bench.moves()
    assert bench.chain.why_not() == ""
    assert not [text for text in bench.chain.alarms() if "no new block" in text]
    assert isinstance(await bench.closed("thawed", filled.ref, by_rule=True), Filled)


async def test_code_that_is_replaced(bench: Bench) -> None:
    await bench.moves()
    await bench.chain.pins.pass_once()
    before = bytes.fromhex((await bench.out.node.rpc("eth_getCode", AVANTIS.storage, "latest"))[2:])
    await bench.out.node.set_code(AVANTIS.storage, before + b"\x00")
    await bench.chain.pins.pass_once()
    refused = await bench.opened("replaced")
    assert isinstance(refused, Declined)
    assert "storage" in refused.detail
    await bench.out.node.set_code(AVANTIS.storage, before)
    await bench.chain.pins.pass_once()
    assert isinstance(await bench.opened("put back"), Filled)
