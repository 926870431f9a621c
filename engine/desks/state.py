"""What the desks are and own."""

from collections import Counter
from dataclasses import dataclass, field

from engine.desks.accounts import DIFFERENCE, HELD, HELD_PER_TOKEN
from engine.desks.facts import (
    BuybackIntended,
    Decided,
    DecisionAsked,
    Deferred,
    OrderIntended,
    OrderKind,
    Rule,
    SimulationStarted,
)
from engine.snapshot import DeskPhase, Outcome
from engine.text import called
from venue.exchange.ledger import EXTERNAL, Ledger
from venue.perp import PositionRef

IN_FLIGHT_PHASE = {
    OrderKind.OPEN: DeskPhase.OPENING,
    OrderKind.GROW: DeskPhase.INCREASING,
    OrderKind.REDUCE: DeskPhase.REDUCING,
    OrderKind.CLOSE: DeskPhase.CLOSING,
}


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
    """One token and the one position run for it. Its phase follows from what it has; there is nothing to get out of
    step with."""

    address: str
    name: str
    underlying: str = ""
    enrolled_long: bool | None = None
    enrolled_leverage: int = 0
    version: int = 0
    """Number of the last fact that touched its position or its order; a close carrying an older view is refused."""
    enrolled_at_ms: int = 0
    wallet: str = ""
    """That has its money; empty on paper, and while nobody knows."""
    halted_by: str | None = None
    halted_at_ms: int | None = None
    halted_by_hand: bool = False
    """Whether somebody meant it; a rule or the sender halts where something has gone wrong."""
    halted_seq: int = 0
    """Number of the fact that halted it last; lifting a halt that was not seen is refused."""
    quarantine: str = ""
    """Why no loop touches it; empty when they do."""
    set_aside_by: str = ""
    set_aside_seq: int = 0
    memo: str = ""
    """An operator's words for whoever looks next."""
    memo_by: str = ""
    memo_at_ms: int = 0
    memo_seq: int = 0
    """Number of the fact that left them; writing over words that were not seen is refused."""
    ref: PositionRef | None = None
    leverage: int = 0
    order: OrderIntended | None = None
    """The one order that has no answer yet."""
    ordered_at_ms: int = 0
    """When the newest order was intended."""
    unsettled: bool = False
    """The order was sent, and the venue cannot say what became of it."""
    asked: DecisionAsked | None = None
    """What the agent saw the last time it was asked."""
    deciding: bool = False
    decided: Decided | None = None
    decided_at_ms: int = 0
    deferred: Deferred | None = None
    closed_before: bool = False
    opened_at_ms: int = 0
    """When its last opening order was intended, if it was filled or cost something."""
    failed: int = 0
    """Orders in a row that were to add to it and failed on the way, at our cost."""
    filled_at_ms: int = 0
    """When the last of its orders was recorded as filled."""
    profits_taken: int = 0
    """How many times profit was taken from the present position."""
    drawn_down: bool = False
    """Whether the present position has been reduced for its losses."""
    warnings: frozenset[Rule] = frozenset()
    word: Word | None = None
    fees_total: int = 0
    trading_fees: int = 0
    """Paid to the venue for the present position."""
    won: int = 0
    """Realised profit less loss over all positions, fees included."""
    touched: int = 0
    """Number of the last fact about it: what it and its accounts hold has been the same since."""

    @property
    def called(self) -> str:
        """Its name with what tells it from others of that name."""
        return called(self.name, self.address)

    @property
    def halted(self) -> bool:
        return self.halted_by is not None

    @property
    def phase(self) -> DeskPhase:
        """Where it stands."""
        if self.quarantine:
            return DeskPhase.QUARANTINED
        if self.order is not None:
            return DeskPhase.UNKNOWN if self.unsettled else IN_FLIGHT_PHASE[self.order.kind]
        if self.ref is not None:
            return DeskPhase.OPEN
        if self.deciding:
            return DeskPhase.DECIDING
        return DeskPhase.CLOSED if self.closed_before else DeskPhase.IDLE


@dataclass(slots=True)
class Buyback:
    """What one token's buybacks have come to; the protocol's own has no address."""

    spent: int = 0
    bought: int = 0
    count: int = 0
    order: BuybackIntended | None = None
    """The one that has no answer yet."""
    unsettled: bool = False
    last_ms: int = 0
    refused: str = ""
    """Why the last one came to nothing, or empty."""


@dataclass(slots=True)
class House:
    """All desks, and the ledger of the money that feeds them (USDC in 1e-6)."""

    desks: dict[str, Desk] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=lambda: Ledger(may_owe=frozenset((EXTERNAL, DIFFERENCE))))
    simulation: SimulationStarted | None = None
    fee_refs: dict[str, str] = field(default_factory=dict)
    """Last fee reference booked per desk; a source's references only ever grow."""
    at_risk: Counter[str] = field(default_factory=Counter)
    """Collateral per market that stands in positions or may be on its way into one."""
    day: int = 0
    """UTC day that `day_spent` is about, counted from 1970."""
    day_spent: int = 0
    """New collateral sent on that day."""
    buybacks: dict[str, Buyback] = field(default_factory=dict)
    decisions: int = 0
    opened: int = 0
    reduced: int = 0
    closed: int = 0
    liquidated: int = 0

    def held(self) -> int:
        """What the wallet should hold: all that is attributed and neither deployed nor on its way."""
        per_token = {f"{kind}:" for kind in HELD_PER_TOKEN}
        return sum(
            amount
            for account, amount in self.ledger.balances.items()
            if account in HELD or account[: account.find(":") + 1] in per_token
        )

    def unanswered(self) -> int:
        """What orders and buybacks without an answer may or may not have spent."""
        return sum(
            amount for account, amount in self.ledger.balances.items() if account.startswith(("in_flight:", "buying:"))
        )
