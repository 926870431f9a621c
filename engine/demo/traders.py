"""Simulated other traders: they lean on one side, so carry moves, and some use more leverage than they survive.

One of them is an arbitrageur who pulls each market's mark toward the index; the curve itself knows no index.
Their money comes from `external` and goes back there.
"""

import random
from dataclasses import dataclass
from fractions import Fraction

from engine.clock import Clock
from engine.demo.names import ARBITRAGEUR, TRADER_PREFIX, TRADERS, is_simulated
from engine.feed import Feed
from engine.settlement import Settlement
from engine.world import World
from venue.exchange import curve
from venue.exchange.commands import ClosePosition, Command, OpenPosition
from venue.exchange.fixed import wad
from venue.exchange.health import health

TARGET_POSITIONS = 60
LEAVE_CHANCE = 0.35
GAP_BPS = 4
"""The arbitrageur acts on a basis wider than this, as one who pays fees would."""
ARB_SHARE = 0.7
ARB_LEVERAGE = 4
OUT = 1
"""Withdraw unit: everything a simulated trader gets back leaves the exchange."""


@dataclass(frozen=True, slots=True)
class _Held:
    position_id: int
    owner: str
    market: str
    is_long: bool
    notional: int


class Traders:
    """The population; each pass a few of them act."""

    def __init__(self, settlement: Settlement, feed: Feed, clock: Clock, rng: random.Random) -> None:
        self._settlement = settlement
        self._feed = feed
        self._clock = clock
        self._rng = rng
        self._bias = {symbol: 0.5 + rng.choice((-1, 1)) * rng.uniform(0.08, 0.2) for symbol in feed.windows}

    async def pass_once(self) -> str:
        """One pass: the arbitrageur on every market, then a few of the crowd."""
        held, listed = await self._settlement.read(lambda world: (_held(world), tuple(world.exchange.markets)))
        now_ms = self._clock.now_ms()
        prices = {symbol: self._feed.book.tradable(symbol, now_ms) for symbol in listed}
        open_markets = {symbol: price.wad for symbol, price in prices.items() if price is not None}
        acted = 0
        for symbol, index in open_markets.items():
            acted += await self._arbitrage(symbol, index, held)
        crowd = [position for position in held if position.owner != ARBITRAGEUR]
        missing = TARGET_POSITIONS - len(crowd)
        for _ in range(min(12, max(1, missing // 3)) if open_markets else 0):
            acted += await self._send(self._opening(self._rng.choice(list(open_markets))))
        if crowd and (missing < 0 or self._rng.random() < LEAVE_CHANCE):
            leaving = self._rng.choice(crowd)
            close = ClosePosition(user=leaving.owner, position_id=leaving.position_id, withdraw_unit=OUT)
            acted += await self._send(close)
        return f"{acted} orders, {len(crowd)} positions of {TRADERS} traders"

    def _opening(self, market: str) -> Command:
        rng = self._rng
        total = wad(f"{min(1_000.0, rng.lognormvariate(5.0, 0.8)):.2f}")
        return OpenPosition(
            user=f"{TRADER_PREFIX}{rng.randrange(TRADERS):02d}",
            market=market,
            is_long=rng.random() < self._bias[market],
            total=total,
            leverage=Fraction(rng.choice((5, 10, 15, 20, 25, 28, 30))),
            deposit=total,
        )

    async def _arbitrage(self, symbol: str, index: int, held: "list[_Held]") -> int:
        base, quote = await self._settlement.read(
            lambda world: (world.exchange.markets[symbol].base_reserve, world.exchange.markets[symbol].quote_reserve)
        )
        mark = curve.mark(base, quote)
        if abs(index - mark) * 10_000 < GAP_BPS * mark:
            return 0
        missing = curve.quote_to_reach(base, quote, index)
        buys = missing > 0
        wanted = int(abs(missing) * ARB_SHARE)
        for each in held:
            if (each.owner, each.market, each.is_long) == (ARBITRAGEUR, symbol, not buys):
                part = min(Fraction(1), Fraction(max(1, wanted), max(1, each.notional)))
                close = ClosePosition(user=ARBITRAGEUR, position_id=each.position_id, part=part, withdraw_unit=OUT)
                if await self._send(close):
                    return 1
        total = wanted // ARB_LEVERAGE
        return await self._send(
            OpenPosition(
                user=ARBITRAGEUR,
                market=symbol,
                is_long=buys,
                total=total,
                leverage=Fraction(ARB_LEVERAGE),
                deposit=total,
            )
        )

    async def _send(self, command: Command) -> int:
        return int(isinstance(await self._settlement.submit(command), tuple))


def _held(world: World) -> list[_Held]:
    exchange = world.exchange
    return [
        _Held(
            position.id,
            position.user_id,
            position.market,
            position.is_long,
            health(exchange.markets[position.market], position).exit.close_notional,
        )
        for position in exchange.open_positions.values()
        if is_simulated(position.user_id)
    ]
