"""The liquidator: closes positions past their limit, the worst first; the exchange confirms each right before the act.

A liquidation moves the curve for the next one, and others may be at it too: who is refused for that has `raced`, which
is no error. What fails for a reason of its own is left alone for a while, and never holds up the others.
"""

import asyncio

from engine.clock import Clock
from engine.keepers.attempts import Attempts
from engine.liquidations.book import LiquidationBook
from engine.settlement import Settlement
from engine.world import World
from venue.exchange import machine
from venue.exchange.commands import Code, LiquidatePosition, Rejection
from venue.exchange.facts import PositionLiquidated

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
        self._account = account
        self._cost = cost
        self._attempts: Attempts[int] = Attempts(settlement, clock, RACED)
        self.tally = self._attempts.tally

    async def pass_once(self) -> str:
        """One look, and its liquidations."""
        found = await self._settlement.read(self._worth_an_attempt)
        acts = (self._attempts.make(number, LiquidatePosition(self._account, number)) for number in found)
        await asyncio.gather(*acts)  # in this order; they share a transaction
        return str(self.tally)

    def _worth_an_attempt(self, world: World) -> list[int]:
        """What the exchange would liquidate now and pays for, the worst first."""
        tally = self.tally
        looked = self._book.looked
        worst_first = self._book.worst_first(world.exchange)
        tally.checked += self._book.looked - looked
        self._attempts.look([each.position_id for each in worst_first])
        found: list[int] = []
        for each in worst_first:
            position_id = each.position_id
            if len(found) == MAX_ATTEMPTS:
                break
            if each.cover >= 0 and -each.less_fee < self._cost:  # what it pays is known without a dry run
                tally.skipped("unprofitable")
            elif reason := self._why_not(world, position_id):
                tally.skipped(reason)
            else:
                found.append(position_id)
        return found

    def _why_not(self, world: World, position_id: int) -> str:
        """By a dry run, unless the last attempt failed a moment ago; empty: nothing speaks against it."""
        if self._attempts.is_paused(position_id):
            return "pause"
        try:
            answer = machine.decide(world.exchange, LiquidatePosition(self._account, position_id))
        except Exception as error:  # one position's fault is nobody else's
            self._attempts.failed(position_id, error)
            return "failed"
        if isinstance(answer, Rejection):
            self._attempts.refused(position_id, answer)
            return str(answer.code)
        pays = all(
            fact.equity < 0 or fact.liquidator_fee >= self._cost
            for fact in answer
            if isinstance(fact, PositionLiquidated)
        )
        return "" if pays else "unprofitable"
