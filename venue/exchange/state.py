"""What the exchange remembers: markets, positions, funds (seed vamm-clearinghouse, "Core State Model")."""

from dataclasses import dataclass, field
from enum import StrEnum

from venue.exchange import curve
from venue.exchange.fixed import WAD, toward_zero
from venue.exchange.ledger import Ledger
from venue.exchange.params import MarketParams
from venue.exchange.pool.state import Pool, PoolPosition, PositionKey
from venue.exchange.requests.book import RequestBook


class PositionStatus(StrEnum):
    """OPEN once, then CLOSED or LIQUIDATED for ever."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    LIQUIDATED = "LIQUIDATED"


@dataclass(slots=True)
class Position:
    """One leveraged position; amounts in 1e-18, `carry_snapshot` in the market's index unit."""

    id: int
    user_id: str
    market: str
    is_long: bool
    base_size: int
    entry_notional: int
    margin: int
    carry_snapshot: int
    open_block: int
    status: PositionStatus = PositionStatus.OPEN
    realized_pnl: int = 0
    payout: int = 0
    """Paid to its owner so far, by reductions and by its end."""
    end_payout: int = 0
    """What its liquidation paid to its owner."""
    """What closes and liquidation have paid back to the owner."""

    @property
    def entry_price(self) -> int:
        """Average entry price, rounded down; shown, never computed with."""
        return self.entry_notional * WAD // self.base_size


@dataclass(slots=True)
class Market:
    """One curve and what is owed on it."""

    symbol: str
    params: MarketParams
    base_reserve: int
    quote_reserve: int
    long_open_interest: int = 0
    """Sum of entry notionals of the open longs."""
    short_open_interest: int = 0
    long_base: int = 0
    """Sum of sizes of the open longs: base that must still fit when every short has closed."""
    cumulative_carry_index: int = 0
    """In 1 / `params.index_scale`."""
    last_funding_block: int = 0

    @property
    def k(self) -> int:
        """The invariant, in 1e-36; rounding lets it grow, never shrink."""
        return self.base_reserve * self.quote_reserve

    @property
    def mark(self) -> int:
        """Mark price, rounded down."""
        return curve.mark(self.base_reserve, self.quote_reserve)

    @property
    def imbalance(self) -> int:
        """(long - short) / total open interest on the 1e-18 grid, toward zero; 0 without open interest."""
        total = self.long_open_interest + self.short_open_interest
        return toward_zero((self.long_open_interest - self.short_open_interest) * WAD, total) if total else 0


@dataclass(frozen=True, slots=True)
class Fill:
    """What an order with an id came to; kept so that its sender can ask again after a crash."""

    position_id: int
    price: int
    notional: int
    fee: int
    margin: int
    payout: int


@dataclass(slots=True)
class Exchange:
    """The whole clearinghouse. Owned by one `evolve` at a time and updated in place."""

    current_block: int = 0
    markets: dict[str, Market] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    """Every position ever, by id."""
    open_positions: dict[int, Position] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    fills: dict[str, Fill] = field(default_factory=dict)
    """What the orders that carried an id came to: an order id works once."""
    uncovered_bad_debt: int = 0
    liquidations: int = 0
    next_position_id: int = 1
    tokens: dict[str, Ledger] = field(default_factory=dict)
    """A ledger per token; `ledger` is the clearinghouse's money."""
    pools: dict[str, Pool] = field(default_factory=dict)
    pool_positions: dict[PositionKey, PoolPosition] = field(default_factory=dict)
    requests: RequestBook = field(default_factory=RequestBook)

    def book(self, token: str) -> Ledger:
        """The ledger of a token; the empty name is the clearinghouse's money."""
        return self.tokens.get(token) or _EMPTY if token else self.ledger


_EMPTY = Ledger()
