"""The liquidator: finds positions past their limit, worst first; the exchange confirms each right before the act.

A liquidation moves the curve for the next one, so a candidate that is refused by then is `raced`, not an error.
"""

from collections import Counter

from engine.settlement import Settlement
from engine.world import Fact, World
from venue.exchange.commands import Code, LiquidatePosition, Rejection
from venue.exchange.health import health

MAX_ATTEMPTS = 64
"""Attempts per pass, successful or not, so that a stuck position cannot starve the loop."""
_RACED = (Code.NOT_OPEN, Code.NOT_LIQUIDATABLE, Code.SAME_BLOCK)


class Liquidator:
    """One keeper account that collects liquidation fees."""

    def __init__(self, settlement: Settlement, account: str) -> None:
        self._settlement = settlement
        self._account = account
        self._tally: Counter[str] = Counter()

    async def pass_once(self) -> str:
        """One scan and its liquidations."""
        found = await self._settlement.read(_ready)
        for position_id in found[:MAX_ATTEMPTS]:
            answer = await self._settlement.submit(LiquidatePosition(self._account, position_id))
            outcome = _outcome(answer)
            self._tally[outcome] += 1
            self._settlement.observer.acted(self._account, outcome)
        return ", ".join(f"{count} {name}" for name, count in sorted(self._tally.items())) or "nothing to do yet"


def _outcome(answer: tuple[Fact, ...] | Rejection) -> str:
    if not isinstance(answer, Rejection):
        return "done"
    return "raced" if answer.code in _RACED else str(answer.code)


def _ready(world: World) -> list[int]:
    """Ids of positions that may be liquidated now, least equity per margin first."""
    exchange = world.exchange
    found = []
    for position in exchange.open_positions.values():
        if position.open_block == exchange.current_block:
            continue
        state = health(exchange.markets[position.market], position)
        if state.liquidatable:
            found.append((state.exit.equity / position.margin, position.id))
    return [position_id for _, position_id in sorted(found)]
