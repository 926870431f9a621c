"""What becomes of an intent that was handed to the relay, as a pure fold over what the relay says.

Accepted, then any number of failed attempts, then the order is registered on chain, then it ends. Whatever is unknown,
comes twice or comes late changes nothing, and the first end stays. The name of an event is what counts, and it is the
relay's word: when to look at the chain, which says how an order ended, at what price and what it paid.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from venue.net.sse import Event
from venue.net.strict import NotStrict, parse


class Stage(StrEnum):
    """How far an intent has come."""

    SENT = "sent"
    ACCEPTED = "accepted"
    REGISTERED = "registered"
    """On chain, waiting to be executed."""
    EXECUTED = "executed"
    CANCELED = "canceled"
    """By the venue, for example because of slippage: the collateral stays or comes back."""
    FAILED = "failed"
    """The relay gave up. It still holds the signature: only `verdict` says that nothing will happen any more."""


_ENDS: Final = frozenset({Stage.EXECUTED, Stage.CANCELED, Stage.FAILED})
_STAGES: Final = {
    "MarketOrderAccepted": Stage.ACCEPTED,
    "MarketOrderInitiated": Stage.REGISTERED,
    "IncreasePositionRequested": Stage.REGISTERED,
    "MarketOrderExecuted": Stage.EXECUTED,
    "PositionSizeIncreased": Stage.EXECUTED,
    "MarketOrderCanceled": Stage.CANCELED,
    "Error": Stage.FAILED,
}
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_MOST_SEQ: Final = 10**9


def _integer(said: object) -> object:
    """Numbers come as decimal strings or as integers."""
    return int(said) if isinstance(said, str) and re.fullmatch(r"-?[0-9]{1,77}", said) else said


@dataclass(frozen=True, slots=True)
class Seen:
    """One event. `seq` is None for an event without a number of its own."""

    seq: int | None
    name: str
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Track:
    """Everything known so far."""

    stage: Stage = Stage.SENT
    tracking_id: str | None = None
    last_seq: int = -1
    attempts: int = 0
    """That failed and were followed by another."""
    order_id: int | None = None
    code: str = ""
    """Why it failed, or why the last attempt did."""
    contradicted: bool = False
    """The relay told two ends, or of two orders: only the chain knows which."""

    @property
    def ended(self) -> bool:
        return self.stage in _ENDS


def seen(event: Event) -> Seen | None:
    """A streamed event, or None for one that says nothing."""
    name = event.name.decode("ascii", "replace")
    try:
        payload = parse(event.data)
    except NotStrict:
        payload = {}
    if not name:
        return None
    number = event.id.decode("ascii", "replace")
    seq = int(number) if re.fullmatch(r"[0-9]{1,9}", number) else None
    return Seen(seq, name, payload if isinstance(payload, dict) else {})


def replayed(body: bytes) -> list[Seen] | None:
    """The events of a status answer in their order, or None when it is not one."""
    try:
        answer = parse(body)
    except NotStrict:
        return None
    events = answer.get("events") if isinstance(answer, dict) else None
    if not isinstance(events, list):
        return None
    read = [_replayed(each) for each in events]
    if None in read:
        return None
    return sorted((each for each in read if each), key=lambda each: each.seq or 0)


def _replayed(event: object) -> Seen | None:
    if not isinstance(event, dict):
        return None
    seq, name, payload = event.get("seq"), event.get("type"), event.get("payload")
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq < _MOST_SEQ or not isinstance(name, str):
        return None
    return Seen(seq, name, payload if isinstance(payload, dict) else {})


def fold(track: Track, event: Seen) -> Track:
    """`track` after `event`. Never raises."""
    if _STAGES.get(event.name) is Stage.ACCEPTED:
        track = _accepted(track, event)  # however late: without the id nothing can be asked
    if event.seq is not None and event.seq <= track.last_seq:
        return track
    after = _folded(track, event)
    return after if event.seq is None else replace(after, last_seq=event.seq)


def _folded(track: Track, event: Seen) -> Track:
    code = _code(event.payload.get("code"))
    if event.name == "AttemptFailed":
        numbered = event.seq is not None  # one without a number may be told again
        return replace(track, attempts=track.attempts + numbered, code=code) if not track.ended else track
    stage = _STAGES.get(event.name)
    if stage is None or (stage is Stage.FAILED and (event.seq is None or code == "STREAM_TIMEOUT")):
        return track  # the stream's own end is not the order's
    if track.ended:
        return replace(track, contradicted=track.contradicted or (stage in _ENDS and stage is not track.stage))
    if stage is Stage.ACCEPTED:
        return track
    track = _numbered(replace(track, stage=stage), _order_id(event.payload.get("orderId")))
    return replace(track, code=code if stage is Stage.FAILED else "")


def _numbered(track: Track, order_id: int | None) -> Track:
    """An order keeps its number: two of them are two orders, and one is not ours."""
    if track.order_id is None or order_id is None:
        return replace(track, order_id=track.order_id if order_id is None else order_id)
    return replace(track, contradicted=track.contradicted or order_id != track.order_id)


def _accepted(track: Track, event: Seen) -> Track:
    told = event.payload.get("trackingId")
    if track.tracking_id is not None or not isinstance(told, str) or not _ID.fullmatch(told):
        return track
    stage = Stage.ACCEPTED if track.stage is Stage.SENT else track.stage
    return replace(track, stage=stage, tracking_id=told)


def _code(said: object) -> str:
    return said if isinstance(said, str) and _CODE.fullmatch(said) else ""


def _order_id(said: object) -> int | None:
    number = _integer(said)
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None


class Verdict(StrEnum):
    """What the chain says about an intent."""

    USED = "used"
    """The contract has taken it: it was executed or canceled, or it is about to be."""
    NEVER = "never"
    """It was not taken and cannot be any more."""
    OPEN = "open"
    """It may still be taken."""


def nonce_slot(nonce: int) -> tuple[int, int]:
    """Where `nonceBitmap` has a nonce: which word, and which bit of it."""
    return nonce >> 8, nonce & 0xFF


def verdict(word: int, nonce: int, deadline_ms: int, block_time_s: int) -> Verdict:
    """What a word of `nonceBitmap` means, read at a block that will stay, whose time is Unix seconds."""
    if word >> nonce_slot(nonce)[1] & 1:
        return Verdict.USED
    return Verdict.NEVER if block_time_s * 1000 > deadline_ms else Verdict.OPEN
