"""The pools' liquidator: closes oracle-priced positions whose collateral no longer carries them."""

import random

import structlog

from engine.clock import Clock
from engine.keepers.attempts import Attempts
from engine.requests.prices import PriceSource
from engine.settlement import Settlement
from venue.exchange.commands import Refused
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
        self._attempts: Attempts[PositionKey] = Attempts(settlement, clock, _RACED)
        self.tally = self._attempts.tally

    async def pass_once(self) -> str:
        """One look at every position, and its liquidations."""
        found = await self._settlement.read(lambda world: self._ready(world.exchange))
        self._rng.shuffle(found)
        for key, tokens in found[:MOST_ATTEMPTS]:
            if self._attempts.is_paused(key):
                self.tally.skipped("pause")
                continue
            prices, now_ms = self._prices.of(tokens), self._clock.now_ms()
            await self._attempts.make(key, LiquidatePoolPosition(key, self._account, prices, now_ms))
        return str(self.tally)

    def _ready(self, exchange: Exchange) -> list[tuple[PositionKey, tuple[str, ...]]]:
        draft = Draft(exchange, self._clock.now_ms())
        prices = {symbol: self._prices.of(pool.tokens) for symbol, pool in exchange.pools.items()}
        found = []
        for key, position in exchange.pool_positions.items():
            try:
                if is_liquidatable(draft, position, Prices(prices[key.market])).liquidatable:
                    found.append((key, exchange.pools[key.market].tokens))
            except Refused as refused:
                self.tally.skipped(str(refused.rejection.code))
            except Exception as error:  # one position's fault must not hide the others
                log.error("position cannot be judged", position=str(key), error=repr(error)[:200])
        self.tally.checked += len(exchange.pool_positions)
        self._attempts.look([key for key, _ in found])
        return found
