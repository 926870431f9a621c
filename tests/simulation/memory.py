"""A settlement without a journal, and a clock that never waits: what the real ones promise, at the speed of memory."""

import asyncio
import random
from collections.abc import Callable
from typing import Protocol, TypeVar

from engine import codec, world
from engine.settlement import Recorded, Settlement
from engine.world import Command, Fact, World
from venue.exchange.commands import Rejection

T = TypeVar("T")


class Witness(Protocol):
    """Who looks at every fact, before and after it is folded."""

    def before(self, state: World, fact: Fact) -> None: ...

    def after(self, state: World, fact: Fact) -> None: ...


class Dead(Exception):
    """The process that asks has crashed."""


class VirtualClock:
    """Moves when it is told to, and by every sleep; whoever sleeps lets others run."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._now_ms / 1000

    async def sleep(self, seconds: float) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)


class MemorySettlement(Settlement):
    """Decides and folds at once, after a chance for others to come first. `crash()` ends it as a kill would."""

    def __init__(self, clock: VirtualClock, rng: random.Random, witness: Witness) -> None:
        self._time = clock
        self._last_ms = 0
        self._rng = rng
        self._witness = witness
        self._world = World()
        self._alive = True
        self._read_back = 0
        """How many facts have been through the codec in an earlier life."""
        self.recorded: list[Recorded] = []

    @property
    def seq(self) -> int:
        return len(self.recorded)

    @property
    def world(self) -> World:
        """For those who check; loops use `read`."""
        return self._world

    async def submit(self, command: Command) -> tuple[Fact, ...] | Rejection:
        await self._turn()
        answer = world.decide(self._world, command)
        at_ms = self._last_ms = max(self._time.now_ms(), self._last_ms)
        for fact in () if isinstance(answer, Rejection) else answer:
            self._witness.before(self._world, fact)
            self.recorded.append(Recorded(self.seq + 1, at_ms, fact))
            world.evolve(self._world, fact, self.seq, at_ms)
            self._witness.after(self._world, fact)
        if self._rng.random() < 0.05:
            await self._turn()
        return answer

    async def read(self, look: Callable[[World], T]) -> T:
        if self._rng.random() < 0.05:
            await self._turn()
        return look(self._world)

    async def _turn(self) -> None:
        if self._rng.random() < 0.12:
            await asyncio.sleep(0)
        if not self._alive:
            raise Dead

    def crash(self) -> None:
        """Nothing is recorded any more."""
        self._alive = False

    def reborn(self) -> "MemorySettlement":
        """A new one that has read the record back."""
        again = MemorySettlement(self._time, self._rng, self._witness)
        again._last_ms = self._last_ms
        for entry in self.recorded:
            fact = entry.fact if entry.seq <= self._read_back else codec.decode(*codec.encode(entry.fact))
            world.evolve(again._world, fact, entry.seq, entry.at_ms)
            again.recorded.append(Recorded(entry.seq, entry.at_ms, fact))
        again._read_back = again.seq
        return again
