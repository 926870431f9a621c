"""A loop of the engine: jittered cadence, never overlapping, never silently dead."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from engine.clock import Clock
from engine.keeper_rows import KeeperHealth, KeeperRow, Work
from engine.settlement import StoreFailed
from engine.vitals import Durations

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
BACKOFF_FLOOR_S = 0.5
BACKOFF_CEILING_S = 30.0
LATE_AFTER = 3
FIRST_PASS_S = 60.0
"""A first pass that takes longer is late: nobody knows yet how long they take."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """Seconds from the end of one pass to the start of the next, drawn evenly from the range."""

    shortest: float
    longest: float

    def faster(self, factor: int) -> "Cadence":
        """The same cadence in a world whose time runs `factor` times as fast."""
        return Cadence(self.shortest / factor, self.longest / factor)


class Worker:
    """Runs `work` at a cadence until cancelled. A pass that raises is logged, counted, and retried with back-off."""

    def __init__(
        self,
        name: str,
        cadence: Cadence,
        work: Callable[[], Awaitable[str]],
        clock: Clock,
        rng: random.Random,
        counts: Callable[[], Work] | None = None,
        *,
        endless: bool = False,
    ) -> None:
        self.name = name
        self._cadence = cadence
        self._work = work
        self._clock = clock
        self._rng = rng
        """`endless` work ends only when it fails: it is never late."""
        self._counts = counts
        self._endless = endless
        self.durations = Durations()
        self.failures = 0
        """Passes that raised, since the start."""
        self._passes = 0
        self.in_a_row = 0
        """Passes that raised since the last that did not."""
        self._last_ms: int | None = None
        self._due = 0.0
        self._began = math.inf
        self._detail = ""

    async def run(self) -> None:
        """Forever. Raises StoreFailed, after which nothing can be worked on."""
        if not self._endless:
            self._due = self._clock.monotonic() + FIRST_PASS_S
        while True:
            began = self._began = self._clock.monotonic()
            try:
                self._detail = await self._work()
                self._passes += 1
                self.in_a_row = 0
                self._last_ms = self._clock.now_ms()
            except StoreFailed:
                raise
            except asyncio.CancelledError as error:
                if (task := asyncio.current_task()) is None or task.cancelling():
                    raise
                self._failed(error)  # something inside was cancelled, not this loop
            except Exception as error:
                self._failed(error)
            self.durations.took(self._clock.monotonic() - began)
            await self._pause()

    @property
    def _goes_on(self) -> bool:
        """Endless work that has lasted longer than any back-off: what failed before is over."""
        return self._endless and self._clock.monotonic() - self._began > BACKOFF_CEILING_S

    def _failed(self, error: BaseException) -> None:
        self.in_a_row = 1 if self._goes_on else self.in_a_row + 1
        self._began = math.inf
        self.failures += 1
        self._detail = f"{type(error).__name__}, try {self.in_a_row}"
        log.error("pass failed", worker=self.name, error=repr(error))

    async def _pause(self) -> None:
        wait = self._rng.uniform(self._cadence.shortest, self._cadence.longest)
        if self.in_a_row:
            wait = max(wait, min(BACKOFF_CEILING_S, BACKOFF_FLOOR_S * 2 ** min(self.in_a_row, 10)))
        self._due = self._clock.monotonic() + LATE_AFTER * wait + 1.0
        await self._clock.sleep(wait)

    @property
    def late(self) -> bool:
        """Whether a pass has not ended when the one after the next should have: it hangs, and says nothing."""
        return not self._endless and bool(self._due) and self._clock.monotonic() > self._due

    def row(self) -> KeeperRow:
        """How it is doing."""
        if self.in_a_row and not self._goes_on:
            health = KeeperHealth.FAILING
        elif self.late:
            health = KeeperHealth.LATE
        else:
            health = KeeperHealth.OK
        return KeeperRow(
            name=self.name,
            health=health,
            passes=self._passes,
            last_ms=self._last_ms,
            detail=self._detail,
            failures=self.failures,
            took=self.durations.spread(),
            work=self._counts() if self._counts else None,
        )
