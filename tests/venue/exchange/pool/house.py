"""A house with one pool: credits vaults and wallets, executes on a draft, and keeps what came of it."""

from collections.abc import Callable
from typing import Any, TypeVar

from venue.exchange.draft import Draft
from venue.exchange.ledger import EXTERNAL, Ledger, wallet
from venue.exchange.pool.params import PoolParams
from venue.exchange.pool.state import Pool
from venue.exchange.pool.units import Prices, TokenPrice
from venue.exchange.requests.fold import apply
from venue.exchange.requests.request import DepositRequest, OrderRequest, OrderType, WithdrawalRequest
from venue.exchange.state import Exchange

T = TypeVar("T")
ETH, USDC = 10**18, 10**6
SYMBOL = "ETH-USD"
_COMMON: dict[str, Any] = {
    "key": "k", "account": "alice", "receiver": "alice", "callback": "", "callback_units": 0, "execution_fee": 0,
    "updated_ms": 0, "client_id": "",
}  # fmt: skip


def prices(low: int = 5000, high: int | None = None) -> Prices:
    """WETH at whole USD, USDC at 1, WBTC at 50,000."""
    return Prices(
        (
            TokenPrice("WETH", low * 10**12, (high or low) * 10**12, 1),
            TokenPrice("USDC", 10**24, 10**24, 1),
            TokenPrice("WBTC", 50_000 * 10**22, 50_000 * 10**22, 1),
        )
    )


class House:
    def __init__(self, params: PoolParams, *more: Pool) -> None:
        first = Pool(SYMBOL, "WETH", "WETH", "USDC", params)
        self.exchange = Exchange(pools={pool.symbol: pool for pool in (first, *more)})
        self.now_ms = 1_000

    def run(self, work: Callable[[Draft], T]) -> T:
        """Executes on a draft and keeps it; a refusal keeps nothing."""
        draft = Draft(self.exchange, self.now_ms)
        result = work(draft)
        changes = draft.changes()
        for move in changes.moves:
            self.exchange.tokens.setdefault(move.token, Ledger()).apply((move,))
        apply(self.exchange, changes)
        return result

    def credit(self, token: str, account: str, amount: int) -> None:
        self.run(lambda draft: draft.pay(token, EXTERNAL, account, amount))

    def held(self, token: str, account: str) -> int:
        return self.exchange.book(token)[account]

    def wallet(self, token: str, user: str = "alice") -> int:
        return self.held(token, wallet(user))


def deposit(long: int = 0, short: int = 0, **changes: Any) -> DepositRequest:
    fields: dict[str, Any] = {
        "market": SYMBOL, "long_token": "WETH", "short_token": "USDC", "long_amount": long, "short_amount": short,
        "long_path": (), "short_path": (), "min_market_tokens": 0,
    }  # fmt: skip
    return DepositRequest(**{**_COMMON, **fields, **changes})


def withdrawal(amount: int, **changes: Any) -> WithdrawalRequest:
    fields: dict[str, Any] = {
        "market": SYMBOL, "amount": amount, "long_path": (), "short_path": (), "min_long": 0, "min_short": 0,
    }  # fmt: skip
    return WithdrawalRequest(**{**_COMMON, **fields, **changes})


def order(type_: OrderType, size: int, collateral: int, **changes: Any) -> OrderRequest:
    fields: dict[str, Any] = {
        "type": type_, "market": SYMBOL, "is_long": True, "collateral_token": "WETH", "collateral": collateral,
        "size": size, "trigger_price": None, "acceptable_price": None, "min_output": 0, "valid_from_ms": 0,
        "path": (), "position_id": 0, "auto_cancel": False, "cancellation_receiver": "", "withdraw_unit": 0,
    }  # fmt: skip
    return OrderRequest(**{**_COMMON, **fields, **changes})
