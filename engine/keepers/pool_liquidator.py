"""The pools' liquidator: closes oracle-priced positions whose collateral no longer carries them."""

import random

import structlog

from engine.clock import Clock
from engine.keepers.notes import Notes
from engine.keepers.tally import Tally
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
        self._notes: Notes[PositionKey] = Notes()
        self.tally = Tally()

    async def pass_once(self) -> str:
        """One look at every position, and its liquidations."""
        found = await self._settlement.read(lambda world: self._ready(world.exchange))
        self._rng.shuffle(found)
        for key, tokens in found[:MOST_ATTEMPTS]:
            note = self._notes.get(key)
            if note is not None and note.holds(self._clock.now_ms()):
                self.tally.skipped("pause")
                continue
            command = LiquidatePoolPosition(key, self._account, self._prices.of(tokens), self._clock.now_ms())
            answer = await self._settlement.submit(command)
            if not isinstance(answer, Rejection):
                self.tally.acted("done")
            elif answer.code in _RACED:
                self.tally.acted("raced")
            else:
                self.tally.acted(str(answer.code))
                self._notes.failed(key, f"{answer.code} {answer.detail}", self._clock.now_ms())
        return str(self.tally)

    def _ready(self, exchange: Exchange) -> list[tuple[PositionKey, tuple[str, ...]]]:
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
        self.tally.checked += len(exchange.pool_positions)
        self.tally.ready = len(found)
        self._notes.forget_all_but({key for key, _ in found})
        return found
