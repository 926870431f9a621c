"""Carries intents to the venue and answers back. One at a time per desk, whoever asks."""

import asyncio
from collections.abc import Callable

import structlog

from engine.desks import commands
from engine.desks.commands import Code
from engine.desks.facts import Rule
from engine.settlement import Settlement, StoreFailed
from engine.world import World
from venue.exchange.commands import Rejection
from venue.perp import (
    CloseOrder,
    OrderOutcome,
    PerpVenue,
    PositionRef,
    ReduceOrder,
    Resized,
    Unsettled,
    Waiting,
)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
AT_ONCE = 16
"""Desks that are looked at side by side."""


class Courier:
    """The only sender of orders that leave a position; the manager sends those that add to one under the same lock."""

    def __init__(self, settlement: Settlement, venue: PerpVenue, new_id: Callable[[], str]) -> None:
        self._settlement = settlement
        self._venue = venue
        self._new_id = new_id
        self._locks: dict[str, asyncio.Lock] = {}

    def lock(self, address: str) -> asyncio.Lock:
        """Whoever moves a desk holds this."""
        return self._locks.setdefault(address, asyncio.Lock())

    async def close(
        self, address: str, worst_price: int | None, who: str, seen_seq: int | None = None, rule: Rule | None = None
    ) -> OrderOutcome | Rejection:
        """Closes the desk's whole position, whatever loop is at work on the desk."""
        intent = commands.IntendClose(address, self._new_id(), worst_price, who, seen_seq, rule)
        return await self._leave(intent)

    async def reduce(
        self,
        address: str,
        share: int,
        worst_price: int | None,
        who: str,
        seen_seq: int | None = None,
        rule: Rule | None = None,
    ) -> OrderOutcome | Rejection:
        """Closes `share` (1e-6) of it."""
        intent = commands.IntendReduce(address, self._new_id(), share, worst_price, who, seen_seq, rule)
        return await self._leave(intent)

    async def _leave(self, intent: commands.IntendClose | commands.IntendReduce) -> OrderOutcome | Rejection:
        address = intent.address
        async with self.lock(address):
            answer = await self._settlement.submit(intent)
            if isinstance(answer, Rejection):
                return answer
            ref = await self._settlement.read(lambda world: world.house.desks[address].ref)
            if ref is None:
                raise AssertionError("an intent to leave exists only for a position")
            by_rule = intent.rule is not None
            if isinstance(intent, commands.IntendReduce):
                reduction = ReduceOrder(intent.order_id, address, ref, intent.share, intent.worst_price, by_rule)
                outcome = await self._venue.reduce(reduction)
            else:
                outcome = await self._venue.close(
                    CloseOrder(intent.order_id, address, ref, intent.worst_price, by_rule)
                )
            await self.record(address, outcome)
            return outcome

    async def outcome(self, order_id: str) -> OrderOutcome:
        """What the venue says became of an order."""
        return await self._venue.outcome(order_id)

    async def record(self, address: str, outcome: OrderOutcome) -> None:
        """Journals an answer; one that contradicts what was asked for sets the desk aside."""
        if isinstance(outcome, Waiting):
            return
        answer = await self._settlement.submit(commands.RecordOutcome(address, outcome))
        if isinstance(answer, Rejection) and answer.code == Code.CONTRADICTION:
            await self._settlement.submit(commands.Quarantine(address, answer.detail, "manager"))

    async def settle(self, address: str, order_id: str) -> bool:
        """Settles an order a crash or a lost answer left open: asks what became of it, never sends it again."""
        outcome = await self._venue.outcome(order_id)
        await self.record(address, outcome)
        return not isinstance(outcome, Unsettled | Waiting)

    async def ended(self, address: str, ref: PositionRef) -> bool:
        """Whether the venue says for certain that the desk's position is gone; then that is recorded. One that stands
        and is not what our orders left sets the desk aside: nothing may be traded on a wrong size."""
        try:
            ended = await self._venue.ended(ref)
        except Resized as changed:
            await self._settlement.submit(commands.Quarantine(address, str(changed), "watch"))
            return False
        if ended is None:
            return False
        await self._settlement.submit(commands.RecordEnd(address, ended))
        return True

    async def watch(self) -> str:
        """One look at every desk with a position or an order."""
        busy = await self._settlement.read(
            lambda world: tuple(desk.address for desk in world.house.desks.values() if desk.ref or desk.order)
        )
        gate = asyncio.Semaphore(AT_ONCE)
        found = await asyncio.gather(*(self._watched_alone(address, gate) for address in busy))
        settled, gone = (sum(each) for each in zip(*found, strict=True)) if found else (0, 0)
        return f"{len(busy)} desks with positions or orders, {settled} settled, {gone} gone"

    async def _watched_alone(self, address: str, gate: asyncio.Semaphore) -> tuple[bool, bool]:
        """One desk's fault is its own."""
        try:
            return await self._watched(address, gate)
        except StoreFailed:
            raise
        except Exception as error:
            log.error("watch failed", desk=address, error=repr(error))
            return False, False

    async def _watched(self, address: str, gate: asyncio.Semaphore) -> tuple[bool, bool]:
        """Whether a desk's order was settled, and whether its position is gone. A desk at work looks for itself."""
        if self.lock(address).locked():
            return False, False
        async with self.lock(address), gate:
            order_id, ref = await self._standing(address)
            settled = bool(order_id) and await self.settle(address, order_id)
            if settled:
                order_id, ref = await self._standing(address)
            gone = ref is not None and not order_id and await self.ended(address, ref)
            return settled, gone

    async def _standing(self, address: str) -> tuple[str, PositionRef | None]:
        """A desk's unanswered order, if any, and its position."""

        def look(world: World) -> tuple[str, PositionRef | None]:
            desk = world.house.desks[address]
            return desk.order.order_id if desk.order else "", desk.ref

        return await self._settlement.read(look)
