"""What happened to the wallet's signed intents. The journal has each of these before anybody acts on it.

Nothing here imports what an engine without a live venue does not need. Units are those of `asked`: USDC is 1e-6;
prices, leverage and slippage in percent are 1e-10. Bytes are hex with 0x.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

REFUSED: Final = "RELAY_REJECTED"
"""The code of an intent that the relay answered with a no. The relay has its signature all the same."""


class IntentKind(StrEnum):
    """What was asked for."""

    OPEN = "open"
    INCREASE = "increase"
    CLOSE = "close"


class Heard(StrEnum):
    """How far the relay says an intent has come; ends nothing. As `tracking.Stage`, which costs more to import."""

    SENT = "sent"
    ACCEPTED = "accepted"
    REGISTERED = "registered"
    EXECUTED = "executed"
    CANCELED = "canceled"
    FAILED = "failed"


class IntentResult(StrEnum):
    """How an intent ended, for good; stable, and the codes of orders without effect."""

    DONE = "DONE"
    CANCELED = "CANCELED"
    """The venue gave the order back."""
    REJECTED = "REJECTED"
    """The relay said no, and by its deadline the contract had not taken it."""
    EXPIRED = "EXPIRED"
    """The contract never took it and, after its deadline, never will."""
    NOT_SENT = "NOT_SENT"
    """Nobody but us ever had the signature, and it will not be handed over any more."""


class Source(StrEnum):
    """Whose word ended it."""

    US = "us"
    CHAIN = "chain"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class IntentFill:
    """What an executed order did, and the position it left."""

    trade_index: int
    is_long: bool
    price: int
    collateral: int
    """What stands afterwards."""
    leverage: int
    paid: int
    """What was sent to the trader."""


@dataclass(frozen=True, slots=True)
class IntentSigned:
    """A signature exists. It has not left us."""

    order_id: str
    kind: IntentKind
    trader: str
    pair_index: int
    trade_index: int
    """0 for an open, which has none yet."""
    is_long: bool
    """Of an open; False for the others, whose position says it."""
    collateral: int
    leverage: int
    """0 for a close."""
    price: int
    slippage: int
    opened_at: int
    """Of a close, Unix seconds: since when the position has stood. 0 for the others."""
    digest: str
    nonce: int
    deadline_ms: int
    encoded: str = field(repr=False)
    signature: str = field(repr=False)
    """With the rest it is money for whoever has it, until the deadline."""


@dataclass(frozen=True, slots=True)
class IntentSubmitting:
    """It is about to be handed over, once. From here on the relay may have it, and it is never handed over again."""

    order_id: str


@dataclass(frozen=True, slots=True)
class IntentTracked:
    """The relay has it, and calls it that."""

    order_id: str
    tracking_id: str


@dataclass(frozen=True, slots=True)
class IntentEvent:
    """The relay told of a new stage, or told two ends, or of two orders."""

    order_id: str
    seq: int
    """Of the newest event that was heard; -1 when none had a number."""
    stage: Heard
    venue_order: int | None
    """The venue's own number of the order."""
    code: str
    contradicted: bool


@dataclass(frozen=True, slots=True)
class IntentTaken:
    """The contract has used its nonce, as of a block that will stay."""

    order_id: str
    block: int


@dataclass(frozen=True, slots=True)
class IntentEnded:
    """It ended."""

    order_id: str
    result: IntentResult
    by: Source
    detail: str
    fill: IntentFill | None
    """Of an order that was done, and of no other."""
    block: int
    """By which the contract had it; 0 when it never did, or a person says that it was canceled."""


Fact = IntentSigned | IntentSubmitting | IntentTracked | IntentEvent | IntentTaken | IntentEnded
