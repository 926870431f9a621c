"""A disk that hangs: no error comes, a commit just does not end. Only its age tells, and whoever waits for it cannot.

The next picture waits for the disk as well, so a loop that needs no fact puts the alarm on the last one. Nothing is
begun meanwhile: every order, claim and swap is an intent that must be durable first.
"""

import random
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.alerts.rules import Alert, Kind
from engine.clock import Clock
from engine.settlement import HUNG_S
from engine.worker import Cadence, Worker

LOOKS = Cadence(1.0, 1.0)


class Commits(Protocol):
    """Who knows of the commit in progress."""

    @property
    def committing_s(self) -> float: ...


class Disk:
    """Whether the disk below the journal answers. May be asked from any thread."""

    def __init__(self) -> None:
        self._commits: Commits | None = None

    def below(self, commits: Commits) -> None:
        """From now on there are commits."""
        self._commits = commits

    @property
    def committing_s(self) -> float:
        """How long the commit in progress has lasted; 0.0 when there is none."""
        return self._commits.committing_s if self._commits else 0.0

    @property
    def silent_s(self) -> float:
        """How long it has not answered; 0.0 while it does."""
        lasts = self.committing_s
        return lasts if lasts >= HUNG_S else 0.0

    def alarms(self) -> tuple[str, ...]:
        """What an operator must know."""
        silent_s = self.silent_s
        if not silent_s:
            return ()
        return (f"the disk has not answered for {silent_s:.0f} s: nothing is written, nothing new is begun",)

    def why(self) -> str:
        """What a stop waits for, if it is the disk; empty otherwise."""
        lasts = self.committing_s
        return f"the disk has not answered for {lasts:.0f} s" if lasts >= 1 else ""


class DiskLoop:
    """Has the newest picture `show` what is to be said of the disk, and tells those who do not look."""

    def __init__(self, disk: Disk, show: Callable[[], None], tell: Callable[[Sequence[Alert]], None]) -> None:
        self._disk = disk
        self._show = show
        self._tell = tell
        self._said: tuple[str, ...] = ()

    def worker(self, clock: Clock, seed: int) -> Worker:
        """Its loop; `seed` drives jitter."""
        return Worker("disk", LOOKS, self.pass_once, clock, random.Random(f"{seed}:disk"))  # noqa: S311 - jitter

    async def pass_once(self) -> str:
        """Never waits: it would wait for the disk."""
        said, self._said = self._said, self._disk.alarms()
        if said != self._said:
            self._show()
        if self._said and not said:
            self._tell((Alert(Kind.DISK, "disk", self._said[0]),))
        elif said and not self._said:
            self._tell((Alert(Kind.DISK, "disk", f"over: {said[0]}", over=True),))
        return self._said[0] if self._said else "answers"
