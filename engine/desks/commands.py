"""What loops and operators may ask of the desks. The same numbers as in `facts`."""

from dataclasses import dataclass
from enum import StrEnum

from venue.perp import Ended, OrderOutcome


class Code(StrEnum):
    """Why a command was refused; stable, shown to operators and used by scripts."""

    UNKNOWN_DESK = "UNKNOWN_DESK"
    ALREADY_ENROLLED = "ALREADY_ENROLLED"
    ALREADY_BOOKED = "ALREADY_BOOKED"
    BAD_AMOUNT = "BAD_AMOUNT"
    BAD_REQUEST = "BAD_REQUEST"
    NOT_WAITING = "NOT_WAITING"
    ID_REUSED = "ID_REUSED"
    INTERNAL = "INTERNAL"
    HALTED = "HALTED"
    ORDER_PENDING = "ORDER_PENDING"
    NO_POSITION = "NO_POSITION"
    HAS_POSITION = "HAS_POSITION"
    INSUFFICIENT_PENDING = "INSUFFICIENT_PENDING"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    EXPIRED = "EXPIRED"
    CHANGED = "CHANGED"
    NOT_ALLOWED = "NOT_ALLOWED"
    STOPPING = "STOPPING"


@dataclass(frozen=True, slots=True)
class StartSimulation:
    seed: int
    origin_ms: int


@dataclass(frozen=True, slots=True)
class EnrollToken:
    address: str
    name: str


@dataclass(frozen=True, slots=True)
class BookFees:
    """`ref` makes the same fees count once."""

    address: str
    ref: str
    amount: int


@dataclass(frozen=True, slots=True)
class RecordDecision:
    address: str
    source: str
    opens: bool
    market: str
    is_long: bool
    leverage: int
    reason: str


@dataclass(frozen=True, slots=True)
class IntendOpen:
    """Open the desk's position, or grow it when it has one (then market and side must be the position's)."""

    address: str
    order_id: str
    market: str
    is_long: bool
    leverage: int
    collateral: int


@dataclass(frozen=True, slots=True)
class IntendClose:
    """`seen_seq` is the newest fact the asker had seen: refused when the desk has changed since."""

    address: str
    order_id: str
    worst_price: int | None
    who: str
    seen_seq: int


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    address: str
    outcome: OrderOutcome


@dataclass(frozen=True, slots=True)
class RecordEnd:
    address: str
    ended: Ended


@dataclass(frozen=True, slots=True)
class Halt:
    """Every desk when `address` is empty."""

    address: str
    who: str
    command_id: str


@dataclass(frozen=True, slots=True)
class Resume:
    address: str
    who: str
    command_id: str


Command = (
    StartSimulation
    | EnrollToken
    | BookFees
    | RecordDecision
    | IntendOpen
    | IntendClose
    | RecordOutcome
    | RecordEnd
    | Halt
    | Resume
)
