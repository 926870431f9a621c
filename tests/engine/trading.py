"""Desks that trade on the paper venue, with an agent that says what the test wants."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from engine.agent.decide import Agent
from engine.agent.plan import MarketSight, Plan, Sight
from engine.desks.accounts import deployed, in_flight, pending, realised
from engine.desks.manager import DeskManager
from engine.desks.terms import Terms
from engine.sections import Risk
from engine.settlement import ExchangeDoor, Settlement
from engine.snapshot import DeskPhase
from tests.engine.house import TOKEN, ManualClock, kept
from venue.exchange.fixed import wad
from venue.exchange.paper import MIN_NOTIONAL, PaperVenue
from venue.perp import CloseOrder, OpenOrder, OrderOutcome, PerpVenue, Unsettled

YES = Plan("signal", True, "ETH", True, 100, "momentum +1 %")
"""As much leverage as the caps allow."""
NO = Plan("signal", False, "", True, 0, "momentum too small")


class ScriptedAgent(Agent):
    """Answers what the test says, within the leverage it was shown, and counts how often it is asked."""

    def __init__(self, plan: Plan = YES) -> None:
        self.answer = plan
        self.asked = 0
        self.untradable: set[str] = set()
        self.gate: asyncio.Event | None = None
        """While it is there and not set, no answer is given."""
        self.expected = 1
        self.all_asked = asyncio.Event()
        """Set once it has been asked as often as expected."""

    def look(self, request_id: str, now_ms: int, pending: int, caps: dict[str, int]) -> Sight:
        markets = tuple(MarketSight(market, wad("2000"), None, None, cap) for market, cap in caps.items())
        return Sight(request_id, now_ms, pending, 900_000, True, markets)

    def tradable(self, market: str, now_ms: int) -> bool:
        return market not in self.untradable

    async def decide_desk_entry(self, sight: Sight) -> Plan:
        self.asked += 1
        if self.asked >= self.expected:
            self.all_asked.set()
        if self.gate is not None:
            await self.gate.wait()
        caps = {seen.market: seen.max_leverage for seen in sight.markets}
        return replace(self.answer, leverage=min(self.answer.leverage, caps.get(self.answer.market, 0)))


class Crash(Exception):
    """The process dies here."""


class CrashingVenue(PaperVenue):
    """Dies before or after an order reaches the exchange, or loses the answer."""

    fault = ""

    async def open(self, order: OpenOrder) -> OrderOutcome:
        return await self._around(super().open, order)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        return await self._around(super().close, order)

    async def _around(self, send: object, order: OpenOrder | CloseOrder) -> OrderOutcome:
        if self.fault == "before":
            raise Crash
        outcome: OrderOutcome = await send(order)  # type: ignore[operator]
        if self.fault == "after":
            raise Crash
        return Unsettled(order.order_id) if self.fault == "lost" else outcome


def paper(settlement: Settlement, clock: ManualClock | None = None) -> CrashingVenue:
    """The paper venue of the desks."""
    return CrashingVenue(ExchangeDoor(settlement), MIN_NOTIONAL, "desk:", (clock or ManualClock()).now_ms)


def manager(
    settlement: Settlement,
    agent: ScriptedAgent,
    *,
    fault: str = "",
    clock: ManualClock | None = None,
    venue: PerpVenue | None = None,
    avantis_max: int = 75,
    gas_low: Callable[[str], str] = lambda _: "",
    hold: Callable[[], str] = lambda: "",
    **risk: object,
) -> DeskManager:
    """At 20x, and without a wait between openings, unless `risk` says otherwise."""
    clock = clock or ManualClock()
    if venue is None:
        venue = paper(settlement, clock)
        venue.fault = fault
    limits = Risk(**{"leverage": 20, "open_interval_s": 0} | risk)  # type: ignore[arg-type]
    return DeskManager(settlement, venue, agent, Terms(limits, avantis_max), clock, gas_low, hold)


async def money(settlement: Settlement, address: str = TOKEN) -> dict[str, int]:
    """What a desk has, by kind of account; empty ones are left out."""
    accounts = {"pending": pending, "in_flight": in_flight, "deployed": deployed, "realised": realised}
    ledger = await settlement.read(lambda world: dict(world.house.ledger.balances))
    return {name: held for name, account in accounts.items() if (held := ledger.get(account(address), 0))}


async def phase(settlement: Settlement, address: str = TOKEN) -> DeskPhase:
    """Where a desk stands."""
    return await settlement.read(lambda world: world.house.desks[address].phase)


async def positions(settlement: Settlement) -> int:
    """How many are open on the exchange."""
    return await settlement.read(lambda world: len(world.exchange.open_positions))


async def moved(settlement: Settlement, desks: DeskManager) -> str:
    """A management pass, then a keeper's, then the desks see what came of it."""
    told = await desks.manage_all()
    await kept(settlement, desks)
    return told
