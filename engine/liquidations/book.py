"""The liquidation indexes of a whole exchange, kept by its facts."""

from engine.liquidations.index import Due, LiquidationIndex
from venue.exchange.facts import PositionIncreased, PositionLiquidated, PositionOpened, PositionReduced
from venue.exchange.health import Health
from venue.exchange.state import Exchange, Position

CHANGES = (PositionOpened, PositionIncreased, PositionReduced, PositionLiquidated)


class LiquidationBook:
    """One index per market. Every fact must be shown to `follow` after it was folded and before the next question;
    several may have been folded by then."""

    def __init__(self, exchange: Exchange) -> None:
        self._indexes: dict[str, LiquidationIndex] = {}
        for position in exchange.open_positions.values():
            self._index(position.market).put(position)

    def __len__(self) -> int:
        return sum(map(len, self._indexes.values()))

    def follow(self, exchange: Exchange, fact: object) -> None:
        """Takes note of a position that a fact opened, changed or ended; other facts are none of its business."""
        if not isinstance(fact, CHANGES):
            return
        position = exchange.positions[fact.position_id]
        index = self._index(position.market)
        if position.id in exchange.open_positions:
            index.put(position)
        else:
            index.remove(position.id)

    def due(self, exchange: Exchange) -> list[int]:
        """Ids of the positions that a liquidation would now be accepted for, all markets together: least equity per
        margin first, then largest fee, then id. Those opened in this block wait for the next."""
        return [due.position_id for due in self.worst_first(exchange)]

    def worst_first(self, exchange: Exchange) -> list[Due]:
        """Those of `due` with what orders them."""
        return [due for due in sorted(self.all_due(exchange)) if due.open_block != exchange.current_block]

    def all_due(self, exchange: Exchange) -> list[Due]:
        """Exactly the positions past their limit, those opened in this block too, in no order."""
        return [due for symbol, index in self._indexes.items() for due in index.all_due(exchange.markets[symbol])]

    @property
    def looked(self) -> int:
        """Looks at single positions since the beginning, for whoever counts the work."""
        return sum(index.looked for index in self._indexes.values())

    def nearest(self, exchange: Exchange, count: int) -> list[tuple[Position, Health]]:
        """The `count` positions with the largest loss share, as `LiquidationIndex.nearest` guarantees them."""
        found = [
            each for symbol, index in self._indexes.items() for each in index.nearest(exchange.markets[symbol], count)
        ]
        found.sort(key=lambda row: (row[1].loss_share, row[0].id), reverse=True)
        return found[:count]

    def _index(self, symbol: str) -> LiquidationIndex:
        return self._indexes.setdefault(symbol, LiquidationIndex())
