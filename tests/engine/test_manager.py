"""The desk manager on the real settlement and paper venue: the seed's flow chart, and what a crash leaves behind."""

from collections.abc import Container
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest

from engine.agent.decide import Plan
from engine.assembly import halted
from engine.config import Risk
from engine.desks import commands
from engine.desks.commands import Code
from engine.desks.manager import DeskManager
from engine.desks.state import deployed, in_flight, pending, realised
from engine.settlement import ExchangeDoor, Settlement
from engine.snapshot import DeskPhase
from engine.world import World
from tests.engine.house import OTHER, TOKEN, FixedPrices, ManualClock, done, enrolled, keeper, kept, listed, settled
from venue.exchange import commands as exchange
from venue.exchange.commands import Rejection
from venue.exchange.fixed import wad
from venue.exchange.paper import MIN_NOTIONAL, PaperVenue
from venue.exchange.requests.commands import RegisterKeeper
from venue.perp import CloseOrder, OpenOrder, OrderOutcome, Unsettled, Waiting

YES = Plan("signal", True, "ETH", True, "momentum +1 %")
NO = Plan("signal", False, "", True, "momentum too small")


class ScriptedAgent:
    """Answers what the test says, and counts how often it is asked."""

    def __init__(self, plan: Plan = YES) -> None:
        self.plan = plan
        self.asked = 0

    async def decide_desk_entry(self, now_ms: int, listed: Container[str]) -> Plan:
        self.asked += 1
        return self.plan


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


def manager(settlement: Settlement, agent: ScriptedAgent, *, fault: str = "", **risk: object) -> DeskManager:
    venue = CrashingVenue(ExchangeDoor(settlement), MIN_NOTIONAL, "desk:", ManualClock().now_ms)
    venue.fault = fault
    limits = Risk(**{"leverage": 20} | risk)  # type: ignore[arg-type]
    return DeskManager(settlement, venue, agent, limits, 75, ManualClock())  # type: ignore[arg-type]


async def money(settlement: Settlement) -> dict[str, int]:
    accounts = {"pending": pending, "in_flight": in_flight, "deployed": deployed, "realised": realised}
    ledger = await settlement.read(lambda world: dict(world.house.ledger.balances))
    return {name: held for name, account in accounts.items() if (held := ledger.get(account(TOKEN), 0))}


async def phase(settlement: Settlement) -> DeskPhase:
    return await settlement.read(lambda world: world.house.desks[TOKEN].phase)


async def positions(settlement: Settlement) -> int:
    return await settlement.read(lambda world: len(world.exchange.open_positions))


async def moved(settlement: Settlement, desks: DeskManager) -> str:
    """A management pass, then a keeper's, then the desks see what came of it."""
    told = await desks.manage_all()
    await kept(settlement, desks)
    return told


async def test_money_and_an_allowing_agent_open_a_desk_which_then_grows(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        agent = ScriptedAgent()
        desks = manager(settlement, agent)
        assert "1 moved" in await moved(settlement, desks)
        assert await phase(settlement) is DeskPhase.OPEN
        assert await money(settlement) == {"deployed": 57_000_000}
        assert "0 moved" in await moved(settlement, desks)
        await done(settlement, commands.BookFees(TOKEN, "f2", 100_000_000))
        assert "1 moved" in await moved(settlement, desks)
        assert await money(settlement) == {"deployed": 114_000_000}
        assert await positions(settlement) == 1
        assert agent.asked == 1


async def test_a_refusing_agent_leaves_the_money_pending_and_its_reason_on_record(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        await manager(settlement, ScriptedAgent(NO)).manage_all()
        assert await money(settlement) == {"pending": 57_000_000}
        word = await settlement.read(lambda world: world.house.desks[TOKEN].word)
        assert word is not None
        assert word.text == "momentum too small"


async def test_below_the_minimum_notional_nobody_is_asked_and_nothing_is_journaled(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 8_771_929)  # 57 % of it is 4.999 999 53 USDC; at 20x that is under 100
        agent = ScriptedAgent()
        desks = manager(settlement, agent)
        seq = settlement.seq
        await desks.manage_all()
        await desks.manage_all()
        assert agent.asked == 0
        assert settlement.seq == seq
        await done(settlement, commands.BookFees(TOKEN, "f2", 2))
        await moved(settlement, desks)
        assert agent.asked == 1


async def test_the_position_cap_bounds_what_is_deployed(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 1_000_000_000)
        desks = manager(settlement, ScriptedAgent(), max_position_usdc=100)
        await moved(settlement, desks)
        await moved(settlement, desks)
        assert await money(settlement) == {"pending": 470_000_000, "deployed": 100_000_000}


@pytest.mark.parametrize(("risk", "cap", "expected"), [(50, 75, 30), (20, 75, 20), (20, 10, 10)])
async def test_leverage_is_the_least_of_the_three_caps(tmp_path: Path, risk: int, cap: int, expected: int) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent(), leverage=risk)
        desks._avantis_max = cap
        await moved(settlement, desks)
        position = await settlement.read(lambda world: next(iter(world.exchange.open_positions.values())))
        assert round(position.entry_notional / position.margin) == expected


async def test_a_halted_desk_is_left_alone(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        await done(settlement, commands.Halt(TOKEN, "ops", "c1"))
        agent = ScriptedAgent()
        await manager(settlement, agent).manage_all()
        assert agent.asked == 0
        assert await money(settlement) == {"pending": 57_000_000}


async def test_one_desk_that_fails_does_not_hold_up_the_others(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        await enrolled(settlement, 100_000_000, OTHER)
        agent = ScriptedAgent()
        desks = manager(settlement, agent)
        asked = agent.decide_desk_entry

        async def first_fails(now_ms: int, listed: Container[str]) -> Plan:
            plan = await asked(now_ms, listed)
            if agent.asked == 1:
                raise RuntimeError("poisoned")
            return plan

        agent.decide_desk_entry = first_fails  # type: ignore[method-assign]
        assert await moved(settlement, desks) == "2 desks, 1 moved, 1 failed"
        assert await positions(settlement) == 1


@pytest.mark.parametrize("fault", ["before", "after", "lost"])
async def test_a_crash_around_an_open_neither_loses_nor_doubles_it(tmp_path: Path, fault: str) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        await manager(settlement, ScriptedAgent(), fault=fault).manage_all()
        assert await phase(settlement) is (DeskPhase.UNKNOWN if fault == "lost" else DeskPhase.OPENING)
        assert await money(settlement) == {"in_flight": 57_000_000}
    async with settled(tmp_path) as settlement:
        desks = manager(settlement, ScriptedAgent())
        await moved(settlement, desks)
        await moved(settlement, desks)
        assert await phase(settlement) is DeskPhase.OPEN
        assert await positions(settlement) == 1
        assert await money(settlement) == {"deployed": 57_000_000}


@pytest.mark.parametrize(("fault", "closed"), [("before", False), ("after", True), ("lost", True)])
async def test_a_crash_around_a_close_is_settled_by_asking(tmp_path: Path, fault: str, closed: bool) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        await moved(settlement, manager(settlement, ScriptedAgent()))
        faulty = manager(settlement, ScriptedAgent(), fault=fault)
        with suppress(Crash):
            assert isinstance(await faulty.close_desk(TOKEN, 1, "ops", settlement.seq), Unsettled)
        assert await phase(settlement) is (DeskPhase.UNKNOWN if fault == "lost" else DeskPhase.CLOSING)
    async with settled(tmp_path) as settlement:
        await moved(settlement, manager(settlement, ScriptedAgent(NO)))
        assert await phase(settlement) is (DeskPhase.CLOSED if closed else DeskPhase.OPEN)
        assert await positions(settlement) == (0 if closed else 1)
        assert set(await money(settlement)) == ({"realised"} if closed else {"deployed"})


async def test_a_close_respects_the_worst_price_and_pays_out(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent())
        await moved(settlement, desks)
        assert isinstance(await desks.close_desk(TOKEN, wad("2100"), "ops", settlement.seq), Waiting)
        await kept(settlement, desks)
        assert await phase(settlement) is DeskPhase.OPEN
        word = await settlement.read(lambda world: world.house.desks[TOKEN].word)
        assert word is not None
        assert "OrderNotFulfillableAtAcceptablePrice" in word.text
        assert isinstance(await desks.close_desk(TOKEN, wad("1900"), "ops", settlement.seq), Waiting)
        assert await phase(settlement) is DeskPhase.CLOSING
        await kept(settlement, desks)
        assert await phase(settlement) is DeskPhase.CLOSED
        paid = await settlement.read(lambda world: world.exchange.positions[1].payout)
        assert await money(settlement) == {"realised": paid // 10**12}
        again = await desks.close_desk(TOKEN, 0, "ops", settlement.seq)
        assert isinstance(again, Rejection)
        assert again.code is Code.NO_POSITION


async def test_a_liquidated_desk_is_noticed_with_what_came_back(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH", depth="100000")
        await done(settlement, exchange.FundInsurance(wad("10000")))
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent())
        await moved(settlement, desks)
        for number in range(4):
            short = exchange.OpenPosition(
                user=f"bear-{number}",
                market="ETH",
                is_long=False,
                total=wad("60"),
                leverage=Fraction(20),
                deposit=wad("60"),
            )
            await done(settlement, short)
        await done(settlement, exchange.AdvanceBlock())
        assert await desks.watch() == "1 desks with positions or orders, 0 settled, 0 gone"
        await done(settlement, exchange.LiquidatePosition("keeper", 1))
        assert await desks.watch() == "1 desks with positions or orders, 0 settled, 1 gone"
        assert await phase(settlement) is DeskPhase.CLOSED
        paid = await settlement.read(lambda world: world.exchange.positions[1].payout)
        assert (await money(settlement)).get("realised", 0) == paid // 10**12
        total = await settlement.read(lambda world: world.house.ledger.total() + world.exchange.ledger.total())
        assert total == 0


async def on_the_exchange(settlement: Settlement) -> int:
    """What lies in the desk's wallets there, in all tokens: less than a micro-dollar, or it would be counted twice."""

    def look(world: World) -> int:
        books = (world.exchange.ledger, *world.exchange.tokens.values())
        return sum(book[f"wallet:desk:{TOKEN}"] for book in books)

    return await settlement.read(look)


async def test_an_order_nobody_executes_leaves_nothing_behind_and_its_money_pending(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent())
        await desks.manage_all()
        assert await money(settlement) == {"in_flight": 57_000_000}
        await done(settlement, RegisterKeeper("keeper-1"))
        clock.advance(301)
        assert await keeper(settlement, FixedPrices(clock)).pass_once() == "1 swept"
        await desks.watch()
        assert await money(settlement) == {"pending": 57_000_000}
        assert await on_the_exchange(settlement) == 0
        await moved(settlement, desks)
        assert await money(settlement) == {"deployed": 57_000_000}
        assert await on_the_exchange(settlement) == 0


async def test_a_halt_takes_back_what_waits_to_add_risk_and_lets_a_close_through(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent())
        await moved(settlement, desks)
        await done(settlement, commands.BookFees(TOKEN, "f2", 100_000_000))
        await desks.manage_all()
        assert await phase(settlement) is DeskPhase.INCREASING
        await done(settlement, commands.Halt(TOKEN, "ops", "c1"))
        guard = keeper(settlement, revoked=halted)
        assert await guard.pass_once() == "1 swept"
        await desks.watch()
        assert await money(settlement) == {"deployed": 57_000_000, "pending": 57_000_000}
        word = await settlement.read(lambda world: world.house.desks[TOKEN].word)
        assert word is not None
        assert "RevokedByEngine halted by ops" in word.text
        assert await on_the_exchange(settlement) == 0
        await desks.close_desk(TOKEN, wad("1900"), "ops", settlement.seq)
        assert await guard.pass_once() == "1 executed, 1 swept"
        await desks.watch()
        assert await phase(settlement) is DeskPhase.CLOSED
