"""The embedded exchange as a `PerpVenue`: what desks trade on when no real money is meant.

Every order takes the two steps: it is created with its collateral in escrow, and a keeper executes it. USDC (1e-6)
becomes clearinghouse money (1e-18) exactly on the way in; on the way out what is no whole micro-dollar stays in the
desk's wallet on the exchange. Execution fees are paid with native tokens from outside, as a desk's operator would.
"""

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Protocol, TypeVar

from venue.exchange import commands
from venue.exchange.commands import Refused
from venue.exchange.fixed import MICRO, WAD, down, toward_zero, up, wad
from venue.exchange.health import Exit, health, move_to_liquidation
from venue.exchange.ledger import wallet
from venue.exchange.machine import Command
from venue.exchange.paper_quotes import PaperCode, command_of, quote_of, terms_of
from venue.exchange.params import MarketParams
from venue.exchange.requests.commands import CreateOrder
from venue.exchange.state import Exchange, Fill, Market, Position, PositionStatus
from venue.perp import (
    Capabilities,
    CloseOrder,
    Declined,
    Ended,
    Filled,
    MarketTerms,
    OpenOrder,
    Order,
    OrderOutcome,
    PerpPosition,
    PositionRef,
    Profit,
    Quote,
    ReduceOrder,
    UnknownPnl,
    Usdc,
    Waiting,
)

T = TypeVar("T")


class Clearing(Protocol):
    """Whoever owns the exchange's state: decides commands durably, and lends the committed state for reading."""

    async def submit(self, command: Command) -> tuple[object, ...] | commands.Rejection: ...

    async def read(self, look: Callable[[Exchange], T]) -> T: ...


def everybody(exchange: Exchange) -> Collection[Position]:
    """All open positions: for who looks at an exchange once, or at another each time."""
    return exchange.open_positions.values()


class PaperVenue:
    """The `PerpVenue` over an embedded exchange; accounts with the `prefix` are the desks, all others stay hidden."""

    name = "exchange"
    capabilities = Capabilities(reduces=True, worst_price=True, max_positions=None, gas=False)

    def __init__(
        self,
        clearing: Clearing,
        min_notional: Usdc,
        prefix: str,
        now_ms: Callable[[], int],
        among: Callable[[Exchange], Iterable[Position]] = everybody,
    ) -> None:
        """`among`: the open positions that those of the desks are among."""
        self._clearing = clearing
        self._min_notional = min_notional
        self._prefix = prefix
        self._now_ms = now_ms
        self._views = PositionViews(prefix, among)

    async def markets(self) -> dict[str, MarketTerms]:
        return await self._clearing.read(lambda exchange: markets_of(exchange, self._min_notional))

    async def quote(self, order: Order) -> Quote | Declined:
        """By the exchange's own decisions on its committed state, so it is exact until something else is committed.

        An id that has been used is declined as a duplicate: sending it again would do nothing.
        """

        def look(exchange: Exchange) -> Quote | Declined:
            try:
                return quote_of(exchange, self._command(exchange, order))
            except Refused as refused:
                return Declined(order.order_id, refused.rejection.code, refused.rejection.detail)

        return await self._clearing.read(look)

    async def open(self, order: OpenOrder) -> OrderOutcome:
        return await self._send(order)

    async def reduce(self, order: ReduceOrder) -> OrderOutcome:
        """The share is of the position as it stands now, before anything else that still waits for a keeper."""
        return await self._send(order)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        """The whole position is what stands now: what an order that still waits adds to it afterwards stays."""
        return await self._send(order)

    async def _send(self, order: Order) -> OrderOutcome:
        """Creates the request, once: an id that is known already is answered with what has become of it."""

        def build(exchange: Exchange) -> CreateOrder | commands.Rejection:
            try:
                return self._command(exchange, order)
            except Refused as refused:
                return refused.rejection

        command = await self._clearing.read(build)
        answer = command if isinstance(command, commands.Rejection) else await self._clearing.submit(command)
        if not isinstance(answer, commands.Rejection):
            return Waiting(order.order_id)
        sent_before = await self.outcome(order.order_id)
        if isinstance(sent_before, Declined) and sent_before.code == PaperCode.NEVER_SENT:
            return Declined(order.order_id, answer.code, answer.detail)
        return sent_before

    def _command(self, exchange: Exchange, order: Order) -> CreateOrder:
        return command_of(exchange, order, self._prefix, self._min_notional, self._now_ms())

    async def outcome(self, order_id: str) -> OrderOutcome:
        """Known for certain either way: the request and what became of it are in the journal."""

        def look(exchange: Exchange) -> OrderOutcome:
            fill = exchange.fills.get(order_id)
            if fill is not None:
                return _filled(exchange, order_id, fill)
            book = exchange.requests
            key = book.by_client.get(order_id, "")
            if key in book.pending:
                return Waiting(order_id)
            ended = book.ended.get(key)
            if ended is not None:
                return Declined(order_id, ended.reason, ended.detail)
            if key:
                return Declined(order_id, "CANCELLED", "cancelled; the journal has the reason")
            return Declined(order_id, PaperCode.NEVER_SENT, "the exchange has no such order")

        return await self._clearing.read(look)

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        return await self._clearing.read(self._views.of)

    async def ended(self, ref: PositionRef) -> Ended | None:
        """For a liquidated position: what came back, taken out of the exchange wallet if it still lies there."""

        def look(exchange: Exchange) -> tuple[Position, int] | None:
            position = exchange.positions.get(ref.trade_index)
            if position is None or position.status is not PositionStatus.LIQUIDATED:
                return None
            return position, exchange.ledger[wallet(position.user_id)]

        found = await self._clearing.read(look)
        if found is None:
            return None
        position, free = found
        payout = down(position.end_payout, MICRO)
        if payout and free >= payout * MICRO:
            await self._clearing.submit(commands.Withdraw(position.user_id, payout * MICRO))
        return Ended(ref, payout)


def markets_of(exchange: Exchange, min_notional: Usdc) -> dict[str, MarketTerms]:
    """What may be traded, by symbol."""
    return {market.symbol: terms_of(exchange, market, min_notional) for market in exchange.markets.values()}


_Stand = tuple[int, int, int, int, int, int, int, MarketParams]


class PositionViews:
    """The open positions of the accounts with `prefix`, on one exchange. While nothing has moved under a position, its
    view is the same object."""

    def __init__(
        self,
        prefix: str,
        among: Callable[[Exchange], Iterable[Position]] = everybody,
    ) -> None:
        self._prefix = prefix
        self._among = among
        self._made: dict[int, tuple[_Stand, PerpPosition]] = {}

    def of(self, exchange: Exchange) -> dict[PositionRef, PerpPosition]:
        """As they are now."""
        self._made = {
            position.id: self._one(exchange, position)
            for position in self._among(exchange)
            if position.user_id.startswith(self._prefix)
        }
        return {view.ref: view for _, view in self._made.values()}

    def _one(self, exchange: Exchange, position: Position) -> tuple[_Stand, PerpPosition]:
        stand, was = _stand(exchange.markets[position.market], position), self._made.get(position.id)
        return was if was and was[0] == stand else (stand, _view(exchange, position, self._prefix))


def _stand(market: Market, position: Position) -> _Stand:
    """All that a view is made of and that can move."""
    return (
        position.base_size,
        position.entry_notional,
        position.margin,
        position.carry_snapshot,
        market.base_reserve,
        market.quote_reserve,
        market.cumulative_carry_index,
        market.params,
    )


def _view(exchange: Exchange, position: Position, prefix: str) -> PerpPosition:
    market = exchange.markets[position.market]
    notional = down(position.base_size * market.quote_reserve, market.base_reserve)
    stands = partial(
        PerpPosition,
        ref=_ref(exchange, position),
        account=position.user_id.removeprefix(prefix),
        collateral=down(position.margin, MICRO),
        notional=down(notional, MICRO),
        entry=position.entry_price,
        mark=market.mark,
    )
    try:
        state = health(market, position)
    except Refused as refused:
        return stands(
            leverage=down(notional * WAD, position.margin),
            pnl=UnknownPnl(f"{refused.rejection.code}: {refused.rejection.detail}"),
            liq_move=None,
            exit_price=None,
            exit_payout=None,
        )
    leaving = state.exit
    return stands(
        leverage=state.leverage,
        pnl=_profit(leaving),
        liq_move=move_to_liquidation(market, position, state),
        exit_price=leaving.price,
        exit_payout=max(0, down(leaving.equity, MICRO)),
    )


def _profit(leaving: Exit) -> Profit:
    """Each part rounded toward zero, so that neither gain nor loss is overstated; a close costs no fee.

    `net` is therefore within 2 micro-dollars of exit payout - collateral, for as long as the payout is above zero.
    """
    return Profit(price=toward_zero(leaving.pnl_trade, MICRO), carry=toward_zero(leaving.pnl_carry, MICRO))


def _ref(exchange: Exchange, position: Position) -> PositionRef:
    return PositionRef(position.market, position.is_long, list(exchange.markets).index(position.market), position.id)


def _filled(exchange: Exchange, order_id: str, fill: Fill) -> Filled:
    return Filled(
        order_id=order_id,
        ref=_ref(exchange, exchange.positions[fill.position_id]),
        price=fill.price,
        notional=down(fill.notional, MICRO),
        fee=up(fill.fee, MICRO),
        payout=down(fill.payout, MICRO),
    )


MIN_NOTIONAL: Usdc = down(wad(100), MICRO)
"""AVANTIS_MIN_NOTIONAL_USDC of the seed: collateral x leverage below this is refused by the venue's terms."""
