"""All that desks may know of a venue. To add a venue, implement `PerpVenue`; nothing of its own leaks past this file.

Money is USDC in 1e-6 (`Usdc`); prices and leverage are integers of 1e-18.
"""

from dataclasses import dataclass
from typing import Protocol

Usdc = int
"""USDC in its smallest step, 1e-6."""


@dataclass(frozen=True, slots=True)
class PositionRef:
    """How a venue names a position (seed avantis-venue, "Position model")."""

    market: str
    is_long: bool
    pair_index: int
    trade_index: int


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """What a venue allows on a market."""

    symbol: str
    max_leverage: int
    min_notional: Usdc


@dataclass(frozen=True, slots=True)
class PerpPosition:
    """A position as the venue reports it."""

    ref: PositionRef
    account: str
    collateral: Usdc
    notional: Usdc
    leverage: int
    entry: int
    mark: int | None
    pnl: Usdc | None
    """None is *unknown*: the price feed is unavailable. It is not zero, and the type says so."""
    pnl_price: Usdc | None
    pnl_carry: Usdc | None
    liq_move: float | None
    """Share of mark the price must move against the position until it may be liquidated."""
    exit_price: int | None
    exit_payout: Usdc | None

    @property
    def pnl_available(self) -> bool:
        """Whether profit may be attributed at all."""
        return self.pnl is not None


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """Open a position, or grow the one in `increase`. `order_id` makes it happen at most once."""

    order_id: str
    account: str
    market: str
    is_long: bool
    collateral: Usdc
    leverage: int
    increase: PositionRef | None = None


@dataclass(frozen=True, slots=True)
class CloseOrder:
    """Close a whole position, or nothing when the average price would be worse than `worst_price`."""

    order_id: str
    account: str
    ref: PositionRef
    worst_price: int | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """The order took effect."""

    order_id: str
    ref: PositionRef
    price: int
    notional: Usdc
    fee: Usdc
    payout: Usdc
    """What came back to the account; 0 for an open."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The order had and will have no effect."""

    order_id: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Whether the order took effect is not known yet. Never treat this as a failure."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The venue has the order and has not acted on it yet: a keeper will, or the venue gives it back."""

    order_id: str


OrderOutcome = Filled | Declined | Unsettled | Waiting


@dataclass(frozen=True, slots=True)
class Ended:
    """A position that is gone without an order of ours: liquidated, with what was paid back to the account."""

    ref: PositionRef
    payout: Usdc


class PerpVenue(Protocol):
    """A place where perpetual positions live."""

    name: str

    async def markets(self) -> dict[str, MarketTerms]:
        """What may be traded, by symbol."""
        ...

    async def open(self, order: OpenOrder) -> OrderOutcome: ...

    async def close(self, order: CloseOrder) -> OrderOutcome: ...

    async def outcome(self, order_id: str) -> OrderOutcome:
        """What became of an order sent earlier, perhaps by an earlier process."""
        ...

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        """The open positions of the desks' accounts."""
        ...

    async def ended(self, ref: PositionRef) -> Ended | None:
        """How a position that is no longer open ended, or None while that is not known for certain."""
        ...
