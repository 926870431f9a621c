"""Since when positions have been past their limit: a liquidator that does nothing must be noticed by somebody else."""

from collections.abc import Iterable

OVERDUE_MS = 10_000
"""A dozen passes of a liquidator: what is due for longer, nobody has liquidated."""


class Overdue:
    """Remembers when each due position was first seen so."""

    def __init__(self) -> None:
        self._since_ms: dict[int, int] = {}

    def look(self, due: Iterable[int], now_ms: int) -> None:
        """Takes the ids that are due now; the others are forgotten."""
        self._since_ms = {number: self._since_ms.get(number, now_ms) for number in due}

    def oldest(self, now_ms: int) -> tuple[int, int] | None:
        """The position that has been due longest, and for how many ms; None when none is."""
        if not self._since_ms:
            return None
        since_ms, number = min((since_ms, number) for number, since_ms in self._since_ms.items())
        return number, max(now_ms - since_ms, 0)

    def overdue(self, now_ms: int) -> int:
        """How many have been due for longer than any keeper should need."""
        return sum(now_ms - since_ms >= OVERDUE_MS for since_ms in self._since_ms.values())
