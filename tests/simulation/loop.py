"""An event loop without a machine under it: time jumps to the next timer, chance says who is next, and a kill may fall
between any two steps."""

import asyncio
import random
from asyncio import Handle
from heapq import heappop
from typing import Any, NoReturn

SPIN = 200_000
"""Steps at one moment that nobody needs."""


class Deadlock(AssertionError):
    """Everybody waits for somebody, and no timer will wake one of them."""


class Spinning(AssertionError):
    """Steps are taken for ever and time does not pass."""


class Killed(BaseException):
    """The process died here."""


class SimLoop(asyncio.BaseEventLoop):
    """Runs what is ready in an order drawn from `rng`; `time()` begins at `now`, in virtual seconds.

    Raises Killed out of `run_until_complete` before step `dies_at`. Threads and sockets are refused.
    """

    _ready: list[Handle]
    _scheduled: list[Any]

    def __init__(self, rng: random.Random, now: float = 0.0) -> None:
        super().__init__()
        self._clock_resolution = 1e-6
        self._ready = []
        self._rng = rng
        self._now = now
        self._since = 0
        self.steps = 0
        self.dies_at: int | None = None

    def time(self) -> float:
        return self._now

    def stands_still(self, seconds: float) -> None:
        """The process is stopped, and goes on later: whatever was due meanwhile is late."""
        self._now, self._since = self._now + seconds, self.steps

    def _run_once(self) -> None:
        """Everything that is ready by now, each in its turn; then time passes."""
        self._wake()
        ready, chance = self._ready, self._rng.random
        while ready:
            at = int(chance() * len(ready))
            ready[at], ready[-1] = ready[-1], ready[at]
            handle = ready.pop()
            if handle._cancelled:
                continue
            self.steps += 1
            if self.steps == self.dies_at:
                raise Killed
            if self.steps - self._since > SPIN:
                raise Spinning(f"{SPIN} steps at {self._now:.3f} s")
            handle._run()
            if self._stopping:  # type: ignore[attr-defined]
                return

    def _wake(self) -> None:
        """Moves what is due into `_ready`; with nobody ready, the next moment is now."""
        timers = self._scheduled
        while timers and timers[0]._cancelled:
            heappop(timers)._scheduled = False
        if not self._ready:
            if not timers:
                raise Deadlock(f"nobody will ever go on after {self._now:.3f} s")
            if timers[0]._when > self._now:
                self._now, self._since = timers[0]._when, self.steps
        while timers and timers[0]._when <= self._now:
            handle = heappop(timers)
            handle._scheduled = False
            self._ready.append(handle)

    def bury(self) -> None:
        """Ends what a kill left: nothing of it goes on. What it says on its way out reaches nobody."""
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            try:
                task.get_coro().close()
            except BaseException as said:  # whatever it is: it is dead
                del said
        self.set_exception_handler(lambda *_: None)
        self._ready.clear()
        self._scheduled.clear()
        self.close()

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        """Who is dead finishes nothing."""
        del agen

    def _process_events(self, event_list: Any) -> None:
        del event_list

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector."""

    def run_in_executor(self, *_: Any) -> NoReturn:  # type: ignore[override]
        raise AssertionError("no threads in a simulation")

    def call_soon_threadsafe(self, *_: Any, **__: Any) -> NoReturn:  # type: ignore[override]
        raise AssertionError("no threads in a simulation")


class SimClock:
    """The loop's time as wall time, which may be set wrong."""

    def __init__(self, epoch_ms: int) -> None:
        self._epoch_ms = epoch_ms
        self.off_ms = 0

    def now_ms(self) -> int:
        return self.true_ms() + self.off_ms

    def true_ms(self) -> int:
        """What it would be, were it right."""
        return self._epoch_ms + round(self.monotonic() * 1000)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
