"""A signed intent by hand: what would be signed, and what its checker says of it. Signs nothing."""

from eth_typing import ChecksumAddress

from engine.clock import Clock
from engine.config import Settings
from engine.live.ticket import Inspected, Verdict
from engine.live.wiring import Reading, history_of
from venue.avantis.asked import Order
from venue.avantis.intent_chain import IntentChain
from venue.avantis.intent_types import Value
from venue.avantis.intent_words import intent_of
from venue.avantis.intents import IntentCode, IntentRefused, typed
from venue.avantis.signed_ports import Times
from venue.avantis.typed_signer import IntentChecker


async def inspected_intent(
    settings: Settings, read: Reading, asked: Order, wallet: ChecksumAddress, clock: Clock
) -> Inspected:
    """As `ticket.inspected`, for the signed route; its nonce is not drawn yet and shown as 0."""
    chain = IntentChain(wallet, read.node, history_of(read.api), settings.chain.confirmations)
    intent = await intent_of(asked, chain.opened_at, lambda: clock.now_ms() + Times().life_ms, 0)
    if intent is None:
        gone = Verdict("intent", IntentCode.POSITION_UNKNOWN, "there is no such position")
        return Inspected(None, {}, (gone,))
    kind, message = typed(intent)
    decoded = {"intent": kind, **_flat(message)}
    try:
        IntentChecker(wallet, clock.now_ms).passes(intent)
    except IntentRefused as refused:
        return Inspected(None, decoded, (Verdict("intent", refused.code, str(refused)),))
    return Inspected(None, decoded, (Verdict("intent", "", "may be signed"),))


def _flat(value: Value) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    found: dict[str, str] = {}
    for name, each in value.items():
        found |= _flat(each) if isinstance(each, dict) else {name.lstrip("_"): str(each)}
    return found
