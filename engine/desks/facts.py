"""What happened to desks and to the money that feeds them. USDC in 1e-6, prices and leverage in 1e-18.

As on the exchange, a fact carries results, and every fact that moves money names both sides in `moves`.
"""

from dataclasses import dataclass
from enum import StrEnum

from venue.exchange.ledger import Move


class OrderKind(StrEnum):
    """What an order of a desk is for."""

    OPEN = "open"
    GROW = "grow"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class SimulationStarted:
    """Where a demo's price path has its origin; a restart on the same state continues it."""

    seed: int
    origin_ms: int


@dataclass(frozen=True, slots=True)
class TokenEnrolled:
    address: str
    name: str


@dataclass(frozen=True, slots=True)
class FeesArrived:
    address: str
    ref: str
    amount: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """The agent's word on a desk that has money and no position. `market` is empty when it does not open."""

    address: str
    source: str
    opens: bool
    market: str
    is_long: bool
    leverage: int
    reason: str


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
    address: str
    payout: int
    loss: int
    moves: tuple[Move, ...]


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


Fact = (
    SimulationStarted
    | TokenEnrolled
    | FeesArrived
    | Decided
    | OrderIntended
    | OrderFilled
    | OrderDeclined
    | OrderUnsettled
    | DeskLiquidated
    | DeskHalted
    | DeskResumed
)
