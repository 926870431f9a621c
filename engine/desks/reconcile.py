"""Holds the desks against the venue, again and again: what was left open is settled, what is nobody's is said, and
until all of it has been seen in this process nothing is begun."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from engine.clock import Clock
from engine.desks.courier import Courier
from engine.settlement import Settlement, StoreFailed
from engine.world import World
from venue.perp import PerpPosition, PerpVenue, PositionRef

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
FRESH_S = 30.0
"""Older than that, a comparison is none."""
FIRST_S = 10.0
"""Nobody is kept waiting longer for the first look: what guards positions starts behind it."""
_NAMED = 3
"""Most that an alarm names."""


class Reconciler:
    """`pass_once` is the loop; `unseen` says why the venue itself does not know what stands, or nothing. A process that
    does not write compares nothing, and nobody in it begins anything."""

    def __init__(
        self,
        settlement: Settlement,
        venue: PerpVenue,
        courier: Courier,
        clock: Clock,
        unseen: Callable[[], str] = lambda: "",
        *,
        writes: bool = True,
    ) -> None:
        self._settlement = settlement
        self._venue = venue
        self._courier = courier
        self._clock = clock
        self._unseen = unseen
        self._writes = writes
        self._seen_s: float | None = None
        self._began_s = clock.monotonic()
        self._strays: frozenset[PositionRef] = frozenset()
        self._lasting: frozenset[PositionRef] = frozenset()

    async def pass_once(self) -> str:
        """One look at every desk, and at all that stands. Raises what the venue's listing raises."""
        told = await self._courier.watch()
        listed = await self._venue.positions()
        found = await self._settlement.read(lambda world: strays(world, listed))
        # Between the listing and the books something may have ended: what is so twice is so.
        self._strays, self._lasting = found, self._strays & found
        if not self._unseen():
            self._seen_s = self._clock.monotonic()
        return told

    async def first(self) -> None:
        """A look before the first pass of those who begin things. Its failure is the loop's to tell."""
        if self._seen_s is not None or not self._writes:
            return
        try:
            async with asyncio.timeout(FIRST_S):
                await self.pass_once()
        except StoreFailed:
            raise
        except Exception as error:
            log.error("first look failed", error=repr(error))

    def why_not(self) -> str:
        """Why nothing may be begun, or nothing."""
        if self._seen_s is None:
            unseen = self._unseen()
            return f"positions were not held against the venue yet{f': {unseen}' if unseen else ''}"
        age_s = self._clock.monotonic() - self._seen_s
        return f"positions were last held against the venue {age_s:.0f} s ago" if age_s > FRESH_S else ""

    def alarms(self) -> tuple[str, ...]:
        """What a person should know."""
        late = self._writes and self._clock.monotonic() - self._began_s > FRESH_S
        found = [why] if late and (why := self.why_not()) else []
        if lasting := sorted(self._lasting, key=lambda ref: (ref.market, ref.trade_index)):
            named = "; ".join(f"{ref.market} {ref.trade_index}" for ref in lasting[:_NAMED])
            more = f" and {len(lasting) - _NAMED} more" if len(lasting) > _NAMED else ""
            found.append(f"nobody's position at the venue, left alone: {named}{more}")
        return tuple(found)


def strays(world: World, listed: Mapping[PositionRef, PerpPosition]) -> frozenset[PositionRef]:
    """What stands and is no desk's. A desk with an order is about to change."""
    desks = world.house.desks
    ours = {desk.ref for desk in desks.values()}
    return frozenset(
        ref
        for ref, position in listed.items()
        if ref not in ours and not ((owner := desks.get(position.account)) and owner.order)
    )
