"""What every `PerpVenue` must do with orders that can be filled: subclass with a `bench` fixture to try one."""

import pytest

from tests.venue.perp.bench import USDC, WAD, Bench, Desk
from venue.perp import WHOLE, Declined, Filled, Order, PerpPosition, PositionRef, Profit, Unsettled, Waiting

SIDES = pytest.mark.parametrize("is_long", [True, False], ids=["long", "short"])
KINDS = pytest.mark.parametrize("kind", ["open", "increase", "reduce", "close"])


async def order_of(desk: Desk, kind: str, is_long: bool = True) -> Order:
    """An order of this kind that can be filled, after whatever it needs to stand on; skips what the venue cannot."""
    if kind == "open":
        return desk.opening(is_long=is_long)
    if kind == "reduce" and not desk.venue.capabilities.reduces:
        pytest.skip("this venue closes whole positions only")
    ref = (await desk.done(desk.opening(is_long=is_long))).ref
    if kind == "increase":
        return desk.growing(ref)
    return desk.reducing(ref) if kind == "reduce" else desk.closing(ref)


def close_to(value: int, wanted: int, ppm: int) -> bool:
    """Whether two amounts differ by no more than so many millionths, or two micro-dollars."""
    return abs(value - wanted) <= max(2, abs(wanted) * ppm // 10**6)


class FillContract:
    """Terms, quotes, fills and what they leave."""

    dust = 0
    """Micro-dollars by which fees and payouts may differ from their quote: a live venue rounds as it likes."""

    async def test_terms_are_sane(self, bench: Bench) -> None:
        markets = await bench.venue.markets()
        assert {bench.market, bench.other_market} <= set(markets)
        for symbol, terms in markets.items():
            assert terms.symbol == symbol
            assert terms.max_leverage >= WAD
            assert terms.min_notional > 0
            assert terms.max_notional(True) == terms.max_notional_long
            assert terms.max_notional(False) == terms.max_notional_short
            assert all(room is None or room >= 0 for room in (terms.max_notional_long, terms.max_notional_short))
        assert markets[bench.market].opens
        assert bench.venue.name

    @KINDS
    async def test_a_quote_changes_nothing(self, bench: Bench, kind: str) -> None:
        desk = Desk(bench)
        order = await order_of(desk, kind)
        before = await bench.fingerprint()
        assert await desk.quoted(order) == await desk.quoted(order)
        assert await bench.fingerprint() == before
        assert isinstance(await bench.venue.outcome(order.order_id), Declined)

    @KINDS
    @SIDES
    async def test_a_fill_is_what_was_quoted_when_nothing_moved(self, bench: Bench, kind: str, is_long: bool) -> None:
        desk = Desk(bench)
        order = await order_of(desk, kind, is_long)
        quote = await desk.quoted(order)
        fill = await desk.done(order)
        assert (fill.price, fill.notional) == (quote.price, quote.notional)
        assert abs(fill.fee - quote.fee) <= self.dust
        assert abs(fill.payout - quote.payout) <= self.dust
        assert close_to(quote.price, quote.mark, 50_000)
        assert fill.fee >= 0
        assert (fill.payout > 0) == (kind in ("reduce", "close"))

    @SIDES
    async def test_an_open_waits_or_is_filled_and_then_stays_filled(self, bench: Bench, is_long: bool) -> None:
        desk = Desk(bench)
        order = desk.opening(is_long=is_long)
        first = await desk.send(order)
        assert isinstance(first, Waiting | Filled | Unsettled)
        assert first.order_id == order.order_id
        fill = await desk.settled(first)
        assert isinstance(fill, Filled)
        assert fill.order_id == order.order_id
        assert (fill.ref.market, fill.ref.is_long) == (bench.market, is_long)
        position = await desk.position(fill.ref)
        assert (position.ref, position.account) == (fill.ref, desk.account)
        assert 0 < position.collateral <= order.collateral
        assert close_to(position.entry, fill.price, 1)
        await bench.move_price(bench.market, 1.01 if is_long else 0.99)
        await bench.keep()
        assert await bench.venue.outcome(order.order_id) == fill
        await desk.done(desk.closing(fill.ref))
        assert await bench.venue.outcome(order.order_id) == fill

    @KINDS
    @pytest.mark.parametrize("acted", [False, True], ids=["at once", "after it was filled"])
    async def test_an_order_sent_twice_has_one_effect(self, bench: Bench, kind: str, acted: bool) -> None:
        desk = Desk(bench)
        order = await order_of(desk, kind)
        spent = await bench.wallet()
        first = await desk.send(order)
        fill = await desk.settled(first) if acted else None
        again = await desk.settled(await desk.send(order))
        assert isinstance(again, Filled)
        assert fill in (None, again)
        await bench.keep()
        assert await bench.venue.outcome(order.order_id) == again
        refs = list(await bench.venue.positions())
        assert refs == ([] if kind == "close" else [again.ref])
        if spent is not None:
            collateral = getattr(order, "collateral", 0)
            assert await bench.wallet() == spent - collateral + again.payout

    @SIDES
    async def test_an_increase_grows_the_same_position(self, bench: Bench, is_long: bool) -> None:
        desk = Desk(bench)
        opened = await desk.done(desk.opening(is_long=is_long))
        before = await desk.position(opened.ref)
        grown = await desk.done(desk.growing(opened.ref))
        assert grown.ref == opened.ref
        assert grown.payout == 0
        assert list(await bench.venue.positions()) == [opened.ref]
        after = await desk.position(opened.ref)
        assert before.collateral < after.collateral <= before.collateral + 50 * USDC
        assert close_to(after.notional, before.notional + grown.notional, 10_000)

    @SIDES
    @pytest.mark.parametrize("share", [WHOLE // 4, WHOLE // 3, WHOLE - 1])
    async def test_a_reduction_pays_its_share_and_leaves_the_rest(
        self, bench: Bench, is_long: bool, share: int
    ) -> None:
        desk = Desk(bench)
        opened = await desk.done(desk.opening(1_000 * USDC, is_long=is_long))
        before = await desk.position(opened.ref)
        if not bench.venue.capabilities.reduces:
            await desk.refused(desk.reducing(opened.ref, share))
            return
        reduced = await desk.done(desk.reducing(opened.ref, share))
        assert reduced.ref == opened.ref
        assert reduced.payout > 0
        after = await desk.position(opened.ref)
        assert after.ref.is_long is is_long
        left = WHOLE - share
        assert close_to(after.collateral, before.collateral * left // WHOLE, 1)
        assert close_to(after.notional, before.notional * left // WHOLE, 10_000)
        assert close_to(reduced.notional, before.notional * share // WHOLE, 10_000)
        assert close_to(after.leverage, before.leverage, 30_000)

    @SIDES
    @pytest.mark.parametrize("factor", [1.0, 1.015, 0.985])
    async def test_a_close_pays_what_the_position_said(self, bench: Bench, is_long: bool, factor: float) -> None:
        desk = Desk(bench)
        opened = await desk.done(desk.opening(is_long=is_long))
        if factor != 1:
            await bench.move_price(bench.market, factor)
        position = await desk.position(opened.ref)
        self._is_consistent(position)
        if factor != 1:
            assert (_net(position) > 0) == ((factor > 1) == is_long)
        closed = await desk.done(desk.closing(opened.ref))
        assert closed.ref == opened.ref
        assert closed.payout > 0
        assert position.exit_payout is not None
        assert close_to(closed.payout, position.exit_payout, 100)
        assert close_to(closed.payout, position.collateral + _net(position), 100)
        assert await bench.venue.positions() == {}
        assert await bench.venue.ended(opened.ref) is None

    async def test_no_money_is_made_or_lost_on_the_way(self, bench: Bench) -> None:
        if await bench.wallet() is None:
            pytest.skip("this bench cannot tell")
        desk, short = Desk(bench), Desk(bench, "desk-2")
        opened = await desk.done(desk.opening())
        other = await short.done(short.opening(is_long=False, market=bench.other_market))
        await desk.done(desk.growing(opened.ref))
        if bench.venue.capabilities.reduces:
            await desk.done(desk.reducing(opened.ref, WHOLE // 3))
        await desk.refused(desk.opening(leverage=10**6 * WAD))
        assert await bench.wallet() == desk.received + short.received - desk.spent - short.spent
        await bench.liquidate(other.ref)
        ended = await bench.venue.ended(other.ref)
        assert ended is not None
        assert await bench.venue.ended(other.ref) == ended
        await desk.done(desk.closing(opened.ref))
        assert await bench.wallet() == desk.received + ended.payout - desk.spent - short.spent

    async def test_every_desk_has_its_own_and_nobody_else_is_shown(self, bench: Bench) -> None:
        await bench.strangers()
        assert await bench.venue.positions() == {}
        desks = [Desk(bench, f"desk-{number}") for number in (1, 2)]
        markets = [bench.market, bench.other_market]
        refs: dict[str, PositionRef] = {}
        for desk, market in zip(desks, markets, strict=True):
            refs[desk.account] = (await desk.done(desk.opening(market=market))).ref
        held = await bench.venue.positions()
        assert {position.account: ref for ref, position in held.items()} == refs
        await desks[0].refused(desks[0].closing(refs["desk-2"]))
        for ref, position in held.items():
            assert position.ref == ref
            self._is_consistent(position)

    @staticmethod
    def _is_consistent(position: PerpPosition) -> None:
        assert position.pnl_available
        assert position.mark is not None
        assert position.exit_price is not None
        assert position.exit_payout is not None
        assert position.liq_move is not None
        assert 0 < position.liq_move <= 1
        assert close_to(position.exit_payout, position.collateral + _net(position), 0)
        assert close_to(position.leverage * position.collateral // WAD, position.notional, 10)


def _net(position: PerpPosition) -> int:
    assert isinstance(position.pnl, Profit)
    return position.pnl.net
