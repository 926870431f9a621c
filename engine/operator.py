"""Carries out what operators ask for: checks that it is still meant, does it once, answers with one line."""

import asyncio
from collections.abc import Sequence

import structlog

from engine.acks import Acks
from engine.arming import Arming
from engine.clearing.answers import Answer
from engine.clearing.commands import ClearingCommand, GetMarketState, GetPositionHealth
from engine.clearing.counter import Counter
from engine.clock import Clock
from engine.commands import (
    PHRASE,
    AckAlarm,
    ArmRun,
    CloseDesk,
    CloseDesks,
    Command,
    DeskCommand,
    HaltAll,
    HaltDesk,
    Leave,
    NoteDesk,
    QuarantineDesk,
    Receipt,
    ReduceDesk,
    ReleaseDesk,
    ResumeDesk,
)
from engine.desks import commands as desk_commands
from engine.desks.commands import Code
from engine.desks.courier import AT_ONCE, Courier
from engine.once import Once
from engine.requests.commands import RequestCommand
from engine.requests.counter import RequestCounter
from engine.settlement import Settlement, StoreFailed
from engine.text import clean, clean_name, money
from venue.exchange.commands import Rejection
from venue.perp import Declined, Filled, OrderOutcome, Waiting

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
_LOOKS: tuple[bool, str, str] = (False, Code.OBSERVING, "this run only looks: start it without --observe to command it")
LOOK_EVERY_S, PATIENCE = 0.1, 25
"""How often, and how many times, a close is asked after before the receipt says that it waits."""


class Operator:
    """The engine's side of `Port.submit`."""

    def __init__(
        self,
        settlement: Settlement,
        courier: Courier,
        counter: Counter,
        requests: RequestCounter,
        clock: Clock,
        arming: Arming | None = None,
        acks: Acks | None = None,
    ) -> None:
        self._settlement = settlement
        self._courier = courier
        self._counter = counter
        self._requests = requests
        self._clock = clock
        self._arming = arming
        self._acks = acks or Acks()
        self._once = Once(self._execute, lambda: settlement.seq)

    async def execute(self, command: Command) -> Receipt:
        """The receipt; a repetition gets the same one (`Once.answer`), what changes nothing is asked anew."""
        if isinstance(command, GetMarketState | GetPositionHealth) or getattr(command, "preview", False):
            return await self._execute(command)
        return await self._once.answer(command)

    async def aclose(self) -> None:
        """Nothing is begun any more, and what runs is answered."""
        await self._once.aclose()

    async def _execute(self, command: Command) -> Receipt:
        answer: Answer | None = None
        try:
            if self._arming and self._arming.observing:
                ok, code, text = _LOOKS
            elif late := self._late(command):
                ok, code, text = late
            elif isinstance(command, ClearingCommand):
                ok, code, text, answer = await self._serve(command)
            elif isinstance(command, RequestCommand):
                ok, code, text = await self._requests.serve(command)
            else:
                ok, code, text = await self._carry_out(command)
        except StoreFailed as failure:
            ok, code, text = False, failure.code, str(failure)
        except Exception as error:  # a fault in one command is told to who asked, and stops nobody else
            log.error("command failed", command=type(command).__name__, error=repr(error)[:200])
            ok, code, text = False, Code.INTERNAL, f"perpdesk failed at this command: {type(error).__name__}"
        return Receipt(command.id, ok, code, text, self._settlement.seq, answer)

    def _late(self, command: Command) -> tuple[bool, str, str] | None:
        late_ms = self._clock.now_ms() - command.expires_at_ms
        if late_ms <= 0:
            return None
        return False, Code.EXPIRED, f"this was meant until {late_ms / 1000:.1f} s ago; ask again if you still mean it"

    async def _serve(self, command: ClearingCommand) -> tuple[bool, str, str, Answer | None]:
        answer = await self._counter.serve(command)
        if isinstance(answer, Rejection):
            return *_refused(answer), None
        return True, "", "done", answer

    async def _carry_out(self, command: DeskCommand) -> tuple[bool, str, str]:
        who = clean_name(command.who)
        if isinstance(command, CloseDesk | CloseDesks | ReduceDesk):
            return await self._leave(command, who)
        match command:
            case ArmRun():
                return await self._arm(command.phrase, who, command.id)
            case AckAlarm():
                return await self._acknowledge(command.key, who, command.id)
            case HaltAll():
                return await self._halt("", who, command.id)
            case HaltDesk():
                return await self._halt(command.address, who, command.id)
        told, done = _for_desk(command, who)
        return await self._tell(told, done)

    async def _leave(self, command: CloseDesk | CloseDesks | ReduceDesk, who: str) -> tuple[bool, str, str]:
        match command:
            case CloseDesk():
                outcome = await self._courier.close(command.address, command.worst_price, who, command.seen_seq)
                return _left(await self._acted_on(outcome), "close")
            case CloseDesks():
                return await self._close_each(command.leaves, who, command.seen_seq)
            case ReduceDesk():
                terms = (command.share, command.worst_price, who, command.seen_seq)
                outcome = await self._courier.reduce(command.address, *terms)
                return _left(await self._acted_on(outcome), "reduce")

    async def _close_each(self, leaves: tuple[Leave, ...], who: str, seen_seq: int) -> tuple[bool, str, str]:
        """Some at a time; one that fails or is refused keeps none of the others."""
        if not leaves or len({leave.address for leave in leaves}) < len(leaves):
            return False, Code.BAD_REQUEST, "leaves: expected desks, each of them once"
        gate = asyncio.Semaphore(AT_ONCE)

        async def close(leave: Leave) -> OrderOutcome | Rejection:
            async with gate:
                outcome = await self._courier.close(leave.address, leave.worst_price, who, seen_seq)
            return await self._acted_on(outcome)

        found = await asyncio.gather(*(close(leave) for leave in leaves), return_exceptions=True)
        names = await self._settlement.read(
            lambda world: {desk.address: desk.called for desk in world.house.desks.values()}
        )
        return _left_each([(names.get(leave.address, "?"), each) for leave, each in zip(leaves, found, strict=True)])

    async def _arm(self, phrase: str, who: str, command_id: str) -> tuple[bool, str, str]:
        if self._arming is None:
            return False, Code.BAD_REQUEST, "no real money is in this run: there is nothing to confirm"
        if phrase != PHRASE:
            return False, Code.NOT_ARMED, f"phrase: expected {PHRASE}, typed in full"
        answer = await self._tell(desk_commands.RecordArmed(who, command_id), "confirmed: desks may open")
        self._arming.armed = self._arming.armed or answer[0]
        return answer

    async def _acknowledge(self, key: str, who: str, command_id: str) -> tuple[bool, str, str]:
        text, known_by = self._acks.text(key), self._acks.known_by(key)
        if text is None:
            return False, Code.NO_SUCH_ALARM, "no such alarm stands now"
        if known_by:
            return True, "", f"already acknowledged by {known_by}"
        answer = await self._tell(desk_commands.RecordAcknowledged(clean(text), who, command_id), "acknowledged")
        if answer[0]:
            self._acks.take(key, who, self._clock.now_ms())
        return answer

    async def _tell(self, command: desk_commands.Command, done: str) -> tuple[bool, str, str]:
        answer = await self._settlement.submit(command)
        if isinstance(answer, Rejection):
            return _refused(answer)
        return True, "", done if answer else f"already {done}"

    async def _acted_on(self, outcome: OrderOutcome | Rejection) -> OrderOutcome | Rejection:
        """What a keeper makes of an order, if it is quick about it."""
        for _ in range(PATIENCE):
            if not isinstance(outcome, Waiting) or self._once.stopping:
                break
            await self._clock.sleep(LOOK_EVERY_S)
            outcome = await self._courier.outcome(outcome.order_id)
        return outcome

    async def _halt(self, address: str, who: str, command_id: str) -> tuple[bool, str, str]:
        answer = await self._settlement.submit(desk_commands.Halt(address, who, command_id))
        if isinstance(answer, Rejection):
            return _refused(answer)
        return True, "", f"halted {len(answer)} desk{'' if len(answer) == 1 else 's'}" if answer else "already halted"


def _for_desk(
    command: ResumeDesk | QuarantineDesk | ReleaseDesk | NoteDesk, who: str
) -> tuple[desk_commands.Command, str]:
    """What a desk is told, and the word for having done it."""
    match command:
        case ResumeDesk():
            return desk_commands.Resume(command.address, who, command.id, command.seen_seq), "resumed"
        case QuarantineDesk():
            why = clean(command.why) if command.why else f"set aside by {who}"
            return desk_commands.Quarantine(command.address, why, who, command.id), "set aside"
        case ReleaseDesk():
            return desk_commands.Release(command.address, who, command.id, command.seen_seq), "released"
        case NoteDesk():
            text = clean(command.text) if command.text.strip() else ""
            return desk_commands.Note(command.address, text, who, command.id, command.seen_seq), "noted"


def _refused(rejection: Rejection) -> tuple[bool, str, str]:
    return False, rejection.code, rejection.detail


def _left_each(outcomes: Sequence[tuple[str, OrderOutcome | Rejection | BaseException]]) -> tuple[bool, str, str]:
    """How many were closed, what came back, how many still wait, and the first that was not closed, with its code."""
    closed = [outcome for _, outcome in outcomes if isinstance(outcome, Filled)]
    failed: list[tuple[str, str, str]] = []
    for name, outcome in outcomes:
        if isinstance(outcome, StoreFailed):
            raise outcome
        if isinstance(outcome, BaseException):
            failed.append((name, Code.INTERNAL, type(outcome).__name__))
        elif isinstance(outcome, Declined | Rejection):
            failed.append((name, outcome.code, outcome.detail))
    waiting = len(outcomes) - len(closed) - len(failed)
    said = [f"{len(closed)} of {len(outcomes)} closed, {money(sum(each.payout for each in closed))} USDC back"]
    if waiting:
        said.append(f"{waiting} without an answer yet")
    if failed:
        said.append(f"{len(failed)} not closed, first {failed[0][0]}: {failed[0][2]}")
    code = (Code.PARTLY if closed or waiting else failed[0][1]) if failed else ""
    return not failed, code, "; ".join(said)


def _left(outcome: OrderOutcome | Rejection, kind: str) -> tuple[bool, str, str]:
    match outcome:
        case Filled():
            return True, "", f"{kind}d, {money(outcome.payout)} USDC back"
        case Declined() | Rejection():
            return False, outcome.code, outcome.detail
        case Waiting():
            return True, "", f"{kind} order created; a keeper executes it"
        case _:
            return True, "", "sent; the venue has not answered yet"
