"""Commands: still meant, done once, answered with one line; halts work whatever the desk is doing."""

import asyncio
from dataclasses import replace
from pathlib import Path

from engine.clearing.counter import Counter
from engine.commands import CloseDesk, HaltAll, HaltDesk, ResumeDesk
from engine.desks.manager import DeskManager
from engine.operator import Operator
from engine.requests.counter import RequestCounter
from engine.settlement import Settlement
from tests.engine.house import OTHER, TOKEN, ManualClock, enrolled, keeper, kept, listed, settled
from tests.engine.trading import ScriptedAgent, manager

CLOCK = ManualClock()
EXPIRES = CLOCK.now_ms() + 3_000


def operator(settlement: Settlement, clock: ManualClock = CLOCK, desks: DeskManager | None = None) -> Operator:
    reserved = ("desk:",)
    requests = RequestCounter(settlement, keeper(settlement), clock, reserved, {})
    courier = (desks or manager(settlement, ScriptedAgent())).courier
    return Operator(settlement, courier, Counter(settlement, reserved, {}), requests, clock)


def halt(command_id: str = "c1", address: str = TOKEN) -> HaltDesk:
    return HaltDesk(id=command_id, who="ops", seen_seq=0, expires_at_ms=EXPIRES, address=address)


async def halted_by(settlement: Settlement, address: str = TOKEN) -> str | None:
    return await settlement.read(lambda world: world.house.desks[address].halted_by)


async def test_halt_and_resume(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        ops = operator(settlement)
        receipt = await ops.execute(halt())
        assert (receipt.ok, receipt.text, receipt.seq) == (True, "halted 1 desk", settlement.seq)
        assert await halted_by(settlement) == "ops"
        assert (await ops.execute(halt("c2"))).text == "already halted"
        resume = ResumeDesk(id="c3", who="ops", seen_seq=0, expires_at_ms=EXPIRES, address=TOKEN)
        assert (await ops.execute(resume)).ok
        assert await halted_by(settlement) is None


async def test_halt_all(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        await enrolled(settlement, address=OTHER)
        receipt = await operator(settlement).execute(HaltAll(id="c", who="ops", seen_seq=0, expires_at_ms=EXPIRES))
        assert receipt.text == "halted 2 desks"
        assert await halted_by(settlement, OTHER) == "ops"


async def test_a_late_command_does_nothing(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        clock = ManualClock()
        clock.advance(3.1)
        receipt = await operator(settlement, clock).execute(halt())
        assert (receipt.ok, receipt.code) == (False, "EXPIRED")
        assert await halted_by(settlement) is None


async def test_the_same_command_again_has_no_second_effect(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        ops = operator(settlement)
        first = await ops.execute(halt())
        resume = ResumeDesk(id="c2", who="ops", seen_seq=0, expires_at_ms=EXPIRES, address=TOKEN)
        await ops.execute(resume)
        assert await ops.execute(halt()) == first
        assert await halted_by(settlement) is None


async def test_an_unknown_desk_is_named(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        receipt = await operator(settlement).execute(halt(address="0xnobody"))
        assert (receipt.ok, receipt.code, receipt.text) == (False, "UNKNOWN_DESK", "no desk 0xnobody")


async def test_the_operators_name_is_cleaned(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        await operator(settlement).execute(replace(halt(), who="\x1b[31mops\u202e"))
        assert await halted_by(settlement) == "[31mops"


async def test_close_carries_what_was_seen_and_works_on_a_halted_desk(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        clock = ManualClock()
        desks = manager(settlement, ScriptedAgent())
        ops = operator(settlement, clock, desks)
        await desks.manage_all()
        await kept(settlement, desks)
        await ops.execute(halt())
        close = CloseDesk(
            id="c2", who="ops", seen_seq=settlement.seq, expires_at_ms=EXPIRES, address=TOKEN, worst_price=1
        )
        stale = await ops.execute(replace(close, id="c3", seen_seq=1))
        assert (stale.ok, stale.code) == (False, "CHANGED")
        asking = asyncio.create_task(ops.execute(close))
        await clock.asleep.wait()
        await kept(settlement, desks)
        clock.advance(0.1)
        receipt = await asking
        assert receipt.ok, receipt
        assert receipt.text.startswith("closed, ")


async def test_a_close_that_no_keeper_executes_says_that_it_waits(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent())
        ops = operator(settlement, clock, desks)
        await desks.manage_all()
        await kept(settlement, desks)
        close = CloseDesk(
            id="c2", who="ops", seen_seq=settlement.seq, expires_at_ms=EXPIRES, address=TOKEN, worst_price=1
        )
        asking = asyncio.create_task(ops.execute(close))
        while not asking.done():
            clock.advance(0.1)
            await asyncio.sleep(0)
        assert (await asking).text == "close order created; a keeper executes it"
