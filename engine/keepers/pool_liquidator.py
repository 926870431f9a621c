"""The pools' liquidator: closes oracle-priced positions whose collateral no longer carries them."""

import random
from collections import Counter

import structlog

from engine.clock import Clock
from engine.requests.prices import PriceSource
from engine.settlement import Settlement
from venue.exchange.commands import Refused, Rejection
from venue.exchange.draft import Draft
from venue.exchange.pool.liquidation import is_liquidatable
from venue.exchange.pool.state import PositionKey
from venue.exchange.pool.units import Prices
from venue.exchange.reasons import Reason
from venue.exchange.requests.commands import LiquidatePoolPosition
from venue.exchange.state import Exchange

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
MOST_ATTEMPTS = 64
_RACED = (Reason.EMPTY_POSITION, Reason.NOT_LIQUIDATABLE, Reason.PRICES_TOO_OLD)


class PoolLiquidator:
    """One keeper account; the exchange confirms every liquidation at the prices it is given.

    Attempts are bounded and in random order, so that positions that cannot be paid out never starve the others.
    """

    def __init__(
        self, settlement: Settlement, prices: PriceSource, clock: Clock, account: str, rng: random.Random
    ) -> None:
        self._settlement = settlement
        self._prices = prices
        self._clock = clock
        self._account = account
        self._rng = rng
        self._tally: Counter[str] = Counter()

    async def pass_once(self) -> str:
        """One look at every position, and its liquidations."""
        found, looked_at = await self._settlement.read(lambda world: self._ready(world.exchange))
        self._rng.shuffle(found)
        for key, tokens in found[:MOST_ATTEMPTS]:
            command = LiquidatePoolPosition(key, self._account, self._prices.of(tokens), self._clock.now_ms())
            answer = await self._settlement.submit(command)
            if not isinstance(answer, Rejection):
                self._tally["done"] += 1
            else:
                self._tally["raced" if answer.code in _RACED else answer.code] += 1
        told = ", ".join(f"{count} {name}" for name, count in sorted(self._tally.items()))
        return f"{looked_at} positions" + (f", {told}" if told else "")

    def _ready(self, exchange: Exchange) -> tuple[list[tuple[PositionKey, tuple[str, ...]]], int]:
        draft = Draft(exchange, self._clock.now_ms())
        prices = {symbol: self._prices.of(pool.tokens) for symbol, pool in exchange.pools.items()}
        found = []
        for key, position in exchange.pool_positions.items():
            try:
                if is_liquidatable(draft, position, Prices(prices[key.market])).liquidatable:
                    found.append((key, exchange.pools[key.market].tokens))
            except Refused:
                continue
            except Exception as error:  # one position's fault must not hide the others
                log.error("position cannot be judged", position=str(key), error=repr(error)[:200])
        return found, len(exchange.pool_positions)
