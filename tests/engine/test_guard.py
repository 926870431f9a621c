"""The guards over open positions: what passes a limit twice is acted on, what is unknown never is."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from engine.desks import commands
from engine.desks.facts import GuardSpoke, Rule
from engine.desks.guard import SECOND_LOOK_S, Guard
from engine.desks.manager import DeskManager
from engine.desks.risk import Limits
from engine.desks.state import Desk
from engine.sections import Risk
from engine.settlement import ExchangeDoor, Recorded, Settlement
from engine.snapshot import DeskPhase
from tests.engine.house import TOKEN, ManualClock, done, enrolled, kept, listed, settled
from tests.engine.trading import ScriptedAgent, manager, money, moved, phase
from venue.exchange.fixed import WAD
from venue.exchange.paper import MIN_NOTIONAL, PaperVenue
from venue.perp import CloseOrder, OrderOutcome, PerpPosition, PositionRef, Profit, ReduceOrder, UnknownPnl

PPM = 1_000_000
COST = 57_000_000


class MoodyVenue(PaperVenue):
    """The paper venue, whose positions are worth what the test says: profit over collateral in 1e-6, or unknown."""

    def __init__(self, settlement: Settlement, clock: ManualClock) -> None:
        super().__init__(ExchangeDoor(settlement), MIN_NOTIONAL, "desk:", clock.now_ms)
        self.profit: int | None = 0
        self.left = PPM
        """To lose before liquidation, over collateral."""
        self.by_rule: list[bool] = []

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        found = await super().positions()
        return {ref: self._worth(position) for ref, position in found.items()}

    async def reduce(self, order: ReduceOrder) -> OrderOutcome:
        self.by_rule.append(order.by_rule)
        return await super().reduce(order)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        self.by_rule.append(order.by_rule)
        return await super().close(order)

    def _worth(self, position: PerpPosition) -> PerpPosition:
        pnl = UnknownPnl("no price") if self.profit is None else Profit(self.profit, 0)
        return replace(position, collateral=PPM, pnl=pnl, leverage=WAD, liq_move=self.left / PPM)


@dataclass
class Scene:
    settlement: Settlement
    clock: ManualClock
    venue: MoodyVenue
    desks: DeskManager
    guard: Guard
    published: list[Recorded]

    async def passed(self, work: Coroutine[Any, Any, str], between: Callable[[], None] = lambda: None) -> str:
        """A pass of a guard, with something happening between its two looks."""
        self.clock.asleep.clear()
        task = asyncio.create_task(work)
        asleep = asyncio.create_task(self.clock.asleep.wait())
        await asyncio.wait((task, asleep), return_when=asyncio.FIRST_COMPLETED)
        between()
        self.clock.advance(SECOND_LOOK_S + 0.1)
        asleep.cancel()
        return await task

    async def profits(self, profit: int | None) -> str:
        self.venue.profit = profit
        told = await self.passed(self.guard.check_desk_profits())
        await kept(self.settlement, self.desks)
        return told

    async def risk(self, profit: int | None) -> str:
        self.venue.profit = profit
        told = await self.passed(self.guard.check_desk_risk())
        await kept(self.settlement, self.desks)
        return told

    async def desk(self) -> Desk:
        return await self.settlement.read(lambda world: world.house.desks[TOKEN])

    def said(self) -> list[tuple[Rule, bool]]:
        facts = [item.fact for item in self.published]
        return [(fact.rule, fact.active) for fact in facts if isinstance(fact, GuardSpoke)]


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Scene]:
    """A desk with a position of 57 USDC, and the default limits."""
    clock = ManualClock()
    published: list[Recorded] = []
    async with settled(directory, clock, published) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        venue = MoodyVenue(settlement, clock)
        desks = manager(settlement, ScriptedAgent(), clock=clock, venue=venue)
        await moved(settlement, desks)
        assert await phase(settlement) is DeskPhase.OPEN
        guard = Guard(settlement, venue, desks.courier, Limits.of(Risk()), clock)
        yield Scene(settlement, clock, venue, desks, guard, published)


NOTHING = "0 past a limit, 0 acted on"
ACTED = "1 past a limit, 1 acted on"


async def test_profit_is_taken_at_each_multiple_of_the_limit_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        left = COST
        for times, limit in enumerate((300_000, 600_000, 900_000), 1):
            assert await scene.profits(limit - 1) == NOTHING
            assert await scene.profits(limit) == ACTED
            left -= left * 250_000 // PPM
            assert (await money(scene.settlement))["deployed"] == left
            desk = await scene.desk()
            assert (desk.profits_taken, desk.phase, desk.warnings) == (times, DeskPhase.OPEN, frozenset())
        assert desk.word is not None
        assert desk.word.source == Rule.TAKE_PROFIT
        assert scene.said() == [(Rule.TAKE_PROFIT, True), (Rule.TAKE_PROFIT, False)] * 3


async def test_a_position_is_reduced_for_its_losses_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        assert (await scene.risk(-399_999)).startswith(NOTHING)
        assert (await scene.risk(-400_000)).startswith(ACTED)
        assert (await money(scene.settlement))["deployed"] == COST // 2
        assert (await scene.risk(-499_999)).startswith(NOTHING)
        desk = await scene.desk()
        assert (desk.drawn_down, desk.halted, desk.phase) == (True, False, DeskPhase.OPEN)


@pytest.mark.parametrize("before", [(), (-400_000,)], ids=["at once", "after the drawdown"])
async def test_the_circuit_breaker_closes_and_halts(tmp_path: Path, before: tuple[int, ...]) -> None:
    async with opened(tmp_path) as scene:
        for profit in before:
            await scene.risk(profit)
        assert (await scene.risk(-500_000)).startswith(ACTED)
        desk = await scene.desk()
        assert (desk.phase, desk.halted_by) == (DeskPhase.CLOSED, "circuit breaker")
        assert set(await money(scene.settlement)) == {"realised"}
        await done(scene.settlement, commands.BookFees(TOKEN, "f2", 100_000_000))
        assert await moved(scene.settlement, scene.desks) == "1 desks, 0 moved"


async def test_the_venue_is_told_whether_a_rule_leaves_or_a_person(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        await scene.profits(300_000)
        await scene.desks.courier.reduce(TOKEN, 100_000, None, "ops")
        await kept(scene.settlement, scene.desks)
        await scene.risk(-500_000)
        assert scene.venue.by_rule == [True, False, True]


async def test_a_warning_of_liquidation_comes_once_and_goes_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        scene.venue.left = 150_001
        assert (await scene.risk(0)).endswith("0 near liquidation")
        scene.venue.left = 150_000
        for _ in range(3):
            assert (await scene.risk(0)).endswith("1 near liquidation")
        assert (await scene.desk()).warnings == {Rule.LIQUIDATION_NEAR}
        scene.venue.left = 200_000
        for _ in range(2):
            assert (await scene.risk(0)).endswith("0 near liquidation")
        assert scene.said() == [(Rule.LIQUIDATION_NEAR, True), (Rule.LIQUIDATION_NEAR, False)]


async def test_unknown_profit_triggers_nothing_and_clears_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        scene.venue.left = 0
        assert await scene.profits(None) == NOTHING
        assert await scene.risk(None) == f"{NOTHING}, 0 near liquidation"
        assert scene.said() == []
        await scene.risk(0)
        scene.venue.left = PPM
        await scene.risk(None)
        assert (await scene.desk()).warnings == {Rule.LIQUIDATION_NEAR}
        assert await money(scene.settlement) == {"deployed": COST}


@pytest.mark.parametrize("second", [0, None, -399_999])
async def test_one_wild_tick_does_nothing(tmp_path: Path, second: int | None) -> None:
    async with opened(tmp_path) as scene:

        def recovers() -> None:
            scene.venue.profit = second

        seq = scene.settlement.seq
        for work, wild in ((scene.guard.check_desk_profits, 900_000), (scene.guard.check_desk_risk, -900_000)):
            scene.venue.profit = wild
            assert (await scene.passed(work(), recovers)).startswith("1 past a limit, 0 acted on")
        assert scene.settlement.seq == seq


@pytest.mark.parametrize(("first", "second"), [(-400_000, -500_000), (-500_000, -400_000)])
async def test_what_both_looks_agree_on_is_done(tmp_path: Path, first: int, second: int) -> None:
    async with opened(tmp_path) as scene:

        def moves() -> None:
            scene.venue.profit = second

        scene.venue.profit = first
        assert (await scene.passed(scene.guard.check_desk_risk(), moves)).startswith(ACTED)
        assert [rule for rule, active in scene.said() if active] == [Rule.DRAWDOWN]
        assert (await scene.desk()).halted_by is None


async def test_a_halted_desk_is_guarded_and_a_quarantined_one_is_not(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        await done(scene.settlement, commands.Quarantine(TOKEN, "odd", "ops"))
        scene.venue.left = 0
        assert await scene.profits(900_000) == NOTHING
        assert await scene.risk(-900_000) == f"{NOTHING}, 0 near liquidation"
        await done(scene.settlement, commands.Release(TOKEN, "ops", "c"))
        await done(scene.settlement, commands.Halt(TOKEN, "ops", "c"))
        assert await scene.profits(300_000) == ACTED
        assert (await scene.risk(-500_000)).startswith(ACTED)
        assert (await scene.desk()).halted_by == "ops"
        assert await phase(scene.settlement) is DeskPhase.CLOSED


async def test_a_desk_that_waits_for_an_answer_is_left_to_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        await scene.desks.courier.close(TOKEN, None, "ops")
        scene.venue.profit = -900_000
        assert (await scene.passed(scene.guard.check_desk_risk())).startswith(NOTHING)
        assert scene.said() == []


async def test_a_position_that_goes_between_the_looks_takes_its_warning_along(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        await scene.desks.courier.close(TOKEN, None, "ops")
        await kept(scene.settlement, scene.desks)
        late = commands.RecordGuard(TOKEN, Rule.LIQUIDATION_NEAR, 1, 2, "too late")
        await scene.settlement.submit(late)
        assert (await scene.desk()).warnings == frozenset()
