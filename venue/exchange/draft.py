"""A decision in progress: what it would change, tried on top of the exchange without touching it.

What a draft comes to goes into a fact as `Changes`; a draft that is dropped has changed nothing.
"""

from dataclasses import dataclass, replace

from venue.exchange.ledger import EXTERNAL, Move, Overdrawn
from venue.exchange.pool.state import Interest, Pool, PoolPosition, PositionKey
from venue.exchange.state import Exchange


@dataclass(frozen=True, slots=True)
class PoolChange:
    """What of a pool can change, as it is afterwards."""

    symbol: str
    long_interest: Interest
    short_interest: Interest
    position_impact: int
    distributed_ms: int
    borrowed_ms: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything a draft changes: money in order, pools and positions as they are afterwards."""

    moves: tuple[Move, ...] = ()
    pools: tuple[PoolChange, ...] = ()
    positions: tuple[PoolPosition, ...] = ()
    """A position of size 0 is gone."""


class Draft:
    """An overlay over an exchange: reads see what the draft has done so far."""

    def __init__(self, exchange: Exchange, now_ms: int) -> None:
        self.exchange = exchange
        self.now_ms = now_ms
        self._deltas: dict[tuple[str, str], int] = {}
        self._moves: list[Move] = []
        self._pools: dict[str, Pool] = {}
        self._positions: dict[PositionKey, PoolPosition] = {}

    def balance(self, token: str, account: str) -> int:
        """What an account holds of a token by now, in its smallest unit."""
        return self.exchange.book(token)[account] + self._deltas.get((token, account), 0)

    def pay(self, token: str, source: str, target: str, amount: int) -> None:
        """Moves `amount`; zero moves nothing. Raises Overdrawn for a negative amount or one `source` does not have."""
        if amount == 0:
            return
        if amount < 0 or (source != EXTERNAL and self.balance(token, source) < amount):
            raise Overdrawn(f"{source} cannot pay {amount} {token} to {target}")
        self._moves.append(Move(source, target, amount, token))
        for account, delta in ((source, -amount), (target, amount)):
            self._deltas[token, account] = self._deltas.get((token, account), 0) + delta

    def pool(self, symbol: str) -> Pool:
        """The draft's own copy of a pool, to be changed in place. Raises KeyError."""
        if symbol not in self._pools:
            self._pools[symbol] = replace(self.exchange.pools[symbol])
        return self._pools[symbol]

    def position(self, key: PositionKey) -> PoolPosition | None:
        """The open position, if there is one by now."""
        found = self._positions.get(key) or self.exchange.pool_positions.get(key)
        return found if found is not None and found.size else None

    def put(self, position: PoolPosition) -> None:
        """Sets a position; size 0 ends it."""
        self._positions[position.key] = position

    def changes(self) -> Changes:
        """What goes into the fact."""
        changed = tuple(
            PoolChange(
                pool.symbol,
                pool.long_interest,
                pool.short_interest,
                pool.position_impact,
                pool.distributed_ms,
                pool.borrowed_ms,
            )
            for pool in self._pools.values()
            if pool != self.exchange.pools[pool.symbol]
        )
        return Changes(tuple(self._moves), changed, tuple(self._positions.values()))
