"""What `perpdesk venue avantis resolve` does: a person's word on how a signed intent ended, held against the chain."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from engine.clock import SystemClock
from engine.config import Settings
from engine.live.doors import IntentDoor
from engine.live.journaled import journaled
from engine.live.wiring import Reading, history_of, reading
from engine.text import clean
from tui.verbs import Refused
from venue.avantis.intent_chain import IntentChain, chain_of
from venue.avantis.intent_log import LogCode
from venue.avantis.intent_state import EndedIntent, OpenIntent
from venue.avantis.registered import Ambiguous, Cancellation, Execution
from venue.avantis.resolve import resolve
from venue.avantis.signed_ports import Times
from venue.avantis.units import TEN, USDC, written


@dataclass(frozen=True, slots=True)
class Executed:
    """The venue's own number of the order, and the block that executed it."""

    number: int
    block: int


@dataclass(frozen=True, slots=True)
class Canceled:
    """The venue gave it back."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says of an order, and why that is certain."""

    order_id: str
    ended: Executed | Canceled
    why: str


async def run(settings: Settings, directory: Path, word: Word) -> dict[str, object]:
    """Records it, and returns what was recorded. Raises Refused, Locked, and what `shared.told` knows."""
    clock = SystemClock()
    read = reading(settings, clock)
    try:
        await read.node.head()  # names a wrong chain, which a quorum only counts as a missing voice
        async with journaled(directory, clock) as settlement:
            door = IntentDoor(settlement)
            found = await _held_against(settings, read, await _open(door, word.order_id), word.ended)
            refused = await resolve(door, word.order_id, found, clean(word.why), clock.now_ms, Times())
    finally:
        await read.aclose()
    if refused:
        raise Refused(f"{refused.code}: {refused.detail}")
    return {"order": word.order_id, **_told(found)}


async def _open(door: IntentDoor, order_id: str) -> OpenIntent:
    known = await door.read(lambda intents: intents.open.get(order_id) or intents.ended.get(order_id))
    match known:
        case OpenIntent():
            return known
        case EndedIntent():
            raise Refused(f"{LogCode.ALREADY_ENDED}: {order_id} ended: {known.ended.result}")
        case None:
            raise Refused(f"{LogCode.UNKNOWN}: nothing is signed for {order_id}")


async def _held_against(
    settings: Settings, read: Reading, order: OpenIntent, ended: Executed | Canceled
) -> Execution | Cancellation:
    chain = chain_of(order.signed, read.node, history_of(read.api), settings.chain.confirmations)
    match ended:
        case Executed():
            return await _execution(chain, order, ended)
        case Canceled():
            return await _cancellation(chain, order)
        case _:
            assert_never(ended)


async def _execution(chain: IntentChain, order: OpenIntent, ended: Executed) -> Execution:
    try:
        found = await chain.execution(order.signed, ended.number, ended.block)
    except Ambiguous as error:
        raise Refused(f"{LogCode.CONTRADICTED}: {error}") from None
    if found is None:
        raise Refused(f"{LogCode.CONTRADICTED}: block {ended.block} executed no order {ended.number}")
    return found


async def _cancellation(chain: IntentChain, order: OpenIntent) -> Cancellation:
    with suppress(Ambiguous):  # which is why a person is asked
        if isinstance(await chain.history(order), Execution):
            raise Refused(f"{LogCode.CONTRADICTED}: the chain executed {order.signed.order_id}")
    return Cancellation(0)


def _told(found: Execution | Cancellation) -> dict[str, object]:
    if isinstance(found, Cancellation):
        return {"end": "canceled"}
    return {
        "end": "executed",
        "index": str(found.trade_index),
        "price": written(found.price, TEN),
        "collateral": written(found.collateral, USDC),
        "paid": written(found.paid, USDC),
    }
