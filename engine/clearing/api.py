"""The seed's API as typed calls for one account, over any Port.

The names are the seed's. A refusal raises `ApiRefused` with the clearinghouse's code.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable
from fractions import Fraction
from typing import Any, TypeVar

from engine.clearing import commands
from engine.clearing.answers import Answer, Closed, Liquidated, MarketState, Opened, PnlBreakdown, PositionHealth
from engine.clearing.commands import ClearingCommand
from engine.exchange_rows import Wad
from engine.port import Port

MEANT_FOR_MS = 5_000
POLL_SECONDS = 0.1
Kind = TypeVar("Kind", bound=Answer)


class ApiRefused(Exception):
    """`code` is the clearinghouse's, stable; the text is one line for a person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class ClearingApi:
    """One account at one Port."""

    def __init__(self, port: Port, account: str, now_ms: Callable[[], int]) -> None:
        self._port = port
        self._account = account
        self._now_ms = now_ms

    async def get_market_state(self, market: str) -> MarketState:
        """Reserves, mark, open interest, carry index and fee rate of a market."""
        return await self._ask(MarketState, commands.GetMarketState, market=market)

    async def get_effective_fee_rate(self, market: str) -> Fraction:
        """The rate the next open is charged: what is previewed is what is paid."""
        return (await self.get_market_state(market)).effective_fee_rate

    async def get_position_health(self, position_id: int) -> PositionHealth:
        """Equity, leverage, buffer ratio and where the profit comes from."""
        return await self._ask(PositionHealth, commands.GetPositionHealth, position_id=position_id)

    async def deposit(self, amount: Wad, user: str | None = None) -> None:
        """Money from outside into the wallet."""
        await self._do(commands.Deposit, user=self._account if user is None else user, amount=amount)

    async def withdraw(self, amount: Wad, user: str | None = None) -> None:
        """Free money of the wallet back outside."""
        await self._do(commands.Withdraw, user=self._account if user is None else user, amount=amount)

    async def open_position(
        self, market: str, is_long: bool, total: Wad, leverage: Fraction, user: str | None = None
    ) -> Opened:
        """Spends `total` of the wallet on margin and fee."""
        return await self._open(market, is_long, total, leverage, user, preview=False)

    async def preview_open(
        self, market: str, is_long: bool, total: Wad, leverage: Fraction, user: str | None = None
    ) -> Opened:
        """Exactly what `open_position` would do now, refusals included."""
        return await self._open(market, is_long, total, leverage, user, preview=True)

    async def close_position(self, position_id: int, part: Fraction = Fraction(1), user: str | None = None) -> Closed:
        """Closes all or part; what it pays lies in the wallet."""
        return await self._close(position_id, part, user, preview=False)

    async def preview_close(self, position_id: int, part: Fraction = Fraction(1), user: str | None = None) -> Closed:
        """Exactly what `close_position` would do now, refusals included."""
        return await self._close(position_id, part, user, preview=True)

    async def liquidate_position(self, position_id: int) -> Liquidated:
        """Closes a position past its limit and collects the fee."""
        return await self._ask(Liquidated, commands.LiquidatePosition, position_id=position_id)

    async def subscribe_price(self, market: str) -> AsyncGenerator[Wad, None]:
        """Mark now, and again whenever a snapshot shows another one; what came between is not kept.

        Raises ApiRefused(UNKNOWN_MARKET).
        """
        await self.get_market_state(market)
        last: Wad | None = None
        while True:
            rows = self._port.latest().markets
            mark = next((row.mark for row in rows if row.symbol == market), None)
            if mark is not None and mark != last:
                last = mark
                yield mark
            await asyncio.sleep(POLL_SECONDS)

    async def subscribe_position_pnl(self, position_id: int) -> AsyncGenerator[tuple[Wad, PnlBreakdown], None]:
        """(equity, pnl) now and whenever it is another; ends with the position. Raises ApiRefused(UNKNOWN_POSITION)."""
        last: tuple[Wad, PnlBreakdown] | None = None
        while True:
            try:
                health = await self.get_position_health(position_id)
            except ApiRefused as refused:
                if refused.code == "NOT_OPEN":
                    return
                raise
            if (health.equity, health.pnl_breakdown) != last:
                last = (health.equity, health.pnl_breakdown)
                yield last
            await asyncio.sleep(POLL_SECONDS)

    async def _open(
        self, market: str, is_long: bool, total: Wad, leverage: Fraction, user: str | None, *, preview: bool
    ) -> Opened:
        return await self._ask(
            Opened,
            commands.OpenPosition,
            user=self._account if user is None else user,
            market=market,
            is_long=is_long,
            total=total,
            leverage=leverage,
            preview=preview,
        )

    async def _close(self, position_id: int, part: Fraction, user: str | None, *, preview: bool) -> Closed:
        return await self._ask(
            Closed,
            commands.ClosePosition,
            user=self._account if user is None else user,
            position_id=position_id,
            part=part,
            preview=preview,
        )

    async def _ask(self, kind: type[Kind], command: Callable[..., ClearingCommand], **arguments: Any) -> Kind:  # noqa: ANN401
        answer = await self._do(command, **arguments)
        if not isinstance(answer, kind):
            raise TypeError(f"expected {kind.__name__}, got {type(answer).__name__}")
        return answer

    async def _do(self, command: Callable[..., ClearingCommand], **arguments: Any) -> Answer | None:  # noqa: ANN401
        receipt = await self._port.submit(
            command(
                id=uuid.uuid4().hex,
                who=self._account,
                seen_seq=self._port.latest().seq,
                expires_at_ms=self._now_ms() + MEANT_FOR_MS,
                **arguments,
            )
        )
        if not receipt.ok:
            raise ApiRefused(receipt.code, receipt.text)
        return receipt.answer
