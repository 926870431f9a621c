"""The connection as others see it: its state and its deadlines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LinkPhase(StrEnum):
    """Where the connection stands. LIVE from the first price, not from the handshake."""

    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class LinkState:
    """The connection at one moment. `reason` is safe to show; times are unix ms."""

    phase: LinkPhase
    reason: str
    since_ms: int
    retry_at_ms: int | None = None
    """When the next attempt starts, while WAITING."""
    reconnects: int = 0
    """Attempts after the first."""
    connected_count: int = 0
    """Attempts that delivered prices."""


@dataclass(frozen=True, slots=True)
class LinkTiming:
    """Deadlines and waits, in seconds."""

    connect_s: float = 5.0
    """For the connection and the first price together."""
    silence_s: float = 3.0
    """Without a price: comments and pings are not a sign of life."""
    request_s: float = 10.0
    backoff_min_s: float = 0.5
    backoff_max_s: float = 15.0
    stable_s: float = 15.0
    """Prices for this long start the backoff afresh; a server that hangs up after each price does not."""
    refused_s: float = 30.0
    """After an answer that only a person can change: key, entitlement, feed id."""
    limited_s: float = 60.0
    """After a 429 that does not say how long."""
