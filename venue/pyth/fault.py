"""Why Hermes gave no prices, in words an operator can act on and that can never contain the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from pydantic import SecretStr

from venue.net.hide import Hidden

_TEXT_LIMIT: Final = 160
_READ_LIMIT: Final = 4096
_LONGEST_WAIT_S: Final = 600.0


class HermesError(Exception):
    """No prices, and why. `status`: the HTTP status if there was one; `wait_s`: stay away at least this long."""

    def __init__(self, reason: str, *, status: int | None = None, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Puts what a server says into words. `slow_s`: wait after a refusal; `limited_s`: after a bare 429."""

    key: SecretStr | None
    slow_s: float
    limited_s: float

    def text(self, body: bytes) -> str:
        """Text from the server, fit for one line of a screen: no key, no control or bidi characters, not long."""
        text = body.decode("utf-8", "replace")
        if text.lstrip().startswith("<"):
            return "an HTML page"
        line = " ".join("".join(char if char.isprintable() else " " for char in text[:_READ_LIMIT]).split())
        key = self.key.get_secret_value() if self.key is not None else ""
        return Hidden(key).line(line)[:_TEXT_LIMIT]

    def status(self, status: int, headers: Mapping[str, str], body: bytes) -> HermesError:
        """What an HTTP answer other than 200 means."""
        said = self.text(body)
        match status:
            case HTTPStatus.UNAUTHORIZED:
                # The body is left out: whatever it says, and however it spells the key, one of these two is true.
                reason, wait_s = ("no key: Hermes needs one" if self.key is None else "key refused"), self.slow_s
            case HTTPStatus.FORBIDDEN:
                reason, wait_s = f"key not entitled: {said}", self.slow_s
            case HTTPStatus.NOT_FOUND:
                reason, wait_s = f"not found: {said}", self.slow_s
            case HTTPStatus.TOO_MANY_REQUESTS:
                reason, wait_s = "rate limited", _retry_after(headers.get("retry-after", ""), self.limited_s)
            case _ if 300 <= status < 400:
                reason, wait_s = "redirect refused", self.slow_s
            case _:
                reason, wait_s = f"server answered {said or 'nothing'}", 0.0
        return HermesError(f"{reason} ({status})", status=status, wait_s=wait_s)


def _retry_after(text: str, otherwise: float) -> float:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        return otherwise
    return min(float(text), _LONGEST_WAIT_S)
