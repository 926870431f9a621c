"""What may be recorded of signed intents. Pure: a command leads to facts, or is refused.

The nonce is the arbiter: the contract takes it once or never. What has left us ends by the chain or by a person's word,
and the relay's word is kept and ends nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

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
from venue.avantis.intent_state import Intents, OpenIntent, told

MAX_OPEN: Final = 512
"""Most intents that have not ended."""


class LogCode(StrEnum):
    """Why the journal of intents refuses something; stable."""

    ID_REUSED = "INTENT_ID_REUSED"
    NONCE_REUSED = "INTENT_NONCE_REUSED"
    TOO_MANY = "INTENT_TOO_MANY"
    ALREADY_ENDED = "INTENT_ALREADY_ENDED"
    UNKNOWN = "INTENT_UNKNOWN"
    SUBMITTED = "INTENT_SUBMITTED"
    NOT_SUBMITTED = "INTENT_NOT_SUBMITTED"
    OTHER_TRACK = "INTENT_OTHER_TRACK"
    TAKEN = "INTENT_TAKEN"
    NOT_TAKEN = "INTENT_NOT_TAKEN"
    CONTRADICTED = "INTENT_CONTRADICTED"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command had no effect."""

    code: LogCode
    detail: str


@dataclass(frozen=True, slots=True)
class RecordSigned:
    """A signature exists and has not left us. An id is one intent, ever."""

    signed: IntentSigned


@dataclass(frozen=True, slots=True)
class BeginSubmit:
    """Hand it over. Whoever gets the fact hands over; nobody gets it twice."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Abandon:
    """Never hand it over."""

    order_id: str


@dataclass(frozen=True, slots=True)
class RecordUnsent:
    """Not a byte of it has left us, for certain, and none will."""

    order_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class RecordTracked:
    """The relay named its tracking id."""

    order_id: str
    tracking_id: str


@dataclass(frozen=True, slots=True)
class RecordHeard:
    """What the relay says of it now."""

    event: IntentEvent


@dataclass(frozen=True, slots=True)
class RecordTaken:
    """The nonce is used as of `block`, which will stay."""

    order_id: str
    block: int


@dataclass(frozen=True, slots=True)
class RecordNever:
    """The nonce is unused as of a block that will stay and lies after the deadline."""

    order_id: str


@dataclass(frozen=True, slots=True)
class RecordFound:
    """The chain, or a person, says how it ended: done with `fill`, or canceled without one."""

    order_id: str
    by: Source
    fill: IntentFill | None
    block: int
    detail: str


Command = (
    RecordSigned
    | BeginSubmit
    | Abandon
    | RecordUnsent
    | RecordTracked
    | RecordHeard
    | RecordTaken
    | RecordNever
    | RecordFound
)
Answer = tuple[Fact, ...] | Refusal


def decide(intents: Intents, command: Command) -> Answer:
    """The facts a command leads to, or why it has none; the state is left as it is."""
    if isinstance(command, RecordSigned):
        return _sign(intents, command.signed)
    order_id = command.event.order_id if isinstance(command, RecordHeard) else command.order_id
    if known := intents.ended.get(order_id):
        return Refusal(LogCode.ALREADY_ENDED, f"{order_id} ended: {known.ended.result}")
    if (order := intents.open.get(order_id)) is None:
        return Refusal(LogCode.UNKNOWN, f"nothing is signed for {order_id}")
    if isinstance(command, BeginSubmit | Abandon):
        return _before(order, command)
    if not order.submitting:
        return Refusal(LogCode.NOT_SUBMITTED, f"{order_id} was never handed over")
    return _AFTER[type(command)](order, command)


def _sign(intents: Intents, signed: IntentSigned) -> Answer:
    if signed.order_id in intents.ended:
        return Refusal(LogCode.ALREADY_ENDED, f"{signed.order_id} has ended")
    if order := intents.open.get(signed.order_id):
        return () if order.signed == signed else Refusal(LogCode.ID_REUSED, f"{signed.order_id} is another intent")
    if signed.nonce in intents.nonces:
        return Refusal(LogCode.NONCE_REUSED, "another intent has its nonce")
    if len(intents.open) >= MAX_OPEN:
        return Refusal(LogCode.TOO_MANY, f"{MAX_OPEN} intents have not ended")
    return (signed,)


def _before(order: OpenIntent, command: BeginSubmit | Abandon) -> Answer:
    if order.submitting:
        return Refusal(LogCode.SUBMITTED, f"{command.order_id} may have been handed over already")
    if isinstance(command, BeginSubmit):
        return (IntentSubmitting(command.order_id),)
    return (_ended(order, IntentResult.NOT_SENT, Source.US, "it was signed and never handed over"),)


def _unsent(order: OpenIntent, command: RecordUnsent) -> Answer:
    if order.tracking_id or order.stage is not Heard.SENT:
        return Refusal(LogCode.CONTRADICTED, f"{command.order_id} is {order.stage}, by the relay")
    if order.taken_block is not None:
        return Refusal(LogCode.TAKEN, f"{command.order_id} is on the chain")
    return (_ended(order, IntentResult.NOT_SENT, Source.US, command.detail),)


def _tracked(order: OpenIntent, command: RecordTracked) -> Answer:
    if order.tracking_id:
        same = order.tracking_id == command.tracking_id
        return () if same else Refusal(LogCode.OTHER_TRACK, f"{command.order_id} is tracked as {order.tracking_id}")
    return (IntentTracked(command.order_id, command.tracking_id),)


def _heard(order: OpenIntent, command: RecordHeard) -> Answer:
    after = told(order, command.event)
    if (after.stage, after.contradicted) == (order.stage, order.contradicted):
        return ()
    return (command.event,)


def _taken(order: OpenIntent, command: RecordTaken) -> Answer:
    if order.taken_block is not None:
        return ()
    return (IntentTaken(command.order_id, command.block),)


def _never(order: OpenIntent, command: RecordNever) -> Answer:
    """A relay that told of a registration and a nonce that is unused cannot both be right; nobody is believed then."""
    if order.taken_block is not None:
        return Refusal(LogCode.TAKEN, f"the nonce of {command.order_id} was used in block {order.taken_block}")
    if order.contradicted or order.stage in (Heard.REGISTERED, Heard.EXECUTED):
        return Refusal(LogCode.CONTRADICTED, f"the relay calls it {order.stage}, and its nonce is unused")
    result = IntentResult.REJECTED if order.code == REFUSED else IntentResult.EXPIRED
    why = f"the relay said {order.code}; " if order.code else ""
    return (_ended(order, result, Source.CHAIN, f"{why}the contract did not take it in time"),)


def _found(order: OpenIntent, command: RecordFound) -> Answer:
    if order.taken_block is None and command.by is not Source.OPERATOR:
        return Refusal(LogCode.NOT_TAKEN, f"the nonce of {command.order_id} is not known to be used")
    if not _fits(order.signed, command.fill):
        return Refusal(LogCode.CONTRADICTED, f"what was found is not {command.order_id}")
    result = IntentResult.DONE if command.fill else IntentResult.CANCELED
    return (IntentEnded(command.order_id, result, command.by, command.detail, command.fill, command.block),)


def _fits(signed: IntentSigned, fill: IntentFill | None) -> bool:
    if fill is None:
        return True
    if signed.kind is IntentKind.OPEN:
        return fill.is_long is signed.is_long
    return fill.trade_index == signed.trade_index


_AFTER: Final[dict[type, Callable[[OpenIntent, Any], Answer]]] = {
    RecordUnsent: _unsent,
    RecordTracked: _tracked,
    RecordHeard: _heard,
    RecordTaken: _taken,
    RecordNever: _never,
    RecordFound: _found,
}


def _ended(order: OpenIntent, result: IntentResult, by: Source, detail: str) -> IntentEnded:
    """Of what never took effect."""
    return IntentEnded(order.signed.order_id, result, by, detail, None, order.taken_block or 0)
