"""A liquidator's attempts: each stands by itself, is counted once, and is remembered while it fails."""

from collections.abc import Collection
from typing import Generic, TypeVar

import structlog

from engine.clock import Clock
from engine.keepers.notes import Notes
from engine.keepers.tally import Tally
from engine.liquidations.overdue import Overdue
from engine.settlement import Settlement, StoreFailed
from engine.world import Command
from venue.exchange.commands import Rejection
from venue.exchange.pool.state import PositionKey

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
K = TypeVar("K", int, PositionKey)


class Attempts(Generic[K]):
    """One keeper's, by position. `raced` are the codes that say that somebody else, or the market, was first."""

    def __init__(self, settlement: Settlement, clock: Clock, raced: Collection[str]) -> None:
        self._settlement = settlement
        self._clock = clock
        self._raced = raced
        self._notes: Notes[K] = Notes()
        self._overdue: Overdue[K] = Overdue()
        self.tally = Tally()

    def look(self, due: Collection[K]) -> None:
        """Takes the positions that are due now; what is known of others is forgotten."""
        now_ms = self._clock.now_ms()
        self._notes.forget_all_but(frozenset(due))
        self._overdue.look(due, now_ms)
        oldest = self._overdue.oldest(now_ms)
        self.tally.ready = len(due)
        self.tally.oldest_ms = oldest[1] if oldest else None

    def is_paused(self, key: K) -> bool:
        """Whether the last attempt failed a moment ago."""
        note = self._notes.get(key)
        return note is not None and note.holds(self._clock.now_ms())

    def refused(self, key: K, answer: Rejection) -> None:
        """The exchange said no, for a reason of the position's own."""
        self._notes.failed(key, f"{answer.code} {answer.detail}", self._clock.now_ms())

    def failed(self, key: K, error: Exception) -> None:
        """Nobody said anything: perpdesk failed at it."""
        log.error("liquidation failed", position=str(key), error=repr(error)[:200])
        self._notes.failed(key, type(error).__name__, self._clock.now_ms())

    async def make(self, key: K, command: Command) -> None:
        """One attempt. Raises StoreFailed and nothing else: one position's fault is nobody else's."""
        try:
            answer = await self._settlement.submit(command)
        except StoreFailed:
            raise
        except Exception as error:
            self.failed(key, error)
            self.tally.acted("failed")
            return
        if not isinstance(answer, Rejection):
            self.tally.acted("done")
        elif answer.code in self._raced:
            self.tally.acted("raced")
        else:
            self.tally.acted(str(answer.code))
            self.refused(key, answer)
