"""What the index has still to write: bounded, whatever becomes of its disk."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from store.index import Row

MOST_BLOCKS = 20_000
"""Rows of blocks that wait. Beyond it the oldest go, and are read from the journal again later: some 10 MB."""
MOST_PRICES = 20_000
"""Rows of prices that wait. Beyond it the oldest are lost: no journal has them."""
PIECE = 5_000
"""Positions taken at once, which bounds how long the engine's loop stands still for it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Facts behind `after` up to `upto`: some of their blocks are not in the index."""

    after: int
    upto: int

    def with_(self, other: "Gap | None") -> "Gap":
        """The least that spans both: a block that is read twice does no harm."""
        return self if other is None else Gap(min(self.after, other.after), max(self.upto, other.upto))


@dataclass(slots=True)
class Piece:
    """What has been taken, to be written or given back."""

    positions: set[int]
    markets: bool
    blocks: list[tuple[int, Row]]
    """Each with the number of its fact."""
    prices: list[Row]
    whole: bool
    """With it everything up to this fact has been taken."""


@dataclass(slots=True)
class Waiting:
    """Noted by who follows the facts, taken by who writes."""

    positions: set[int] = field(default_factory=set)
    """Ids that have changed."""
    markets: bool = False
    """Whether any curve has moved."""
    gap: Gap | None = None
    prices_lost: int = 0
    _blocks: deque[tuple[int, Row]] = field(default_factory=deque)
    _prices: deque[Row] = field(default_factory=deque)
    _rest: range = range(0)

    def all_positions(self, next_id: int) -> None:
        """Every one below `next_id` is written anew, in pieces."""
        self._rest = range(1, next_id)
        self.markets = True

    def missed(self, gap: Gap) -> None:
        """These blocks have to be read from the journal."""
        self.gap = gap.with_(self.gap)

    def blocks(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Snapshots, each with the number of its block's fact."""
        self._blocks.extend(rows)
        while len(self._blocks) > MOST_BLOCKS:
            seq, _ = self._blocks.popleft()
            self.missed(Gap(seq - 1, seq))

    def prices(self, rows: Iterable[Row]) -> None:
        """A sample of prices."""
        self._prices.extend(rows)
        while len(self._prices) > MOST_PRICES:
            self._prices.popleft()
            self.prices_lost += 1

    def take(self) -> Piece:
        """The next piece; positions that change beside a rewriting are written with its end."""
        taken = set(self._rest[:PIECE])
        self._rest = self._rest[PIECE:]
        while self.positions and len(taken) < PIECE:
            taken.add(self.positions.pop())
        piece = Piece(
            taken, self.markets, list(self._blocks), list(self._prices), not self._rest and not self.positions
        )
        self.markets = False
        self._blocks.clear()
        self._prices.clear()
        return piece

    def give_back(self, piece: Piece) -> None:
        """It could not be written."""
        self.positions |= piece.positions
        self.markets |= piece.markets
        blocks, prices = list(self._blocks), list(self._prices)
        self._blocks.clear()
        self._prices.clear()
        self.blocks([*piece.blocks, *blocks])
        self.prices([*piece.prices, *prices])
