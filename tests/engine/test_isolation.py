"""One desk's trouble is its own: faults, silence and stale answers of a venue reach no other desk."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desks import commands
from engine.desks.bounded import BoundedVenue
from engine.desks.guard import Guard
from engine.desks.risk import Limits
from engine.desks.terms import Terms
from engine.sections import Risk
from engine.settlement import Settlement
from engine.snapshot import DeskPhase
from engine.wallet import BLIND_MS, Balances, WalletWatch
from tests.engine.house import OTHER, TOKEN, ManualClock, done, enrolled, kept, listed, settled
from tests.engine.test_guard import COST, MoodyVenue
from tests.engine.test_manager_waits import code
from tests.engine.trading import ScriptedAgent, manager, money, moved, paper, phase
from venue.exchange.fixed import WAD
from venue.perp import CloseOrder, Ended, MarketTerms, OpenOrder, OrderOutcome, PositionRef, Unsettled

FEES = 100_000_000


class SickVenue(MoodyVenue):
    """Fails or falls silent for one desk."""

    sick = TOKEN
    silent = False
    never = asyncio.Event()

    async def _ill(self, address: str) -> None:
        if address == self.sick:
            if self.silent:
                await asyncio.Event().wait()
            raise OSError("no route to host")

    async def close(self, order: CloseOrder) -> OrderOutcome:
        await self._ill(order.account)
        return await super().close(order)

    async def open(self, order: OpenOrder) -> OrderOutcome:
        if self.silent:
            await self._ill(order.account)
        return await super().open(order)

    async def ended(self, ref: PositionRef) -> Ended | None:
        if ref.trade_index == 1:
            raise OSError("no route to host")
        return await super().ended(ref)


async def two_desks(settlement: Settlement) -> None:
    await listed(settlement, "ETH")
    for address in (TOKEN, OTHER):
        await enrolled(settlement, FEES, address)


async def test_a_venue_that_fails_one_desk_leaves_the_guard_to_the_others(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await two_desks(settlement)
        venue = SickVenue(settlement, clock)
        desks = manager(settlement, ScriptedAgent(), clock=clock, venue=venue)
        await moved(settlement, desks)
        assert "2 desks" in await desks.watch()  # one of the two cannot be asked about its end
        venue.profit = -600_000
        guard = Guard(settlement, venue, desks.courier, Limits.of(Risk()), clock)
        task = asyncio.create_task(guard.check_desk_risk())
        await clock.asleep.wait()
        clock.advance(1)
        await task
        await kept(settlement, desks)
        assert await phase(settlement, OTHER) is DeskPhase.CLOSED
        assert await phase(settlement, TOKEN) is DeskPhase.OPEN  # never sent, so declined; the next pass tries again
        assert await settlement.read(lambda world: world.house.desks[TOKEN].halted)


async def test_a_venue_that_falls_silent_leaves_an_order_unsettled_in_time(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await two_desks(settlement)
        venue = SickVenue(settlement, clock)
        venue.silent = True
        desks = manager(settlement, ScriptedAgent(), clock=clock, venue=BoundedVenue(venue, 0.05, 0.05))
        await desks.manage_all()
        assert await phase(settlement, TOKEN) is DeskPhase.UNKNOWN
        await kept(settlement, desks)
        assert await phase(settlement, OTHER) is DeskPhase.OPEN


async def test_what_a_silent_venue_comes_to(tmp_path: Path) -> None:
    class Silent(MoodyVenue):
        async def outcome(self, order_id: str) -> OrderOutcome:
            return await asyncio.Event().wait()  # type: ignore[return-value]

        async def markets(self) -> dict[str, MarketTerms]:
            return await asyncio.Event().wait()  # type: ignore[return-value]

    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        bounded = BoundedVenue(Silent(settlement, clock), 0.02, 0.02)
        assert await bounded.outcome("x") == Unsettled("x")
        with pytest.raises(TimeoutError):
            await bounded.markets()


async def test_a_desk_that_a_crash_left_asking_is_told(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        agent = ScriptedAgent()
        sight = agent.look("x", clock.now_ms(), 1, {"ETH": 20})
        await done(settlement, commands.AskDecision(TOKEN, sight))
        stricter = manager(settlement, agent, clock=clock, min_deploy_usdc=5_000, max_position_usdc=9_000)
        await stricter.manage_all()
        assert await phase(settlement) is DeskPhase.IDLE
        assert agent.asked == 0


async def test_a_plan_made_before_a_halt_is_void(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        agent = ScriptedAgent()
        agent.gate = asyncio.Event()
        desks = manager(settlement, agent, clock=clock)
        task = asyncio.create_task(desks.manage_all())
        await agent.all_asked.wait()
        await done(settlement, commands.Halt(TOKEN, "ops", "1"))
        await done(settlement, commands.Resume(TOKEN, "ops", "2"))
        agent.gate.set()
        await task
        assert await phase(settlement) is DeskPhase.IDLE
        assert "in_flight" not in await money(settlement)


async def test_caps_are_filled_and_then_nobody_is_asked(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await two_desks(settlement)
        agent = ScriptedAgent()
        capped = manager(settlement, agent, clock=clock, max_wallet_usdc=70)
        await moved(settlement, capped)
        await moved(settlement, capped)  # in the first pass both wanted the same room
        spent = [(await money(settlement, address)).get("deployed", 0) for address in (TOKEN, OTHER)]
        assert sorted(spent) == [70_000_000 - COST, COST]  # the second desk gets what is left
        await enrolled(settlement, FEES, "0x" + "3" * 40)
        asked = agent.asked
        tight = manager(settlement, agent, clock=clock, max_wallet_usdc=70)
        await moved(settlement, tight)
        assert await code(settlement, "0x" + "3" * 40) == "CAPS"
        assert agent.asked == asked
        await moved(settlement, manager(settlement, agent, clock=clock, max_wallet_usdc=5_000))
        assert await phase(settlement, "0x" + "3" * 40) is DeskPhase.OPEN


def test_a_market_that_is_closed_sets_no_terms_for_others() -> None:
    terms = Terms(Risk(leverage=Decimal(20)), 75)
    eth = MarketTerms("ETH", 50 * WAD, 100_000_000)
    for shut in (MarketTerms("BTC", 0, 10**12, opens=False), MarketTerms("BTC", WAD, 10**12, opens=False)):
        terms.learn({"ETH": eth, "BTC": shut})
        assert terms.leverage() == 20 * WAD
        assert terms.min_deploy(terms.leverage()) == 5_000_000
        assert terms.deployable(57_000_000, 0, 20 * WAD) == 57_000_000
    terms.learn({"ETH": replace(eth, max_leverage=10 * WAD)})
    assert terms.leverage() == 10 * WAD


async def test_a_wallet_that_cannot_be_counted_says_so(tmp_path: Path) -> None:
    class Empty:
        async def balances(self) -> Balances:
            return Balances(0)

    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        desks = manager(settlement, ScriptedAgent(), clock=clock, venue=paper(settlement, clock))
        await moved(settlement, desks)
        await done(settlement, commands.IntendClose(TOKEN, "n", None, "ops", None))
        watch = WalletWatch(settlement, Empty(), clock)
        await watch.pass_once()
        assert watch.alarm(clock.now_ms()) == ""
        clock.advance(BLIND_MS / 1000)
        assert watch.alarm(clock.now_ms()) == "wallet not counted for 10 min: an order has no answer"
