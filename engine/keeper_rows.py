"""What a front end may see of the loops of the engine: how their passes go, what is waiting, and the process itself."""

from dataclasses import dataclass
from enum import StrEnum


class KeeperHealth(StrEnum):
    """OK: last pass in time; LATE: a pass is overdue; FAILING: the last pass raised and is being retried."""

    OK = "ok"
    LATE = "late"
    FAILING = "failing"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    """Of a past in which nobody wrote it down."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How long the newest of something took, in ms."""

    median_ms: float
    p99_ms: float
    worst_ms: float


@dataclass(frozen=True, slots=True)
class Work:
    """What a keeper has done since the start; `ready` and `oldest_ms` are of its last pass."""

    checked: int
    """How often it looked at a single position or request."""
    ready: int
    oldest_ms: int | None
    """How long the one that waits longest has been ready."""
    acts: tuple[tuple[str, int], ...]
    """Attempts by what became of them: `done`, `raced`, or a code."""
    skipped: tuple[tuple[str, int], ...]
    """What was ready and left alone, by the reason."""


@dataclass(frozen=True, slots=True)
class KeeperRow:
    """One loop of the engine."""

    name: str
    health: KeeperHealth
    passes: int
    last_ms: int | None
    detail: str
    failures: int = 0
    """Passes that raised, since the start."""
    took: Spread | None = None
    work: Work | None = None


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the engine itself is."""

    waiting: int
    """Commands and reads that wait for the writer."""
    facts: int
    """Made durable since the start."""
    commit: Spread | None
    """From a decision to its being durable."""
    lag: Spread | None
    """How late its event loop comes back to who sleeps."""
    stalls: int = 0
    """How often its loop stood still for seconds."""
