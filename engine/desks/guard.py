"""The loops that watch open positions: profit taking, drawdown, circuit breaker, liquidation warning.

A limit must be found passed twice, a moment apart, before anything is done about it: one wild tick is not enough.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from engine.clock import Clock
from engine.desks import commands
from engine.desks.courier import Courier
from engine.desks.facts import Rule
from engine.desks.risk import History, Limits, Verdict, cut_loss, left_to_lose, take_profit
from engine.settlement import Settlement, StoreFailed
from engine.world import World
from venue.exchange.commands import Rejection
from venue.perp import WHOLE, PerpPosition, PerpVenue, PositionRef

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
SECOND_LOOK_S = 0.4
WHO = "guard"
Judge = Callable[[PerpPosition, Limits, History], Verdict | None]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A desk with a position. One with an order can only be warned about."""

    address: str
    ref: PositionRef
    history: History
    ordering: bool
    warned: bool


class Guard:
    """Acts on halted desks too, since it only takes risk away; never on quarantined ones."""

    def __init__(
        self, settlement: Settlement, venue: PerpVenue, courier: Courier, limits: Limits, clock: Clock
    ) -> None:
        self._settlement = settlement
        self._venue = venue
        self._courier = courier
        self._limits = limits
        self._clock = clock

    async def check_desk_profits(self) -> str:
        """One pass of the profit checker."""
        return await self._pass(take_profit)

    async def check_desk_risk(self) -> str:
        """One pass of the risk worker: losses, then warnings."""
        done = await self._pass(cut_loss)
        return f"{done}, {await self._warn()} near liquidation"

    async def _pass(self, judge: Judge) -> str:
        suspects = await self._judged(judge)
        acted = 0
        if suspects:
            await self._clock.sleep(SECOND_LOOK_S)
            again = {(desk.address, desk.ref): verdict for desk, verdict in await self._judged(judge)}
            due = [
                (desk, min(first, second, key=lambda verdict: verdict.share))  # what both looks agree on
                for desk, first in suspects
                if (second := again.get((desk.address, desk.ref))) is not None
            ]
            acted = sum(await asyncio.gather(*(self._acted(desk, verdict) for desk, verdict in due)))
        return f"{len(suspects)} past a limit, {acted} acted on"

    async def _acted(self, desk: Guarded, verdict: Verdict) -> bool:
        """One desk's act; its fault is its own."""
        try:
            return await self._act(desk, verdict)
        except StoreFailed:
            raise
        except Exception as error:
            log.error("guard failed", desk=desk.address, rule=verdict.rule, error=repr(error))
            return False

    async def _judged(self, judge: Judge) -> list[tuple[Guarded, Verdict]]:
        desks = await self._settlement.read(_guarded)
        if not desks:
            return []
        positions = await self._venue.positions()
        found = []
        for desk in desks:
            position = None if desk.ordering else positions.get(desk.ref)
            verdict = judge(position, self._limits, desk.history) if position else None
            if verdict is not None:
                found.append((desk, verdict))
        return found

    async def _act(self, desk: Guarded, verdict: Verdict) -> bool:
        said = (desk.address, verdict.rule, verdict.measured, verdict.limit, verdict.does)
        await self._settlement.submit(commands.RecordGuard(*said))
        if verdict.share == WHOLE:
            await self._settlement.submit(commands.Halt(desk.address, verdict.rule.value, ""))
            answer = await self._courier.close(desk.address, None, WHO, rule=verdict.rule)
        else:
            answer = await self._courier.reduce(desk.address, verdict.share, None, WHO, rule=verdict.rule)
        # Said and done; passed again, the same rule may speak again.
        await self._settlement.submit(commands.RecordGuard(*said, active=False))
        if isinstance(answer, Rejection):
            log.info("guard held back", desk=desk.address, code=answer.code, reason=answer.detail)
        return not isinstance(answer, Rejection)

    async def _warn(self) -> int:
        desks = await self._settlement.read(_guarded)
        positions = await self._venue.positions() if desks else {}
        near = 0
        for desk in desks:
            position = positions.get(desk.ref)
            left = left_to_lose(position) if position else None
            if left is None:
                continue
            passed = left <= self._limits.liquidation_warning
            near += passed
            if passed != desk.warned:
                limit, does = self._limits.liquidation_warning, "of the collateral is left to lose"
                said = commands.RecordGuard(desk.address, Rule.LIQUIDATION_NEAR, left, limit, does, active=passed)
                await self._settlement.submit(said)
        return near


def _guarded(world: World) -> list[Guarded]:
    return [
        Guarded(
            desk.address,
            desk.ref,
            History(desk.profits_taken, desk.drawn_down),
            desk.order is not None,
            Rule.LIQUIDATION_NEAR in desk.warnings,
        )
        for desk in world.house.desks.values()
        if desk.ref is not None and not desk.quarantine
    ]
