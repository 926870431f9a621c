"""Commands: still meant, done once, answered with one line; halts work whatever the desk is doing."""

import asyncio
from dataclasses import replace
from pathlib import Path

from engine import wire
from engine.acks import Acks
from engine.clearing.counter import Counter
from engine.commands import (
    AckAlarm,
    CloseDesk,
    CloseDesks,
    HaltAll,
    HaltDesk,
    Leave,
    NoteDesk,
    ResumeDesk,
    alarm_key,
)
from engine.desks.manager import DeskManager
from engine.operator import Operator
from engine.requests.counter import RequestCounter
from engine.settlement import Settlement
from tests.engine.house import OTHER, TOKEN, ManualClock, enrolled, keeper, kept, listed, settled
from tests.engine.trading import ScriptedAgent, manager

CLOCK = ManualClock()
EXPIRES = CLOCK.now_ms() + 3_000


def operator(
    settlement: Settlement, clock: ManualClock = CLOCK, desks: DeskManager | None = None, acks: Acks | None = None
) -> Operator:
    reserved = ("desk:",)
    requests = RequestCounter(settlement, keeper(settlement), clock, reserved, {})
    courier = (desks or manager(settlement, ScriptedAgent())).courier
    return Operator(settlement, courier, Counter(settlement, reserved, {}), requests, clock, acks=acks)


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


async def test_closing_several_closes_what_can_be_closed_and_names_the_first_that_cannot(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        clock = ManualClock()
        desks = manager(settlement, ScriptedAgent())
        ops = operator(settlement, clock, desks)
        await desks.manage_all()
        await kept(settlement, desks)
        await enrolled(settlement, address=OTHER)
        leaves = (Leave(TOKEN, 1), Leave(OTHER, 1), Leave("0xnobody", 1))
        close = CloseDesks(id="c", who="ops", seen_seq=settlement.seq, expires_at_ms=EXPIRES, leaves=leaves)
        asking = asyncio.create_task(ops.execute(close))
        await clock.asleep.wait()
        await kept(settlement, desks)
        clock.advance(0.1)
        receipt = await asking
        assert (receipt.ok, receipt.code) == (False, "PARTLY")
        assert receipt.text.startswith("1 of 3 closed, ")
        assert "; 2 not closed, first " in receipt.text
        assert await settlement.read(lambda world: world.house.desks[TOKEN].ref) is None


async def test_a_note_stays_on_the_desk_and_an_empty_one_takes_it_away(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        ops = operator(settlement)

        async def noted() -> tuple[str, str]:
            return await settlement.read(
                lambda world: (world.house.desks[TOKEN].memo, world.house.desks[TOKEN].memo_by)
            )

        def note(id_: str, text: str) -> NoteDesk:
            return NoteDesk(id=id_, who="ops", seen_seq=0, expires_at_ms=EXPIRES, address=TOKEN, text=text)

        assert (await ops.execute(note("n1", "waiting\x1b[2J for the listing"))).ok
        assert await noted() == ("waiting[2J for the listing", "ops")
        assert (await ops.execute(note("n2", "waiting[2J for the listing"))).text == "already noted"
        assert (await ops.execute(note("n3", "  "))).ok
        assert (await noted())[0] == ""


async def test_only_an_alarm_that_stands_is_acknowledged_and_that_is_journaled(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        acks = Acks()
        ops = operator(settlement, acks=acks)
        alarm = "feed lost: nothing is opened, " + "for a reason that takes many words " * 10
        ack = AckAlarm(id="a1", who="ops", seen_seq=0, expires_at_ms=EXPIRES, key=alarm_key(alarm))
        assert wire.read_command(wire.tagged(ack)) == ack
        assert (await ops.execute(ack)).code == "NO_SUCH_ALARM"
        acks.split((alarm,))
        before = settlement.seq
        assert (await ops.execute(replace(ack, id="a2"))).ok
        again = await ops.execute(replace(ack, id="a3", who="anna"))
        assert (again.ok, again.text.startswith("already acknowledged by ops")) == (True, True)
        assert settlement.seq == before + 1
        assert acks.split((alarm,))[0] == ()


async def test_a_halt_that_was_not_seen_is_not_lifted(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        ops = operator(settlement)
        seen = settlement.seq
        await ops.execute(replace(halt(), who="guard"))
        resume = ResumeDesk(id="c2", who="ops", seen_seq=seen, expires_at_ms=EXPIRES, address=TOKEN)
        refused = await ops.execute(resume)
        assert (refused.code, refused.text) == (
            "CHANGED",
            "PEPE·a1a1 was halted by guard since you looked; ask again if you still mean it",
        )
        assert (await ops.execute(replace(resume, id="c3", seen_seq=settlement.seq))).ok
        await ops.execute(halt("c4"))
        assert (await ops.execute(replace(resume, id="c5"))).ok, "one's own halt is known"


async def test_words_that_were_not_seen_are_not_written_over(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        ops = operator(settlement)
        note = NoteDesk(id="n1", who="bob", seen_seq=settlement.seq, expires_at_ms=EXPIRES, address=TOKEN, text="WAIT")
        assert (await ops.execute(note)).ok
        refused = await ops.execute(replace(note, id="n2", who="anna", text="go on"))
        assert refused.code == "CHANGED"
        assert await settlement.read(lambda world: world.house.desks[TOKEN].memo) == "WAIT"
        long = await ops.execute(replace(note, id="n3", text="x" * 121))
        assert (long.code, "at most 120" in long.text) == ("BAD_REQUEST", True)


async def test_several_that_are_none_or_one_twice_are_refused(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        for leaves in ((), (Leave(TOKEN, 1), Leave(TOKEN, 2))):
            close = CloseDesks(id=f"c{len(leaves)}", who="ops", seen_seq=0, expires_at_ms=EXPIRES, leaves=leaves)
            assert (await operator(settlement).execute(close)).code == "BAD_REQUEST"


async def test_a_close_repeated_at_another_quote_is_the_same_command(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        ops = operator(settlement)
        close = CloseDesk(id="c", who="ops", seen_seq=0, expires_at_ms=EXPIRES, address=TOKEN, worst_price=1)
        first = await ops.execute(close)
        assert await ops.execute(replace(close, worst_price=2)) == first
        assert (await ops.execute(replace(close, address=OTHER))).code == "ID_REUSED"
