"""What happened in the two-step exchange. As everywhere, a fact carries results, never inputs.

`moves` or `changes.moves` is all the money that moved, per token; `changes` also says how pools and positions are now.
"""

from dataclasses import dataclass

from venue.exchange import facts as exchange_facts
from venue.exchange.draft import Changes
from venue.exchange.ledger import Move
from venue.exchange.pool.decrease import DecreaseReport
from venue.exchange.pool.deposit import DepositReport
from venue.exchange.pool.increase import IncreaseReport
from venue.exchange.pool.params import PoolParams
from venue.exchange.pool.swap import SwapReport
from venue.exchange.pool.withdrawal import WithdrawalReport
from venue.exchange.requests.book import RequestRules
from venue.exchange.requests.request import DepositRequest, OrderRequest, WithdrawalRequest


@dataclass(frozen=True, slots=True)
class ExchangeFounded:
    engine_id: str
    rules: RequestRules


@dataclass(frozen=True, slots=True)
class KeeperRegistered:
    keeper: str
    frozen_orders: bool


@dataclass(frozen=True, slots=True)
class FeatureSwitched:
    feature: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class PoolListed:
    symbol: str
    index: str
    long: str
    short: str
    params: PoolParams


@dataclass(frozen=True, slots=True)
class PoolSwitched:
    symbol: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class TokensCredited:
    user: str
    moves: tuple[Move, ...]
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class TokensDebited:
    user: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class ReferralCodeRegistered:
    owner: str
    code: str
    rebate: int
    discount: int


@dataclass(frozen=True, slots=True)
class TraderReferred:
    """The trader's code from now on; there is never a second one."""

    trader: str
    code: str


@dataclass(frozen=True, slots=True)
class Claimed:
    account: str
    market: str
    what: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class DepositCreated:
    nonce: int
    request: DepositRequest
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class WithdrawalCreated:
    nonce: int
    request: WithdrawalRequest
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class OrderCreated:
    nonce: int
    request: OrderRequest
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class OrderUpdated:
    order: OrderRequest
    moves: tuple[Move, ...]
    client_id: str = ""
    """Of the update, which is good once, as that of the order is."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Who executed a request, when, and what of its execution fee (native tokens) went where."""

    key: str
    keeper: str
    at_ms: int
    fee_paid: int
    refund: int
    callback: str = ""
    """The hook to be told, if there was work left for it."""
    callback_units: int = 0


@dataclass(frozen=True, slots=True)
class DepositExecuted:
    receipt: Receipt
    report: DepositReport
    changes: Changes


@dataclass(frozen=True, slots=True)
class WithdrawalExecuted:
    receipt: Receipt
    report: WithdrawalReport
    changes: Changes


@dataclass(frozen=True, slots=True)
class SwapExecuted:
    receipt: Receipt
    report: SwapReport
    changes: Changes


@dataclass(frozen=True, slots=True)
class IncreaseExecuted:
    receipt: Receipt
    report: IncreaseReport
    changes: Changes


@dataclass(frozen=True, slots=True)
class DecreaseExecuted:
    receipt: Receipt
    report: DecreaseReport
    changes: Changes


@dataclass(frozen=True, slots=True)
class CurveOrderExecuted:
    """The order's collateral is handed to the clearinghouse; its own fact follows (order.execute.i)."""

    receipt: Receipt
    changes: Changes


Executed = (
    DepositExecuted | WithdrawalExecuted | SwapExecuted | IncreaseExecuted | DecreaseExecuted | CurveOrderExecuted
)


@dataclass(frozen=True, slots=True)
class RequestCancelled:
    receipt: Receipt
    reason: str
    detail: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class OrderFrozen:
    """The escrow stays, the execution fee is spent."""

    receipt: Receipt
    reason: str
    detail: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class PoolPositionLiquidated:
    keeper: str
    report: DecreaseReport
    changes: Changes


Fact = (
    exchange_facts.Fact
    | ExchangeFounded
    | KeeperRegistered
    | FeatureSwitched
    | PoolListed
    | PoolSwitched
    | TokensCredited
    | TokensDebited
    | ReferralCodeRegistered
    | TraderReferred
    | Claimed
    | DepositCreated
    | WithdrawalCreated
    | OrderCreated
    | OrderUpdated
    | Executed
    | RequestCancelled
    | OrderFrozen
    | PoolPositionLiquidated
)
