"""The embedded exchange as a `PerpVenue`: what desks trade on when no real money is meant.

USDC (1e-6) becomes clearinghouse money (1e-18) exactly on the way in; on the way out what is no whole micro-dollar
stays in the desk's wallet on the exchange.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Protocol, TypeVar

from venue.exchange import commands
from venue.exchange.fixed import WAD, down, toward_zero, up, wad
from venue.exchange.health import health, move_to_liquidation
from venue.exchange.ledger import wallet
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
)

MICRO = 10**12
"""One micro-dollar in 1e-18 units."""
T = TypeVar("T")


class Clearing(Protocol):
    """Whoever owns the exchange's state: decides commands durably, and lends the committed state for reading."""

    async def submit(self, command: commands.Command) -> tuple[object, ...] | commands.Rejection: ...

    async def read(self, look: Callable[[Exchange], T]) -> T: ...


class PaperVenue:
    """The `PerpVenue` over an embedded exchange; `accounts` are the desks, everybody else's positions stay hidden."""

    name = "exchange"

    def __init__(self, clearing: Clearing, min_notional: Usdc, prefix: str) -> None:
        self._clearing = clearing
        self._min_notional = min_notional
        self._prefix = prefix

    async def markets(self) -> dict[str, MarketTerms]:
        return await self._clearing.read(
            lambda exchange: {
                market.symbol: MarketTerms(market.symbol, int(market.params.max_leverage * WAD), self._min_notional)
                for market in exchange.markets.values()
            }
        )

    async def open(self, order: OpenOrder) -> OrderOutcome:
        if order.collateral * order.leverage < self._min_notional * WAD:
            return Declined(order.order_id, "BELOW_MIN_NOTIONAL", "collateral x leverage is below the venue's minimum")
        amount = order.collateral * MICRO
        command: commands.Command
        if order.increase is None:
            command = commands.OpenPosition(
                user=self._prefix + order.account,
                market=order.market,
                is_long=order.is_long,
                total=amount,
                leverage=Fraction(order.leverage, WAD),
                deposit=amount,
                order_id=order.order_id,
            )
        else:
            command = commands.IncreasePosition(
                user=self._prefix + order.account,
                position_id=order.increase.trade_index,
                total=amount,
                leverage=Fraction(order.leverage, WAD),
                deposit=amount,
                order_id=order.order_id,
            )
        return await self._send(command, order.order_id)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        command = commands.ClosePosition(
            user=self._prefix + order.account,
            position_id=order.ref.trade_index,
            withdraw_unit=MICRO,
            worst_price=order.worst_price,
            order_id=order.order_id,
        )
        return await self._send(command, order.order_id)

    async def _send(self, command: commands.Command, order_id: str) -> OrderOutcome:
        answer = await self._clearing.submit(command)
        if isinstance(answer, commands.Rejection) and answer.code is not commands.Code.DUPLICATE_ORDER:
            return Declined(order_id, answer.code, answer.detail)
        return await self.outcome(order_id)

    async def outcome(self, order_id: str) -> OrderOutcome:
        """Known for certain either way: an order and its fill are one transaction here."""

        def look(exchange: Exchange) -> OrderOutcome:
            fill = exchange.fills.get(order_id)
            if fill is None:
                return Declined(order_id, "NEVER_SENT", "the exchange has no such order")
            return _filled(exchange, order_id, fill)

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


MIN_NOTIONAL: Usdc = down(wad(100), MICRO)
"""AVANTIS_MIN_NOTIONAL_USDC of the seed: collateral x leverage below this is refused by the venue's terms."""
