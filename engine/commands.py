"""What an operator may ask for, and the answer.

A command says what the operator saw (`seen_seq`) and until when it is meant (`expires_at_ms`), so that nothing typed
into a stalled terminal fires later against a changed desk. `id` makes a repeated submission harmless.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b

from engine.clearing.answers import Answer
from engine.clearing.commands import ClearingCommand, ClosePosition
from engine.envelope import Envelope
from engine.requests.commands import CancelRequest, CreateOrder, RequestCommand
from venue.exchange.requests.request import OrderType


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltDesk(Envelope):
    """No new risk on this desk; closing stays allowed. Halting a halted desk changes nothing and succeeds."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeDesk(Envelope):
    """Lifts a halt."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltAll(Envelope):
    """Halts every desk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDesk(Envelope):
    """Closes the desk's whole position, unless the average price would be worse than `worst_price` (1e-18 USD)."""

    address: str
    worst_price: int


@dataclass(frozen=True, slots=True)
class Leave:
    """One desk whose position is to be closed, and the worst average price that is accepted (1e-18 USD)."""

    address: str
    worst_price: int


MOST_LEAVES = 256
"""Desks of one command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDesks(Envelope):
    """Closes these desks' whole positions as one order of one operator: what can be closed is, the others are named."""

    leaves: tuple[Leave, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceDesk(Envelope):
    """Closes `share` (1e-6) of the desk's position, unless the average price would be worse than `worst_price`."""

    address: str
    share: int
    worst_price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineDesk(Envelope):
    """Sets the desk aside: no loop touches it until it is released; closing stays allowed."""

    address: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDesk(Envelope):
    """Gives a desk that was set aside back to the loops."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteDesk(Envelope):
    """Leaves words on the desk for whoever looks next; none take the last ones away."""

    address: str
    text: str


_SINCE = re.compile(r"(?<=\bfor )[0-9][0-9,.]*(?= (?:s|min|h)\b)")
"""How long it has lasted, which alone may change in an alarm that is still the same."""


def alarm_key(alarm: str) -> str:
    """What tells an alarm from every other: its words, without how long it has lasted; 16 characters."""
    return blake2b(_SINCE.sub("#", alarm).encode(errors="replace"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class AckAlarm(Envelope):
    """An alarm that stands is known: it stays visible, but asks for nobody any more until it has ended."""

    key: str
    """`alarm_key` of its text."""


PHRASE = "LIVE"
"""What an operator types to arm a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRun(Envelope):
    """Lets a run with real money begin orders, until its process ends; `phrase` was typed."""

    phrase: str


DeskCommand = (
    ArmRun
    | HaltDesk
    | ResumeDesk
    | HaltAll
    | CloseDesk
    | CloseDesks
    | ReduceDesk
    | QuarantineDesk
    | ReleaseDesk
    | NoteDesk
    | AckAlarm
)
Command = DeskCommand | ClearingCommand | RequestCommand
_DECREASES = (OrderType.MARKET_DECREASE, OrderType.LIMIT_DECREASE, OrderType.STOP_LOSS_DECREASE)
_WAYS_OUT = (
    HaltAll,
    HaltDesk,
    QuarantineDesk,
    CloseDesk,
    CloseDesks,
    ReduceDesk,
    ClosePosition,
    CancelRequest,
)


def leads_out(command: Command) -> bool:
    """Whether it only stops, leaves or takes back: never refused because others are busy."""
    if isinstance(command, CreateOrder):
        return command.type in _DECREASES
    return isinstance(command, _WAYS_OUT)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer: `code` is stable and empty on success, `text` is one line for a person."""

    command_id: str
    ok: bool
    code: str
    text: str
    seq: int
    """Number of the newest fact when the answer was given."""
    answer: Answer | None = None
    """What was asked for, where more than success was."""
