"""The venue's relay: a signed intent is handed over exactly once, and what becomes of it is followed by reading only.

Nothing here sends an intent a second time. What the relay says, a refusal as well, is a hint: whether an intent was
taken and how it ended is for the chain to say (`tracking.verdict`, `endings`).
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from pydantic import JsonValue

from venue.avantis.intent_facts import REFUSED
from venue.avantis.intents import CloseIntent, IncreaseIntent, Intent, OpenIntent
from venue.avantis.tracking import Seen, Stage, Track, fold, replayed, seen
from venue.avantis.typed_signer import SignedIntent
from venue.net.client import Client, NetFault, Reply
from venue.net.sse import Event

EXECUTE: Final = "batched-market/market/execute-batched"
STATUS: Final = "batched-market/tracking-id/{}/status"
MOST_BYTES: Final = 64 * 1024
"""Of one event, and of one status."""
SILENCE_S: Final = 45.0
"""Three of the stream's heartbeats."""
STREAM_S: Final = 200.0
"""Longer than the relay keeps a stream open."""
FOLLOW_S: Final = 120.0
POLL_S: Final = 1.5

OnAccepted = Callable[[str], Awaitable[None]]
"""Writes the tracking id down. It is awaited before anything else, and may be called again with the same id."""


class RelayOrder(IntEnum):
    """The relay's own list of what an intent is; not that of the intent's `_type`."""

    OPEN = 0
    CLOSE = 1
    INCREASE = 9


class RelayCode(StrEnum):
    """Why there is no end; stable."""

    EXPIRED = "RELAY_EXPIRED"
    ALREADY_SENT = "RELAY_ALREADY_SENT"
    NOT_AN_ORDER = "RELAY_NOT_AN_ORDER"
    NOT_SENT = "RELAY_NOT_SENT"
    REJECTED = REFUSED
    NO_STREAM = "RELAY_NO_STREAM"
    LOST = "RELAY_LOST"
    UNKNOWN_ID = "RELAY_UNKNOWN_ID"
    NO_END = "RELAY_NO_END"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing was sent now: the relay does not have the intent, or has had it since an earlier hand-over."""

    code: RelayCode
    text: str


@dataclass(frozen=True, slots=True)
class Unsettled:
    """The relay may have the intent. With a tracking id it can be followed again, without one the chain is asked."""

    code: RelayCode
    track: Track


Outcome = Rejected | Unsettled | Track
"""A `Track` that is handed back has ended."""


class NotJournaled(Exception):
    """`on_accepted` failed. The order stands: it is to be followed by the tracking id, or settled by the chain."""

    def __init__(self, tracking_id: str) -> None:
        super().__init__("the tracking id could not be written down")
        self.tracking_id = tracking_id


class Relay:
    """One wallet's way to the relay. `now_ms` is Unix milliseconds."""

    def __init__(
        self,
        client: Client,
        now_ms: Callable[[], int],
        *,
        silence_s: float = SILENCE_S,
        stream_s: float = STREAM_S,
        follow_s: float = FOLLOW_S,
        poll_s: float = POLL_S,
    ) -> None:
        self._client = client
        self._now_ms = now_ms
        self._silence_s = silence_s
        self._stream_s = stream_s
        self._follow_s = follow_s
        self._poll_s = poll_s
        self._sent: dict[bytes, int] = {}
        """Digests of intents that may yet be acted upon, with their deadlines."""

    async def submit(self, signed: SignedIntent, on_accepted: OnAccepted) -> Outcome:
        """Hands an intent over and follows it to its end. Raises NotJournaled.

        Whoever cancels this after it began does not know whether the relay has the intent.
        """
        order = _order_type(signed.intent)
        if order is None:
            return Rejected(RelayCode.NOT_AN_ORDER, "the relay takes orders only")
        if (why := self._remember(signed)) is not None:
            return why
        body: JsonValue = {
            "orderType": int(order),
            "erc712": {"userIntent": f"0x{signed.encoded.hex()}", "userSignature": f"0x{signed.signature.hex()}"},
        }
        following = _Following(on_accepted)
        try:
            async with self._client.events(
                EXECUTE, body, limit=MOST_BYTES, silence_s=self._silence_s, within_s=self._stream_s
            ) as answer:
                if isinstance(answer, Reply):
                    return _without_stream(answer)
                await following.stream(answer)
        except NetFault as fault:
            if not fault.sent:
                self._sent.pop(signed.digest, None)  # others forget it once its deadline has passed
                return Rejected(RelayCode.NOT_SENT, str(fault))
        return await self._to_the_end(following)

    async def follow(self, track: Track, on_accepted: OnAccepted) -> Outcome:
        """What became of an intent handed over earlier, perhaps by an earlier process. Raises NotJournaled."""
        return await self._to_the_end(_Following(on_accepted, track))

    def _remember(self, signed: SignedIntent) -> Rejected | None:
        """Says why an intent must not be handed over, or keeps in mind that it is about to be."""
        now = self._now_ms()
        self._sent = {digest: deadline for digest, deadline in self._sent.items() if deadline > now}
        if signed.intent.deadline_ms <= now:
            return Rejected(RelayCode.EXPIRED, "its deadline has passed")
        if signed.digest in self._sent:
            return Rejected(RelayCode.ALREADY_SENT, "it was handed over before, and is only followed from then on")
        self._sent[signed.digest] = signed.intent.deadline_ms
        return None

    async def _to_the_end(self, following: "_Following") -> Outcome:
        """Asks for what the stream did not tell."""
        await following.journal()  # again, if the stream's time ran out while it was written
        try:
            async with asyncio.timeout(self._follow_s):
                while not following.track.ended:
                    if (tracking_id := following.track.tracking_id) is None:
                        return Unsettled(RelayCode.LOST, following.track)
                    if not await self._ask(following, tracking_id):
                        return Unsettled(RelayCode.UNKNOWN_ID, following.track)
                    if not following.track.ended:
                        await asyncio.sleep(self._poll_s)
        except TimeoutError:
            return Unsettled(RelayCode.NO_END, following.track)
        return following.track

    async def _ask(self, following: "_Following", tracking_id: str) -> bool:
        """One look at the status; False when the relay does not know the id. Other faults are tried again."""
        after = ("afterSeq", str(max(following.track.last_seq, 0)))
        try:
            reply = await self._client.send(
                "GET", STATUS.format(quote(tracking_id, safe="")), query=[after], limit=MOST_BYTES
            )
        except NetFault:
            return True
        if reply.status == HTTPStatus.OK:
            await following.take(replayed(reply.body) or ())
        return reply.status != HTTPStatus.NOT_FOUND


class _Following:
    """A track as it grows, and whether its id is written down."""

    def __init__(self, on_accepted: OnAccepted, track: Track | None = None) -> None:
        self._on_accepted = on_accepted
        self.track = track or Track()
        self._journaled = self.track.tracking_id is not None

    async def stream(self, events: AsyncGenerator[Event, None]) -> None:
        """Takes events until the order has ended or the stream has."""
        async with aclosing(events):
            async for event in events:
                if (one := seen(event)) is not None:
                    await self.take((one,))
                if self.track.ended:
                    return

    async def take(self, events: tuple[Seen, ...] | list[Seen]) -> None:
        for event in events:
            self.track = fold(self.track, event)
            await self.journal()

    async def journal(self) -> None:
        """Lets the id be written down, once it is known. Its failure is not one of the connection."""
        if self._journaled or (tracking_id := self.track.tracking_id) is None:
            return
        try:
            await self._on_accepted(tracking_id)
        except Exception as error:
            raise NotJournaled(tracking_id) from error
        self._journaled = True


def _order_type(intent: Intent) -> RelayOrder | None:
    match intent:
        case OpenIntent():
            return RelayOrder.OPEN
        case CloseIntent():
            return RelayOrder.CLOSE
        case IncreaseIntent():
            return RelayOrder.INCREASE
    return None


def _without_stream(reply: Reply) -> Unsettled:
    """No status is a promise: whoever answers has the signature. 400 is the relay's own no, and may be a lie."""
    if reply.status == HTTPStatus.BAD_REQUEST:
        return Unsettled(RelayCode.REJECTED, Track(Stage.FAILED, code=REFUSED))
    return Unsettled(RelayCode.NO_STREAM, Track())
