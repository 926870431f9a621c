"""A venue that answers in time: whatever the real one does, no caller waits longer than this.

An order whose answer is late is unsettled, never failed: the venue may have it.
"""

import asyncio
from collections.abc import Awaitable

from venue.perp import (
    CloseOrder,
    Declined,
    Ended,
    MarketTerms,
    OpenOrder,
    Order,
    OrderOutcome,
    PerpPosition,
    PerpVenue,
    PositionRef,
    Quote,
    ReduceOrder,
    Unsettled,
)

LOOK_S = 10.0
SEND_S = 30.0


class BoundedVenue:
    """The `PerpVenue` around another. `markets` and `positions` raise TimeoutError, the rest answers."""

    def __init__(self, venue: PerpVenue, look_s: float = LOOK_S, send_s: float = SEND_S) -> None:
        self._venue = venue
        self._look_s = look_s
        self._send_s = send_s
        self.name = venue.name
        self.capabilities = venue.capabilities

    async def markets(self) -> dict[str, MarketTerms]:
        async with asyncio.timeout(self._look_s):
            return await self._venue.markets()

    async def quote(self, order: Order) -> Quote | Declined:
        try:
            async with asyncio.timeout(self._look_s):
                return await self._venue.quote(order)
        except TimeoutError:
            return Declined(order.order_id, "TOO_SLOW", f"no quote in {self._look_s:g} s")

    async def open(self, order: OpenOrder) -> OrderOutcome:
        return await self._settled(order.order_id, self._venue.open(order), self._send_s)

    async def reduce(self, order: ReduceOrder) -> OrderOutcome:
        return await self._settled(order.order_id, self._venue.reduce(order), self._send_s)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        return await self._settled(order.order_id, self._venue.close(order), self._send_s)

    async def outcome(self, order_id: str) -> OrderOutcome:
        return await self._settled(order_id, self._venue.outcome(order_id), self._look_s)

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        async with asyncio.timeout(self._look_s):
            return await self._venue.positions()

    async def ended(self, ref: PositionRef) -> Ended | None:
        try:
            async with asyncio.timeout(self._look_s):
                return await self._venue.ended(ref)
        except TimeoutError:
            return None

    async def _settled(self, order_id: str, answer: Awaitable[OrderOutcome], within_s: float) -> OrderOutcome:
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            return Unsettled(order_id)
