"""Requests, pools and the past of markets as a front end sees them; the whole picture is `engine.snapshot`."""

from dataclasses import dataclass
from enum import StrEnum

Wad = int
"""An amount in 1e-18 units."""


class Side(StrEnum):
    """Direction of a position."""

    LONG = "long"
    SHORT = "short"


class RequestState(StrEnum):
    """PENDING and FROZEN wait, the others have ended."""

    PENDING = "pending"
    FROZEN = "frozen"
    EXECUTED = "executed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A created deposit, withdrawal or order, and what became of it."""

    key: str
    kind: str
    """`Deposit`, `Withdrawal`, or the type of the order, e.g. `LimitIncrease`."""
    account: str
    """As a person reads it; `desk` addresses become token names."""
    simulated: bool
    market: str
    """Pool or vAMM market; the path of a swap, e.g. `ETH-USD`."""
    side: Side | None
    amount: str
    """What was put in, e.g. `1.5000 WETH + 5,000.00 USDC`."""
    size: Wad | None
    trigger: Wad | None
    """USD per whole token."""
    state: RequestState
    at_ms: int
    """When it was created or last updated while it waits, when it ended afterwards."""
    keeper: str
    """Who executed or cancelled it; empty while it waits."""
    reason: str
    """Code and words: why it was cancelled or frozen, or why the last attempt left it where it is; may be empty."""
    attempts: int
    """Attempts of our keepers that left it waiting."""
    fee: Wad
    """Execution fee offered while it waits, paid to the keeper afterwards, in native tokens."""
    may_cancel: bool
    """Whether its owner may take it back now."""


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """How many requests wait, and how many have ended since the journal began."""

    pending: int
    frozen: int
    executed: int
    cancelled: int
    oldest_ms: int | None
    """Since when the oldest one waits that is neither frozen nor waiting for a trigger."""


@dataclass(frozen=True, slots=True)
class MarketPoint:
    """A market at one moment; `None` is unknown."""

    at_ms: int
    index: Wad | None
    conf: Wad | None
    mark: Wad | None
    long_oi: Wad | None
    short_oi: Wad | None
    carry_per_hour: float | None
    """What longs pay (positive) or receive per hour, as a fraction of notional."""


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool market. Token amounts are 1e-18 of a whole token whatever the token's own unit is."""

    symbol: str
    enabled: bool
    priced: bool
    """Whether all its prices may be traded on; where not, everything in USD is None."""
    index: str
    long: str
    short: str
    long_amount: Wad
    short_amount: Wad
    value: Wad | None
    """Pool value at the maximum price, profits of traders minimised."""
    token_price: Wad | None
    """Market token price on that side."""
    supply: Wad
    impact_long: Wad
    """Swap impact pool, in long tokens."""
    impact_short: Wad
    impact_position: Wad
    """Position impact pool, in index tokens."""
    fees_long: Wad
    """Claimable fees, in long tokens."""
    fees_short: Wad
    long_oi: Wad
    short_oi: Wad
    traders_pnl: Wad | None
    """What all positions together would win or lose now."""
    reserved: float | None
    """Larger share of a side's liquidity that open positions have reserved."""
    positions: int


@dataclass(frozen=True, slots=True)
class Holding:
    """What an account has free of one token, in 1e-18 of a whole one; market tokens are `MT:` and the pool's name."""

    token: str
    amount: Wad


@dataclass(frozen=True, slots=True)
class HeldPosition:
    """An open position of an account; `number` is 0 in a pool, where account, market, token and side are its name."""

    number: int
    market: str
    side: Side
    collateral_token: str
    collateral: Wad
    size: Wad
    pnl: Wad | None


@dataclass(frozen=True, slots=True)
class Account:
    """What the operator's own account on the exchange has."""

    name: str = ""
    holdings: tuple[Holding, ...] = ()
    positions: tuple[HeldPosition, ...] = ()

    def held(self, token: str) -> Wad:
        """What is free of a token."""
        return next((holding.amount for holding in self.holdings if holding.token == token), 0)
