"""Who may look at a desk in a browser: the rules, without any I/O.

The server listens on loopback only, and still trusts nobody: other users of the machine can reach it, and so can every
web page that a browser on it shows.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Self

_COST = 2**14
"""Scrypt's n: some 50 ms and 16 MB a guess."""
_HERE = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d{1,5})?")
AT_ONCE = 5
"""Wrong passwords that are answered without any wait."""
EVERY_S = 6.0
"""After that, one guess in so many seconds."""


@dataclass(frozen=True, slots=True, repr=False)
class Password:
    """What is kept of a password."""

    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, secret: str) -> Self:
        """Takes some 50 ms."""
        salt = secrets.token_bytes(16)
        return cls(salt, _digest(secret, salt))

    def matches(self, given: str) -> bool:
        """Whether it is this one, in a time that tells nothing; takes some 50 ms."""
        return hmac.compare_digest(_digest(given, self.salt), self.digest)


def _digest(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=_COST, r=8, p=1)


def given_password(header: str | None) -> str | None:
    """The password of an HTTP Basic `Authorization` header, whatever the user's name; None if there is none."""
    scheme, _, packed = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(packed.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    _, colon, password = text.partition(":")
    return password if colon else None


def is_here(host: str | None) -> bool:
    """Whether a `Host` header names this machine. Any port may stand there, because `ssh -L` may have changed it; any
    other name is a web page that has made its name point here."""
    return host is not None and _HERE.fullmatch(host) is not None


def is_ours(origin: str | None, host: str | None) -> bool:
    """Whether a page with this `Origin` came from this server, which was asked as `host`."""
    return origin is not None and is_here(host) and origin == f"http://{host}"


class Guesses:
    """How fast passwords may be guessed: over everybody, because on loopback all come from one address."""

    def __init__(self) -> None:
        self._paid_until = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until another attempt is looked at; 0 is now."""
        return max(self._paid_until - now - (AT_ONCE - 1) * EVERY_S, 0.0)

    def wrong(self, now: float) -> None:
        """One attempt was wrong."""
        self._paid_until = max(self._paid_until, now) + EVERY_S
