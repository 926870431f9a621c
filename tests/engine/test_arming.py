"""Real money waits for an operator of this session; what leaves, and what is under way, does not."""

from pathlib import Path

from engine.arming import Arming
from engine.clearing.counter import Counter
from engine.commands import PHRASE, ArmRun, HaltAll
from engine.desks.manager import DeskManager
from engine.fees import Earned, FeeClaimer
from engine.operator import Operator
from engine.requests.counter import RequestCounter
from engine.settlement import Settlement
from engine.snapshot import DeskPhase
from tests.engine.house import TOKEN, ManualClock, enrolled, keeper, listed, settled
from tests.engine.trading import ScriptedAgent, manager, moved, phase

CLOCK = ManualClock()
FEES = 300_000_000
EXPIRES = CLOCK.now_ms() + 3_000


def operator(settlement: Settlement, desks: DeskManager, arming: Arming | None) -> Operator:
    requests = RequestCounter(settlement, keeper(settlement), CLOCK, (), {})
    return Operator(settlement, desks.courier, Counter(settlement, (), {}), requests, CLOCK, arming)


def arm(phrase: str = PHRASE, command_id: str = "a") -> ArmRun:
    return ArmRun(id=command_id, who="ops", seen_seq=0, expires_at_ms=EXPIRES, phrase=phrase)


async def test_no_desk_opens_and_no_agent_is_asked_before_somebody_has_confirmed_it(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        agent, arming = ScriptedAgent(), Arming(armed=False)
        desks = manager(settlement, agent, hold=arming.why_not)
        ops = operator(settlement, desks, arming)
        await desks.manage_all()
        deferred = await settlement.read(lambda world: world.house.desks[TOKEN].deferred)
        assert deferred is not None
        assert (deferred.code, agent.asked) == ("NOT_ARMED", 0)
        wrong = await ops.execute(arm("live", "w"))
        assert (wrong.ok, wrong.code, arming.armed) == (False, "NOT_ARMED", False)
        assert (await ops.execute(arm())).ok
        await moved(settlement, desks)
        assert await phase(settlement) is DeskPhase.OPEN
        assert (await ops.execute(arm(command_id="again"))).ok


async def test_a_position_is_left_by_hand_in_a_session_that_nobody_confirmed(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES)
        await moved(settlement, manager(settlement, ScriptedAgent()))
        desks = manager(settlement, ScriptedAgent(), hold=Arming(armed=False).why_not)
        await desks.courier.close(TOKEN, 1, "ops", settlement.seq)
        assert await phase(settlement) is DeskPhase.CLOSING


async def test_a_run_that_only_looks_takes_no_command_at_all(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        ops = operator(settlement, manager(settlement, ScriptedAgent()), Arming(armed=False, observing=True))
        before = settlement.seq
        for command in (arm(), HaltAll(id="h", who="ops", seen_seq=0, expires_at_ms=EXPIRES)):
            receipt = await ops.execute(command)
            assert (receipt.ok, receipt.code) == (False, "OBSERVING")
        assert settlement.seq == before


async def test_on_paper_there_is_nothing_to_confirm(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        receipt = await operator(settlement, manager(settlement, ScriptedAgent()), None).execute(arm())
        assert (receipt.ok, receipt.code) == (False, "BAD_REQUEST")


class Source:
    """Fees that wait."""

    asked = 0

    async def claim_pooled_fees(self, last: dict[str, str]) -> tuple[Earned, ...]:
        self.asked += 1
        return tuple(Earned(token, "f9", FEES) for token in last)


async def test_no_fees_are_claimed_before(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement)
        source, arming = Source(), Arming(armed=False)
        claimer = FeeClaimer(settlement, source, 0, arming.why_not)
        assert await claimer.claim_pooled_fees_cycle() == arming.why_not()
        assert source.asked == 0
        arming.armed = True
        assert await claimer.claim_pooled_fees_cycle() == "1 of 1 tokens had fees"
