"""What every `PerpVenue` must do with what cannot be filled, and with positions that end or cannot be priced."""

from dataclasses import replace

import pytest

from tests.venue.perp.bench import USDC, WAD, Bench, Desk
from tests.venue.perp.contract import SIDES
from venue.perp import WHOLE, Declined, Filled, Order, UnknownPnl


async def refused_alike(desk: Desk, order: Order) -> None:
    """An order that must be declined, with the code its quote has told before."""
    quote = await desk.venue.quote(order)
    assert isinstance(quote, Declined), quote
    assert quote.order_id == order.order_id
    assert (await desk.refused(order)).code == quote.code


class EdgeContract:
    """Refusals, endings and blindness."""

    @pytest.mark.parametrize("share", [0, WHOLE, WHOLE + 1, -1, 3 * WHOLE])
    async def test_a_share_that_is_no_part_is_declined(self, bench: Bench, share: int) -> None:
        desk = Desk(bench)
        opened = await desk.done(desk.opening())
        await refused_alike(desk, desk.reducing(opened.ref, share))

    @SIDES
    async def test_a_worst_price_nobody_meets_leaves_the_position(self, bench: Bench, is_long: bool) -> None:
        desk = Desk(bench)
        opened = await desk.done(desk.opening(is_long=is_long))
        unmet = opened.price * 2 if is_long else opened.price // 2
        await refused_alike(desk, desk.closing(opened.ref, unmet))
        await refused_alike(desk, desk.reducing(opened.ref, worst=unmet))

    @SIDES
    async def test_a_worst_price_that_is_met_closes(self, bench: Bench, is_long: bool) -> None:
        if not bench.venue.capabilities.worst_price:
            pytest.skip("orders of this venue carry no worst price")
        desk = Desk(bench)
        opened = await desk.done(desk.opening(is_long=is_long))
        quote = await desk.quoted(desk.closing(opened.ref))
        missed = quote.price + 1 if is_long else quote.price - 1
        await refused_alike(desk, desk.closing(opened.ref, missed))
        await desk.done(desk.closing(opened.ref, quote.price))

    async def test_an_open_below_the_least_notional_is_declined(self, bench: Bench) -> None:
        desk = Desk(bench)
        least = (await bench.venue.markets())[bench.market].min_notional
        await refused_alike(desk, desk.opening(least // 10 - 1))
        await refused_alike(desk, desk.opening(0))
        await refused_alike(desk, desk.opening(-least, -10 * WAD))
        await desk.done(desk.opening(-(-least // 10)))

    async def test_leverage_above_the_cap_is_declined(self, bench: Bench) -> None:
        desk = Desk(bench)
        cap = (await bench.venue.markets())[bench.market].max_leverage
        await refused_alike(desk, desk.opening(leverage=cap + WAD))
        await desk.done(desk.opening(leverage=cap))

    async def test_markets_and_positions_that_are_not_there(self, bench: Bench) -> None:
        desk = Desk(bench)
        await refused_alike(desk, desk.opening(market="NO-SUCH-MARKET"))
        opened = await desk.done(desk.opening())
        for ref in (
            replace(opened.ref, trade_index=opened.ref.trade_index + 1_000),
            replace(opened.ref, is_long=False),
            replace(opened.ref, market=bench.other_market),
        ):
            await refused_alike(desk, desk.growing(ref))
            await refused_alike(desk, desk.reducing(ref))
            await refused_alike(desk, desk.closing(ref))
            assert await bench.venue.ended(ref) is None

    async def test_what_is_somebody_elses_is_left_alone(self, bench: Bench) -> None:
        opened = await Desk(bench).done(Desk(bench).opening())
        thief = Desk(bench, "desk-2")
        await refused_alike(thief, thief.growing(opened.ref))
        await refused_alike(thief, thief.reducing(opened.ref))
        await refused_alike(thief, thief.closing(opened.ref))

    async def test_a_position_can_be_left_once(self, bench: Bench) -> None:
        desk = Desk(bench)
        opened = await desk.done(desk.opening())
        await desk.done(desk.closing(opened.ref))
        await refused_alike(desk, desk.closing(opened.ref))
        await refused_alike(desk, desk.growing(opened.ref))

    async def test_an_order_never_sent_has_no_effect(self, bench: Bench) -> None:
        outcome = await bench.venue.outcome("never-sent")
        assert isinstance(outcome, Declined)
        assert outcome.order_id == "never-sent"
        assert outcome.code == "NEVER_SENT"

    @SIDES
    async def test_the_room_a_market_tells_is_there(self, bench: Bench, is_long: bool) -> None:
        desk = Desk(bench)
        terms = (await bench.venue.markets())[bench.market]
        room = terms.max_notional(is_long)
        if room is None:
            pytest.skip("no limit known")
        assert room >= terms.min_notional
        order = desk.opening(room * WAD // terms.max_leverage, terms.max_leverage, is_long=is_long)
        await desk.quoted(order)
        await desk.done(order)

    @SIDES
    async def test_a_liquidated_position_has_ended(self, bench: Bench, is_long: bool) -> None:
        desk = Desk(bench)
        opened = await desk.done(desk.opening(is_long=is_long))
        assert await bench.venue.ended(opened.ref) is None
        await bench.liquidate(opened.ref)
        assert await bench.venue.positions() == {}
        ended = await bench.venue.ended(opened.ref)
        assert ended is not None
        assert ended.ref == opened.ref
        assert 0 <= ended.payout < 100 * USDC
        await desk.refused(desk.closing(opened.ref))
        assert await bench.venue.ended(opened.ref) == ended

    async def test_an_order_on_a_position_that_is_liquidated_first_is_declined(self, bench: Bench) -> None:
        desk = Desk(bench)
        opened = await desk.done(desk.opening())
        await bench.move_price(bench.market, 0.99)
        order = desk.growing(opened.ref)
        before = await bench.wallet()
        first = await desk.send(order)
        if isinstance(first, Filled):
            pytest.skip("this venue acts at once")
        await bench.liquidate(opened.ref)
        outcome = await desk.settled(first)
        ended = await bench.venue.ended(opened.ref)
        assert ended is not None
        if isinstance(outcome, Declined) and before is not None:
            assert await bench.wallet() == before + ended.payout

    async def test_most_positions_per_market_and_wallet(self, bench: Bench) -> None:
        most = bench.venue.capabilities.max_positions
        if most is None:
            pytest.skip("no limit")
        desk = Desk(bench)
        refs = [(await desk.done(desk.opening())).ref for _ in range(most)]
        await refused_alike(desk, desk.opening())
        await desk.done(desk.growing(refs[0]))
        await desk.done(desk.opening(market=bench.other_market))
        await desk.done(desk.closing(refs[0]))
        await desk.done(desk.opening())

    async def test_a_closed_market_can_only_be_left(self, bench: Bench) -> None:
        desk = Desk(bench)
        opened = await desk.done(desk.opening())
        if not await bench.close_market(bench.market):
            pytest.skip("markets of this venue never close")
        markets = await bench.venue.markets()
        assert not markets[bench.market].opens
        await refused_alike(desk, desk.opening())
        await refused_alike(desk, desk.growing(opened.ref))
        await desk.done(desk.closing(opened.ref))

    async def test_unknown_profit_is_no_number_and_hides_no_other_position(self, bench: Bench) -> None:
        desk = Desk(bench)
        unseen = (await desk.done(desk.opening())).ref
        seen = (await desk.done(desk.opening(market=bench.other_market))).ref
        if not await bench.blind(bench.market):
            pytest.skip("this venue can always tell")
        position = await desk.position(unseen)
        assert isinstance(position.pnl, UnknownPnl)
        assert position.pnl.why
        assert not position.pnl_available
        assert (position.exit_price, position.exit_payout, position.liq_move) == (None, None, None)
        assert position.collateral > 0
        assert (await desk.position(seen)).pnl_available
        assert await bench.venue.ended(unseen) is None
