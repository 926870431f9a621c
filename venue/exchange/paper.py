"""The embedded exchange as a `PerpVenue`: what desks trade on when no real money is meant.

Every order takes the two steps: it is created with its collateral in escrow, and a keeper executes it. USDC (1e-6)
becomes clearinghouse money (1e-18) exactly on the way in; on the way out what is no whole micro-dollar stays in the
desk's wallet on the exchange. Execution fees are paid with native tokens from outside, as a desk's operator would.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from venue.exchange import commands
from venue.exchange.fixed import WAD, down, toward_zero, up, wad
from venue.exchange.health import health, move_to_liquidation
from venue.exchange.ledger import wallet
from venue.exchange.machine import Command
from venue.exchange.requests.commands import CreateOrder
from venue.exchange.requests.request import OrderType
from venue.exchange.requests.work import least_fee
from venue.exchange.state import Exchange, Fill, Position, PositionStatus
from venue.perp import (
    CloseOrder,
    Declined,
    Ended,
    Filled,
    MarketTerms,
    OpenOrder,
    OrderOutcome,
    PerpPosition,
    PositionRef,
    Usdc,
    Waiting,
)

MICRO = 10**12
"""One micro-dollar in 1e-18 units."""
T = TypeVar("T")


class Clearing(Protocol):
    """Whoever owns the exchange's state: decides commands durably, and lends the committed state for reading."""

    async def submit(self, command: Command) -> tuple[object, ...] | commands.Rejection: ...

    async def read(self, look: Callable[[Exchange], T]) -> T: ...


class PaperVenue:
    """The `PerpVenue` over an embedded exchange; accounts with the `prefix` are the desks, all others stay hidden."""

    name = "exchange"

    def __init__(self, clearing: Clearing, min_notional: Usdc, prefix: str, now_ms: Callable[[], int]) -> None:
        self._clearing = clearing
        self._min_notional = min_notional
        self._prefix = prefix
        self._now_ms = now_ms

    async def markets(self) -> dict[str, MarketTerms]:
        return await self._clearing.read(
            lambda exchange: {
                market.symbol: MarketTerms(market.symbol, int(market.params.max_leverage * WAD), self._min_notional)
                for market in exchange.markets.values()
            }
        )

    async def open(self, order: OpenOrder) -> OrderOutcome:
        notional = order.collateral * order.leverage
        if notional < self._min_notional * WAD:
            return Declined(order.order_id, "BELOW_MIN_NOTIONAL", "collateral x leverage is below the venue's minimum")
        return await self._create(
            order.order_id,
            order.account,
            OrderType.MARKET_INCREASE,
            order.market,
            order.is_long,
            collateral=order.collateral * MICRO,
            size=down(notional * MICRO, WAD),
            position_id=order.increase.trade_index if order.increase else 0,
        )

    async def close(self, order: CloseOrder) -> OrderOutcome:
        number = order.ref.trade_index
        position = await self._clearing.read(lambda exchange: exchange.open_positions.get(number))
        return await self._create(
            order.order_id,
            order.account,
            OrderType.MARKET_DECREASE,
            order.ref.market,
            order.ref.is_long,
            collateral=0,
            size=position.entry_notional if position else 1,
            position_id=number,
            worst_price=order.worst_price,
        )

    async def _create(
        self,
        order_id: str,
        account: str,
        kind: OrderType,
        market: str,
        is_long: bool,
        collateral: int,
        size: int,
        position_id: int,
        worst_price: int | None = None,
    ) -> OrderOutcome:
        table = await self._clearing.read(lambda exchange: exchange.requests.rules.work)
        fee = least_fee(table, kind, 0)
        command = CreateOrder(
            account=self._prefix + account,
            receiver=self._prefix + account,
            execution_fee=fee,
            native_sent=fee,
            client_id=order_id,
            from_outside=True,
            now_ms=self._now_ms(),
            type=kind,
            market=market,
            is_long=is_long,
            collateral_token="",
            collateral=collateral,
            size=size,
            acceptable_price=worst_price,
            position_id=position_id,
            withdraw_unit=MICRO if kind.is_decrease else 0,
        )
        answer = await self._clearing.submit(command)
        if isinstance(answer, commands.Rejection):
            sent_before = await self.outcome(order_id)
            if isinstance(sent_before, Declined) and sent_before.code == NEVER_SENT:
                return Declined(order_id, answer.code, answer.detail)
            return sent_before
        return Waiting(order_id)

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
            return Declined(order_id, NEVER_SENT, "the exchange has no such order")

        return await self._clearing.read(look)

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        def look(exchange: Exchange) -> dict[PositionRef, PerpPosition]:
            views = (
                self._view(exchange, position)
                for position in exchange.open_positions.values()
                if position.user_id.startswith(self._prefix)
            )
            return {view.ref: view for view in views}

        return await self._clearing.read(look)

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
        payout = down(position.payout, MICRO)
        if payout and free >= payout * MICRO:
            await self._clearing.submit(commands.Withdraw(position.user_id, payout * MICRO))
        return Ended(ref, payout)

    def _view(self, exchange: Exchange, position: Position) -> PerpPosition:
        market = exchange.markets[position.market]
        state = health(market, position)
        leaving = state.exit
        return PerpPosition(
            ref=_ref(exchange, position),
            account=position.user_id.removeprefix(self._prefix),
            collateral=down(position.margin, MICRO),
            notional=down(down(position.base_size * market.quote_reserve, market.base_reserve), MICRO),
            leverage=state.leverage,
            entry=position.entry_price,
            mark=market.mark,
            pnl=toward_zero(leaving.pnl_trade + leaving.pnl_carry, MICRO),
            pnl_price=toward_zero(leaving.pnl_trade, MICRO),
            pnl_carry=toward_zero(leaving.pnl_carry, MICRO),
            liq_move=move_to_liquidation(market, position, state),
            exit_price=leaving.price,
            exit_payout=max(0, down(leaving.equity, MICRO)),
        )


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


NEVER_SENT = "NEVER_SENT"
MIN_NOTIONAL: Usdc = down(wad(100), MICRO)
"""AVANTIS_MIN_NOTIONAL_USDC of the seed: collateral x leverage below this is refused by the venue's terms."""
