"""The wallet's signed intents, folded from facts."""

from dataclasses import dataclass, field, replace
from typing import Final

from venue.avantis.intent_facts import (
    Fact,
    Heard,
    IntentEnded,
    IntentEvent,
    IntentSigned,
    IntentSubmitting,
    IntentTaken,
    IntentTracked,
)

_RANK: Final = {Heard.SENT: 0, Heard.ACCEPTED: 1, Heard.REGISTERED: 2}
_END: Final = 3


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """An intent that has not ended."""

    signed: IntentSigned
    submitting: bool = False
    tracking_id: str = ""
    stage: Heard = Heard.SENT
    seq: int = -1
    venue_order: int | None = None
    code: str = ""
    contradicted: bool = False
    taken_block: int | None = None

    @property
    def told_end(self) -> bool:
        """Whether the relay has told an end, and need not be asked any more; the chain says which it is."""
        return self.stage not in _RANK


@dataclass(frozen=True, slots=True)
class EndedIntent:
    """What is kept of an intent that has ended."""

    signed: IntentSigned
    ended: IntentEnded


@dataclass(slots=True)
class Intents:
    """One wallet's signed intents."""

    open: dict[str, OpenIntent] = field(default_factory=dict)
    """By the id of the order, in the order they were signed."""
    ended: dict[str, EndedIntent] = field(default_factory=dict)
    nonces: set[int] = field(default_factory=set)


def told(order: OpenIntent, event: IntentEvent) -> OpenIntent:
    """`order` after an event: stages only go forward, the first end stays, and a second end contradicts it."""
    if order.told_end:
        other = event.stage not in _RANK and event.stage is not order.stage
        return replace(order, contradicted=order.contradicted or event.contradicted or other)
    contradicted = order.contradicted or event.contradicted
    if _RANK.get(event.stage, _END) <= _RANK[order.stage]:
        return replace(order, contradicted=contradicted)
    known = order.venue_order if event.venue_order is None else event.venue_order
    other = order.venue_order is not None and known != order.venue_order
    return replace(
        order,
        stage=event.stage,
        seq=max(order.seq, event.seq),
        venue_order=known,
        code=event.code,
        contradicted=contradicted or other,
    )


def evolve(intents: Intents, fact: Fact) -> None:
    """Folds a fact into the state in place."""
    match fact:
        case IntentSigned():
            intents.open[fact.order_id] = OpenIntent(fact)
            intents.nonces.add(fact.nonce)
        case IntentSubmitting():
            intents.open[fact.order_id] = replace(intents.open[fact.order_id], submitting=True)
        case IntentTracked():
            order = intents.open[fact.order_id]
            stage = Heard.ACCEPTED if order.stage is Heard.SENT else order.stage
            intents.open[fact.order_id] = replace(order, tracking_id=fact.tracking_id, stage=stage)
        case IntentEvent():
            intents.open[fact.order_id] = told(intents.open[fact.order_id], fact)
        case IntentTaken():
            intents.open[fact.order_id] = replace(intents.open[fact.order_id], taken_block=fact.block)
        case IntentEnded():
            intents.ended[fact.order_id] = EndedIntent(intents.open.pop(fact.order_id).signed, fact)
