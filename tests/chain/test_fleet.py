"""The desks of one wallet at once, over a node whose answers take 20 ms: sends are pipelined and nothing is lost,
nothing happens twice, and no nonce is left out, whenever the process dies and whatever answers are lost."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from tests.chain.avantis_house import MinedStage, staged
from tests.chain.fleet import (
    REST_S,
    Clock,
    Fate,
    Fleet,
    allowed,
    collateral,
    drawn,
    fleet,
    lives,
    name,
    nonce,
    opening,
    registered,
)
from tests.chain.fleet_proxy import Proxy, proxied
from tests.chain.node import Node
from tests.chain.stage import TRADER
from venue.avantis.addresses import AVANTIS
from venue.chain.bucket import Budget
from venue.chain.envelope import RpcError
from venue.chain.facts import Result
from venue.chain.state import Chain

DESKS: Final = 500
MORTAL: Final = 24
DEATHS: Final = 12
POINTS: Final = 250
"""A process dies at one of so many points; a life without a death has a few hundred."""
ROUNDS: Final = 200
SEEDS: Final = int(os.environ.get("PERPDESK_KILLS", "2"))


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[MinedStage, None, None]:
    with staged(session_node) as made:
        yield made


@pytest_asyncio.fixture
async def scene(stage: MinedStage) -> AsyncGenerator[MinedStage, None]:
    """The chain of one test, reverted afterwards."""
    before = await stage.node.snapshot()
    await allowed(stage)
    yield stage
    await stage.node.rpc("anvil_dropAllTransactions")
    await stage.node.revert(before)


async def settle(stage: MinedStage, ship: Fleet) -> None:
    """Blocks go by until nothing is open."""
    for _ in range(ROUNDS):
        await stage.node.mine()
        if await ship.sender.pass_once() == "nothing open":
            return
    raise AssertionError(f"{len((await ship.chain()).open)} are open after {ROUNDS} blocks")


async def test_500_desks_send_side_by_side(scene: MinedStage, tmp_path: Path) -> None:
    async with proxied(scene.node.http_url) as proxy, fleet(proxy, tmp_path, Clock()) as ship:
        assert await ship.sender.adopt() is None
        first, money = await nonce(scene), await scene.balance(AVANTIS.usdc, TRADER)

        async def blocks(method: str) -> None:
            if method == "eth_sendRawTransaction" and proxy.counts[method] % 100 == 0:
                await scene.node.mine()

        proxy.after = blocks
        assert await asyncio.gather(*(ship.order(number) for number in range(DESKS))) == [None] * DESKS
        assert proxy.most > 1, "one request after the other"
        assert proxy.counts["eth_sendRawTransaction"] == DESKS
        assert proxy.counts["eth_getBlockByNumber"] < DESKS / 10, "everybody asks for the same block"
        await settle(scene, ship)
        chain = await ship.chain()
        assert sorted(each.nonce for each in chain.ended.values()) == [*range(first, first + DESKS)]
        assert {each.result for each in chain.ended.values()} == {Result.DONE}
        assert await nonce(scene) == first + DESKS
        assert await registered(scene) == {collateral(number): 1 for number in range(DESKS)}
        spent = sum(collateral(number) for number in range(DESKS))
        assert await scene.balance(AVANTIS.usdc, TRADER) == money - spent


async def test_a_pass_asks_for_no_receipt_of_what_no_block_can_hold(scene: MinedStage, tmp_path: Path) -> None:
    async with proxied(scene.node.http_url, 0) as proxy, fleet(proxy, tmp_path, Clock()) as ship:
        await ship.sender.adopt()
        await asyncio.gather(*(ship.order(number) for number in range(20)))
        await ship.sender.pass_once()
        assert proxy.counts["eth_getTransactionReceipt"] == 0
        await scene.node.mine()
        await ship.sender.pass_once()
        assert proxy.counts["eth_getTransactionReceipt"] == 20
        assert all(tx.included for tx in (await ship.chain()).open.values())


async def test_a_node_that_may_seldom_be_asked_gets_every_order_once(scene: MinedStage, tmp_path: Path) -> None:
    clock, budget = Clock(), Budget(rate=20.0, burst=30.0, reserve=10.0)
    first, money = await nonce(scene), await scene.balance(AVANTIS.usdc, TRADER)
    async with (
        proxied(scene.node.http_url, 0) as proxy,
        fleet(proxy, tmp_path, clock, budget=budget) as ship,
    ):
        await _all_done(scene, ship, clock)
        await _check(await ship.chain(), scene, first, money)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_random_kills_leave_no_gap_and_no_duplicate(scene: MinedStage, tmp_path: Path, seed: int) -> None:
    luck, clock = random.Random(seed), Clock()
    first, money = await nonce(scene), await scene.balance(AVANTIS.usdc, TRADER)
    async with proxied(scene.node.http_url, 0.001) as proxy:
        proxy.luck = luck
        deaths = 0
        while deaths < DEATHS and not await _a_life(scene, proxy, tmp_path, clock, drawn(luck, POINTS)):
            deaths += 1
            proxy.cut()
            if luck.random() < 0.5:
                await scene.node.mine()
        proxy.luck = None
        async with fleet(proxy, tmp_path, clock) as ship:
            await _all_done(scene, ship, clock)
            await _check(await ship.chain(), scene, first, money)
        assert deaths > DEATHS // 4, "hardly anybody died"


async def _a_life(stage: MinedStage, proxy: Proxy, directory: Path, clock: Clock, fate: Fate) -> bool:
    async with fleet(proxy, directory, clock, fate) as ship:
        return await lives(fate, _all_done(stage, ship, clock))


async def _all_done(stage: MinedStage, ship: Fleet, clock: Clock) -> None:
    """Sends what was never sent, twice at the same time, and follows it to its end; errors are outlived."""
    for _ in range(ROUNDS):
        if await _round(ship):
            return
        clock.now_s += REST_S
        await stage.node.mine()
    raise AssertionError("no end in sight")


async def _round(ship: Fleet) -> bool:
    try:
        assert await ship.sender.adopt() is None
        twice = (number for number in range(MORTAL) for _ in range(2))
        answers = await asyncio.gather(*(ship.order(number) for number in twice))
        return await ship.sender.pass_once() == "nothing open" and not any(answers)
    except RpcError:
        return False


async def _check(chain: Chain, stage: MinedStage, first: int, money: int) -> None:
    """Whatever the journal says of an order is what happened, once; the nonces are all there and all ours."""
    assert not chain.open
    assert not chain.taken
    assert sorted(each.nonce for each in chain.ended.values()) == [*range(first, first + MORTAL)]
    assert await nonce(stage) == first + MORTAL
    results = {number: chain.ended[name(number)].result for number in range(MORTAL)}
    assert set(results.values()) <= {Result.DONE, Result.CANCELLED}
    done = Counter(collateral(number) for number, result in results.items() if result is Result.DONE)
    assert await registered(stage) == done
    assert await stage.balance(AVANTIS.usdc, TRADER) == money - sum(done)
    for number in range(MORTAL):
        mined = await stage.node.rpc("eth_getTransactionByHash", chain.ended[name(number)].hash)
        call = f"0x{opening(number).data.hex()}" if results[number] is Result.DONE else "0x"
        assert (mined["input"], int(mined["nonce"], 16)) == (call, chain.ended[name(number)].nonce)
