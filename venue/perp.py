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
    wallet: str = ""
    """Whose it is, where the venue counts the positions of each wallet by itself."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a venue can do beyond opening and closing."""

    reduces: bool
    """Part of a position may be closed."""
    worst_price: bool
    """Orders may carry the worst average price they accept."""
    max_positions: int | None
    """Most open positions per market and wallet; None is no limit."""
    gas: bool
    """Orders cost the wallet native coins."""


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """What a venue allows on a market."""

    symbol: str
    max_leverage: int
    min_notional: Usdc
    max_notional_long: Usdc | None = None
    """What one more long may be worth before the venue's own limits refuse it; None is no limit known."""
    max_notional_short: Usdc | None = None
    opens: bool = True
    """False: the market is closed, or may only be left."""

    def max_notional(self, is_long: bool) -> Usdc | None:
        """The room on one side."""
        return self.max_notional_long if is_long else self.max_notional_short


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order would come to if it were executed now; nothing is promised."""

    price: int
    """Average, 1e-18."""
    mark: int
    notional: Usdc
    fee: Usdc
    payout: Usdc = 0
    """What a close or a reduction would give back."""


@dataclass(frozen=True, slots=True)
class Profit:
    """Profit of a position if it were left now, split by where it comes from; losses are negative."""

    price: Usdc
    carry: Usdc
    closing_fee: Usdc = 0
    """What leaving costs, at least 0."""

    @property
    def net(self) -> Usdc:
        """What leaving would add to the collateral."""
        return self.price + self.carry - self.closing_fee


@dataclass(frozen=True, slots=True)
class UnknownPnl:
    """Profit nobody can tell: no price can be believed. It is no number, so nothing can be computed from it."""

    why: str


Pnl = Profit | UnknownPnl
WHOLE = 1_000_000
"""Shares of a position are integers of 1e-6."""


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
    pnl: Pnl
    liq_move: float | None
    """Share of mark the price must move against the position until it may be liquidated."""
    exit_price: int | None
    exit_payout: Usdc | None

    @property
    def pnl_available(self) -> bool:
        """Whether profit may be attributed at all."""
        return isinstance(self.pnl, Profit)


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
    by_rule: bool = False
    """No person asked for it."""


@dataclass(frozen=True, slots=True)
class ReduceOrder:
    """Close `share` of a position, above 0 and below `WHOLE`; the rest keeps standing at the same leverage."""

    order_id: str
    account: str
    ref: PositionRef
    share: int
    worst_price: int | None = None
    by_rule: bool = False
    """No person asked for it."""


Order = OpenOrder | ReduceOrder | CloseOrder


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


class Resized(Exception):
    """A position stands and is not what our orders left: somebody's hand, or a rule nobody here knows. One line."""


class PerpVenue(Protocol):
    """A place where perpetual positions live."""

    name: str
    capabilities: Capabilities

    async def markets(self) -> dict[str, MarketTerms]:
        """What may be traded, by symbol."""
        ...

    async def quote(self, order: Order) -> Quote | Declined:
        """What the order would come to now, or why it would be declined."""
        ...

    async def open(self, order: OpenOrder) -> OrderOutcome: ...

    async def reduce(self, order: ReduceOrder) -> OrderOutcome: ...

    async def close(self, order: CloseOrder) -> OrderOutcome: ...

    async def outcome(self, order_id: str) -> OrderOutcome:
        """What became of an order sent earlier, perhaps by an earlier process."""
        ...

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        """The open positions of the desks' accounts."""
        ...

    async def ended(self, ref: PositionRef) -> Ended | None:
        """How a position that is no longer open ended, or None while that is not known for certain.

        Raises Resized when it is certain that it stands, and otherwise than our orders left it.
        """
        ...
