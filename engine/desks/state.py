"""What the desks are and own."""

from dataclasses import dataclass, field

from engine.desks.facts import OrderIntended, OrderKind, SimulationStarted
from engine.snapshot import DeskPhase, Outcome
from venue.exchange.ledger import Ledger
from venue.perp import PositionRef

FEE_SHARES = (("pum", 500), ("diem", 2850), ("pending", 5700), ("creator", 950))
"""Where a token's fees go, in basis points of the total (seed desk-agent, "fee slice"); `pending` feeds the desk."""
IN_FLIGHT_PHASE = {
    OrderKind.OPEN: DeskPhase.OPENING,
    OrderKind.GROW: DeskPhase.INCREASING,
    OrderKind.CLOSE: DeskPhase.CLOSING,
}


def pending(address: str) -> str:
    """Account of USDC attributed to a token and not yet deployed."""
    return f"pending:{address}"


def in_flight(address: str) -> str:
    """Account of USDC that an unanswered order may or may not have spent."""
    return f"in_flight:{address}"


def deployed(address: str) -> str:
    """Account of USDC that stands in the desk's position, at cost."""
    return f"deployed:{address}"


def realised(address: str) -> str:
    """Account of USDC that came back from a position; it waits for the buyback legs and is not deployed again."""
    return f"realised:{address}"


@dataclass(frozen=True, slots=True)
class Word:
    """The latest thing said about a desk."""

    at_ms: int
    seq: int
    source: str
    outcome: Outcome
    text: str


@dataclass(slots=True)
class Desk:
    """One token and the one position run for it."""

    address: str
    name: str
    phase: DeskPhase = DeskPhase.IDLE
    version: int = 0
    """Number of the last fact that touched its position or its order; a close carrying an older view is refused."""
    halted_by: str | None = None
    halted_at_ms: int | None = None
    ref: PositionRef | None = None
    leverage: int = 0
    order: OrderIntended | None = None
    """The one order that has no answer yet."""
    word: Word | None = None
    fees_total: int = 0

    @property
    def halted(self) -> bool:
        return self.halted_by is not None


@dataclass(slots=True)
class House:
    """All desks, and the ledger of the money that feeds them (USDC in 1e-6)."""

    desks: dict[str, Desk] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    simulation: SimulationStarted | None = None
    fee_refs: dict[str, str] = field(default_factory=dict)
    """Last fee reference booked per desk; a source's references only ever grow."""
    decisions: int = 0
    opened: int = 0
    closed: int = 0
    liquidated: int = 0
