import subprocess
import sys
from dataclasses import replace

import pytest

from engine import codec, world
from venue.avantis.intent_facts import (
    REFUSED,
    Fact,
    Heard,
    IntentEnded,
    IntentEvent,
    IntentFill,
    IntentKind,
    IntentResult,
    IntentSigned,
    IntentSubmitting,
    IntentTaken,
    IntentTracked,
    Source,
)
from venue.avantis.intent_log import (
    MAX_OPEN,
    Abandon,
    BeginSubmit,
    Command,
    LogCode,
    RecordFound,
    RecordHeard,
    RecordNever,
    RecordSigned,
    RecordTaken,
    RecordTracked,
    RecordUnsent,
    Refusal,
    decide,
)
from venue.avantis.intent_state import Intents, evolve
from venue.avantis.tracking import Stage

FILL = IntentFill(3, True, 3 * 10**13, 10**8, 10**11, 0)
TRACK = RecordTracked("a", "trk-1")
TAKEN = RecordTaken("a", 50)


def signed(order_id: str = "a", nonce: int = 7, kind: IntentKind = IntentKind.OPEN) -> IntentSigned:
    amounts = (10**8, 10**11, 3 * 10**13, 10**10)
    return IntentSigned(order_id, kind, "0x11", 0, 3, True, *amounts, 0, "0xd1", nonce, 10**12, "0xe0", "0x5e")


def event(stage: Heard, seq: int = 1, **fields: object) -> RecordHeard:
    made = IntentEvent("a", seq, stage, 42, "", False)
    return RecordHeard(replace(made, **fields))  # type: ignore[arg-type]


def found(fill: IntentFill | None = FILL, by: Source = Source.CHAIN) -> RecordFound:
    return RecordFound("a", by, fill, 60, "seen")


def do(intents: Intents, *commands: Command) -> tuple[Fact, ...]:
    """The facts of the last command, with all of them folded."""
    answer: tuple[Fact, ...] | Refusal = ()
    for command in commands:
        answer = decide(intents, command)
        assert not isinstance(answer, Refusal), answer
        for fact in answer:
            evolve(intents, fact)
    assert not isinstance(answer, Refusal)
    return answer


def code(intents: Intents, command: Command) -> LogCode:
    answer = decide(intents, command)
    assert isinstance(answer, Refusal), answer
    return answer.code


@pytest.fixture
def intents() -> Intents:
    """With one intent that may have been handed over."""
    made = Intents()
    do(made, RecordSigned(signed()), BeginSubmit("a"))
    return made


def result(intents: Intents) -> tuple[IntentResult, Source]:
    ended = intents.ended["a"].ended
    return ended.result, ended.by


def test_a_whole_life() -> None:
    intents = Intents()
    assert do(intents, RecordSigned(signed())) == (signed(),)
    assert do(intents, BeginSubmit("a")) == (IntentSubmitting("a"),)
    assert do(intents, TRACK) == (IntentTracked("a", "trk-1"),)
    assert do(intents, event(Heard.REGISTERED)) == (event(Heard.REGISTERED).event,)
    assert do(intents, event(Heard.EXECUTED, 2)) == (event(Heard.EXECUTED, 2).event,)
    assert do(intents, TAKEN) == (IntentTaken("a", 50),)
    assert do(intents, found()) == (IntentEnded("a", IntentResult.DONE, Source.CHAIN, "seen", FILL, 60),)
    assert not intents.open
    assert intents.ended["a"].signed == signed()


def test_an_id_is_one_intent_ever(intents: Intents) -> None:
    assert do(intents, RecordSigned(signed())) == ()
    assert code(intents, RecordSigned(signed(nonce=8))) is LogCode.ID_REUSED
    do(intents, RecordUnsent("a", "no"))
    assert code(intents, RecordSigned(signed())) is LogCode.ALREADY_ENDED
    assert code(intents, RecordSigned(signed("b"))) is LogCode.NONCE_REUSED


def test_the_number_of_open_intents_has_a_bound() -> None:
    intents = Intents()
    do(intents, *(RecordSigned(signed(str(number), number)) for number in range(MAX_OPEN)))
    assert code(intents, RecordSigned(signed("more", MAX_OPEN))) is LogCode.TOO_MANY


def test_it_is_handed_over_once_or_abandoned(intents: Intents) -> None:
    assert code(intents, BeginSubmit("a")) is LogCode.SUBMITTED
    assert code(intents, Abandon("a")) is LogCode.SUBMITTED
    do(intents, RecordSigned(signed("b", 8)), Abandon("b"))
    assert intents.ended["b"].ended.result is IntentResult.NOT_SENT
    assert code(intents, BeginSubmit("b")) is LogCode.ALREADY_ENDED


AFTER = (TRACK, event(Heard.EXECUTED), TAKEN, RecordNever("a"), RecordUnsent("a", ""), found())


@pytest.mark.parametrize("command", AFTER)
def test_nothing_becomes_of_what_was_not_handed_over(command: Command) -> None:
    intents = Intents()
    assert code(intents, command) is LogCode.UNKNOWN
    do(intents, RecordSigned(signed()))
    assert code(intents, command) is LogCode.NOT_SUBMITTED


@pytest.mark.parametrize("command", [*AFTER, BeginSubmit("a"), Abandon("a")])
def test_an_end_is_an_end(intents: Intents, command: Command) -> None:
    do(intents, RecordNever("a"))
    assert code(intents, command) is LogCode.ALREADY_ENDED


def test_what_never_left_us_has_no_effect(intents: Intents) -> None:
    do(intents, RecordUnsent("a", "why"))
    assert result(intents) == (IntentResult.NOT_SENT, Source.US)


REJECTED = event(Heard.FAILED, -1, code=REFUSED)


@pytest.mark.parametrize(
    ("before", "why"),
    [(TRACK, LogCode.CONTRADICTED), (REJECTED, LogCode.CONTRADICTED), (TAKEN, LogCode.TAKEN)],
)
def test_what_somebody_has_was_not_unsent(intents: Intents, before: Command, why: LogCode) -> None:
    do(intents, before)
    assert code(intents, RecordUnsent("a", "400")) is why


def test_a_refusal_of_the_relay_is_heard_and_no_end(intents: Intents) -> None:
    do(intents, REJECTED)
    assert "a" in intents.open
    do(intents, TAKEN, found())
    assert result(intents) == (IntentResult.DONE, Source.CHAIN)


def test_a_tracking_id_stays(intents: Intents) -> None:
    do(intents, TRACK)
    assert do(intents, TRACK) == ()
    assert code(intents, RecordTracked("a", "trk-2")) is LogCode.OTHER_TRACK


@pytest.mark.parametrize(
    "told",
    [
        event(Heard.FAILED),
        event(Heard.CANCELED),
        event(Heard.EXECUTED),
        event(Heard.EXECUTED, contradicted=True),
        event(Heard.REGISTERED),
    ],
)
@pytest.mark.parametrize("fill", [FILL, None])
def test_whatever_the_relay_says_the_chain_decides(
    intents: Intents, told: RecordHeard, fill: IntentFill | None
) -> None:
    do(intents, TRACK, told)
    assert code(intents, found(fill)) is LogCode.NOT_TAKEN
    do(intents, TAKEN)
    assert "a" in intents.open
    assert code(intents, found(replace(FILL, is_long=False))) is LogCode.CONTRADICTED
    do(intents, found(fill))
    assert result(intents) == (IntentResult.DONE if fill else IntentResult.CANCELED, Source.CHAIN)


@pytest.mark.parametrize("kind", [IntentKind.INCREASE, IntentKind.CLOSE])
def test_a_fill_is_of_the_position_it_was_about(kind: IntentKind) -> None:
    intents = Intents()
    do(intents, RecordSigned(signed(kind=kind)), BeginSubmit("a"), TAKEN)
    assert code(intents, found(replace(FILL, trade_index=4))) is LogCode.CONTRADICTED
    do(intents, found(None))
    assert result(intents) == (IntentResult.CANCELED, Source.CHAIN)


def test_a_person_may_end_what_the_chain_does_not_show(intents: Intents) -> None:
    do(intents, found(by=Source.OPERATOR))
    assert result(intents) == (IntentResult.DONE, Source.OPERATOR)


@pytest.mark.parametrize(
    ("told", "end"),
    [
        (None, IntentResult.EXPIRED),
        (event(Heard.ACCEPTED), IntentResult.EXPIRED),
        (event(Heard.FAILED, code="ATTEMPTS_EXHAUSTED"), IntentResult.EXPIRED),
        (event(Heard.CANCELED), IntentResult.EXPIRED),
        (REJECTED, IntentResult.REJECTED),
    ],
)
def test_an_unused_nonce_past_its_deadline_is_an_end(
    intents: Intents, told: RecordHeard | None, end: IntentResult
) -> None:
    do(intents, *([told] if told else []), RecordNever("a"))
    assert result(intents) == (end, Source.CHAIN)


@pytest.mark.parametrize("stage", [Heard.REGISTERED, Heard.EXECUTED])
def test_a_registration_without_a_nonce_is_nothing_to_act_on(intents: Intents, stage: Heard) -> None:
    do(intents, TRACK, event(stage))
    assert code(intents, RecordNever("a")) is LogCode.CONTRADICTED
    do(intents, TAKEN)
    assert code(intents, RecordNever("a")) is LogCode.TAKEN


def test_only_a_new_stage_is_news(intents: Intents) -> None:
    do(intents, TRACK, event(Heard.REGISTERED, 2))
    for told in (event(Heard.ACCEPTED, 3), event(Heard.REGISTERED, 4)):
        assert do(intents, told) == ()
    do(intents, event(Heard.FAILED, 5))
    assert do(intents, event(Heard.FAILED, 6)) == ()
    assert intents.open["a"].seq == 5


def test_two_ends_and_two_numbers_contradict(intents: Intents) -> None:
    do(intents, TRACK, event(Heard.CANCELED), event(Heard.EXECUTED, 2))
    order = intents.open["a"]
    assert (order.stage, order.contradicted) == (Heard.CANCELED, True)
    do(intents, TAKEN)
    assert "a" in intents.open
    other = Intents()
    do(other, RecordSigned(signed()), BeginSubmit("a"), TAKEN, event(Heard.REGISTERED))
    do(other, event(Heard.EXECUTED, 2, venue_order=43))
    assert other.open["a"].contradicted


def test_stages_are_the_relays() -> None:
    assert [each.value for each in Heard] == [each.value for each in Stage]


def test_no_secret_is_in_a_repr() -> None:
    assert "0x5e" not in repr(signed())


def test_the_journal_holds_them() -> None:
    made = world.World()
    for command in (RecordSigned(signed()), BeginSubmit("a"), TRACK, event(Heard.EXECUTED), TAKEN, found()):
        answer = world.decide(made, command)
        assert isinstance(answer, tuple)
        for fact in answer:
            assert codec.decode(*codec.encode(fact)) == fact
            world.evolve(made, fact, 1, 1)
    assert made.intents.ended["a"].ended.fill == FILL
    assert not isinstance(world.decide(made, TAKEN), tuple)


def test_the_journal_costs_an_engine_without_a_live_venue_no_libraries() -> None:
    heavy = "{'pydantic', 'httpx', 'eth_abi', 'eth_utils', 'eth_account'}"
    code = f"import sys, engine.world; sys.exit(repr({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else 0)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
