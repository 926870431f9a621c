"""Simulated users of the two-step exchange: liquidity providers, swappers, and traders against the pools.

Everything they send comes from `external`, and what they get back goes there again; market tokens they keep.
"""

import random
from dataclasses import dataclass

from engine.clock import Clock
from engine.demo.names import LP_PREFIX, TRADER_PREFIX, TRADERS
from engine.requests.prices import PriceSource
from engine.settlement import Settlement
from engine.world import World
from venue.exchange.commands import Rejection
from venue.exchange.ledger import EXTERNAL, WALLET, wallet
from venue.exchange.machine import Command
from venue.exchange.pool.state import DEAD, PoolPosition, market_token
from venue.exchange.pool.units import FLOAT, SHARE
from venue.exchange.requests.commands import CreateDeposit, CreateOrder, CreateWithdrawal, Debit
from venue.exchange.requests.request import NATIVE, Kind, OrderRequest, OrderType
from venue.exchange.requests.work import WorkTable, least_fee

PROVIDERS = 6
FIRST_USD = 250_000
"""What the first deposit of a pool is worth, half in either token."""
MOST_POSITIONS = 24
MOST_LIMITS = 10
OFFER = 3
"""Execution fees are offered at this many halves of the least."""


@dataclass(frozen=True, slots=True)
class _PoolSight:
    symbol: str
    index: str
    long: str
    short: str
    supply: int
    opening: bool
    """A first deposit is on its way."""
    positions: tuple[PoolPosition, ...]
    limits: int
    shares: dict[str, int]


class PoolCrowd:
    """Each pass one or two of them act on each pool."""

    def __init__(self, settlement: Settlement, prices: PriceSource, clock: Clock, rng: random.Random) -> None:
        self._settlement = settlement
        self._prices = prices
        self._clock = clock
        self._rng = rng
        self._table = WorkTable()

    async def pass_once(self) -> str:
        """One pass over the pools."""
        sights, idle, self._table = await self._settlement.read(_look)
        sent = 0
        for sight in sights:
            command = self._next(sight)
            if command is not None:
                sent += not isinstance(await self._settlement.submit(command), Rejection)
        for user, token, amount in idle:
            await self._settlement.submit(Debit(user, token, amount))
        return f"{sent} requests, {sum(len(sight.positions) for sight in sights)} positions"

    def _next(self, sight: _PoolSight) -> Command | None:
        if not sight.supply:
            return None if sight.opening else self._deposit(sight, FIRST_USD, DEAD, both=True)
        roll = self._rng.random()
        if roll < 0.2:
            return self._deposit(sight, int(self._rng.lognormvariate(8.5, 0.8)), "", both=self._rng.random() < 0.3)
        if roll < 0.27:
            return self._withdrawal(sight)
        if roll < 0.5:
            return self._swap(sight)
        if sight.positions and (len(sight.positions) >= MOST_POSITIONS or roll > 0.8):
            return self._close(self._rng.choice(sight.positions))
        return self._open(sight)

    def _amount(self, token: str, usd: int) -> int:
        """Smallest units worth this many USD now; 0 without a price."""
        price = self._prices.one(token)
        return usd * FLOAT // price.mid if price else 0

    def _fee(self, kind: str, hops: int = 0) -> int:
        return least_fee(self._table, kind, hops) * OFFER // 2

    def _deposit(self, sight: _PoolSight, usd: int, receiver: str, *, both: bool) -> Command | None:
        fee = self._fee(Kind.DEPOSIT)
        pick = self._rng.random() < 0.5
        long = self._amount(sight.long, usd // 2 if both else usd) if both or pick else 0
        short = self._amount(sight.short, usd // 2 if both else usd) if both or not pick else 0
        if not long and not short:
            return None
        account = f"{LP_PREFIX}{self._rng.randrange(PROVIDERS):02d}"
        native = sight.long == NATIVE and long > 0
        return CreateDeposit(
            account=account,
            receiver=receiver or account,
            execution_fee=fee,
            native_sent=0 if native else fee,
            from_outside=True,
            now_ms=self._clock.now_ms(),
            market=sight.symbol,
            long_token=sight.long,
            short_token=sight.short,
            long_amount=long + fee * native,
            short_amount=short,
            min_market_tokens=20 * SHARE if receiver else 0,
        )

    def _withdrawal(self, sight: _PoolSight) -> Command | None:
        if not sight.shares:
            return None
        account = self._rng.choice(sorted(sight.shares))
        fee = self._fee(Kind.WITHDRAWAL)
        return CreateWithdrawal(
            account=account,
            receiver=account,
            execution_fee=fee,
            native_sent=fee,
            from_outside=True,
            now_ms=self._clock.now_ms(),
            market=sight.symbol,
            amount=sight.shares[account] * self._rng.randrange(10, 100) // 100,
        )

    def _swap(self, sight: _PoolSight) -> Command | None:
        token = self._rng.choice((sight.long, sight.short))
        amount = self._amount(token, int(self._rng.lognormvariate(7, 1)))
        limit = self._rng.random() < 0.1
        return self._order(
            OrderType.LIMIT_SWAP if limit else OrderType.MARKET_SWAP, sight, token, amount, path=(sight.symbol,)
        )

    def _open(self, sight: _PoolSight) -> Command | None:
        rng = self._rng
        index = self._prices.one(sight.index)
        is_long = rng.random() < 0.55
        token = sight.long if is_long else sight.short
        usd = int(min(5_000.0, rng.lognormvariate(6, 0.8)))
        amount = self._amount(token, usd)
        if index is None or not amount:
            return None
        kind, trigger = OrderType.MARKET_INCREASE, None
        if sight.limits < MOST_LIMITS and rng.random() < 0.4:
            kind = OrderType.LIMIT_INCREASE
            away = rng.randrange(5, 80)
            trigger = index.mid * (10_000 - away if is_long else 10_000 + away) // 10_000
        size = usd * rng.choice((2, 5, 10, 20, 40)) * FLOAT
        return self._order(kind, sight, token, amount, size=size, is_long=is_long, trigger=trigger)

    def _close(self, position: PoolPosition) -> Command | None:
        size = position.size if self._rng.random() < 0.7 else position.size // 2
        fee = self._fee(OrderType.MARKET_DECREASE)
        return CreateOrder(
            account=position.account,
            receiver=position.account,
            execution_fee=fee,
            native_sent=fee,
            from_outside=True,
            now_ms=self._clock.now_ms(),
            type=OrderType.MARKET_DECREASE,
            market=position.market,
            is_long=position.is_long,
            collateral_token=position.collateral_token,
            collateral=0,
            size=size,
        )

    def _order(
        self,
        kind: OrderType,
        sight: _PoolSight,
        token: str,
        amount: int,
        *,
        size: int = 0,
        is_long: bool = True,
        trigger: int | None = None,
        path: tuple[str, ...] = (),
    ) -> Command | None:
        if not amount:
            return None
        fee = self._fee(kind, len(path))
        account = f"{TRADER_PREFIX}{self._rng.randrange(TRADERS):02d}"
        native = token == NATIVE
        return CreateOrder(
            account=account,
            receiver=account,
            execution_fee=fee,
            native_sent=0 if native else fee,
            from_outside=True,
            now_ms=self._clock.now_ms(),
            type=kind,
            market="" if kind.is_swap else sight.symbol,
            is_long=is_long,
            collateral_token=token,
            collateral=amount + fee * native,
            size=size,
            trigger_price=trigger,
            path=path,
        )


def _look(world: World) -> tuple[list[_PoolSight], list[tuple[str, str, int]], WorkTable]:
    """The pools, what lies idle in simulated wallets, and what work costs."""
    exchange = world.exchange
    pending = exchange.requests.pending.values()
    sights = []
    for pool in exchange.pools.values():
        shares = exchange.book(pool.market_token)
        held = {f"{LP_PREFIX}{number:02d}": 0 for number in range(PROVIDERS)}
        held = {user: shares[wallet(user)] for user in held}
        on_pool = [request for request in pending if request.market == pool.symbol]
        sights.append(
            _PoolSight(
                pool.symbol,
                pool.index,
                pool.long,
                pool.short,
                -shares[EXTERNAL],
                bool(on_pool),
                tuple(
                    position
                    for key, position in exchange.pool_positions.items()
                    if key.market == pool.symbol and key.account.startswith(TRADER_PREFIX)
                ),
                sum(isinstance(each, OrderRequest) and not each.type.is_market for each in on_pool),
                {user: amount for user, amount in held.items() if amount},
            )
        )
    crowd = (WALLET + LP_PREFIX, WALLET + TRADER_PREFIX)
    idle = [
        (account.removeprefix(WALLET), token, amount)
        for token, ledger in exchange.tokens.items()
        if not token.startswith(market_token(""))
        for account, amount in ledger.balances.items()
        if amount > 0 and account.startswith(crowd) and (token != NATIVE or account.startswith(WALLET + TRADER_PREFIX))
    ]
    return sights, idle[:4], exchange.requests.rules.work
