"""What only the embedded exchange promises: exact room and rounding, the same codes, and positions it cannot price."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.house import done, listed, settled
from tests.venue.exchange.market import LITERAL, SYMBOL, apply, exchange
from tests.venue.perp.bench import USDC, WAD, Desk
from tests.venue.perp.paper_bench import PaperBench
from venue.exchange import commands, machine
from venue.exchange.clearinghouse import open_position
from venue.exchange.commands import Refused, Rejection
from venue.exchange.fixed import MICRO, wad
from venue.exchange.health import exit_part
from venue.exchange.paper import MIN_NOTIONAL, PaperVenue
from venue.exchange.paper_quotes import command_of, terms_of
from venue.exchange.params import MarketParams
from venue.exchange.requests.commands import SwitchFeature
from venue.exchange.state import Exchange
from venue.perp import WHOLE, Declined, Filled, Order, PositionRef, ReduceOrder, UnknownPnl, Waiting

T = TypeVar("T")
TRADES = st.lists(
    st.tuples(st.booleans(), st.integers(1, 4_000), st.sampled_from([1, 5, 20]), st.integers(0, 3)), max_size=8
)
MARKETS = st.builds(
    lambda price, depth, lever, limited: MarketParams(
        initial_base=depth * WAD // price,
        initial_quote=depth,
        max_leverage=Fraction(lever),
        max_open_move=Fraction(1, lever) if limited else None,
    ),
    st.integers(WAD // 1_000, 100_000 * WAD),
    st.integers(2_000 * WAD, 10_000_000 * WAD),
    st.sampled_from([1, 3, 30]),
    st.booleans(),
)


class Lent:
    """An exchange in memory, as the venue knows whoever owns it."""

    def __init__(self, state: Exchange) -> None:
        self.state = state

    async def submit(self, command: machine.Command) -> tuple[object, ...] | Rejection:
        return apply(self.state, command)

    async def read(self, look: Callable[[Exchange], T]) -> T:
        return look(self.state)


def traded(params: MarketParams, trades: list[tuple[bool, int, int, int]]) -> Exchange:
    """A market after some desks have opened and closed what it let them, with blocks in between."""
    state = exchange(params)
    apply(state, commands.FundInsurance(wad(10_000_000)))
    for number, (is_long, collateral, leverage, then) in enumerate(trades):
        user, total = f"desk:{number}", collateral * WAD
        opening = commands.OpenPosition(
            user=user, market=SYMBOL, is_long=is_long, total=total, leverage=Fraction(leverage), deposit=total
        )
        apply(state, opening)
        if then == 1:
            apply(state, commands.AdvanceBlock(7))
        elif then and state.open_positions:
            oldest = next(iter(state.open_positions.values()))
            closing = commands.ClosePosition(user=oldest.user_id, position_id=oldest.id, part=Fraction(1, then - 1))
            apply(state, closing)
    return state


def accepts(state: Exchange, is_long: bool, notional: int, leverage: Fraction) -> bool:
    """Whether the clearinghouse opens an order of this notional (1e-6)."""
    total = int(notional * MICRO / leverage)
    order = commands.OpenPosition(
        user="new", market=SYMBOL, is_long=is_long, total=total, leverage=leverage, deposit=total
    )
    try:
        open_position(state, order)
    except Refused:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(MARKETS, TRADES, st.booleans(), st.integers(0, 100))
def test_every_notional_up_to_the_room_is_accepted_and_hardly_any_above(
    params: MarketParams, trades: list[tuple[bool, int, int, int]], is_long: bool, percent: int
) -> None:
    state = traded(params, trades)
    room = terms_of(state, state.markets[SYMBOL], MIN_NOTIONAL).max_notional(is_long)
    assert room is not None
    if not room:
        assert not accepts(state, is_long, MIN_NOTIONAL * 101 // 100, Fraction(1))
        return
    assert room >= MIN_NOTIONAL
    between = MIN_NOTIONAL + (room - MIN_NOTIONAL) * percent // 100
    for notional in (MIN_NOTIONAL, between, room):
        for leverage in (Fraction(1), params.max_leverage):
            assert accepts(state, is_long, notional, leverage)
    assert not accepts(state, is_long, room * 101 // 100, Fraction(1))


def test_there_is_no_room_while_the_curve_would_refuse_the_smallest_long() -> None:
    state = exchange(LITERAL)
    for user, is_long, per_mille in (("bull", True, 111), ("bear", False, 1002)):
        room = terms_of(state, state.markets[SYMBOL], MIN_NOTIONAL).max_notional(is_long) or 0
        total = room * MICRO * per_mille // 1000
        order = commands.OpenPosition(
            user=user, market=SYMBOL, is_long=is_long, total=total, leverage=Fraction(1), deposit=total
        )
        assert not isinstance(apply(state, order), Rejection)
    apply(state, commands.AdvanceBlock())
    assert not isinstance(apply(state, commands.LiquidatePosition("liquidator", 1)), Rejection)
    assert state.markets[SYMBOL].quote_reserve * 10 < LITERAL.initial_quote
    assert not accepts(state, True, MIN_NOTIONAL, Fraction(1))
    assert accepts(state, True, 7 * MIN_NOTIONAL, Fraction(1))
    terms = terms_of(state, state.markets[SYMBOL], MIN_NOTIONAL)
    assert (terms.max_notional_long, terms.max_notional_short) == (0, 0)


@settings(max_examples=100, deadline=None)
@given(MARKETS, TRADES)
def test_profit_is_the_exit_in_parts_rounded_toward_zero(
    params: MarketParams, trades: list[tuple[bool, int, int, int]]
) -> None:
    state = traded(params, trades)
    held = asyncio.run(PaperVenue(Lent(state), MIN_NOTIONAL, "desk:", lambda: 0).positions())
    assert len(held) == len(state.open_positions)
    for position in held.values():
        assert not isinstance(position.pnl, UnknownPnl)
        leaving = exit_part(state.markets[SYMBOL], state.open_positions[position.ref.trade_index])
        exact = Fraction(leaving.pnl_trade, MICRO), Fraction(leaving.pnl_carry, MICRO)
        assert (position.pnl.price, position.pnl.carry) == (int(exact[0]), int(exact[1]))
        assert position.pnl.closing_fee == 0
        if position.exit_payout:
            assert abs(position.pnl.net - (position.exit_payout - position.collateral)) <= 2


@settings(max_examples=300, deadline=None)
@given(st.integers(2, 10**24), st.integers(1, WHOLE - 1))
def test_a_reduction_is_the_size_nearest_to_its_share_and_never_nothing_or_all(whole: int, share: int) -> None:
    state = traded(MarketParams(), [(True, 100, 10, 0)])
    state.open_positions[1].entry_notional = whole
    order = ReduceOrder("r", "0", PositionRef(SYMBOL, True, 0, 1), share)
    size = command_of(state, order, "desk:", MIN_NOTIONAL, 0).size
    assert 0 < size < whole
    assert abs(Fraction(size, whole) - Fraction(share, WHOLE)) <= Fraction(1, 2 * whole) or size in (1, whole - 1)


def test_what_cannot_be_divided_is_not_reduced() -> None:
    state = traded(MarketParams(), [(True, 100, 10, 0)])
    state.open_positions[1].entry_notional = 1
    with pytest.raises(Refused, match="BAD_SHARE"):
        command_of(state, ReduceOrder("r", "0", PositionRef(SYMBOL, True, 0, 1), 1), "desk:", MIN_NOTIONAL, 0)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[PaperBench]:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "BTC", price="60000")
        await listed(settlement, "ETH", depth="100000")
        bench = PaperBench(settlement)
        await bench.insure()
        yield bench


async def alike(desk: Desk, order: Order) -> str:
    """The code that both the quote and the order end with."""
    quote = await desk.venue.quote(order)
    outcome = await desk.settled(await desk.send(order))
    assert isinstance(quote, Declined)
    assert isinstance(outcome, Declined)
    assert (quote.code, quote.detail) == (outcome.code, outcome.detail)
    return quote.code


async def test_a_quote_leaves_the_state_as_it_is_to_the_byte(bench: PaperBench) -> None:
    desk = Desk(bench)
    ref = (await desk.done(desk.opening())).ref
    orders: list[Order] = [desk.opening(), desk.growing(ref), desk.reducing(ref), desk.closing(ref)]
    refused: list[Order] = [desk.opening(leverage=99 * WAD), desk.reducing(ref, 0), desk.closing(ref, 10**30)]
    before = bench.settlement.seq, await bench.settlement.read(pickle.dumps)
    for order in orders + refused:
        assert isinstance(await bench.venue.quote(order), Declined) == (order in refused)
    assert (bench.settlement.seq, await bench.settlement.read(pickle.dumps)) == before


async def test_a_quote_has_the_code_the_order_ends_with(bench: PaperBench) -> None:
    desk = Desk(bench)
    assert await alike(desk, desk.opening(2_000 * USDC)) == "PRICE_MOVE_LIMIT"
    assert await alike(desk, desk.opening(20_000 * USDC, is_long=False)) == "POOL_EXHAUSTED"
    ref = (await desk.done(desk.opening(50 * USDC, 30 * WAD))).ref
    assert await alike(desk, desk.reducing(ref, WHOLE)) == "BAD_SHARE"
    assert await alike(desk, desk.closing(ref, 10**30)) == "OrderNotFulfillableAtAcceptablePrice"
    await bench.move_price("ETH", 0.97)
    assert await alike(desk, desk.growing(ref, 10 * USDC, 30 * WAD)) == "WOULD_BE_LIQUIDATABLE"
    assert await alike(desk, desk.reducing(ref)) == "WOULD_BE_LIQUIDATABLE"
    await bench.move_price("ETH", 0.96)
    assert await alike(desk, desk.closing(ref)) == "UNDERWATER"
    position = await desk.position(ref)
    assert position.exit_payout == 0
    assert position.pnl_available


@pytest.mark.parametrize("feature", ["create:MarketIncrease", "execute:MarketIncrease"])
async def test_a_market_does_not_open_while_increases_are_switched_off(bench: PaperBench, feature: str) -> None:
    assert (await bench.venue.markets())["ETH"].opens
    await done(bench.settlement, SwitchFeature(feature, False))
    assert not (await bench.venue.markets())["ETH"].opens
    quote = await bench.venue.quote(Desk(bench).opening())
    assert isinstance(quote, Declined)
    assert quote.code == "DisabledFeature"


async def test_an_id_that_is_known_is_answered_with_its_outcome_even_if_it_would_be_refused_now(
    bench: PaperBench,
) -> None:
    desk = Desk(bench)
    order = desk.opening()
    assert await desk.send(order) == Waiting(order.order_id)
    stricter = PaperVenue(bench.door, 10**6 * USDC, "desk:", lambda: 0)
    assert await stricter.open(order) == Waiting(order.order_id)
    fill = await desk.settled(Waiting(order.order_id))
    assert isinstance(fill, Filled)
    assert await stricter.open(order) == fill
    assert await bench.venue.reduce(ReduceOrder(order.order_id, desk.account, fill.ref, 0)) == fill
    again = await bench.venue.quote(order)
    assert isinstance(again, Declined)
    assert again.code == "DuplicateClientId"


async def test_one_position_without_a_price_does_not_hide_the_others(bench: PaperBench) -> None:
    desk = Desk(bench)
    short = await desk.done(desk.opening(is_long=False))
    long = await desk.done(desk.opening())
    elsewhere = await desk.done(desk.opening(market="BTC"))

    def starve(state: Exchange) -> None:
        """No order leads here: the curve keeps less base than the short has to buy back."""
        state.markets["ETH"].base_reserve = state.open_positions[short.ref.trade_index].base_size

    await bench.door.read(starve)
    held = await bench.venue.positions()
    unknown = held[short.ref]
    assert isinstance(unknown.pnl, UnknownPnl)
    assert "BASE_EXHAUSTED" in unknown.pnl.why
    assert not unknown.pnl_available
    assert (unknown.exit_price, unknown.exit_payout, unknown.liq_move) == (None, None, None)
    assert unknown.leverage > 0
    assert held[long.ref].pnl_available
    assert held[elsewhere.ref].pnl_available


async def test_what_a_reduction_lets_go_is_its_share_exactly(bench: PaperBench) -> None:
    desk = Desk(bench)
    ref = (await desk.done(desk.opening())).ref
    whole = await bench.door.read(lambda state: state.open_positions[1].entry_notional)
    await desk.done(desk.reducing(ref, 123_457))
    left = await bench.door.read(lambda state: state.open_positions[1].entry_notional)
    assert abs((whole - left) * WHOLE - whole * 123_457) <= WHOLE
