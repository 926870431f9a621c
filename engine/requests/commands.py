"""What may be asked of the two-step exchange. Amounts and prices are exact decimals in whole units: 1.5 is 1.5 WETH,
5000 is a price of 5,000 USD per whole token.

Where an execution fee is None, the engine offers half as much again as the least one.
"""

from dataclasses import dataclass
from decimal import Decimal

from engine.envelope import Envelope
from venue.exchange.requests.request import OrderType


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDeposit(Envelope):
    """Liquidity for a pool, in either token or both; `*_token` empty is the pool's own."""

    account: str
    market: str
    long_amount: Decimal = Decimal(0)
    short_amount: Decimal = Decimal(0)
    long_token: str = ""
    short_token: str = ""
    long_path: tuple[str, ...] = ()
    short_path: tuple[str, ...] = ()
    min_market_tokens: Decimal = Decimal(0)
    receiver: str = ""
    """Empty here and below: the account itself."""
    execution_fee: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWithdrawal(Envelope):
    """Market tokens back into the pool's tokens."""

    account: str
    market: str
    amount: Decimal
    min_long: Decimal = Decimal(0)
    min_short: Decimal = Decimal(0)
    receiver: str = ""
    execution_fee: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrder(Envelope):
    """A swap, or an increase or decrease of a position. `market` is a pool, a vAMM market, or empty for swaps."""

    account: str
    type: OrderType
    market: str = ""
    is_long: bool = True
    collateral_token: str = ""
    collateral: Decimal = Decimal(0)
    size: Decimal = Decimal(0)
    """USD."""
    trigger_price: Decimal | None = None
    acceptable_price: Decimal | None = None
    min_output: Decimal = Decimal(0)
    path: tuple[str, ...] = ()
    position_id: int = 0
    valid_from_ms: int = 0
    auto_cancel: bool = False
    referral_code: str = ""
    receiver: str = ""
    execution_fee: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOrder(Envelope):
    """New terms for a limit or stop order; None leaves a term as it is. Unfreezes, if the fee suffices."""

    key: str
    size: Decimal | None = None
    trigger_price: Decimal | None = None
    acceptable_price: Decimal | None = None
    min_output: Decimal | None = None
    valid_from_ms: int | None = None
    auto_cancel: bool | None = None
    fee_top_up: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest(Envelope):
    """Takes a request back; deposits, withdrawals and market orders only once they have expired."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequest(Envelope):
    """Executes a request now, at the prices of now; says why when it does not work."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditPaper(Envelope):
    """Gives an account tokens out of nothing. Paper mode only, and it says so on the record."""

    account: str
    token: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTokens(Envelope):
    """Moves what a pool holds for somebody to their wallet: `affiliate` or `locked` of the account, or the protocol's
    `fees`, which only an operator may send to the treasury."""

    account: str
    market: str
    what: str


RequestCommand = (
    CreateDeposit
    | CreateWithdrawal
    | CreateOrder
    | UpdateOrder
    | CancelRequest
    | RetryRequest
    | CreditPaper
    | ClaimTokens
)
