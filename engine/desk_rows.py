"""Rows about the agent and about the desks' money; amounts are integers of 1e-18 USD (`Wad`)."""

from dataclasses import dataclass

from engine.exchange_rows import Side, Wad


@dataclass(frozen=True, slots=True)
class SeenMarket:
    """One market as the agent saw it; fractions in floats, None is unknown."""

    market: str
    index: Wad | None
    momentum: float | None
    volatility: float | None
    max_leverage: int


@dataclass(frozen=True, slots=True)
class PlanRow:
    """The last plan for a desk, beside everything the agent saw when it made it."""

    at_ms: int
    source: str
    allow: bool
    market: str
    side: Side
    leverage: int
    """Whole times, after the caps."""
    asked_leverage: int
    """What the agent wanted; 0 when it did not say."""
    reason: str
    degraded: str
    """Why a better tier did not answer, or empty."""
    pending: Wad
    in_session: bool
    lookback_ms: int
    seen: tuple[SeenMarket, ...]


@dataclass(frozen=True, slots=True)
class AgentRow:
    """How the agent is doing. `phase` is `ready`, or why the first tier does not answer."""

    tier: str = "signal"
    """Who is asked first: `venice`, `signal`, or `degen` when the operator switched the filter off."""
    phase: str = ""
    model: str = ""
    key_source: str = ""
    balance_diem: str = ""
    balance_usd: str = ""
    requests_left: int | None = None
    asked: int = 0
    answered: int = 0
    failed: int = 0
    latency_ms: int | None = None
    degen: bool = False


@dataclass(frozen=True, slots=True)
class FundRow:
    """One account of the desks' money, over all tokens."""

    name: str
    """fees, pum, diem, creator, pending, reserve, in flight, deployed, realised, buying, bought back, difference."""
    amount: Wad
    largest: tuple[tuple[str, str, Wad], ...] = ()
    """The tokens that hold most of it: address, name, amount; empty for what belongs to no token."""


@dataclass(frozen=True, slots=True)
class BuybackRow:
    """What buybacks of one token have come to; an empty address is the protocol's own token, which is burned."""

    address: str
    token: str
    queued: Wad
    least: Wad
    """Smallest amount that is spent at once."""
    spent: Wad
    bought: int
    """Tokens of 1e-18."""
    count: int
    last_ms: int | None
    state: str
    """`waiting`, `buying`, `unknown`, or why the last one was refused."""


@dataclass(frozen=True, slots=True)
class WalletRow:
    """A wallet of a live run. `gas` in native coins of 1e-18; None is unknown."""

    address: str
    usdc: Wad | None
    owned: Wad
    """What of it is its desks', by the books."""
    gas: Wad | None
    least_gas: Wad
    """With less it opens nothing."""
    desks: int
    positions: int
    most: int
    """Positions that one wallet may hold in a market."""
    fullest: str
    """The market in which it holds the most."""
    fullest_count: int
    sending: int
    """Transactions that have not ended."""
    state: str
    """Why it does not do all it could, or empty."""


@dataclass(frozen=True, slots=True)
class FundsRow:
    """Where the money is. `wallet` is what was counted, `held` what the books said should lie in it at that moment."""

    accounts: tuple[FundRow, ...] = ()
    wallet: Wad | None = None
    wallet_at_ms: int | None = None
    held: Wad = 0
    unanswered: Wad = 0
    """What orders and buybacks without an answer may or may not have spent."""
    difference: Wad = 0
    gas: Wad | None = None
    """Native coins of 1e-18, or None where orders need none."""
    buybacks: tuple[BuybackRow, ...] = ()
    wallets: tuple[WalletRow, ...] = ()
    day_spent: Wad = 0
    day_cap: Wad | None = None
    at_risk: Wad = 0
    risk_cap: Wad | None = None
    simulated: str = ""
    """What of this is simulated, or empty."""
