"""What the exchange remembers of pools and of positions against them. Token amounts live in the bank, nowhere else."""

from dataclasses import dataclass, field
from typing import NamedTuple

from venue.exchange.pool.params import PoolParams

DEAD = "0x0000000000000000000000000000000000000001"
"""Receives the market tokens of a first deposit; nobody can spend from it."""


@dataclass(frozen=True, slots=True)
class Interest:
    """Open interest of one side, and what borrowing has come to on it."""

    usd: int = 0
    tokens: int = 0
    """Sum of the positions' sizes in index tokens."""
    pending_impact: int = 0
    """Sum of the positions' pending impact amounts, in index tokens."""
    borrowing: int = 0
    """Cumulative borrowing factor."""
    borrowed: int = 0
    """Sum over positions of size x the factor at their last change, in 1e-60 USD: what has been accounted for."""


@dataclass(slots=True)
class Pool:
    """One pool market. Its tokens are in the bank: `liquidity`, `impact_pool`, `fees`, `collateral`.

    Without an index it is for swaps only: no positions, no position impact pool, no index price.
    """

    symbol: str
    index: str
    long: str
    short: str
    params: PoolParams
    enabled: bool = True
    long_interest: Interest = field(default_factory=Interest)
    short_interest: Interest = field(default_factory=Interest)
    position_impact: int = 0
    """Position impact pool, in index tokens (smallest units); a liability to traders, not tokens anybody holds."""
    distributed_ms: int = 0
    """When the position impact pool last gave to the liquidity providers; 0 is never."""
    borrowed_ms: int = 0
    """When borrowing was last accrued; 0 is never."""

    @property
    def market_token(self) -> str:
        return market_token(self.symbol)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Every token whose price the pool needs, each once: the index first, if it has one."""
        return tuple(dict.fromkeys(token for token in (self.index, self.long, self.short) if token))

    def interest(self, is_long: bool) -> Interest:
        return self.long_interest if is_long else self.short_interest

    def other(self, token: str) -> str:
        """The pool's opposite token."""
        return self.short if token == self.long else self.long


class PositionKey(NamedTuple):
    """One position per account, pool, collateral token and side."""

    account: str
    market: str
    collateral_token: str
    is_long: bool


@dataclass(frozen=True, slots=True)
class PoolPosition:
    """An oracle-priced position. `size` USD 1e-30, `tokens` index tokens, `collateral` in the collateral token."""

    account: str
    market: str
    collateral_token: str
    is_long: bool
    size: int
    tokens: int
    collateral: int
    pending_impact: int = 0
    """Index tokens of impact promised at increases (negative: owed) and realised as the position is decreased."""
    borrowing: int = 0
    """The side's cumulative borrowing factor at the last change."""
    increased_ms: int = 0
    decreased_ms: int = 0

    @property
    def key(self) -> PositionKey:
        return PositionKey(self.account, self.market, self.collateral_token, self.is_long)


def market_token(symbol: str) -> str:
    """Name of a pool's market token in the bank."""
    return f"MT:{symbol}"


def liquidity(symbol: str) -> str:
    """Bank account of the liquidity providers' tokens."""
    return f"pool:{symbol}"


def impact_pool(symbol: str) -> str:
    """Bank account of the swap impact pool."""
    return f"impact:{symbol}"


def fees(symbol: str) -> str:
    """Bank account of claimable fees."""
    return f"fees:{symbol}"


def collateral(symbol: str, is_long: bool) -> str:
    """Bank account of the collateral of a side's positions."""
    return f"collateral:{symbol}:{'long' if is_long else 'short'}"


def affiliate(symbol: str, owner: str) -> str:
    """Bank account of an affiliate's claimable rewards."""
    return f"affiliate:{symbol}:{owner}"


def locked(symbol: str, account: str) -> str:
    """Bank account of impact charged beyond the cap; the trader may claim it at once (no delay is kept here)."""
    return f"locked:{symbol}:{account}"
