"""Orders of the live venue on a real chain, where keepers take their time and blocks do not last."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace

import pytest
import pytest_asyncio

from tests.chain.avantis_bench import AvantisBench, benched, reborn
from tests.chain.avantis_house import DEEP, staged
from tests.chain.avantis_servers import ETH
from tests.chain.node import Node
from tests.chain.stage import TRADER, Stage
from tests.venue.avantis.server import (
    BUILDER_POSITIONS,
    EMPTY_POSITIONS,
    PRICE,
    USER_DATA,
    Asked,
    Lie,
    Status,
    Told,
)
from tests.venue.perp.bench import USDC, Desk
from venue.avantis.addresses import AVANTIS
from venue.avantis.contracts import UPDATE_MARGIN
from venue.chain.call import Call
from venue.chain.machine import Readopt, Refusal
from venue.perp import WHOLE, Declined, Filled, Order, Resized, Waiting

SPREAD = 100_000_000


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[Stage, None, None]:
    with staged(session_node) as made:
        yield made


@pytest_asyncio.fixture
async def bench(stage: Stage) -> AsyncGenerator[AvantisBench, None]:
    async with benched(stage, SPREAD) as made:
        yield made


@pytest.fixture
def desk(bench: AvantisBench) -> Desk:
    return Desk(bench)


async def one_of(desk: Desk, kind: str) -> Order:
    """An order of a kind, after what it needs to stand on."""
    if kind == "open":
        return desk.opening()
    ref = (await desk.done(desk.opening())).ref
    if kind == "increase":
        return desk.growing(ref)
    return desk.reducing(ref) if kind == "reduce" else desk.closing(ref)


KINDS = pytest.mark.parametrize("kind", ["open", "increase", "reduce", "close"])


@KINDS
async def test_the_spread_is_in_the_quote_and_in_the_fill(bench: AvantisBench, desk: Desk, kind: str) -> None:
    order = await one_of(desk, kind)
    quote = await desk.quoted(order)
    fill = await desk.done(order)
    assert fill.price == quote.price != quote.mark
    assert abs(fill.fee - quote.fee) <= 1
    assert quote.payout <= fill.payout <= quote.payout + 2


async def test_a_life_of_a_position(bench: AvantisBench, desk: Desk) -> None:
    ref = (await desk.done(desk.opening(is_long=False))).ref
    await desk.done(desk.growing(ref))
    bench.out.move("ETH", 0.98)
    await desk.done(desk.reducing(ref, WHOLE // 2))
    await desk.done(desk.closing(ref))
    assert await bench.venue.positions() == {}
    assert await bench.wallet() == desk.received - desk.spent


@KINDS
async def test_an_order_waits_for_the_keeper_and_for_blocks_above(bench: AvantisBench, desk: Desk, kind: str) -> None:
    order = await one_of(desk, kind)
    waiting = Waiting(order.order_id)
    assert await desk.send(order) == waiting
    await bench.house.settle()
    await bench.out.mine(40)
    assert await bench.venue.outcome(order.order_id) == waiting
    await bench.out.execute()
    await bench.out.mine(DEEP - 1)
    assert await bench.venue.outcome(order.order_id) == waiting
    await bench.out.mine()
    assert isinstance(await bench.venue.outcome(order.order_id), Filled)


@KINDS
async def test_what_the_keeper_gives_back_is_declined_and_paid_back(bench: AvantisBench, desk: Desk, kind: str) -> None:
    order = await one_of(desk, kind)
    before = await bench.wallet(), await bench.venue.positions()
    await desk.send(order)
    await bench.house.settle()
    await bench.out.cancel()
    await bench.out.mine(DEEP - 1)
    assert await bench.venue.outcome(order.order_id) == Waiting(order.order_id)
    await bench.settle()
    outcome = await bench.venue.outcome(order.order_id)
    assert isinstance(outcome, Declined)
    assert outcome.code == "CANCELED"
    assert (await bench.wallet(), await bench.venue.positions()) == before


async def test_a_close_given_back_is_no_decline_while_the_history_is_down(bench: AvantisBench, desk: Desk) -> None:
    """Nothing but the history names what version 2 logs then; the next close goes through."""
    ref = (await desk.done(desk.opening())).ref
    order = desk.closing(ref)
    await desk.send(order)
    await bench.house.settle()
    await bench.out.cancel()
    bench.out.server.plan("/history/v2/market-order-initiated/status/{hash}", Status(500), forever=True)
    await bench.settle()
    assert await bench.venue.outcome(order.order_id) == Waiting(order.order_id)
    bench.out.server.heal()
    assert isinstance(await desk.settled(await bench.venue.outcome(order.order_id)), Declined)
    await desk.done(desk.closing(ref))


async def test_a_price_that_ran_away_has_the_order_given_back(bench: AvantisBench, desk: Desk) -> None:
    order = desk.opening()
    await desk.send(order)
    bench.out.move("ETH", 1.02)
    outcome = await desk.settled(Waiting(order.order_id))
    assert isinstance(outcome, Declined)
    assert outcome.code == "CANCELED"
    assert await bench.wallet() == 0


# Positions that end without us


async def test_a_liquidation_while_we_were_away_needs_two_sources(bench: AvantisBench, desk: Desk) -> None:
    ref = (await desk.done(desk.opening())).ref
    server = bench.out.server
    server.plan(USER_DATA, EMPTY_POSITIONS, forever=True)
    server.plan(BUILDER_POSITIONS, Lie(lambda _: {"ok": True, "data": {"trades": [], "orders": []}}), forever=True)
    await bench.settle()
    assert await bench.venue.ended(ref) is None
    assert list(await bench.venue.positions()) == [ref]
    server.heal()
    await bench.out.liquidate("ETH", ref.trade_index)
    server.plan(USER_DATA, Status(500), forever=True)
    server.plan(BUILDER_POSITIONS, Status(500), forever=True)
    async with reborn(bench) as later:
        assert await later.venue.ended(ref) is None
        server.heal()
        await later.settle()
        ended = await later.venue.ended(ref)
        assert ended is not None
        assert ended.payout == 0
        assert await later.wallet() == -100 * USDC


async def test_a_slot_used_again_belongs_to_the_desk_that_opened_last(bench: AvantisBench, desk: Desk) -> None:
    old = (await desk.done(desk.opening())).ref
    await bench.out.liquidate("ETH", old.trade_index)
    await bench.out.wait(30)
    other = Desk(bench, "desk-2")
    new = (await other.done(other.opening())).ref
    assert new == old
    held = await bench.venue.positions()
    assert [each.account for each in held.values()] == ["desk-2"]
    assert await bench.venue.ended(old) is None
    assert (await desk.refused(desk.closing(old))).code == "NO_POSITION"
    await other.done(other.closing(new))


async def test_a_position_that_somebody_else_has_changed_is_not_traded(bench: AvantisBench, desk: Desk) -> None:
    ref = (await desk.done(desk.opening())).ref
    await bench.out.wait(60)
    call = UPDATE_MARGIN.encode(ref.pair_index, ref.trade_index, 1, 20 * USDC, [b"price"], 1)
    await bench.out.stage.must(Call(AVANTIS.trading, call, 1), TRADER)
    await bench.house.watch.look()
    assert await bench.venue.ended(ref) is None, "one look is none"
    await bench.house.watch.look()
    with pytest.raises(Resized, match="is not what our orders left there"):
        await bench.venue.ended(ref)
    assert await bench.venue.positions() == {}
    assert (await desk.refused(desk.reducing(ref, WHOLE // 2))).code == "NO_POSITION"
    by_rule = replace(desk.closing(ref), by_rule=True)
    assert (await desk.refused(by_rule)).code == "NO_POSITION"


async def test_a_person_closes_what_somebody_else_has_changed_as_it_stands(bench: AvantisBench, desk: Desk) -> None:
    ref = (await desk.done(desk.opening())).ref
    await bench.out.wait(60)
    call = UPDATE_MARGIN.encode(ref.pair_index, ref.trade_index, 1, 20 * USDC, [b"price"], 1)
    await bench.out.stage.must(Call(AVANTIS.trading, call, 1), TRADER)
    await bench.house.watch.look()
    assert (await desk.refused(desk.closing(ref))).code == "NO_POSITION", "one look is none"
    await bench.settle()
    assert (await desk.refused(desk.closing(ref))).code == "KEY_SHARED", "whoever it was had our key"
    assert not isinstance(await bench.door.submit(Readopt(await bench.out.nonce(), "ops")), Refusal)
    await bench.settle()
    before = await bench.out.balance()
    filled = await desk.done(desk.closing(ref))
    assert filled.ref == ref
    assert await bench.out.balance() - before == filled.payout
    assert 75 * USDC < filled.payout < 80 * USDC, "what was left of 100"
    assert bench.house.watch.known.resized == {}


async def test_a_position_that_its_own_order_has_just_changed_is_still_there(bench: AvantisBench, desk: Desk) -> None:
    """The venue dates it anew in the keeper's block, long before the fill is believed and written down."""
    ref = (await desk.done(desk.opening())).ref
    await bench.out.wait(600)
    order = desk.growing(ref)
    await bench.house.watch.look()
    await desk.send(order)
    await bench.house.settle()
    await bench.out.execute()
    await bench.house.watch.look()
    assert (await desk.position(ref)).collateral > 100 * USDC
    assert await bench.venue.outcome(order.order_id) == Waiting(order.order_id)
    assert isinstance(await desk.settled(Waiting(order.order_id)), Filled)


async def test_two_sends_at_once_at_two_prices_are_one_order_and_no_decline(bench: AvantisBench, desk: Desk) -> None:
    prices = iter((2000, 2001))

    def moving(asked: Asked) -> Told:
        bench.out.world.price[ETH] = next(prices) * 10**10
        return bench.out.world.feed(asked)

    bench.out.server.route(PRICE, moving)
    order = desk.opening()
    outcomes = await asyncio.gather(desk.send(order), desk.send(order))
    assert set(outcomes) == {Waiting(order.order_id)}
    assert isinstance(await desk.settled(outcomes[0]), Filled)
    assert len(bench.out.reader.orders()) == 1
