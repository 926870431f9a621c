"""Who may look at a desk in a browser: the rules, without any I/O.

The server listens on loopback only, and still trusts nobody: other users of the machine can reach it, and so can every
web page that a browser on it shows.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Self

_HERE = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d{1,5})?", re.ASCII)
AT_ONCE = 5
"""Wrong passwords of one visitor that are answered without any wait."""
EVERY_S = 6.0
"""After that, one guess in so many seconds."""


@dataclass(frozen=True, slots=True, repr=False)
class Password:
    """What is kept of a password. It costs nothing to try one: how often that may be done is for `Guesses` to say."""

    salt: bytes
    digest: bytes
    guessable: bool
    """A person has thought of it; otherwise it is 18 random bytes, and nobody is kept out to slow down guesses."""

    @classmethod
    def of(cls, secret: str, *, guessable: bool = True) -> Self:
        """Takes no time."""
        salt = secrets.token_bytes(32)
        return cls(salt, _sealed(salt, secret), guessable)

    def matches(self, given: str) -> bool:
        """Whether it is this one, in a time that tells nothing."""
        return hmac.compare_digest(_sealed(self.salt, given), self.digest)


def _sealed(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("utf-8", "replace"), hashlib.sha256)


def given_password(header: str | None) -> str | None:
    """The password of an HTTP Basic `Authorization` header, whatever the user's name; None if there is none."""
    scheme, _, packed = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(packed.strip(), validate=True).decode()
    except ValueError:
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


class Acquaintances:
    """Browsers that have given the password before, known by a cookie.

    It opens nothing: a browser shows a cookie to every port of this machine, and so to whoever listens on one. Who has
    it is only told from those who guess.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def cookie(self) -> str:
        """For a browser that has just given the password."""
        name = secrets.token_hex(16)
        return f"{name}.{_sealed(self._key, name).hex()}"

    def name(self, cookie: str | None) -> str | None:
        """Which of them it is; None is a stranger."""
        name, _, seal = (cookie or "").partition(".")
        true = _sealed(self._key, name).hex().encode()
        return name if hmac.compare_digest(seal.encode("utf-8", "replace"), true) else None


class Guesses:
    """How fast passwords may be guessed, by each visitor: whoever guesses must not keep out those who know."""

    def __init__(self) -> None:
        self._paid_until: dict[str, float] = {}

    def wait_s(self, who: str, now: float) -> float:
        """Seconds until another attempt of theirs is looked at; 0 is now."""
        return max(self._paid_until.get(who, 0.0) - now - (AT_ONCE - 1) * EVERY_S, 0.0)

    def wrong(self, who: str, now: float) -> None:
        """One attempt of theirs was wrong."""
        self._paid_until = {each: until for each, until in self._paid_until.items() if until > now}
        self._paid_until[who] = max(self._paid_until.get(who, 0.0), now) + EVERY_S
