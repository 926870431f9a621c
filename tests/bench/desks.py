"""A management pass over a thousand desks, some of which wait for a slow agent, beside the same pass desk by desk."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.agent.plan import Plan, Sight
from engine.desks import commands
from engine.desks.manager import DeskManager
from engine.paper_wallet import DESK_PREFIX
from engine.settlement import ExchangeDoor, Settlement
from tests.bench.report import report
from tests.engine.house import ManualClock, done, keeper, listed, settled
from tests.engine.trading import ScriptedAgent, manager
from venue.exchange.paper import MIN_NOTIONAL, PaperVenue
from venue.exchange.requests.commands import RegisterKeeper
from venue.perp import OpenOrder, OrderOutcome

DESKS, ASKING, GROWING = 1_000, 50, 50
ANSWER_S, IN_FLIGHT = 1.0, 10
TICK_S = 0.005
FEES = 100_000_000
AMPLE = 10**9
"""USDC."""


class SlowAgent(ScriptedAgent):
    """Takes a second for an answer once it is slow, and gives no more than ten at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = False
        self._seats = asyncio.Semaphore(IN_FLIGHT)

    async def decide_desk_entry(self, sight: Sight) -> Plan:
        if self.slow:
            async with self._seats:
                await asyncio.sleep(ANSWER_S)
        return await super().decide_desk_entry(sight)


class TimedVenue(PaperVenue):
    """Notes when a position was grown."""

    grown_at: float = 0.0

    async def open(self, order: OpenOrder) -> OrderOutcome:
        outcome = await super().open(order)
        if order.increase is not None:
            self.grown_at = time.perf_counter()
        return outcome


@dataclass(slots=True)
class Figures:
    """Seconds: of the pass, until the last desk that needs no agent was done, and how late the loop was."""

    whole: float = 0.0
    longest_wait: float = 0.0
    late: list[float] = field(default_factory=list)

    @property
    def lag(self) -> float:
        """99th percentile."""
        return sorted(self.late)[int(len(self.late) * 0.99)]

    @property
    def worst(self) -> float:
        return max(self.late)


def management_pass() -> None:
    """Whole pass, longest wait of a desk that needs no agent, and lag of the loop while it runs."""
    ours = asyncio.run(_measured(lambda desks: desks.manage_all()))
    alone = asyncio.run(_measured(_one_by_one))
    baseline = "one desk after another"
    report("desks.pass", f"{DESKS:,} desks, {ASKING} ask", ours.whole, "s", baseline, alone.whole)
    report("desks.wait", f"{GROWING} that need no agent", ours.longest_wait, "s", baseline, alone.longest_wait)
    report("desks.lag", "p99 of a 5 ms ticker", ours.lag, "s", baseline, alone.lag)
    report("desks.lag", "worst of a 5 ms ticker", ours.worst, "s", baseline, alone.worst)


async def _one_by_one(desks: DeskManager) -> None:
    for number in range(DESKS):
        await desks.manage_one_desk(_address(number))


async def _measured(whole_pass: Callable[[DeskManager], Awaitable[object]]) -> Figures:
    """The first desks ask, the next grow, and all but those that ask have a position."""
    with tempfile.TemporaryDirectory() as directory:
        clock = ManualClock()
        async with settled(Path(directory), clock) as settlement:
            venue = TimedVenue(ExchangeDoor(settlement), MIN_NOTIONAL, DESK_PREFIX, clock.now_ms)
            agent = SlowAgent()
            desks = _managed(settlement, agent, clock, venue)
            await _staged(settlement, desks, DESKS, ASKING, GROWING)
            agent.slow = True
            figures = Figures()
            async with _ticking(figures):
                began = time.perf_counter()
                await whole_pass(desks)
                figures.whole = time.perf_counter() - began
            figures.longest_wait = venue.grown_at - began
            if agent.asked != DESKS:
                raise AssertionError(f"{agent.asked} were asked about, not {DESKS}")
            return figures


async def staged(folder: Path, count: int, empty: int = 0) -> None:
    """Leaves a journal of `count` desks behind, of which the first `empty` have fees, and the others a position."""
    clock = ManualClock()
    async with settled(folder, clock) as settlement:
        venue = PaperVenue(ExchangeDoor(settlement), MIN_NOTIONAL, DESK_PREFIX, clock.now_ms)
        await _staged(settlement, _managed(settlement, ScriptedAgent(), clock, venue), count, empty, 0)


def _managed(settlement: Settlement, agent: ScriptedAgent, clock: ManualClock, venue: PaperVenue) -> DeskManager:
    """No cap is in the way."""
    return manager(
        settlement,
        agent,
        clock=clock,
        venue=venue,
        max_market_usdc=AMPLE,
        max_wallet_usdc=AMPLE,
        max_daily_usdc=AMPLE,
    )


async def _staged(settlement: Settlement, desks: DeskManager, count: int, asking: int, growing: int) -> None:
    await listed(settlement, "ETH", depth="500000000000")
    await done(settlement, RegisterKeeper("keeper-1"))
    everyone = [_address(number) for number in range(count)]
    await asyncio.gather(*(done(settlement, commands.EnrollToken(each, "PEPE")) for each in everyone))
    await _paid(settlement, everyone[asking:], "1")
    await desks.manage_all()
    keepers = keeper(settlement)
    while await settlement.read(lambda world: len(world.exchange.requests.pending)):
        await keepers.pass_once()
    await desks.watch()
    stand = await settlement.read(lambda world: len(world.exchange.open_positions))
    if stand != count - asking:
        raise AssertionError(f"{stand} positions, not {count - asking}")
    await _paid(settlement, everyone[: asking + growing], "2")


async def _paid(settlement: Settlement, addresses: list[str], ref: str) -> None:
    await asyncio.gather(*(done(settlement, commands.BookFees(each, ref, FEES)) for each in addresses))


@asynccontextmanager
async def _ticking(figures: Figures) -> AsyncIterator[None]:
    async def tick() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK_S)
            figures.late.append(time.perf_counter() - began - TICK_S)

    ticker = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticker.cancel()
        await asyncio.wait((ticker,))


def _address(number: int) -> str:
    return f"0x{number:040x}"
