"""A journal as a reel: the world at any of its entries, without folding it from the beginning.

Going through once, it keeps up to `STILLS` copies of the world at even distances; when there are more, every other one
goes and the distance doubles. A seek copies the still before it and folds what follows, straight from the journal and
checked against its hash chain again. Where stills lie far apart, those passed on the way are kept near the cursor.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.bygone import Bygones, Marks
from engine.replay import fold
from engine.replica import replica
from engine.settlement import Recorded
from engine.world import World
from store.chain import Mark
from store.errors import StoreError
from store.reader import Reader

STILLS = 256
"""Most copies of the world held for good."""
SHORTEST = 256
"""Entries between two of them to begin with, and between those near the cursor."""
NEAR = 24
"""Most copies held near the cursor."""
COPY = 64
"""Entries that are folded as fast as a world is copied."""
REPORT = 1_000
Progress = Callable[[int, int], None]
"""Entries read, and how many there are."""


@dataclass(frozen=True, slots=True)
class _Still:
    """The world behind an entry; never folded into."""

    mark: Mark
    world: World


class Reel:
    """Opens at the newest entry there is by then; what is written later is not on it.

    Raises StoreError when there is no journal or nothing in it, Damaged when it cannot be trusted.
    """

    def __init__(self, directory: Path, progress: Progress = lambda _read, _all: None) -> None:
        self._reader = Reader(directory)
        self._stills = [_Still(Mark(), World())]
        self._near: dict[int, _Still] = {}
        self._distance = SHORTEST
        self._times: array[int] = array("q")
        self._told: array[int] = array("q")
        self.bygones = Bygones()
        self.marks = Marks()
        self.world = World()
        """As it was behind the entry `seq`; to be looked at, not to be kept."""
        self.seq = 0
        try:
            self._wind(progress)
        except BaseException:
            self.close()
            raise
        if not self._times:
            self.close()
            raise StoreError("NO_JOURNAL", f"{directory}: the journal is empty")

    @property
    def newest(self) -> int:
        """The number of the last entry on it."""
        return len(self._times)

    def at_ms(self, seq: int) -> int:
        """When an entry was written, `seq` from 1 to `newest`."""
        return self._times[seq - 1]

    def told(self, seq: int) -> int:
        """The number of the newest event by then."""
        return self._told[seq - 1]

    def last_by(self, at_ms: int) -> int:
        """The last entry written at or before `at_ms`; the first one where that is before all of them."""
        return max(bisect_right(self._times, at_ms), 1)

    def seek(self, seq: int) -> World:
        """The world behind an entry. Raises StoreError when the journal cannot be read any more; the next seek begins
        anew."""
        if seq != self.seq:
            still = self._before(seq)
            if seq < self.seq or still.mark.seq - self.seq > COPY:
                self._stand(still.mark, replica(still.world))
            try:
                self._fold(seq)
            except StoreError:
                self._stand(self._stills[0].mark, World())
                raise
        return self.world

    def close(self) -> None:
        """Gives the journal back."""
        self._reader.close()

    def _wind(self, progress: Progress) -> None:
        newest = self._reader.newest()
        for entry in self._reader.read(newest):
            fact = fold(self.world, entry)
            self.seq = entry.seq
            self._times.append(entry.at_ms)
            self._told.append(self.bygones.tell(Recorded(entry.seq, entry.at_ms, fact)))
            self.marks.take(self.world.exchange, entry.at_ms)
            if entry.seq % self._distance == 0:
                self._keep()
            if entry.seq % REPORT == 0:
                progress(entry.seq, newest)
        progress(self.newest, newest)

    def _keep(self) -> None:
        self._stills.append(_Still(self._reader.mark, replica(self.world)))
        if len(self._stills) > STILLS:
            self._distance *= 2
            del self._stills[1::2]

    def _before(self, seq: int) -> _Still:
        """The nearest still at or before an entry."""
        number = bisect_right(self._stills, seq, key=lambda still: still.mark.seq) - 1
        near = max((each for each in self._near if each <= seq), default=0)
        far = self._stills[number]
        return self._near[near] if near > far.mark.seq else far

    def _stand(self, mark: Mark, world: World) -> None:
        self._reader.go_to(mark)
        self.world, self.seq = world, mark.seq

    def _fold(self, seq: int) -> None:
        for entry in self._reader.read(seq - self.seq):
            fold(self.world, entry)
            self.seq = entry.seq
            if entry.seq % SHORTEST == 0 and entry.seq % self._distance and entry.seq < seq:
                self._near.pop(entry.seq, None)
                self._near[entry.seq] = _Still(self._reader.mark, replica(self.world))
                if len(self._near) > NEAR:
                    del self._near[next(iter(self._near))]
        if self.seq != seq:
            raise StoreError("STATE_UNUSABLE", f"entry {self.seq + 1} is gone from the journal")
