"""Open positions of the accounts that somebody here looks at: nobody walks over those of a million strangers."""

from collections.abc import Callable, Collection, Iterable

from engine.liquidations.book import CHANGES
from venue.exchange.state import Exchange, Position

Ours = Callable[[Exchange], Iterable[Position]]
"""The open positions that may be asked for, of the exchange that is asked about."""


class Watched:
    """Kept by the facts of one exchange. `ours` says of an account whether it counts."""

    def __init__(self, exchange: Exchange, ours: Callable[[str], bool]) -> None:
        self._ours = ours
        self._open = {number: each for number, each in exchange.open_positions.items() if ours(each.user_id)}

    def follow(self, exchange: Exchange, fact: object) -> None:
        """Takes note of a fact that was folded; others may have been folded since."""
        if not isinstance(fact, CHANGES):
            return
        position = exchange.positions[fact.position_id]
        if position.id not in exchange.open_positions:
            self._open.pop(position.id, None)
        elif self._ours(position.user_id):
            self._open[position.id] = position

    def of(self, _exchange: Exchange) -> Collection[Position]:
        """Those there are now."""
        return self._open.values()
