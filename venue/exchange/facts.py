"""What happened in the exchange. A fact carries results, never inputs: folding it needs no formula.

Every fact that moves money names both sides in `moves`.
"""

from dataclasses import dataclass

from venue.exchange.ledger import Move
from venue.exchange.params import MarketParams


@dataclass(frozen=True, slots=True)
class MarketListed:
    symbol: str
    params: MarketParams


@dataclass(frozen=True, slots=True)
class Deposited:
    user: str
    moves: tuple[Move, ...]
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    user: str
    moves: tuple[Move, ...]
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class InsuranceFunded:
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class MarketCarry:
    """A market's carry index after a block, in its own unit."""

    symbol: str
    index: int


@dataclass(frozen=True, slots=True)
class BlockAdvanced:
    block: int
    carries: tuple[MarketCarry, ...]


@dataclass(frozen=True, slots=True)
class PositionOpened:
    position_id: int
    owner: str
    market: str
    is_long: bool
    size: int
    notional: int
    margin: int
    fee: int
    block: int
    base_reserve: int
    quote_reserve: int
    order_id: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class PositionIncreased:
    position_id: int
    size: int
    notional: int
    margin: int
    fee: int
    carry_snapshot: int
    base_reserve: int
    quote_reserve: int
    order_id: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class PositionReduced:
    """A voluntary close of all or part; `size`, `margin` and `entry_notional` are the shares that left."""

    position_id: int
    closed: bool
    size: int
    margin: int
    entry_notional: int
    close_notional: int
    pnl_trade: int
    pnl_carry: int
    payout: int
    base_reserve: int
    quote_reserve: int
    order_id: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class PositionLiquidated:
    position_id: int
    liquidator: str
    equity: int
    close_notional: int
    pnl_trade: int
    pnl_carry: int
    owner_payout: int
    liquidator_fee: int
    from_insurance: int
    uncovered: int
    base_reserve: int
    quote_reserve: int
    moves: tuple[Move, ...]


Fact = (
    MarketListed
    | Deposited
    | Withdrawn
    | InsuranceFunded
    | BlockAdvanced
    | PositionOpened
    | PositionIncreased
    | PositionReduced
    | PositionLiquidated
)
