"""What waits for a keeper: deposits, withdrawals and orders, as they are stored (seed avitus-two-step, 1.f).

Token amounts in smallest units. USD and prices of a pool are 1e-30 (prices per smallest unit of the index token); of a
vAMM market 1e-18. Times are unix ms.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from venue.exchange.ledger import EXTERNAL, wallet
from venue.exchange.pool.state import market_token

DEPOSIT_VAULT = "deposit_vault"
WITHDRAWAL_VAULT = "withdrawal_vault"
ORDER_VAULT = "order_vault"
NATIVE = "WETH"
"""The token execution fees are paid in."""
ZERO = "0x0000000000000000000000000000000000000000"


class Kind(StrEnum):
    """The three things that can be requested; each has a vault of its own."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    ORDER = "order"


class OrderType(StrEnum):
    """What an order does, and what sets it off."""

    MARKET_SWAP = "MarketSwap"
    LIMIT_SWAP = "LimitSwap"
    MARKET_INCREASE = "MarketIncrease"
    LIMIT_INCREASE = "LimitIncrease"
    STOP_INCREASE = "StopIncrease"
    MARKET_DECREASE = "MarketDecrease"
    LIMIT_DECREASE = "LimitDecrease"
    STOP_LOSS_DECREASE = "StopLossDecrease"
    LIQUIDATION = "Liquidation"

    @property
    def is_market(self) -> bool:
        return self in (OrderType.MARKET_SWAP, OrderType.MARKET_INCREASE, OrderType.MARKET_DECREASE)

    @property
    def is_swap(self) -> bool:
        return self in (OrderType.MARKET_SWAP, OrderType.LIMIT_SWAP)

    @property
    def is_increase(self) -> bool:
        return self in (OrderType.MARKET_INCREASE, OrderType.LIMIT_INCREASE, OrderType.STOP_INCREASE)

    @property
    def is_decrease(self) -> bool:
        return not self.is_swap and not self.is_increase


class PositionName(NamedTuple):
    """What an order is about: a pool position, or one on a curve by its number (0 is none yet)."""

    account: str
    market: str
    collateral_token: str
    is_long: bool
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    key: str
    account: str
    receiver: str
    callback: str
    """Name of the hook that is told after commit; empty is none."""
    callback_units: int
    execution_fee: int
    updated_ms: int
    client_id: str
    """The sender's own name for it, good for one request; empty is none."""
    from_outside: bool = False
    """What was sent came from outside, and what of it comes back goes there again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositRequest(_Request):
    market: str
    long_token: str
    """What was sent for the long side; `long_path` turns it into the pool's long token."""
    short_token: str
    long_amount: int
    short_amount: int
    long_path: tuple[str, ...]
    short_path: tuple[str, ...]
    min_market_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRequest(_Request):
    market: str
    amount: int
    """Market tokens."""
    long_path: tuple[str, ...]
    """Swaps of the long token that comes out, before it reaches the receiver."""
    short_path: tuple[str, ...]
    min_long: int
    min_short: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest(_Request):
    type: OrderType
    market: str
    """Empty for swaps."""
    is_long: bool
    collateral_token: str
    """What was sent (increase, swap) or what the position is held in (decrease); empty on a vAMM market."""
    collateral: int
    """Escrowed for increases and swaps; for decreases what is to be taken out of the position."""
    size: int
    """USD."""
    trigger_price: int | None
    acceptable_price: int | None
    min_output: int
    valid_from_ms: int
    path: tuple[str, ...]
    position_id: int
    """On a vAMM market the position to grow or reduce; 0 opens a new one."""
    auto_cancel: bool
    cancellation_receiver: str
    withdraw_unit: int
    """On a vAMM market: what a close pays leaves for outside at once, in whole units of this; 0 leaves it there."""
    frozen: bool = False
    frozen_reason: str = ""

    @property
    def position(self) -> PositionName:
        return PositionName(self.account, self.market, self.collateral_token, self.is_long, self.position_id)


Request = DepositRequest | WithdrawalRequest | OrderRequest


_KINDS: dict[type, Kind] = {
    DepositRequest: Kind.DEPOSIT,
    WithdrawalRequest: Kind.WITHDRAWAL,
    OrderRequest: Kind.ORDER,
}
VAULTS = {Kind.DEPOSIT: DEPOSIT_VAULT, Kind.WITHDRAWAL: WITHDRAWAL_VAULT, Kind.ORDER: ORDER_VAULT}


def kind_of(request: Request) -> Kind:
    """Which of the three a request is."""
    return _KINDS[type(request)]


def name_of(request: Request) -> str:
    """The kind, or the order's type: what features are switched by and people read."""
    return request.type if isinstance(request, OrderRequest) else kind_of(request)


def expires(request: Request) -> bool:
    """Whether it lives for a limited time only: all but limit and stop orders."""
    return not isinstance(request, OrderRequest) or request.type.is_market


def escrow(request: Request) -> tuple[tuple[str, int], ...]:
    """(token, amount) that its vault holds for it, beside the execution fee."""
    match request:
        case DepositRequest():
            return (request.long_token, request.long_amount), (request.short_token, request.short_amount)
        case WithdrawalRequest():
            return ((market_token(request.market), request.amount),)
        case OrderRequest():
            return () if request.type.is_decrease else ((request.collateral_token, request.collateral),)


def home(request: Request, token: str, account: str) -> str:
    """The bank account that what comes back of a request goes to: `account`'s wallet, or outside."""
    return EXTERNAL if request.from_outside and not token.startswith(market_token("")) else wallet(account)


class Ending(StrEnum):
    """How a request left the store."""

    EXECUTED = "executed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Ended:
    """A request that is no longer stored, and how that came about."""

    request: Request
    ending: Ending
    at_ms: int
    by: str
    """The keeper that executed or cancelled it, or the account itself."""
    reason: str = ""
    detail: str = ""
    fee_paid: int = 0
    """Execution fee the keeper earned, in native tokens."""
