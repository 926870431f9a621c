"""The venues of several wallets as one. A desk trades where its fees arrive, and only there: nothing moves between
wallets, and each has its own nonces, its own positions and its own limits."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from engine.world import World
from venue.perp import (
    CloseOrder,
    Declined,
    Ended,
    Filled,
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

AnyOrder = TypeVar("AnyOrder", bound=Order)
Journal = Callable[[Callable[[World], str]], Awaitable[str]]
"""Reads one word out of the journal."""
Hindrance = Callable[[str], str]
"""Why a wallet opens nothing now, or nothing."""


class FleetVenue:
    """The `PerpVenue` over one per wallet, by address. References of positions carry their wallet."""

    def __init__(self, venues: Mapping[str, PerpVenue], journal: Journal, hindrance: Hindrance) -> None:
        self._venues = venues
        self._journal = journal
        self._hindrance = hindrance
        self._any = next(iter(venues.values()))
        self.name = self._any.name
        self.capabilities = self._any.capabilities

    async def markets(self) -> dict[str, MarketTerms]:
        """The venue has the same terms for every wallet."""
        return await self._any.markets()

    async def quote(self, order: Order) -> Quote | Declined:
        wallet = await self._journal(lambda world: _pinned(world, order.account))
        if wallet not in self._venues:
            return _homeless(order.order_id, wallet)
        if low := self._low(order, wallet):
            return low
        return await self._venues[wallet].quote(_bare(order))

    async def open(self, order: OpenOrder) -> OrderOutcome:
        return await self._sent(order, lambda venue, bare: venue.open(bare))

    async def reduce(self, order: ReduceOrder) -> OrderOutcome:
        return await self._sent(order, lambda venue, bare: venue.reduce(bare))

    async def close(self, order: CloseOrder) -> OrderOutcome:
        return await self._sent(order, lambda venue, bare: venue.close(bare))

    async def outcome(self, order_id: str) -> OrderOutcome:
        """Unsettled while nobody knows which wallet to ask."""
        wallet = await self._journal(lambda world: _ordered(world, order_id))
        if wallet not in self._venues:
            return Unsettled(order_id)
        return _owned(await self._venues[wallet].outcome(order_id), wallet)

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        found: dict[PositionRef, PerpPosition] = {}
        for wallet, venue in self._venues.items():
            for bare, position in (await venue.positions()).items():
                ref = replace(bare, wallet=wallet)
                found[ref] = replace(position, ref=ref)
        return found

    async def ended(self, ref: PositionRef) -> Ended | None:
        venue = self._venues.get(ref.wallet)
        ended = await venue.ended(replace(ref, wallet="")) if venue else None
        return replace(ended, ref=ref) if ended else None

    async def _sent(
        self, order: AnyOrder, send: Callable[[PerpVenue, AnyOrder], Awaitable[OrderOutcome]]
    ) -> OrderOutcome:
        wallet = await self._journal(lambda world: _pinned(world, order.account))
        if wallet not in self._venues:
            return _homeless(order.order_id, wallet)
        if low := self._low(order, wallet):
            return low
        return _owned(await send(self._venues[wallet], _bare(order)), wallet)

    def _low(self, order: Order, wallet: str) -> Declined | None:
        """What adds to a position is not begun by a wallet that may not get out of it."""
        if not isinstance(order, OpenOrder) or not self.capabilities.gas or not (why := self._hindrance(wallet)):
            return None
        return Declined(order.order_id, "LOW_GAS", why)


def _pinned(world: World, account: str) -> str:
    desk = world.house.desks.get(account)
    return desk.wallet if desk else ""


def _ordered(world: World, order_id: str) -> str:
    desks = world.house.desks.values()
    return next((desk.wallet for desk in desks if desk.order and desk.order.order_id == order_id), "")


def _homeless(order_id: str, wallet: str) -> Declined:
    """Nothing was sent: only the wallet of a desk ever sends for it."""
    why = f"the keystore of {wallet} is not open" if wallet else "its fees arrive in no wallet of this run"
    return Declined(order_id, "NO_WALLET", why)


def _bare(order: AnyOrder) -> AnyOrder:
    """As the venue of the wallet itself calls it."""
    if isinstance(order, OpenOrder):
        return replace(order, increase=replace(order.increase, wallet="")) if order.increase else order
    return replace(order, ref=replace(order.ref, wallet=""))


def _owned(outcome: OrderOutcome, wallet: str) -> OrderOutcome:
    """With the wallet in the reference of what was filled."""
    return replace(outcome, ref=replace(outcome.ref, wallet=wallet)) if isinstance(outcome, Filled) else outcome
