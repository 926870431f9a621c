"""When Venice must not be called: it said so, or the next failures would have it ban us.

More than 20 failed requests in 30 s earn a ban of 30 s. We rest after 15, and never have so many requests under way
that their failing together could reach 20.
"""

import re
from collections import deque
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from engine.agent.plan import NoPlan, NoPlanCode
from engine.agent.venice_state import VenicePhase, clock_time
from engine.clock import Clock

WINDOW_S: Final = 30.0
REST_S: Final = 30.0
MOST_FAILURES: Final = 15
BAN: Final = 20
DAY_MS: Final = 86_400_000
LIMITED_S: Final = 60.0
"""After a 429 that does not say how long, or nothing believable."""
LONGEST_LIMIT_S: Final = 3600.0
_CODES: Final = {
    VenicePhase.NO_BALANCE: NoPlanCode.NO_BALANCE,
    VenicePhase.RATE_LIMITED: NoPlanCode.RATE_LIMITED,
    VenicePhase.RESTING: NoPlanCode.BUSY,
}


class Guard:
    """Asked before every request, told how each ended."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: deque[float] = deque(maxlen=BAN)
        self._under_way = 0
        self._rest_until = 0.0
        self._broke_until_ms = 0
        self._limited_until_ms = 0

    def enter(self) -> None:
        """A request starts; `leave` must follow. Raises NoPlan when it must not start."""
        self.check()
        self._forget()
        if len(self._failures) + self._under_way >= BAN:
            raise NoPlan(NoPlanCode.BUSY, "too many requests of ours failed or are under way")
        self._under_way += 1

    def leave(self, succeeded: bool) -> None:
        """A request ended. One that was given up counts as failed: nobody knows how the server saw it."""
        self._under_way -= 1
        if succeeded:
            return
        self._failures.append(self._clock.monotonic())
        self._forget()
        if len(self._failures) > MOST_FAILURES:
            self._rest_until = self._clock.monotonic() + REST_S

    def check(self) -> None:
        """Raises NoPlan while a pause lasts."""
        if (pause := self.pause()) is not None:
            phase, until_ms = pause
            raise NoPlan(_CODES[phase], f"{phase.value} until {clock_time(until_ms)}")

    def pause(self) -> tuple[VenicePhase, int] | None:
        """The pause that lasts now and when it ends (unix ms), the gravest first."""
        now_ms = self._clock.now_ms()
        if now_ms < self._broke_until_ms:
            return VenicePhase.NO_BALANCE, self._broke_until_ms
        if now_ms < self._limited_until_ms:
            return VenicePhase.RATE_LIMITED, self._limited_until_ms
        resting_s = self._rest_until - self._clock.monotonic()
        return (VenicePhase.RESTING, now_ms + round(resting_s * 1000)) if resting_s > 0 else None

    def no_balance(self) -> None:
        """Nothing until the allowance is renewed, at the next midnight UTC."""
        self._broke_until_ms = (self._clock.now_ms() // DAY_MS + 1) * DAY_MS

    def limited(self, headers: Mapping[str, str]) -> None:
        """Nothing until the time the server names."""
        now_s = self._clock.now_ms() / 1000
        waits = [
            _seconds(headers.get("retry-after", "")) or _date_s(headers.get("retry-after", "")) - now_s,
            _seconds(headers.get("x-ratelimit-reset-requests", "")) - now_s,
        ]
        believable = [wait for wait in waits if wait > 0]
        wait_s = min(max(believable, default=LIMITED_S), LONGEST_LIMIT_S)
        self._limited_until_ms = max(self._limited_until_ms, round((now_s + wait_s) * 1000))

    def _forget(self) -> None:
        oldest = self._clock.monotonic() - WINDOW_S
        while self._failures and self._failures[0] <= oldest:
            self._failures.popleft()


def _date_s(text: str) -> float:
    """Unix seconds of an HTTP date; 0 for anything else."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _seconds(text: str) -> float:
    """A number of seconds as a header carries it; 0 for anything else."""
    return float(text) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text) else 0.0
