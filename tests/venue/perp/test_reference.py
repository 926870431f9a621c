"""The reference venue itself: the same story for the same seed, faults that come right, every dollar counted."""

import random

import pytest

from tests.venue.perp.bench import USDC, WAD, Desk
from tests.venue.perp.reference import ReferenceVenue
from tests.venue.perp.reference_bench import ReferenceBench
from tests.venue.perp.reference_book import FOR_EVER, Faults, Rules
from venue.perp import Declined, Filled, Order, PositionRef, Profit, UnknownPnl, Unsettled, Waiting

EVERYTHING = Faults(lost_before=0.1, lost_after=0.2, declined=0.1, blind=0.02, close_only=0.02, slowest=4)


async def story(seed: int, acts: int) -> tuple[list[object], ReferenceVenue, int]:
    """Twelve desks that each have at most one order on the way; what they saw, and what they reckon they have got."""
    rng = random.Random(f"desks:{seed}")
    bench = ReferenceBench(Rules(carry_ppb=20_000), EVERYTHING, seed)
    venue = bench.venue
    desks = [Desk(bench, f"desk-{number}") for number in range(12)]
    asked: dict[str, Order] = {}
    seen: list[object] = []
    balance = 0
    for _ in range(acts):
        for market in venue.prices:
            await bench.move_price(market, rng.uniform(0.97, 1.03))
        venue.act()
        held = {position.account: ref for ref, position in (await venue.positions()).items()}
        for desk in desks:
            order = asked.get(desk.account)
            if order is None:
                asked[desk.account] = order = _wish(desk, held, rng)
                first = await desk.send(order)
                assert not isinstance(first, Filled)
                seen.append(first)
                continue
            outcome = await venue.outcome(order.order_id)
            if not isinstance(outcome, Waiting | Unsettled):
                seen.append(outcome)
                del asked[desk.account]
                if isinstance(outcome, Filled):
                    balance += outcome.payout - getattr(order, "collateral", 0)
    on_the_way = {order.order_id: order for order in asked.values()}
    for _ in range(100):
        venue.act()
    for order_id, order in on_the_way.items():
        outcome = await venue.outcome(order_id)
        assert isinstance(outcome, Filled | Declined)
        if isinstance(outcome, Filled):
            balance += outcome.payout - getattr(order, "collateral", 0)
    return seen, venue, balance


def _wish(desk: Desk, held: dict[str, PositionRef], rng: random.Random) -> Order:
    ref = held.get(desk.account)
    if ref is None:
        return desk.opening(rng.randint(5, 200) * USDC, 20 * WAD, is_long=rng.random() < 0.5)
    return rng.choice((desk.growing(ref), desk.reducing(ref), desk.closing(ref)))


@pytest.mark.parametrize("seed", range(3))
async def test_every_dollar_is_accounted_for_whatever_goes_wrong(seed: int) -> None:
    seen, venue, balance = await story(seed, 400)
    ended = venue.endings.values()
    assert len(ended) > 3
    assert venue.wallet == balance + sum(each.payout for each in ended)
    codes = {each.code for each in seen if isinstance(each, Declined)}
    assert {"NEVER_SENT", "GIVEN_BACK", "CLOSED", "NO_PRICE", "NO_POSITION"} <= codes
    assert {type(each) for each in seen} == {Declined, Filled, Unsettled, Waiting}


async def test_the_same_seed_tells_the_same_story() -> None:
    (first, _, money), (second, _, same), (other, _, _) = [await story(seed, 100) for seed in (5, 5, 6)]
    assert (first, money) == (second, same)
    assert first != other


async def test_an_answer_lost_before_its_effect_leaves_none() -> None:
    bench = ReferenceBench(faults=Faults(lost_before=1.0))
    desk = Desk(bench)
    order = desk.opening()
    assert await desk.send(order) == Unsettled(order.order_id)
    assert await bench.venue.outcome(order.order_id) == Unsettled(order.order_id)
    bench.venue.act()
    outcome = await bench.venue.outcome(order.order_id)
    assert isinstance(outcome, Declined)
    assert outcome.code == "NEVER_SENT"
    assert (await bench.venue.positions(), bench.venue.wallet) == ({}, 0)


async def test_an_answer_lost_after_its_effect_is_told_later() -> None:
    bench = ReferenceBench(faults=Faults(lost_after=1.0))
    desk = Desk(bench)
    order = desk.opening()
    assert await desk.send(order) == Unsettled(order.order_id)
    assert isinstance(await desk.settled(Unsettled(order.order_id)), Filled)
    assert bench.venue.wallet == -order.collateral


async def test_what_cannot_be_priced_waits_and_is_given_back_when_its_time_is_over() -> None:
    bench = ReferenceBench()
    desk = Desk(bench)
    ref = (await desk.done(desk.opening())).ref
    order = desk.growing(ref)
    assert await desk.send(order) == Waiting(order.order_id)
    await bench.blind("ETH")
    await bench.move_price("ETH", 0.5)
    for _ in range(bench.venue.rules.expiry_acts - 1):
        bench.venue.act()
        assert await bench.venue.outcome(order.order_id) == Waiting(order.order_id)
    bench.venue.act()
    outcome = await bench.venue.outcome(order.order_id)
    assert isinstance(outcome, Declined)
    assert outcome.code == "EXPIRED"
    assert bench.venue.wallet == -100 * USDC
    position = await desk.position(ref)
    assert (position.mark, type(position.pnl)) == (None, UnknownPnl)
    assert bench.venue.blind_until["ETH"] == FOR_EVER
    bench.venue.blind_until.clear()
    bench.venue.act()
    assert await bench.venue.ended(ref) is not None


async def test_a_loss_of_85_percent_ends_a_position_and_a_smaller_one_does_not() -> None:
    bench = ReferenceBench(Rules(fee_ppm=0))
    ref = (await Desk(bench).done(Desk(bench).opening(leverage=10 * WAD))).ref
    bench.venue.prices["ETH"] = 1_831 * WAD  # 8.45 % down, ten times
    bench.venue.act()
    assert await bench.venue.ended(ref) is None
    bench.venue.prices["ETH"] = 1_830 * WAD
    bench.venue.act()
    ended = await bench.venue.ended(ref)
    assert ended is not None
    assert ended.payout == 15 * USDC


async def test_carry_and_the_closing_fee_are_part_of_profit() -> None:
    bench = ReferenceBench(Rules(carry_ppb=1_000_000))
    desk = Desk(bench)
    ref = (await desk.done(desk.opening(leverage=10 * WAD))).ref
    for _ in range(3):
        bench.venue.act()
    position = await desk.position(ref)
    assert position.pnl == Profit(price=0, carry=-3 * USDC, closing_fee=800_000)
    assert position.exit_payout == position.collateral + position.pnl.net
