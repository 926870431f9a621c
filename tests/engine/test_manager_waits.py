"""What holds a desk up, how it is said once, and that it holds nobody else up."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine.agent.plan import Plan, Sight
from engine.desks import commands
from engine.desks.facts import Deferred
from engine.desks.manager import WAIT_MS
from engine.settlement import Settlement, StoreFailed
from engine.snapshot import DeskPhase
from store.journal import Journal
from tests.engine.house import OTHER, TOKEN, ManualClock, done, enrolled, kept, listed, settled
from tests.engine.trading import YES, ScriptedAgent, manager, money, moved, phase
from venue.exchange.fixed import WAD

FEES = 17_600_000
"""10.032 USDC for the desk: enough at 20x, too little at 3x."""
LOW = replace(YES, leverage=3)


async def deferred(settlement: Settlement, address: str = TOKEN) -> Deferred | None:
    return await settlement.read(lambda world: world.house.desks[address].deferred)


async def code(settlement: Settlement, address: str = TOKEN) -> str:
    told = await deferred(settlement, address)
    return told.code if told else ""


async def test_too_little_at_the_plans_leverage_is_said_once_and_waits_for_money(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        agent = ScriptedAgent(LOW)
        desks = manager(settlement, agent, clock=clock)
        await desks.manage_all()
        told = await deferred(settlement)
        assert told is not None
        assert (told.code, told.needs, told.until_ms) == ("BELOW_MIN_NOTIONAL", 33_333_334, clock.now_ms() + WAIT_MS)
        seq = settlement.seq
        for _ in range(3):
            await desks.manage_all()
        assert (agent.asked, settlement.seq) == (1, seq)
        missing = 33_333_334 - 10_032_000
        await done(settlement, commands.BookFees(TOKEN, "f2", (missing - 1) * 10_000 // 5_700))
        await desks.manage_all()
        assert agent.asked == 1
        await done(settlement, commands.BookFees(TOKEN, "f3", 10))
        await moved(settlement, desks)
        assert agent.asked == 2
        assert await phase(settlement) is DeskPhase.OPEN


async def test_it_is_asked_again_once_the_time_is_up_and_a_restart_remembers_that(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        await manager(settlement, ScriptedAgent(LOW), clock=clock).manage_all()
    async with settled(tmp_path, clock) as settlement:
        agent = ScriptedAgent()
        desks = manager(settlement, agent, clock=clock)
        clock.advance(WAIT_MS / 1000 - 0.001)
        await desks.manage_all()
        assert agent.asked == 0
        clock.advance(0.001)
        await moved(settlement, desks)
        assert agent.asked == 1
        assert await money(settlement) == {"deployed": 10_032_000}


async def test_without_gas_nobody_is_asked_and_it_is_said_once(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        agent = ScriptedAgent()
        gas = ["0.01 of 0.05 ETH"]
        desks = manager(settlement, agent, gas_low=lambda _: gas[0])
        seq = settlement.seq
        for _ in range(3):
            await desks.manage_all()
        assert (await code(settlement), agent.asked, settlement.seq) == ("LOW_GAS", 0, seq + 1)
        gas[0] = ""
        await moved(settlement, desks)
        assert await phase(settlement) is DeskPhase.OPEN
        gas[0] = "low again"
        await done(settlement, commands.BookFees(TOKEN, "f2", 100_000_000))
        await moved(settlement, desks)
        assert (await money(settlement))["deployed"] == 10_032_000


async def test_before_the_interval_is_over_nobody_is_asked_whatever_comes_in(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        agent = ScriptedAgent()
        desks = manager(settlement, agent, clock=clock, open_interval_s=900)
        await moved(settlement, desks)
        await desks.courier.close(TOKEN, None, "ops")
        await kept(settlement, desks)
        for ref in ("f2", "f3"):
            await done(settlement, commands.BookFees(TOKEN, ref, FEES))
            clock.advance(449)
            await moved(settlement, desks)
            assert (await code(settlement), agent.asked) == ("TOO_SOON", 1)
        clock.advance(2)
        await desks.manage_all()
        assert agent.asked == 2


async def test_no_tier_goes_beyond_the_caps_on_leverage(tmp_path: Path) -> None:
    class Wild(ScriptedAgent):
        async def decide_desk_entry(self, sight: Sight) -> Plan:
            return replace(YES, leverage=10_000)

    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        await manager(settlement, Wild()).manage_all()
        order = await settlement.read(lambda world: world.house.desks[TOKEN].order)
        assert order is not None
        assert order.leverage == 20 * WAD


class Slow:
    """A pass whose agents are held until the test lets them answer."""

    def __init__(self, settlement: Settlement, agent: ScriptedAgent, expected: int = 1) -> None:
        self.agent = agent
        agent.gate, agent.expected = asyncio.Event(), expected
        self.desks = manager(settlement, agent)

    async def passed(self, meanwhile: Callable[[], object]) -> str:
        task = asyncio.create_task(self.desks.manage_all())
        await self.agent.all_asked.wait()
        waiting = meanwhile()
        if asyncio.iscoroutine(waiting):
            await waiting
        assert self.agent.gate is not None
        self.agent.gate.set()
        return await task


async def test_a_price_that_is_gone_when_a_slow_agent_answers_moves_no_money(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        slow = Slow(settlement, ScriptedAgent())
        assert await slow.passed(lambda: slow.agent.untradable.add("ETH")) == "1 desks, 0 moved"
        assert (await code(settlement), await phase(settlement)) == ("NO_PRICE", DeskPhase.IDLE)
        assert await money(settlement) == {"pending": 10_032_000}


@pytest.mark.parametrize("address", [TOKEN, ""])
async def test_a_halt_while_the_agent_thinks_opens_nothing(tmp_path: Path, address: str) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        slow = Slow(settlement, ScriptedAgent())
        halt = commands.Halt(address, "ops", "c")
        assert await slow.passed(lambda: done(settlement, halt)) == "1 desks, 0 moved"
        assert await money(settlement) == {"pending": 10_032_000}
        assert await phase(settlement) is DeskPhase.IDLE


async def test_a_quarantine_while_the_agent_thinks_opens_nothing(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        slow = Slow(settlement, ScriptedAgent())
        aside = commands.Quarantine(TOKEN, "odd", "ops")
        assert await slow.passed(lambda: done(settlement, aside)) == "1 desks, 0 moved"
        assert await money(settlement) == {"pending": 10_032_000}


async def test_a_desk_that_needs_no_agent_does_not_wait_for_one_that_does(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        await moved(settlement, manager(settlement, ScriptedAgent()))
        await done(settlement, commands.BookFees(TOKEN, "f2", FEES))
        await enrolled(settlement, FEES, OTHER)
        slow = Slow(settlement, ScriptedAgent())

        async def grown() -> None:
            for _ in range(1_000):
                if await phase(settlement) is DeskPhase.INCREASING:
                    break
            assert await phase(settlement) is DeskPhase.INCREASING
            assert await phase(settlement, OTHER) is DeskPhase.DECIDING
            await kept(settlement, slow.desks)
            assert await money(settlement) == {"deployed": 20_064_000}
            await slow.desks.courier.close(TOKEN, None, "ops")
            await kept(settlement, slow.desks)
            assert await phase(settlement) is DeskPhase.CLOSED

        assert await slow.passed(grown) == "2 desks, 2 moved"


async def test_a_restart_while_the_agent_thinks_asks_it_again(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        slow = Slow(settlement, ScriptedAgent())
        task = asyncio.create_task(slow.desks.manage_all())
        await slow.agent.all_asked.wait()
        assert await phase(settlement) is DeskPhase.DECIDING
        task.cancel()
        await asyncio.wait((task,))
    async with settled(tmp_path) as settlement:
        assert await phase(settlement) is DeskPhase.DECIDING
        agent = ScriptedAgent()
        await moved(settlement, manager(settlement, agent))
        assert (agent.asked, await phase(settlement)) == (1, DeskPhase.OPEN)


class Poisoned(ScriptedAgent):
    """Fails for the desk with the most money, whose sight shows it."""

    def __init__(self, above: int) -> None:
        super().__init__()
        self.above = above

    async def decide_desk_entry(self, sight: Sight) -> Plan:
        if sight.pending > self.above:
            raise RuntimeError("poisoned")
        return await super().decide_desk_entry(sight)


async def test_three_faults_set_one_desk_aside_and_the_others_trade(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        await enrolled(settlement, FEES, OTHER)
        desks = manager(settlement, Poisoned(20_000_000))
        assert await moved(settlement, desks) == "2 desks, 1 moved, 1 failed"
        assert await moved(settlement, desks) == "2 desks, 0 moved, 1 failed"
        assert await phase(settlement) is DeskPhase.DECIDING
        await moved(settlement, desks)
        assert await phase(settlement) is DeskPhase.QUARANTINED
        assert await phase(settlement, OTHER) is DeskPhase.OPEN
        assert await moved(settlement, desks) == "2 desks, 0 moved"
        await done(settlement, commands.Release(TOKEN, "ops", "c"))
        desks = manager(settlement, ScriptedAgent())
        assert await moved(settlement, desks) == "2 desks, 1 moved"


async def test_a_store_that_fails_during_a_pass_is_told_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(self: Journal, facts: Sequence[tuple[str, str]], at_ms: int) -> int:
        raise OSError("disk full")

    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        await enrolled(settlement, FEES, OTHER)
        with monkeypatch.context() as broken:
            broken.setattr(Journal, "append", full)
            with pytest.raises(StoreFailed, match="disk full"):
                await manager(settlement, ScriptedAgent()).manage_all()


@pytest.mark.parametrize("grows", [False, True])
async def test_what_holds_everybody_while_an_agent_thinks_holds_its_plan(tmp_path: Path, grows: bool) -> None:
    """A machine that slept between the question and the answer must not open on what it knew before."""
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        agent, why = ScriptedAgent(YES), ""
        desks = manager(settlement, agent, hold=lambda: why)
        if grows:
            await moved(settlement, desks)
            await done(settlement, commands.BookFees(TOKEN, "more", FEES, 0))
            why = "the process stood still for 60 s"
            await desks.manage_all()
        else:
            agent.gate = asyncio.Event()
            running = asyncio.create_task(desks.manage_all())
            await agent.all_asked.wait()
            why = "the process stood still for 60 s"
            agent.gate.set()
            await running
        told = await deferred(settlement)
        assert told is not None
        assert (told.code, told.reason) == ("NOT_ARMED", why)
        assert (await money(settlement)).get("in_flight", 0) == 0
        why = ""
        agent.gate = None
        await moved(settlement, desks)
        assert await phase(settlement) is DeskPhase.OPEN


@pytest.mark.parametrize("what", ["hold", "halt", "price"])
async def test_what_was_written_down_is_not_sent_when_the_world_went_on_meanwhile(tmp_path: Path, what: str) -> None:
    """A disk that hung, or a machine that slept, between the intent and the order."""
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        agent, append = ScriptedAgent(YES), settlement._journal.append
        ordered = "OrderIntended"
        why = ""

        async def slow(facts: Sequence[tuple[str, str]], at_ms: int) -> int:
            nonlocal why
            done_ = await append(facts, at_ms)
            if any(kind == ordered for kind, _ in facts):
                if what == "hold":
                    why = "the disk did not answer for 60 s"
                elif what == "price":
                    agent.untradable.add("ETH")
                else:
                    halting.append(asyncio.create_task(settlement.submit(commands.Halt(TOKEN, "ops", "x"))))
                    await asyncio.sleep(0)
            return done_

        halting: list[asyncio.Task[object]] = []
        settlement._journal.append = slow  # type: ignore[method-assign]
        desks = manager(settlement, agent, hold=lambda: why)
        await desks.manage_all()
        await asyncio.gather(*halting)
        declined = await settlement.read(
            lambda world: world.house.desks[TOKEN].order is None and not world.exchange.fills
        )
        assert declined
        assert (await money(settlement)).keys() == {"pending"}
        settlement._journal.append = append  # type: ignore[method-assign]
        why = ""
        agent.untradable.clear()
        await moved(settlement, desks)
        assert await phase(settlement) is (DeskPhase.IDLE if what == "halt" else DeskPhase.OPEN)
