"""How a screen of panes divides its room: which edges of a pane can be moved, how far, and in what steps.

A share is a percentage of the width or height of all panes; it belongs to a column or row of panes, its band.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

STEP = 5
MIN_CELLS = 40
"""No pane is made narrower: what matters most would not fit."""
MIN_LINES = 5
"""No pane is made lower: title, header and three rows."""
WHOLE = 100
Shares = Mapping[str, int]


class Axis(Enum):
    """Across the screen, or down."""

    X = "x"
    Y = "y"


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of a pane that can be moved: the share it changes, and whether the pane grows when that share does."""

    share: str
    grows: bool = True


@dataclass(frozen=True, slots=True)
class Shape:
    """One arrangement of panes."""

    bands: Mapping[Axis, tuple[str, ...]]
    """Columns and rows in their order, by the name of their share; an empty name has what the others leave."""
    usual: Shares
    edges: Mapping[Axis, Mapping[int, Edge]] = field(default_factory=dict)
    """By the number of the pane."""

    def weights(self, axis: Axis, chosen: Shares, size: int) -> dict[str, int]:
        """The shares in force on a screen of this size, however they were chosen on another; together 100."""
        bands = self.bands[axis]
        low = _least(axis, size, len(bands))
        left, waiting = WHOLE, len(bands)
        known: dict[str, int] = {}
        for name in filter(None, bands):
            waiting -= 1
            known[name] = max(low, min(chosen.get(name, self.usual[name]), left - low * waiting))
            left -= known[name]
        return {name: known.get(name, left) for name in bands}

    def movable(self, pane: int, axis: Axis) -> bool:
        """Whether the pane has another one beside it, or above or below."""
        return pane in self.edges.get(axis, {})

    def resized(self, pane: int, axis: Axis, step: int, chosen: Shares, size: int) -> dict[str, int]:
        """The shares that make a pane larger (1) or smaller (-1); the same ones where that cannot be."""
        edge = self.edges[axis][pane]
        now = self.weights(axis, chosen, size)[edge.share]
        more = (step > 0) is edge.grows
        wanted = (now // STEP + 1) * STEP if more else (now - 1) // STEP * STEP
        moved = {**chosen, edge.share: wanted}
        got = self.weights(axis, moved, size)[edge.share]
        return dict(chosen) if got == now else {**chosen, edge.share: got}


def _least(axis: Axis, size: int, bands: int) -> int:
    """The smallest share that leaves a pane usable; an even one where there is no room for that."""
    least = MIN_CELLS if axis is Axis.X else MIN_LINES
    return min(-(-WHOLE * least // max(size, 1)), WHOLE // bands)
