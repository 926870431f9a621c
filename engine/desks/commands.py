"""What loops and operators may ask of the desks. The same numbers as in `facts`."""

from dataclasses import dataclass
from enum import StrEnum

from engine.agent.plan import Sight
from engine.desks.facts import Rule
from venue.perp import Ended, OrderOutcome
from venue.swap import SwapOutcome


class Code(StrEnum):
    """Why a command was refused; stable, shown to operators and used by scripts."""

    UNKNOWN_DESK = "UNKNOWN_DESK"
    ALREADY_ENROLLED = "ALREADY_ENROLLED"
    ALREADY_PINNED = "ALREADY_PINNED"
    ALREADY_BOOKED = "ALREADY_BOOKED"
    BAD_AMOUNT = "BAD_AMOUNT"
    BAD_REQUEST = "BAD_REQUEST"
    BAD_SHARE = "BAD_SHARE"
    NOT_WAITING = "NOT_WAITING"
    ID_REUSED = "ID_REUSED"
    INTERNAL = "INTERNAL"
    HALTED = "HALTED"
    QUARANTINED = "QUARANTINED"
    NOT_QUARANTINED = "NOT_QUARANTINED"
    ORDER_PENDING = "ORDER_PENDING"
    NO_POSITION = "NO_POSITION"
    HAS_POSITION = "HAS_POSITION"
    INSUFFICIENT_PENDING = "INSUFFICIENT_PENDING"
    CAP_DESK = "CAP_DESK"
    CAP_MARKET = "CAP_MARKET"
    CAP_WALLET = "CAP_WALLET"
    CAP_DAY = "CAP_DAY"
    TOO_SOON = "TOO_SOON"
    CONTRADICTION = "CONTRADICTION"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    EXPIRED = "EXPIRED"
    CHANGED = "CHANGED"
    NOT_ALLOWED = "NOT_ALLOWED"
    STOPPING = "STOPPING"
    BUSY = "BUSY"
    NOT_ARMED = "NOT_ARMED"
    OBSERVING = "OBSERVING"
    NOT_ASKED = "NOT_ASKED"
    NO_SUCH_ALARM = "NO_SUCH_ALARM"
    PARTLY = "PARTLY"


@dataclass(frozen=True, slots=True)
class Caps:
    """Most collateral (USDC of 1e-6) that may be at risk, and how soon a desk may open again. None is no limit."""

    desk: int | None = None
    market: int | None = None
    wallet: int | None = None
    day: int | None = None
    """New collateral per UTC day, over all desks."""
    open_interval_ms: int = 0


NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class StartSimulation:
    seed: int
    origin_ms: int


@dataclass(frozen=True, slots=True)
class EnrollToken:
    address: str
    name: str
    underlying: str = ""
    is_long: bool | None = None
    leverage: int = 0


@dataclass(frozen=True, slots=True)
class PinDesk:
    """Its fees arrive in this wallet. Refused when another one is known to have its money."""

    address: str
    wallet: str


@dataclass(frozen=True, slots=True)
class BookFees:
    """`ref` makes the same fees count once. `reserve` is the share (1e-6) of the desk's leg that is kept back."""

    address: str
    ref: str
    amount: int
    reserve: int = 0


@dataclass(frozen=True, slots=True)
class AskDecision:
    address: str
    sight: Sight


@dataclass(frozen=True, slots=True)
class RecordDecision:
    address: str
    source: str
    opens: bool
    market: str
    is_long: bool
    leverage: int
    reason: str
    asked_leverage: int = 0
    degraded: str = ""


@dataclass(frozen=True, slots=True)
class Defer:
    """Says why a desk's money stays where it is; saying the same again is no news and makes no fact."""

    address: str
    code: str
    reason: str
    until_ms: int = 0
    needs: int = 0


@dataclass(frozen=True, slots=True)
class IntendOpen:
    """Open the desk's position, or grow it when it has one (then market and side must be the position's)."""

    address: str
    order_id: str
    market: str
    is_long: bool
    leverage: int
    collateral: int
    now_ms: int = 0
    caps: Caps = NO_CAPS


@dataclass(frozen=True, slots=True)
class IntendReduce:
    """Leave `share` of the position. An operator's carries `seen_seq`; a guard's carries its rule."""

    address: str
    order_id: str
    share: int
    worst_price: int | None
    who: str
    seen_seq: int | None = None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class IntendClose:
    """`seen_seq` is the newest fact the asker had seen: refused when the desk has changed since. None: a loop's own."""

    address: str
    order_id: str
    worst_price: int | None
    who: str
    seen_seq: int | None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    address: str
    outcome: OrderOutcome


@dataclass(frozen=True, slots=True)
class RecordEnd:
    address: str
    ended: Ended


@dataclass(frozen=True, slots=True)
class RecordGuard:
    """What a guard has to say; repeating it makes no fact."""

    address: str
    rule: Rule
    measured: int
    limit: int
    does: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Halt:
    """Every desk when `address` is empty."""

    address: str
    who: str
    command_id: str


@dataclass(frozen=True, slots=True)
class Resume:
    """`seen_seq`: the newest fact the asker had seen; a halt that came after it was not what they lift."""

    address: str
    who: str
    command_id: str
    seen_seq: int | None = None


@dataclass(frozen=True, slots=True)
class RecordArmed:
    """For the record: whether a process is armed is its own, and ends with it."""

    who: str
    command_id: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    address: str
    why: str
    who: str
    command_id: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    address: str
    who: str
    command_id: str
    seen_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Words for whoever looks at the desk next; none take the last ones away."""

    address: str
    text: str
    who: str
    command_id: str
    seen_seq: int | None = None


@dataclass(frozen=True, slots=True)
class RecordAcknowledged:
    text: str
    who: str
    command_id: str


@dataclass(frozen=True, slots=True)
class ReconcileWallet:
    """The wallet was counted, and holds `off` (either sign) beyond everything attributed."""

    off: int


@dataclass(frozen=True, slots=True)
class IntendBuyback:
    """Spend what is queued for a token (empty: the protocol's own) on buying it."""

    address: str
    order_id: str
    amount: int
    least: int


@dataclass(frozen=True, slots=True)
class RecordSwap:
    address: str
    outcome: SwapOutcome


Command = (
    StartSimulation
    | EnrollToken
    | PinDesk
    | BookFees
    | AskDecision
    | RecordDecision
    | Defer
    | IntendOpen
    | IntendReduce
    | IntendClose
    | RecordOutcome
    | RecordEnd
    | RecordGuard
    | Halt
    | Resume
    | RecordArmed
    | Quarantine
    | Release
    | Note
    | RecordAcknowledged
    | ReconcileWallet
    | IntendBuyback
    | RecordSwap
)
