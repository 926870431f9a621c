"""The process dies at every point of an order's life; the next one, from the journals alone, leaves one effect."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from typing import Final

import pytest
import pytest_asyncio

from tests.chain.avantis_bench import AvantisBench, Mortal, benched, reborn
from tests.chain.avantis_house import DEEP, staged
from tests.chain.node import Node
from tests.chain.stage import Stage
from tests.chain.test_avantis_orders import KINDS, one_of
from tests.venue.chain.fake_chain import Crash
from tests.venue.perp.bench import Desk
from venue.chain.machine import RecordIncluded, RecordSigned, Reserve, Settle
from venue.perp import Declined, Filled, Order, Unsettled, Waiting

Death = Callable[[AvantisBench, Desk, Order], Awaitable[None]]


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[Stage, None, None]:
    with staged(session_node) as made:
        yield made


@pytest_asyncio.fixture
async def bench(stage: Stage) -> AsyncGenerator[AvantisBench, None]:
    async with benched(stage) as made:
        yield made


async def _dying(bench: AvantisBench, happening: Awaitable[object], *, before: type | None, after: type | None) -> None:
    assert isinstance(bench.door, Mortal)
    bench.door.dies_before, bench.door.dies_after = before, after
    with pytest.raises(Crash):
        await happening


async def before_reserve(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await _dying(bench, desk.send(order), before=Reserve, after=None)


async def after_reserve(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await _dying(bench, desk.send(order), before=None, after=Reserve)


async def before_signed(bench: AvantisBench, desk: Desk, order: Order) -> None:
    """The bytes are lost: nothing was sent that is not written down."""
    await _dying(bench, desk.send(order), before=RecordSigned, after=None)


async def after_signed(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await _dying(bench, desk.send(order), before=None, after=RecordSigned)


async def after_broadcast(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await desk.send(order)


async def after_broadcast_and_lost(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await desk.send(order)
    await bench.out.node.rpc("anvil_dropAllTransactions")


async def after_inclusion(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await desk.send(order)
    await bench.out.mine()


async def after_inclusion_was_written(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await desk.send(order)
    await bench.out.mine()
    await _dying(bench, bench.house.sender.pass_once(), before=None, after=RecordIncluded)


async def before_it_was_settled(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await desk.send(order)
    await _dying(bench, bench.house.settle(), before=Settle, after=None)


async def after_it_was_settled(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await desk.send(order)
    await bench.house.settle()


async def after_execution(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await desk.send(order)
    await bench.out.mine()
    await bench.out.execute()


async def after_execution_was_deep(bench: AvantisBench, desk: Desk, order: Order) -> None:
    await after_it_was_settled(bench, desk, order)
    await bench.out.execute()
    await bench.out.mine(DEEP)


NO_EFFECT: Final[Mapping[Death, str]] = {
    before_reserve: "NEVER_SENT",
    after_reserve: "GIVEN_UP",
    before_signed: "GIVEN_UP",
}
ONE_EFFECT: Final[tuple[Death, ...]] = (
    after_signed,
    after_broadcast,
    after_broadcast_and_lost,
    after_inclusion,
    after_inclusion_was_written,
    before_it_was_settled,
    after_it_was_settled,
    after_execution,
    after_execution_was_deep,
)


@KINDS
@pytest.mark.parametrize("death", NO_EFFECT, ids=lambda death: death.__name__)
async def test_what_was_never_written_down_signed_never_happens(bench: AvantisBench, kind: str, death: Death) -> None:
    desk = Desk(bench)
    order = await one_of(desk, kind)
    money, orders = await bench.wallet(), len(bench.out.reader.orders())
    held = list(await bench.venue.positions())
    await death(bench, desk, order)
    async with reborn(bench) as later:
        first = await later.venue.outcome(order.order_id)
        outcome = await Desk(later).settled(first)
        assert isinstance(outcome, Declined)
        assert outcome.code == NO_EFFECT[death]
        assert (await later.wallet(), len(later.out.reader.orders())) == (money, orders)
        assert list(await later.venue.positions()) == held
        # Nothing is in the way of what comes next.
        again = await Desk(later).settled(await Desk(later).send(order))
        assert isinstance(again, Filled if outcome.code == "NEVER_SENT" else Declined)
        await Desk(later, "next").done(Desk(later, "next").opening())


@KINDS
@pytest.mark.parametrize("death", ONE_EFFECT, ids=lambda death: death.__name__)
async def test_what_was_written_down_signed_happens_once(bench: AvantisBench, kind: str, death: Death) -> None:
    desk = Desk(bench)
    order = await one_of(desk, kind)
    money, orders = await bench.wallet(), len(bench.out.reader.orders())
    await death(bench, desk, order)
    async with reborn(bench) as later:
        first = await Desk(later).send(order)
        assert isinstance(first, Waiting | Unsettled | Filled)
        fill = await Desk(later).settled(first)
        assert isinstance(fill, Filled)
        assert await Desk(later).settled(await Desk(later).send(order)) == fill
        await later.keep()
        assert money is not None
        assert await later.wallet() == money - getattr(order, "collateral", 0) + fill.payout
        assert len(later.out.reader.orders()) == orders + 1
        assert list(await later.venue.positions()) == ([] if kind == "close" else [fill.ref])
