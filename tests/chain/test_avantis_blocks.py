"""Blocks and pools that forget, outbid and race: an order of the live venue has one effect all the same."""

import asyncio
from collections.abc import AsyncGenerator, Generator

import pytest
import pytest_asyncio

from tests.chain.avantis_bench import AvantisBench, benched
from tests.chain.avantis_house import DEEP, staged
from tests.chain.node import Node
from tests.chain.stage import TRADER, Stage
from tests.venue.perp.bench import USDC, Desk
from venue.chain.state import Ended as EndedTx
from venue.chain.state import Tx
from venue.perp import Declined, Filled, Order, Waiting

REBROADCAST_S = 16


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[Stage, None, None]:
    with staged(session_node) as made:
        yield made


@pytest_asyncio.fixture
async def bench(stage: Stage) -> AsyncGenerator[AvantisBench, None]:
    async with benched(stage) as made:
        yield made


@pytest.fixture
def desk(bench: AvantisBench) -> Desk:
    return Desk(bench)


async def tx_of(bench: AvantisBench, order: Order) -> Tx:
    standing = await bench.house.sender.standing(order.order_id)
    assert isinstance(standing, Tx)
    return standing


async def test_a_reorg_takes_an_order_back_and_the_same_bytes_are_sent_again(bench: AvantisBench, desk: Desk) -> None:
    order = desk.opening()
    await desk.send(order)
    before = await bench.out.node.snapshot()
    await bench.out.mine()
    await bench.house.sender.pass_once()
    first = await tx_of(bench, order)
    assert first.included
    await bench.out.node.revert(before)
    await bench.out.node.rpc("anvil_dropAllTransactions")
    await bench.out.mine()
    await bench.house.sender.pass_once()
    assert (await tx_of(bench, order)).included is None
    assert await bench.wallet() == 0
    bench.out.clock.now += REBROADCAST_S * 1000
    await bench.house.sender.pass_once()
    again = await tx_of(bench, order)
    assert again.attempts == first.attempts
    assert isinstance(await desk.settled(Waiting(order.order_id)), Filled)
    assert await bench.wallet() == -100 * USDC


async def test_a_reorg_of_the_keepers_block_takes_no_outcome_back(bench: AvantisBench, desk: Desk) -> None:
    order = desk.opening()
    await desk.send(order)
    await bench.house.settle()
    before = await bench.out.node.snapshot()
    await bench.out.execute()
    await bench.out.mine(DEEP - 1)
    assert await bench.venue.outcome(order.order_id) == Waiting(order.order_id)
    await bench.out.node.revert(before)
    await bench.out.cancel()
    assert isinstance(await desk.settled(Waiting(order.order_id)), Declined)


async def test_a_transaction_the_pool_lost_is_sent_again(bench: AvantisBench, desk: Desk) -> None:
    order = desk.opening()
    await desk.send(order)
    (attempt,) = (await tx_of(bench, order)).attempts
    await bench.out.node.rpc("anvil_dropTransaction", attempt.hash)
    await bench.out.mine()
    await bench.house.sender.pass_once()
    assert not bench.out.pending()
    bench.out.clock.now += REBROADCAST_S * 1000
    await bench.house.sender.pass_once()
    assert (await tx_of(bench, order)).attempts == (attempt,)
    assert isinstance(await desk.settled(Waiting(order.order_id)), Filled)


async def test_a_transaction_that_pays_too_little_is_outbid(bench: AvantisBench, desk: Desk) -> None:
    order = desk.opening()
    await desk.send(order)
    await bench.out.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(3 * 10**9))
    await bench.out.mine()
    await bench.house.sender.pass_once()
    first, second = (await tx_of(bench, order)).attempts
    assert second.max_fee > first.max_fee * 11 // 10
    assert isinstance(await desk.settled(Waiting(order.order_id)), Filled)
    ended = await bench.house.sender.standing(order.order_id)
    assert isinstance(ended, EndedTx)
    assert ended.hash == second.hash
    assert len(bench.out.reader.orders()) == 1


async def test_a_replacement_the_pool_finds_underpriced_is_told_and_sent_again(bench: AvantisBench, desk: Desk) -> None:
    nonce = await bench.out.nonce()
    rich = {"from": TRADER, "to": TRADER, "nonce": hex(nonce), "gas": hex(21_000)}
    rich |= {"maxFeePerGas": hex(10**11), "maxPriorityFeePerGas": hex(10**11)}
    theirs = await bench.out.node.rpc("eth_sendTransaction", rich)
    order = desk.opening()
    await desk.send(order)
    assert "underpriced" in bench.house.sender.waiting[order.order_id]
    await bench.out.node.rpc("anvil_dropTransaction", theirs)
    bench.out.clock.now += REBROADCAST_S * 1000
    await bench.house.sender.pass_once()
    assert order.order_id not in bench.house.sender.waiting
    assert isinstance(await desk.settled(Waiting(order.order_id)), Filled)


async def test_somebody_elses_transaction_with_our_nonce_declines_the_order(bench: AvantisBench, desk: Desk) -> None:
    order = desk.opening()
    await desk.send(order)
    nonce = (await tx_of(bench, order)).nonce
    await bench.out.node.rpc("anvil_dropAllTransactions")
    theirs = {"from": TRADER, "to": TRADER, "nonce": hex(nonce), "gas": hex(21_000)}
    await bench.out.node.rpc("eth_sendTransaction", theirs)
    outcome = await desk.settled(Waiting(order.order_id))
    assert isinstance(outcome, Declined)
    assert outcome.code == "KEY_SHARED"
    assert (await desk.refused(desk.opening())).code == "KEY_SHARED"


async def test_twenty_desks_at_once_have_consecutive_nonces(bench: AvantisBench) -> None:
    first = await bench.out.nonce()
    desks = [Desk(bench, f"desk-{number}") for number in range(20)]
    orders = [desk.opening(is_long=number % 2 == 0) for number, desk in enumerate(desks)]
    await asyncio.gather(*(desk.send(order) for desk, order in zip(desks, orders, strict=True)))
    nonces = [(await tx_of(bench, order)).nonce for order in orders]
    assert sorted(nonces) == list(range(first, first + 20))
    fills = [await desk.settled(Waiting(order.order_id)) for desk, order in zip(desks, orders, strict=True)]
    assert await bench.out.nonce() == first + 20
    held = await bench.venue.positions()
    for desk, fill in zip(desks, fills, strict=True):
        assert isinstance(fill, Filled)
        assert held[fill.ref].account == desk.account
    assert await bench.wallet() == -20 * 100 * USDC
