"""Two routes over one journal: each goes on with what it has sent, whichever of them sends now."""

from typing import Protocol

from venue.avantis.asked import Order
from venue.avantis.direct import Ending, NoEffect, Route


class Known(Route, Protocol):
    """A route that can say whether an order is its own."""

    async def knows(self, order_id: str) -> bool: ...


class TwoRoutes:
    """Route over the one that the journal has an order of; new orders go to `sends`."""

    def __init__(self, sends: Known, other: Known) -> None:
        self._sends = sends
        self._other = other

    async def send(self, order_id: str, asked: Order) -> NoEffect | None:
        return await (await self._of(order_id)).send(order_id, asked)

    async def ending(self, order_id: str) -> Ending:
        return await (await self._of(order_id)).ending(order_id)

    async def _of(self, order_id: str) -> Route:
        return self._other if await self._other.knows(order_id) else self._sends
