"""The engine's pulse: how late its loop comes back to a sleeper, and whether time went on without it."""

import threading
from dataclasses import dataclass
from typing import Never, Self

import structlog

from engine.clock import Clock
from engine.disk import Disk
from engine.settlement import HOLD_S
from engine.stopping import calls_of
from engine.vitals import Durations

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
BEAT_S = 0.1
JUMP_MS = 2_000
"""Wall time may go so far from monotonic time between two beats before somebody has set it, or the machine slept."""
STOOD_S = 5.0
"""Without a beat for so long, the process was stopped, or starved; what it knows is as old."""


@dataclass(slots=True)
class _Seen:
    wall_ms: int
    at_s: float


class Pulse:
    """Beats on the engine's loop. `beats` and `stalls` may be read from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen = _Seen(clock.now_ms(), clock.monotonic())
        self._beat_s: float | None = None
        self._held_until_s = float("-inf")
        self._jump = ""
        self.lags = Durations()
        self.beats = 0
        self.stalls = 0
        """How often the watchdog has found the loop stuck."""

    async def run(self) -> Never:
        """Until cancelled. Without beats nothing new is begun (`why_not`): what is open is guarded all the same, so a
        fault in here is a failing loop's, and no reason to end the engine."""
        while True:
            asleep = self._clock.monotonic()
            await self._clock.sleep(BEAT_S)
            self.lags.took(max(self._clock.monotonic() - asleep - BEAT_S, 0.0))
            self.beats += 1
            self._look()
            self._beat_s = self._seen.at_s

    def why_not(self) -> str:
        """Why nothing is begun just now, or nothing. Looks for itself: whoever asks may wake before the next beat."""
        self._look()
        return self._jump if self._clock.monotonic() < self._held_until_s else ""

    def _look(self) -> None:
        now = _Seen(self._clock.now_ms(), self._clock.monotonic())
        passed_ms = (now.at_s - self._seen.at_s) * 1000
        off_ms = now.wall_ms - self._seen.wall_ms - passed_ms
        self._seen = now
        stood_s = 0.0 if self._beat_s is None else now.at_s - self._beat_s
        if stood_s > STOOD_S:
            self._jump = f"the process stood still for {stood_s:,.0f} s: nothing is opened for a while"
            self._held_until_s, self._beat_s = now.at_s + HOLD_S, now.at_s
            log.warning("stood still", seconds=round(stood_s))
        if abs(off_ms) > JUMP_MS:
            way = "forward" if off_ms > 0 else "back"
            self._jump = f"the clock jumped {way} by {abs(off_ms) / 1000:,.0f} s: nothing is opened for a while"
            self._held_until_s = now.at_s + HOLD_S
            log.warning("clock jumped", by_ms=round(off_ms))


STALL_S = 2.0
LOOK_S = 0.5


class Watchdog:
    """A thread that notices when the loop does not turn, and writes down where it is stuck; and when a commit does not
    end. The loop itself cannot say the one, and who waits for the disk cannot say the other."""

    def __init__(self, pulse: Pulse, disk: Disk) -> None:
        """To be made on the loop's own thread."""
        self._pulse = pulse
        self._disk = disk
        self._watched = threading.get_ident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._beats = pulse.beats
        self._looks = 0
        """Without a beat."""
        self._silent_s = 0.0
        """How long the disk had not answered, at the last look."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_S):
            self._look_at_loop()
            self._look_at_disk()

    def _look_at_loop(self) -> None:
        patience = round(STALL_S / LOOK_S)
        if self._pulse.beats != self._beats:
            if self._looks >= patience:
                log.warning("the loop turns again", stood_s=self._looks * LOOK_S)
            self._beats, self._looks = self._pulse.beats, 0
            return
        self._looks += 1
        if self._looks == patience:
            self._pulse.stalls += 1
            log.error("the loop is stuck", seconds=STALL_S, at=calls_of(self._watched))

    def _look_at_disk(self) -> None:
        was_s, self._silent_s = self._silent_s, self._disk.silent_s
        if self._silent_s and not was_s:
            log.error("the disk does not answer", seconds=round(self._silent_s, 1))
        elif was_s and not self._silent_s:
            log.warning("the disk answers again", silent_s=round(was_s, 1))
