"""The pools' liquidator: closes oracle-priced positions whose collateral no longer carries them."""

import random

import structlog

from engine.clock import Clock
from engine.keepers.notes import Notes
from engine.keepers.tally import Tally
from engine.liquidations.overdue import Overdue
from engine.requests.prices import PriceSource
from engine.settlement import Settlement, StoreFailed
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
        self._overdue: Overdue[PositionKey] = Overdue()
        self.tally = Tally()

    async def pass_once(self) -> str:
        """One look at every position, and its liquidations."""
        found = await self._settlement.read(lambda world: self._ready(world.exchange))
        self._rng.shuffle(found)
        for key, tokens in found[:MOST_ATTEMPTS]:
            note = self._notes.get(key)
            now_ms = self._clock.now_ms()
            if note is not None and note.holds(now_ms):
                self.tally.skipped("pause")
                continue
            await self._attempt(LiquidatePoolPosition(key, self._account, self._prices.of(tokens), now_ms))
        return str(self.tally)

    async def _attempt(self, command: LiquidatePoolPosition) -> None:
        try:
            answer = await self._settlement.submit(command)
        except StoreFailed:
            raise
        except Exception as error:  # one position's fault is nobody else's
            log.error("liquidation failed", position=str(command.position), error=repr(error)[:200])
            self._notes.failed(command.position, type(error).__name__, self._clock.now_ms())
            self.tally.acted("failed")
            return
        if not isinstance(answer, Rejection):
            self.tally.acted("done")
        elif answer.code in _RACED:
            self.tally.acted("raced")
        else:
            self.tally.acted(str(answer.code))
            self._notes.failed(command.position, f"{answer.code} {answer.detail}", self._clock.now_ms())

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
        self.tally.ready = len(found)
        self._remember([key for key, _ in found])
        return found

    def _remember(self, due: list[PositionKey]) -> None:
        self._notes.forget_all_but(frozenset(due))
        now_ms = self._clock.now_ms()
        self._overdue.look(due, now_ms)
        oldest = self._overdue.oldest(now_ms)
        self.tally.oldest_ms = oldest[1] if oldest else None
