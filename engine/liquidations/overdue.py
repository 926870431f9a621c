"""Since when positions have been past their limit: a liquidator that does nothing must be noticed by somebody else."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

OVERDUE_MS = 10_000
"""A dozen passes of a liquidator: what is due for longer, nobody has liquidated."""


class Overdue(Generic[K]):
    """Remembers when each due position was first seen so, by what it is known by."""

    def __init__(self) -> None:
        self._since_ms: dict[K, int] = {}

    def look(self, due: Iterable[K], now_ms: int) -> None:
        """Takes those that are due now; the others are forgotten."""
        new = dict.fromkeys(due, now_ms)
        kept = {key: since_ms for key, since_ms in self._since_ms.items() if key in new}
        self._since_ms = kept | {key: now_ms for key in new if key not in kept}

    def oldest(self, now_ms: int) -> tuple[K, int] | None:
        """The position that has been due longest, and for how many ms; None when none is."""
        if not self._since_ms:
            return None
        key, since_ms = min(self._since_ms.items(), key=lambda item: item[1])
        return key, max(now_ms - since_ms, 0)

    def overdue(self, now_ms: int) -> int:
        """How many have been due for longer than any keeper should need."""
        return sum(now_ms - since_ms >= OVERDUE_MS for since_ms in self._since_ms.values())
