"""The desk manager on the real settlement and paper venue: the seed's flow chart."""

from pathlib import Path

import pytest

from engine.agent.plan import Plan, Sight
from engine.desks import commands
from engine.snapshot import DeskPhase
from tests.engine.house import OTHER, TOKEN, done, enrolled, listed, settled
from tests.engine.trading import NO, ScriptedAgent, manager, money, moved, phase, positions


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
        desks = manager(settlement, ScriptedAgent(), avantis_max=cap, leverage=risk)
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

        async def first_fails(sight: Sight) -> Plan:
            plan = await asked(sight)
            if agent.asked == 1:
                raise RuntimeError("poisoned")
            return plan

        agent.decide_desk_entry = first_fails  # type: ignore[method-assign]
        assert await moved(settlement, desks) == "2 desks, 1 moved, 1 failed"
        assert await positions(settlement) == 1
