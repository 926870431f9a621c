"""The liquidator: closes positions past their limit, the worst first; the exchange confirms each right before the act.

A liquidation moves the curve for the next one, and others may be at it too: who is refused for that has `raced`, which
is no error. What fails for a reason of its own is left alone for a while, and never holds up the others.
"""

import asyncio

import structlog

from engine.clock import Clock
from engine.keepers.notes import Notes
from engine.keepers.tally import Tally
from engine.liquidations.book import LiquidationBook
from engine.liquidations.overdue import Overdue
from engine.settlement import Settlement, StoreFailed
from engine.world import World
from venue.exchange import machine
from venue.exchange.commands import Code, LiquidatePosition, Rejection
from venue.exchange.facts import PositionLiquidated

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
MAX_ATTEMPTS = 256
"""Attempts per pass, successful or not, so that a crash of the market cannot starve the loop. They share a few
transactions: one at a time a disk would take them too slowly."""
RACED = (Code.NOT_OPEN, Code.NOT_LIQUIDATABLE, Code.SAME_BLOCK)


class Liquidator:
    """One keeper account that collects liquidation fees. Several may run on one book, in one engine and elsewhere:
    the exchange liquidates a position once.

    `cost` is what an act costs its keeper, in 1e-18 USD: where the fee is less the position is left to others, unless
    it owes more than it holds. That debt grows at everybody's expense.
    """

    def __init__(
        self, settlement: Settlement, book: LiquidationBook, clock: Clock, account: str, cost: int = 0
    ) -> None:
        self._settlement = settlement
        self._book = book
        self._clock = clock
        self._account = account
        self._cost = cost
        self._notes: Notes[int] = Notes()
        self._overdue: Overdue[int] = Overdue()
        self.tally = Tally()

    async def pass_once(self) -> str:
        """One look, and its liquidations."""
        found = await self._settlement.read(self._worth_an_attempt)
        await asyncio.gather(*map(self._attempt, found))  # in this order; they share a transaction
        return str(self.tally)

    def _worth_an_attempt(self, world: World) -> list[int]:
        """What the exchange would liquidate now and pays for, the worst first."""
        now_ms, tally = self._clock.now_ms(), self.tally
        looked = self._book.looked
        worst_first = self._book.worst_first(world.exchange)
        due = [each.position_id for each in worst_first]
        tally.checked += self._book.looked - looked
        tally.ready = len(due)
        self._notes.forget_all_but(frozenset(due))
        self._overdue.look(due, now_ms)
        oldest = self._overdue.oldest(now_ms)
        tally.oldest_ms = oldest[1] if oldest else None
        found: list[int] = []
        for each in worst_first:
            position_id = each.position_id
            if len(found) == MAX_ATTEMPTS:
                break
            if each.cover >= 0 and -each.less_fee < self._cost:  # what it pays is known without a dry run
                tally.skipped("unprofitable")
            elif reason := self._why_not(world, position_id, now_ms):
                tally.skipped(reason)
            else:
                found.append(position_id)
        return found

    def _why_not(self, world: World, position_id: int, now_ms: int) -> str:
        """By a dry run, unless the last attempt failed a moment ago; empty: nothing speaks against it."""
        note = self._notes.get(position_id)
        if note is not None and note.holds(now_ms):
            return "pause"
        try:
            answer = machine.decide(world.exchange, LiquidatePosition(self._account, position_id))
        except Exception as error:  # one position's fault is nobody else's
            self._fault(position_id, error)
            return "failed"
        if isinstance(answer, Rejection):
            self._notes.failed(position_id, f"{answer.code} {answer.detail}", now_ms)
            return str(answer.code)
        pays = all(
            fact.equity < 0 or fact.liquidator_fee >= self._cost
            for fact in answer
            if isinstance(fact, PositionLiquidated)
        )
        return "" if pays else "unprofitable"

    async def _attempt(self, position_id: int) -> None:
        try:
            answer = await self._settlement.submit(LiquidatePosition(self._account, position_id))
        except StoreFailed:
            raise
        except Exception as error:  # one position's fault is nobody else's
            self._fault(position_id, error)
            self.tally.acted("failed")
            return
        if not isinstance(answer, Rejection):
            self.tally.acted("done")
        elif answer.code in RACED:
            self.tally.acted("raced")
        else:
            self.tally.acted(str(answer.code))
            self._notes.failed(position_id, f"{answer.code} {answer.detail}", self._clock.now_ms())

    def _fault(self, position_id: int, error: Exception) -> None:
        log.error("liquidation failed", position=position_id, error=repr(error)[:200])
        self._notes.failed(position_id, type(error).__name__, self._clock.now_ms())
