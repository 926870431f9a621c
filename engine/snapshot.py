"""What a front end may see: one immutable picture of the engine, built on committed facts only.

Amounts are integers of 1e-18 USD (`Wad`) whatever the venue's own unit is; ratios are floats, because they are only
ever drawn. `None` means *unknown* and is drawn as `?`: it is never zero.
Every text in here has been through `engine.text.clean` and may be shown, but only as literal content.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from engine.desk_rows import AgentRow, FundsRow, PlanRow
from engine.exchange_rows import Account, PoolRow, RequestCounts, RequestRow, Side, Wad
from engine.keeper_rows import KeeperHealth, KeeperRow, Vitals


class DeskPhase(StrEnum):
    """Where a desk stands; `halted` is a separate flag because it can be true in every phase."""

    IDLE = "idle"
    DECIDING = "deciding"
    OPENING = "opening"
    OPEN = "open"
    INCREASING = "increasing"
    REDUCING = "reducing"
    CLOSING = "closing"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    QUARANTINED = "quarantined"


class FeedHealth(StrEnum):
    """How far a price may be believed; only LIVE and SLOW prices are traded on."""

    LIVE = "live"
    SLOW = "slow"
    STALE = "stale"
    LOST = "lost"
    WIDE = "wide"
    QUARANTINED = "quarantined"
    NONE = "none"
    UNKNOWN = "unknown"
    """Of a past in which nobody wrote it down."""


class Outcome(StrEnum):
    """What the agent or an operator decided for a desk."""

    OPEN = "open"
    GROW = "grow"
    REDUCE = "reduce"
    NONE = "none"
    DEFER = "defer"
    CLOSE = "close"
    HALT = "halt"
    RESUME = "resume"
    LIQUIDATED = "liquidated"
    REFUSED = "refused"
    WARN = "warn"
    QUARANTINE = "quarantine"


class QueueState(StrEnum):
    """READY: may be liquidated now; NEAR: 80 % of the allowed loss is gone; WATCH: further away."""

    READY = "ready"
    NEAR = "near"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class ExitQuote:
    """What closing the whole position now would give: the same arithmetic the close itself uses."""

    price: Wad
    impact: float
    """Signed move of the average exit price away from mark, as a fraction; negative is worse for the desk."""
    payout: Wad


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One desk: a token and the one position run for it."""

    address: str
    token: str
    phase: DeskPhase
    version: int
    """Number of the last fact that touched its position; a close carrying an older `seen_seq` is refused."""
    pending: Wad
    min_deploy: Wad
    """Smallest pending amount that would be deployed at the leverage in force."""
    note: str
    """Why it waits, or what it is doing; empty when there is nothing to explain."""
    halted_by: str | None = None
    halted_at_ms: int | None = None
    halted_by_hand: bool = False
    """An operator or the registry halted it, no rule."""
    market: str | None = None
    side: Side | None = None
    position_id: int | None = None
    leverage: float | None = None
    collateral: Wad | None = None
    notional: Wad | None = None
    entry: Wad | None = None
    mark: Wad | None = None
    pnl: Wad | None = None
    pnl_price: Wad | None = None
    pnl_carry: Wad | None = None
    liq_move: float | None = None
    """Share of mark the price must move against the desk until it may be liquidated; 0 is now."""
    exit: ExitQuote | None = None
    fees_total: Wad = 0
    """All fees the token has earned, before they were split."""
    realised: Wad = 0
    """What left positions and waits to buy back the token, principal included."""
    reserve: Wad = 0
    """Kept back; released when the position is liquidated."""
    deployed: Wad = 0
    """Stands in the position, at cost."""
    creator: Wad = 0
    """The creator leg, waiting to buy back the token."""
    trading_fees: Wad = 0
    """Paid to the venue for the present position; its profit does not contain them."""
    won: Wad = 0
    """Realised over all positions, losses negative, opening fees included."""
    bought_back: Wad = 0
    """USDC spent on buying back the token."""
    enrolled_as: str = ""
    """What a registry says of its market, side and leverage; shown, never obeyed."""
    quarantine: str = ""
    warning: str = ""
    plan: PlanRow | None = None
    take_profit: Wad | None = None
    """The price at which the guard takes profit next; None too while that is unknown or switched off."""
    pnl_unknown: str = ""
    """Why profit is unknown, or empty."""
    memo: str = ""
    """An operator's words for whoever looks next."""
    memo_by: str = ""
    memo_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class MarketRow:
    """One Pyth feed, and the venue's market on it where there is one."""

    symbol: str
    health: FeedHealth
    age_ms: int | None
    index: Wad | None
    conf: Wad | None
    change: float | None
    """Move over the signal window, as a fraction."""
    tradable: bool
    """Whether this price may be traded on now."""
    mark: Wad | None = None
    """None here and below, `depth` included: the venue has no market on this feed."""
    basis: float | None = None
    carry_per_hour: float | None = None
    """What longs pay (positive) or receive per hour at the present imbalance, as a fraction of notional."""
    long_oi: Wad | None = None
    short_oi: Wad | None = None
    open_fee: float | None = None
    depth: Wad | None = None
    """Quote reserve of the curve."""


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """The latest word on a desk; one per desk, replaced in place."""

    address: str
    token: str
    at_ms: int
    source: str
    outcome: Outcome
    text: str
    seq: int


@dataclass(frozen=True, slots=True)
class LiquidationRow:
    """A position near its end; `loss_share` 1.0 means now."""

    position_id: int
    market: str
    owner: str
    simulated: bool
    side: Side
    notional: Wad
    leverage: float
    loss_share: float
    move: float
    """Share of mark the price must move against the position to trigger it; 0 is now."""
    fee: Wad | None
    """What a keeper gets; None where the venue does not say."""
    state: QueueState
    entry: Wad | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The one line on top of every screen."""

    mode: str
    """`PAPER`, `LIVE`, or `REPLAY` of what is past."""
    venue: str
    armed: bool
    """Whether orders may be begun; a run with real money waits for an operator to confirm it."""
    observing: bool
    """This run only looks."""
    block: int | None
    """The newest, of the exchange or of the chain; None is unknown."""
    now_ms: int
    feed: FeedHealth
    feed_age_ms: int | None
    feed_text: str
    """Empty, or why the feed is not live (`key refused`, `reconnecting`, ...)."""
    agent: str
    keepers: KeeperHealth
    keepers_text: str
    desks_open: int
    desks_halted: int
    desks_waiting: int
    alarms: tuple[str, ...]
    """That nobody has acknowledged."""
    simulated: str
    """Empty, or what on this screen is simulated, e.g. `prices, fees, 48 traders`."""
    time_factor: int
    """1, or how many times the worker cadences and the momentum window run faster than real."""
    liquidations: int
    acknowledged: tuple[str, ...] = ()
    """Alarms that stand, and who knows of them."""


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many positions stand behind the rows of the liquidation pane."""

    ready: int
    near: int
    """At most as many as there are rows."""
    watched: int
    overdue: int = 0
    """Ready for longer than a keeper should need."""
    oldest_ms: int | None = None
    """How long the one that waits longest has been ready."""
    oldest_id: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole picture. `seq` is the number of the newest fact it contains."""

    seq: int
    at_ms: int
    status: Status
    desks: tuple[DeskRow, ...]
    markets: tuple[MarketRow, ...]
    decisions: tuple[DecisionRow, ...]
    liquidations: tuple[LiquidationRow, ...]
    queue: QueueCounts
    keepers: tuple[KeeperRow, ...]
    funds: tuple[tuple[str, Wad], ...]
    requests: tuple[RequestRow, ...] = ()
    """Waiting ones first, oldest first; then what ended, newest first, as far as the screen can use it."""
    request_counts: RequestCounts = field(default_factory=lambda: RequestCounts(0, 0, 0, 0, None))
    pools: tuple[PoolRow, ...] = ()
    mine: Account = field(default_factory=Account)
    """The account of whoever runs the engine."""
    agent: AgentRow = field(default_factory=AgentRow)
    flow: FundsRow = field(default_factory=FundsRow)
    vitals: Vitals = field(default_factory=lambda: Vitals(0, 0, None, None))


@dataclass(frozen=True, slots=True)
class Event:
    """One line of history, newest last; `address` is empty for what concerns no desk."""

    number: int
    at_ms: int
    address: str
    kind: str
    text: str
    token: str = ""
    """The desk's name; empty for what concerns no desk."""
    source: str = ""
    """Who brought it about: an agent tier, the manager, a guard, the venue, an operator; empty when nobody did."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events after the number asked for; `dropped` counts those that had already left the ring."""

    events: tuple[Event, ...]
    dropped: int
