"""How one endpoint is doing. Pure: times come from the caller, in seconds of one clock."""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from venue.chain.envelope import RpcCode, RpcError

MOST_LAG: Final = 10
"""Blocks; whoever is further behind the others, or ahead of them, is asked last."""
FAILURES: Final = 5
"""In a row; then it rests."""
REST_S: Final = 30.0
MALFORMED: Final = 3
MALFORMED_WITHIN_S: Final = 600.0
PAUSE_S: Final = 1.0
"""After a 429 that does not say how long."""
MAX_PAUSE_S: Final = 60.0
_STILL_FINE: Final = frozenset({RpcCode.REVERTED, RpcCode.REFUSED})


class Phase(StrEnum):
    """What an endpoint is good for; the better first."""

    HEALTHY = "healthy"
    UNCHECKED = "unchecked"
    LAGGING = "lagging"
    PAUSED = "paused"
    RESTING = "resting"
    BANNED = "banned"


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint, for screens and `doctor`."""

    host: str
    phase: Phase
    block: int | None
    lag: int | None
    """Blocks behind the others; negative: ahead."""
    latency_ms: int | None
    last_error: str


@dataclass(slots=True)
class Health:
    """The memory of one endpoint."""

    checked: bool = False
    """It is on our chain; asked again after every failure, as whoever answers may have changed."""
    banned: bool = False
    block: int | None = None
    lag: int | None = None
    latency_s: float | None = None
    last_error: str = ""
    last_code: RpcCode | None = None
    failures: int = 0
    rests_until_s: float = 0.0
    _malformed: deque[float] = field(default_factory=deque)

    def phase(self, now_s: float, paused_until_s: float, urgent: bool = False) -> Phase:
        """What it is good for now; `paused_until_s` is its host's pause. Who is urgent disturbs its rest."""
        if self.banned:
            return Phase.BANNED
        if not urgent and now_s < self.rests_until_s:
            return Phase.RESTING
        if not urgent and now_s < paused_until_s:
            return Phase.PAUSED
        if self.lag is not None and abs(self.lag) > MOST_LAG:
            return Phase.LAGGING
        return Phase.HEALTHY if self.checked else Phase.UNCHECKED

    def succeeded(self, took_s: float) -> None:
        self.failures = 0
        self.latency_s = took_s if self.latency_s is None else 0.8 * self.latency_s + 0.2 * took_s

    def failed(self, error: RpcError, now_s: float) -> None:
        """Draws the consequences of an error; answers that a sound node gives have none."""
        self.last_error, self.last_code = f"{error.code}: {error}", error.code
        if error.code in _STILL_FINE:
            self.failures = 0
            return
        self.checked = False
        self.failures += 1
        if self.failures >= FAILURES:
            self.rests_until_s = now_s + REST_S
        if error.code is RpcCode.WRONG_CHAIN:
            self.banned = True
        elif error.code is RpcCode.MALFORMED:
            self._malformed.append(now_s)
            while self._malformed[0] < now_s - MALFORMED_WITHIN_S:
                self._malformed.popleft()
            self.banned = len(self._malformed) >= MALFORMED


def reference(blocks: list[int]) -> int | None:
    """The newest block that is believed: two have it, so that one alone cannot make the others look late."""
    ranked = sorted(blocks, reverse=True)
    return None if not ranked else ranked[1] if len(ranked) > 2 else ranked[0]
