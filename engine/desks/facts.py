"""What happened to desks and to the money that feeds them. USDC in 1e-6, prices and leverage in 1e-18, shares in 1e-6.

As on the exchange, a fact carries results, and every fact that moves money names both sides in `moves`.
"""

from dataclasses import dataclass
from enum import StrEnum

from engine.agent.plan import Sight
from venue.exchange.ledger import Move
from venue.perp import WHOLE


class OrderKind(StrEnum):
    """What an order of a desk is for."""

    OPEN = "open"
    GROW = "grow"
    REDUCE = "reduce"
    CLOSE = "close"

    @property
    def adds_risk(self) -> bool:
        """Whether it takes USDC into a position."""
        return self in (OrderKind.OPEN, OrderKind.GROW)


class Rule(StrEnum):
    """Which guard spoke."""

    TAKE_PROFIT = "take profit"
    DRAWDOWN = "drawdown"
    CIRCUIT_BREAKER = "circuit breaker"
    LIQUIDATION_NEAR = "liquidation near"


@dataclass(frozen=True, slots=True)
class SimulationStarted:
    """Where a demo's price path has its origin; a restart on the same state continues it."""

    seed: int
    origin_ms: int


@dataclass(frozen=True, slots=True)
class TokenEnrolled:
    """`underlying`, `is_long` and `leverage` are what a registry says; they are shown and never obeyed."""

    address: str
    name: str
    underlying: str = ""
    is_long: bool | None = None
    leverage: int = 0


@dataclass(frozen=True, slots=True)
class DeskPinned:
    """Its money is in this wallet, and all it trades is traded there, for good."""

    address: str
    wallet: str


@dataclass(frozen=True, slots=True)
class FeesArrived:
    address: str
    ref: str
    amount: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class DecisionAsked:
    """The agent is being asked, and this is everything it sees."""

    address: str
    sight: Sight


@dataclass(frozen=True, slots=True)
class Decided:
    """The agent's word on a desk that has money and no position. `market` is empty when it does not open.

    `asked_leverage` is what it wanted, whole times, before the caps; `degraded` says why a better tier was silent.
    """

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
class Deferred:
    """The money stays pending, and why. Not looked at again before `until_ms`, unless `needs` USDC are pending."""

    address: str
    code: str
    reason: str
    until_ms: int = 0
    needs: int = 0


@dataclass(frozen=True, slots=True)
class OrderIntended:
    """Journaled before anything is sent; the answer to it is OrderFilled or OrderDeclined, never silence."""

    address: str
    order_id: str
    kind: OrderKind
    market: str
    is_long: bool
    leverage: int
    collateral: int
    worst_price: int | None
    who: str
    moves: tuple[Move, ...]
    share: int = WHOLE
    """Of the position, for what leaves it."""
    rule: Rule | None = None
    """The guard that asked for it."""
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class OrderFilled:
    address: str
    order_id: str
    kind: OrderKind
    market: str
    is_long: bool
    pair_index: int
    trade_index: int
    price: int
    notional: int
    fee: int
    payout: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class OrderDeclined:
    address: str
    order_id: str
    kind: OrderKind
    code: str
    detail: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class OrderUnsettled:
    """The order was sent and what became of it is not known: its money stays in flight, the desk waits."""

    address: str
    order_id: str
    kind: OrderKind


@dataclass(frozen=True, slots=True)
class DeskLiquidated:
    """What was kept in reserve is pending again: the next desk of the token starts with it."""

    address: str
    payout: int
    loss: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class GuardSpoke:
    """A limit was passed, or (`active` False) is no longer passed. Fractions in 1e-6."""

    address: str
    rule: Rule
    measured: int
    limit: int
    does: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class RunArmed:
    """An operator confirmed that this process trades with real money."""

    who: str
    command_id: str


REGISTRY = "registry"
"""Who halts a token that its registry says is paused."""


@dataclass(frozen=True, slots=True)
class DeskHalted:
    address: str
    who: str
    command_id: str


@dataclass(frozen=True, slots=True)
class DeskResumed:
    address: str
    who: str
    command_id: str


@dataclass(frozen=True, slots=True)
class DeskQuarantined:
    """No loop touches the desk any more; an operator may close it, or release it."""

    address: str
    why: str
    who: str
    command_id: str


@dataclass(frozen=True, slots=True)
class DeskReleased:
    address: str
    who: str
    command_id: str


@dataclass(frozen=True, slots=True)
class DeskNoted:
    """An operator's words on a desk; empty words take the last ones away."""

    address: str
    text: str
    who: str
    command_id: str


@dataclass(frozen=True, slots=True)
class AlarmAcknowledged:
    """For the record: what stands, and who knows of it, ends with the process."""

    text: str
    who: str
    command_id: str


@dataclass(frozen=True, slots=True)
class WalletReconciled:
    """The wallet was counted and found `off` (either sign) from the books; that is now on the difference account."""

    off: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class BuybackIntended:
    """USDC leaves the queues to buy `address` (empty: the protocol's own token, which is then burned)."""

    address: str
    order_id: str
    amount: int
    least: int
    """Fewest tokens (1e-18) that are accepted; never zero."""
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class BuybackFilled:
    address: str
    order_id: str
    spent: int
    bought: int
    """Tokens of 1e-18; fewer than were asked for is the venue's breach, and is shown, but the money is spent."""
    burned: bool
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class BuybackDeclined:
    address: str
    order_id: str
    code: str
    detail: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class BuybackUnsettled:
    address: str
    order_id: str


Fact = (
    SimulationStarted
    | TokenEnrolled
    | DeskPinned
    | FeesArrived
    | DecisionAsked
    | Decided
    | Deferred
    | OrderIntended
    | OrderFilled
    | OrderDeclined
    | OrderUnsettled
    | DeskLiquidated
    | GuardSpoke
    | RunArmed
    | DeskHalted
    | DeskResumed
    | DeskQuarantined
    | DeskReleased
    | DeskNoted
    | AlarmAcknowledged
    | WalletReconciled
    | BuybackIntended
    | BuybackFilled
    | BuybackDeclined
    | BuybackUnsettled
)
