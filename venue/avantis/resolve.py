"""What a person has found out about an intent, recorded as its end."""

from collections.abc import Callable

from venue.avantis import intent_log
from venue.avantis.intent_facts import Source
from venue.avantis.intent_log import LogCode, Refusal
from venue.avantis.intent_state import OpenIntent
from venue.avantis.intent_words import fill_of
from venue.avantis.registered import Cancellation, Execution
from venue.avantis.signed_ports import Door, Times


async def resolve(
    door: Door, order_id: str, found: Execution | Cancellation, why: str, now_ms: Callable[[], int], times: Times
) -> Refusal | None:
    """Ends an intent as a person says. Refused while it may still be taken."""
    known = await door.read(lambda intents: intents.open.get(order_id))
    if known and known.taken_block is None and now_ms() <= due_ms(known, times):
        return Refusal(LogCode.NOT_TAKEN, f"{order_id} may be taken until {due_ms(known, times)} ms")
    return await record_found(door, order_id, found, Source.OPERATOR, why)


async def record_found(
    door: Door, order_id: str, found: Execution | Cancellation, by: Source, why: str
) -> Refusal | None:
    """Journals the end that somebody found."""
    fill = fill_of(found) if isinstance(found, Execution) else None
    answer = await door.submit(intent_log.RecordFound(order_id, by, fill, found.block, why))
    return answer if isinstance(answer, Refusal) else None


def due_ms(order: OpenIntent, times: Times) -> int:
    """Until when the contract may take it, with what the clocks may be apart."""
    return order.signed.deadline_ms + times.margin_ms
