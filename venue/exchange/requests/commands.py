"""What may be asked of the two-step exchange. Units as in `requests.request`; time and prices come with the command."""

from dataclasses import dataclass

from venue.exchange.pool.params import PoolParams
from venue.exchange.pool.state import PositionKey
from venue.exchange.pool.units import TokenPrice
from venue.exchange.requests.book import RequestRules
from venue.exchange.requests.request import Kind, OrderType


@dataclass(frozen=True, slots=True)
class FoundExchange:
    """Names the engine, so that keys of two engines differ, and sets the rules. Once."""

    engine_id: str
    rules: RequestRules


@dataclass(frozen=True, slots=True)
class RegisterKeeper:
    """Lets somebody execute everybody's requests; `frozen_orders` also what ordinary keepers may not touch."""

    keeper: str
    frozen_orders: bool = False


@dataclass(frozen=True, slots=True)
class SwitchFeature:
    """Turns `create:KIND` or `execute:KIND` off or on again, KIND being deposit, withdrawal or an order type."""

    feature: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class ListPool:
    """A new pool market. `index` empty makes it swap-only."""

    symbol: str
    index: str
    long: str
    short: str
    params: PoolParams


@dataclass(frozen=True, slots=True)
class SwitchPool:
    symbol: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Credit:
    """Tokens reach a user's wallet from outside."""

    user: str
    token: str
    amount: int
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Debit:
    """Tokens leave a user's wallet for outside."""

    user: str
    token: str
    amount: int


@dataclass(frozen=True, slots=True)
class RegisterReferralCode:
    """`rebate` and `discount` are factors of 1e-30, at most 1."""

    owner: str
    code: str
    rebate: int
    discount: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Moves what is claimable on a pool to the asker's wallet: its `fees`, or an account's `affiliate` or `locked`."""

    account: str
    market: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Create:
    account: str
    receiver: str
    execution_fee: int
    native_sent: int = 0
    """Native tokens sent for the fee; all of them become the fee. Not needed where native tokens are deposited."""
    callback: str = ""
    callback_units: int = 0
    client_id: str = ""
    from_outside: bool = False
    """What is sent comes from outside in the same step instead of out of the account's wallet."""
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDeposit(_Create):
    market: str
    long_token: str
    short_token: str
    long_amount: int
    short_amount: int
    long_path: tuple[str, ...] = ()
    short_path: tuple[str, ...] = ()
    min_market_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWithdrawal(_Create):
    market: str
    amount: int
    long_path: tuple[str, ...] = ()
    short_path: tuple[str, ...] = ()
    min_long: int = 0
    min_short: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrder(_Create):
    type: OrderType
    market: str
    is_long: bool
    collateral_token: str
    collateral: int
    size: int
    trigger_price: int | None = None
    acceptable_price: int | None = None
    min_output: int = 0
    valid_from_ms: int = 0
    path: tuple[str, ...] = ()
    position_id: int = 0
    auto_cancel: bool = False
    cancellation_receiver: str = ""
    withdraw_unit: int = 0
    referral_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOrder:
    """New terms for a limit or stop order; the fee is topped up from the account's wallet."""

    key: str
    account: str
    size: int
    trigger_price: int | None
    acceptable_price: int | None
    min_output: int
    valid_from_ms: int
    auto_cancel: bool
    fee_top_up: int
    now_ms: int
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class ExecuteRequest:
    """`units` is the work budget the keeper brings; None is the table's."""

    kind: Kind
    key: str
    keeper: str
    prices: tuple[TokenPrice, ...]
    now_ms: int
    units: int | None = None


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """By its owner."""

    kind: Kind
    key: str
    account: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """By a keeper, once a deposit, withdrawal or market order has expired; or at once, for a reason in `why`."""

    kind: Kind
    key: str
    keeper: str
    now_ms: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class LiquidatePoolPosition:
    position: PositionKey
    keeper: str
    prices: tuple[TokenPrice, ...]
    now_ms: int


Command = (
    FoundExchange
    | RegisterKeeper
    | SwitchFeature
    | ListPool
    | SwitchPool
    | Credit
    | Debit
    | RegisterReferralCode
    | Claim
    | CreateDeposit
    | CreateWithdrawal
    | CreateOrder
    | UpdateOrder
    | ExecuteRequest
    | CancelRequest
    | SweepRequest
    | LiquidatePoolPosition
)
