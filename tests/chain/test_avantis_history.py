"""A history that lies about cancellations: no order ends by its word alone."""

from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
import pytest_asyncio
from pydantic import JsonValue

from tests.chain.avantis_bench import AvantisBench, benched
from tests.chain.avantis_house import staged
from tests.chain.node import Node
from tests.chain.stage import Stage
from tests.chain.test_avantis_orders import KINDS, one_of
from tests.venue.avantis.server import STATUS, Lie
from tests.venue.perp.bench import Desk
from venue.avantis import endings
from venue.chain.abi import Event
from venue.perp import Declined, Filled, Order, Unsettled, Waiting


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


async def height(bench: AvantisBench) -> int:
    return int(await bench.out.node.rpc("eth_blockNumber"), 16)


def lies(bench: AvantisBench, **ended: JsonValue) -> None:
    """From now on the history says of every order that it was canceled."""

    def lie(answer: Any) -> JsonValue:
        data = answer["data"] | {"status": "canceled", "canceled": {"txHash": "0x" + "77" * 32, **ended}}
        data |= {"orderId": ended["orderId"]} if "orderId" in ended else {}
        return {"success": True, "data": data}

    bench.out.server.plan(STATUS, Lie(lie), forever=True)


async def doubted(bench: AvantisBench, order: Order) -> str:
    """Why a person is told of an order that has not ended."""
    assert await bench.venue.outcome(order.order_id) == Unsettled(order.order_id)
    return bench.house.venue.unclear[order.order_id]


@KINDS
async def test_what_the_history_calls_canceled_and_the_keeper_executes_is_filled(
    bench: AvantisBench, desk: Desk, kind: str
) -> None:
    order = await one_of(desk, kind)
    await desk.send(order)
    await bench.house.settle()
    (waiting,) = bench.out.pending()
    at = await height(bench)
    receipt = await bench.out.node.rpc("eth_getTransactionReceipt", waiting.tx_hash)
    registered = int(receipt["blockNumber"], 16)
    for block in (1, registered - 1):
        lies(bench, blockNumber=block)
        assert f"canceled in block {block}, the chain has order" in await doubted(bench, order)
    lies(bench, blockNumber=registered, orderId="999")
    assert "the history says order 999" in await doubted(bench, order)
    lies(bench)
    assert "canceled in block None" in await doubted(bench, order)
    for block in range(registered, at - 1):
        lies(bench, blockNumber=block)
        assert "does not show it there" in await doubted(bench, order)
    lies(bench, blockNumber=at + 1_000)
    assert await bench.venue.outcome(order.order_id) == Waiting(order.order_id)
    await bench.out.execute()
    assert isinstance(await desk.settled(Waiting(order.order_id)), Filled)


@pytest.mark.parametrize("log_is_known", [True, False])
async def test_what_another_order_got_back_is_no_end_of_this_one(
    bench: AvantisBench, desk: Desk, monkeypatch: pytest.MonkeyPatch, log_is_known: bool
) -> None:
    """Two desks ask for as much, and one of them gets it back."""
    if not log_is_known:
        forgotten(monkeypatch)
    other = Desk(bench, "desk-2")
    mine, theirs = desk.opening(), other.opening()
    await desk.send(mine)
    await other.send(theirs)
    await bench.house.settle()
    first, second = bench.out.pending()
    await bench.out.stage.cancel(second.order_id)
    block = await height(bench)
    await bench.settle()
    gone = await bench.venue.outcome(theirs.order_id)
    assert isinstance(gone, Declined)
    assert gone.code == "CANCELED"
    lies(bench, blockNumber=block)
    assert "does not show it there" in await doubted(bench, mine)
    await bench.out.stage.execute(first.order_id, bench.out.world.price[first.pair])
    assert isinstance(await desk.settled(Waiting(mine.order_id)), Filled)


@KINDS
async def test_a_cancellation_whose_log_nobody_can_name_is_believed_of_chain_and_history(
    bench: AvantisBench, desk: Desk, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    forgotten(monkeypatch)
    order = await one_of(desk, kind)
    before = await bench.wallet()
    await desk.send(order)
    await bench.house.settle()
    await bench.out.cancel()
    outcome = await desk.settled(Waiting(order.order_id))
    assert isinstance(outcome, Declined)
    assert (outcome.code, await bench.wallet()) == ("CANCELED", before)


async def test_a_close_whose_position_is_gone_was_not_given_back(bench: AvantisBench, desk: Desk) -> None:
    """Its log is there and so is the history's word, and in between somebody took the position."""
    ref = (await desk.done(desk.opening())).ref
    order = desk.closing(ref)
    await desk.send(order)
    await bench.house.settle()
    await bench.out.liquidate("ETH", ref.trade_index)
    await bench.out.cancel()
    await bench.out.mine(5)
    assert "does not show it there" in await doubted(bench, order)


def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 2 logs cancellations in a shape that nobody has described."""
    monkeypatch.setattr(endings, "MARKET_OPEN_CANCELED", Event("NobodyKnows(uint256)"))
    monkeypatch.setattr("venue.avantis.registered.MARKET_OPEN_CANCELED", Event("NobodyKnows(uint256)"))
