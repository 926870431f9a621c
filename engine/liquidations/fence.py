"""A heap of limits: which entries has a value reached, which are next. Entries are dropped long after they ended."""

from collections.abc import Container, Iterator
from heapq import heapify, heappop, heappush
from math import inf

_SPARE = 1024


class Fence:
    """Limits, each with the serial of whom it concerns. Whoever asks says which serials still count."""

    __slots__ = ("_entries", "_room", "first")

    def __init__(self) -> None:
        self._entries: list[tuple[float, int]] = []
        self._room = _SPARE
        self.first = inf
        """The least limit; read at every look, mostly to find that it has not been reached."""

    def __len__(self) -> int:
        """Entries held, those included that no longer count."""
        return len(self._entries)

    def add(self, limit: float, serial: int, live: Container[int]) -> None:
        """Adds a limit. Doubling in size drops what does not count, so that costs no more than adding did."""
        heappush(self._entries, (limit, serial))
        if len(self._entries) > self._room:
            self._entries = [entry for entry in self._entries if entry[1] in live]
            heapify(self._entries)
            self._room = 2 * len(self._entries) + _SPARE
        self.first = self._entries[0][0] if self._entries else inf

    def reached(self, value: float) -> list[int]:
        """Takes out the serials whose limit is at most `value`, least limit first."""
        entries, found = self._entries, []
        while entries and entries[0][0] <= value:
            found.append(heappop(entries)[1])
        self.first = entries[0][0] if entries else inf
        return found

    def ascending(self, live: Container[int]) -> Iterator[tuple[float, int]]:
        """The entries that count, least limit first, each found in the logarithm of those before it."""
        entries = self._entries
        ahead = [(entries[0], 0)] if entries else []
        while ahead:
            entry, place = heappop(ahead)
            if entry[1] in live:
                yield entry
            for child in (2 * place + 1, 2 * place + 2):
                if child < len(entries):
                    heappush(ahead, (entries[child], child))
