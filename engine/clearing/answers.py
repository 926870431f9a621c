"""What the clearinghouse answers. Amounts are integers of 1e-18, rates exact rationals."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class MarketState:
    """A market as it stands."""

    market: str
    current_block: int
    base_reserve: int
    quote_reserve: int
    mark_price: int
    long_open_interest: int
    short_open_interest: int
    cumulative_carry_index: Fraction
    last_funding_block: int
    effective_fee_rate: Fraction
    """What the next open is charged, on either side: it depends on the imbalance before the trade."""


@dataclass(frozen=True, slots=True)
class PnlBreakdown:
    """Where profit and loss come from."""

    trade: int
    carry: int

    @property
    def total(self) -> int:
        return self.trade + self.carry


@dataclass(frozen=True, slots=True)
class PositionHealth:
    """What closing now would pay, and how far the position is from liquidation."""

    position_id: int
    user_id: str
    equity: int
    leverage: int
    buffer_ratio: Fraction
    pnl_breakdown: PnlBreakdown
    close_notional: int
    current_loss: int
    allowed_loss: int
    is_liquidatable: bool


@dataclass(frozen=True, slots=True)
class Opened:
    position_id: int
    base_size: int
    margin: int
    notional: int
    fee: int
    entry_price: int


@dataclass(frozen=True, slots=True)
class Closed:
    position_id: int
    payout: int
    pnl: PnlBreakdown
    avg_close_price: int


@dataclass(frozen=True, slots=True)
class Liquidated:
    position_id: int
    equity: int
    liquidator_fee: int
    owner_payout: int
    from_insurance: int
    uncovered: int


Answer = MarketState | PositionHealth | Opened | Closed | Liquidated
