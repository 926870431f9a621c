"""The connection as others see it: its state, its deadlines, and what it may be pointed at."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum

import httpx
from pydantic import SecretStr


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


def checked_key(key: SecretStr | None) -> SecretStr | None:
    """`key`, if a header can carry it. Raises `ValueError`, which does not repeat it, otherwise.

    A stray newline would make the HTTP library put the whole header into its error text.
    """
    if key is not None and not re.fullmatch(r"[!-~]+", key.get_secret_value()):
        raise ValueError("the Hermes key is empty or holds a space, a line break or a non-ASCII character")
    return key


def checked_url(text: str) -> httpx.URL:
    """`text` as a URL that is safe to send a key to. Raises `ValueError` otherwise."""
    try:
        url = httpx.URL(text)
        url.host.encode("idna")  # what the resolver will do, and raise from the middle of a connection
    except (httpx.InvalidURL, UnicodeError):
        raise ValueError("the Hermes URL is not a URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("the Hermes URL must start with https:// and name a host")
    if url.port is not None and not 0 < url.port < 65_536:
        raise ValueError("the Hermes URL names a port that does not exist")
    if url.userinfo or url.query or url.fragment:
        raise ValueError("the Hermes URL must not carry a user, a query or a fragment: keys do not belong there")
    if url.scheme == "http" and not _loopback(url.host):
        raise ValueError("the Hermes URL must be https: the key would cross the network in the clear")
    return url


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
