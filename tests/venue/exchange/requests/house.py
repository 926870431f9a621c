"""An exchange with one pool, one curve, keepers and users, and a clock the test owns."""

from dataclasses import replace
from typing import Any

from venue.exchange import commands as clearing
from venue.exchange import machine
from venue.exchange.commands import Rejection
from venue.exchange.fixed import wad
from venue.exchange.ledger import EXTERNAL, WALLET
from venue.exchange.machine import Command, Fact
from venue.exchange.params import MarketParams
from venue.exchange.pool.params import FeeTier, ImpactParams, PoolParams
from venue.exchange.pool.state import PoolPosition, PositionKey, market_token
from venue.exchange.pool.units import FLOAT, TokenPrice, factor
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands
from venue.exchange.requests.book import RequestRules
from venue.exchange.requests.commands import CreateDeposit, CreateOrder, CreateWithdrawal
from venue.exchange.requests.request import (
    NATIVE,
    VAULTS,
    Kind,
    OrderRequest,
    OrderType,
    Request,
    escrow,
    kind_of,
)
from venue.exchange.state import Exchange
from venue.exchange.tokens import TOKENS, priced

NOW = 1_700_000_000_000
POOL, CURVE = "ETH-USD", "ETH"
KEEPER, SPECIAL = "keeper", "special"
FEE = 10**15
ETH, USDC, BTC = 10**18, 10**6, 10**8
SHARE = 10**18
LEAST_DEPOSIT_FEE = 340_000_000_000_000
NO_FEE, NO_IMPACT = FeeTier(0, 0), ImpactParams(0, 0)
FREE = PoolParams(
    deposit_fee=NO_FEE,
    swap_fee=NO_FEE,
    withdrawal_fee=0,
    position_fee=NO_FEE,
    swap_impact=NO_IMPACT,
    position_impact=NO_IMPACT,
)
"""Nothing costs anything: what comes out is what went in."""
IMPACT = replace(FREE, swap_impact=ImpactParams(factor("0.000000005"), factor("0.00000001")))
"""Price impact, but no fees: the worked examples."""


class House:
    """Everything a test needs to act on the exchange; every accepted fact keeps the books in balance."""

    def __init__(self, params: PoolParams | None = None, rules: RequestRules | None = None) -> None:
        self.exchange = Exchange()
        self.now_ms = NOW
        self.usd = {"WETH": "5000", "USDC": "1", "WBTC": "50000"}
        self.spreads: dict[str, str] = {}
        self.price_age_ms = 0
        self.did(commands.FoundExchange("test", rules or RequestRules()))
        self.did(commands.RegisterKeeper(KEEPER))
        self.did(commands.RegisterKeeper(SPECIAL, frozen_orders=True))
        self.did(commands.ListPool(POOL, "WETH", "WETH", "USDC", params or PoolParams()))
        self.did(commands.ListPool("BTC-USD", "WBTC", "WBTC", "USDC", params or PoolParams()))
        self.did(clearing.ListMarket(CURVE, MarketParams.anchored(wad(5000), wad(5_000_000))))
        for user in ("alice", "bob", "carol"):
            self.credit(user)

    def credit(self, user: str) -> None:
        for token, amount in (("WETH", 10_000 * ETH), ("USDC", 50_000_000 * USDC), ("WBTC", 100 * 10**8)):
            self.did(commands.Credit(user, token, amount))
        self.did(clearing.Deposit(user, wad(1_000_000)))

    def do(self, command: Command) -> tuple[Fact, ...] | Rejection:
        """Decides and folds; whatever the answer, every token's ledger sums to zero and vaults hold the escrow."""
        answer = machine.decide(self.exchange, command)
        if not isinstance(answer, Rejection):
            for fact in answer:
                machine.evolve(self.exchange, fact)
            self.check()
        return answer

    def did(self, command: Command) -> tuple[Fact, ...]:
        answer = self.do(command)
        assert not isinstance(answer, Rejection), answer
        return answer

    def refused(self, command: Command) -> str:
        """The code of a command that must be refused; nothing has changed."""
        before = repr(self.exchange)
        answer = self.do(command)
        assert isinstance(answer, Rejection), answer
        assert repr(self.exchange) == before
        return str(answer.code)

    def check(self) -> None:
        """C4, P2: double entry per token, and vaults that hold exactly what requests have in escrow."""
        exchange = self.exchange
        assert exchange.ledger.total() == 0
        owed: dict[tuple[str, str], int] = {}
        for request in exchange.requests.pending.values():
            vault = VAULTS[kind_of(request)]
            for token, amount in (*escrow(request), (NATIVE, request.execution_fee)):
                owed[vault, token] = owed.get((vault, token), 0) + amount
        for token in ("", *exchange.tokens):
            book = exchange.book(token)
            assert book.total() == 0, token
            assert all(amount >= 0 for account, amount in book.balances.items() if account != EXTERNAL)
            for vault in VAULTS.values():
                assert book[vault] == owed.get((vault, token), 0), (vault, token)

    def balance(self, user: str, token: str) -> int:
        return self.exchange.book(token)[f"wallet:{user}"]

    def held(self, token: str, account: str) -> int:
        return self.exchange.book(token)[account]

    def supply(self, symbol: str = POOL) -> int:
        return -self.held(market_token(symbol), EXTERNAL)

    @property
    def pending(self) -> dict[str, Request]:
        return self.exchange.requests.pending

    def wallets(self) -> dict[tuple[str, str], int]:
        """What every user has of every token, the clearinghouse's money included."""
        books = (("", self.exchange.ledger), *self.exchange.tokens.items())
        return {
            (account, token): amount
            for token, book in books
            for account, amount in book.balances.items()
            if account.startswith(WALLET) and amount
        }

    def prices(self, *tokens: str) -> tuple[TokenPrice, ...]:
        stamp = self.now_ms - self.price_age_ms
        return tuple(
            priced(TOKENS[token], wad(self.usd[token]), wad(self.spreads.get(token, "0")), stamp)
            for token in tokens or self.usd
        )

    def deposit(self, **changes: Any) -> CreateDeposit:
        fee = changes.pop("execution_fee", FEE)
        base = CreateDeposit(
            account="alice",
            receiver="alice",
            execution_fee=fee,
            native_sent=0,
            now_ms=self.now_ms,
            market=POOL,
            long_token="WETH",
            short_token="USDC",
            long_amount=10 * ETH + fee,
            short_amount=50_000 * USDC,
        )
        return replace(base, **changes)

    def withdrawal(self, **changes: Any) -> CreateWithdrawal:
        base = CreateWithdrawal(
            account="alice",
            receiver="alice",
            execution_fee=FEE,
            native_sent=FEE,
            now_ms=self.now_ms,
            market=POOL,
            amount=10**18,
        )
        return replace(base, **changes)

    def order(self, kind: OrderType = OrderType.MARKET_INCREASE, **changes: Any) -> CreateOrder:
        base = CreateOrder(
            account="alice",
            receiver="alice",
            execution_fee=FEE,
            native_sent=FEE,
            now_ms=self.now_ms,
            type=kind,
            market="" if kind.is_swap else POOL,
            is_long=True,
            collateral_token="USDC",
            collateral=0 if kind.is_decrease else 1_000 * USDC,
            size=0 if kind.is_swap else 5_000 * FLOAT,
            path=(POOL,) if kind.is_swap else (),
        )
        return replace(base, **changes)

    def curve_order(self, kind: OrderType = OrderType.MARKET_INCREASE, **changes: Any) -> CreateOrder:
        base = self.order(
            kind,
            market=CURVE,
            collateral_token="",
            collateral=0 if kind.is_decrease else wad(1_000),
            size=wad(10_000),
        )
        return replace(base, **changes)

    def created(self, command: CreateDeposit | CreateWithdrawal | CreateOrder) -> tuple[Kind, str]:
        """Kind and key of a request that must be accepted."""
        self.did(command)
        key = self.exchange.requests.key(self.exchange.requests.nonce)
        return kind_of(self.exchange.requests.pending[key]), key

    def execution(self, named: tuple[Kind, str], keeper: str = KEEPER, **changes: Any) -> commands.ExecuteRequest:
        return replace(commands.ExecuteRequest(*named, keeper, self.prices(), self.now_ms), **changes)

    def executed(self, named: tuple[Kind, str], keeper: str = KEEPER, **changes: Any) -> tuple[Fact, ...]:
        return self.did(self.execution(named, keeper, **changes))

    def cancel(self, named: tuple[Kind, str], account: str = "alice") -> commands.CancelRequest:
        return commands.CancelRequest(*named, account, self.now_ms)

    def sweep(self, named: tuple[Kind, str], keeper: str = KEEPER) -> commands.SweepRequest:
        return commands.SweepRequest(*named, keeper, self.now_ms)

    def update(self, key: str, **changes: Any) -> commands.UpdateOrder:
        """The order as it stands, but for `changes`."""
        order = self.pending[key]
        assert isinstance(order, OrderRequest)
        base = commands.UpdateOrder(
            key=key,
            account=order.account,
            size=order.size,
            trigger_price=order.trigger_price,
            acceptable_price=order.acceptable_price,
            min_output=order.min_output,
            valid_from_ms=order.valid_from_ms,
            auto_cancel=order.auto_cancel,
            fee_top_up=0,
            now_ms=self.now_ms,
        )
        return replace(base, **changes)

    def position(self, account: str = "alice", held_in: str = "USDC", is_long: bool = True) -> PoolPosition | None:
        return self.exchange.pool_positions.get(PositionKey(account, POOL, held_in, is_long))

    def seeded(self) -> "House":
        """With liquidity in the pool and insurance behind the curve."""
        self.executed(self.created(self.deposit(long_amount=1_000 * ETH + FEE, short_amount=5_000_000 * USDC)))
        self.did(clearing.FundInsurance(wad(100_000)))
        return self


def reason(facts: tuple[Fact, ...]) -> str:
    """Why a request was cancelled or frozen."""
    return str(getattr(facts[0], "reason", ""))


__all__ = [
    "BTC",
    "CURVE",
    "ETH",
    "FEE",
    "FREE",
    "IMPACT",
    "KEEPER",
    "LEAST_DEPOSIT_FEE",
    "NOW",
    "POOL",
    "SHARE",
    "SPECIAL",
    "USDC",
    "House",
    "Reason",
    "reason",
]
