"""Requests to Venice: bounded, guarded, and unable to say a secret aloud.

Every request passes here, so that the guard sees all of them and no error text leaves unwashed.
"""

import re
from collections.abc import Generator, Sequence
from http import HTTPStatus
from typing import Final, Literal

import httpx
from pydantic import JsonValue, SecretStr

from engine.agent.plan import NoPlan, NoPlanCode
from engine.agent.venice_guard import Guard
from engine.text import clean
from venue.net.client import MAX_BODY, Client, NetCode, NetFault, Reply
from venue.net.strict import NotStrict, parse

SAID_LIMIT: Final = 160
_READ_LIMIT: Final = 4096
_SILENT: Final = (NetCode.UNREACHABLE, NetCode.TOO_SLOW)
_SHAPES: Final = r"eyJ[\w-]{8,}(?:\.[\w-]*)*|bearer\s+\S+|(?:0x)?(?!([0-9a-f])\1{63})[0-9a-f]{64,}"
"""What a secret looks like, in case it is one that nobody told us about."""


class Passing(NoPlan):
    """A fault that a second attempt may not meet; `at_once` when that attempt goes elsewhere and need not wait."""

    def __init__(self, code: NoPlanCode, detail: str, at_once: bool = False) -> None:
        super().__init__(code, detail)
        self.at_once = at_once


class Secrets:
    """Knows what must not be said."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def add(self, secret: str) -> None:
        """Never to be shown from here on."""
        self._known.add(secret)

    def within(self, text: str) -> bool:
        """Whether a text holds a secret, or something shaped like one."""
        return self.line(text) != clean(clean(text, _READ_LIMIT), SAID_LIMIT)

    def line(self, text: str, limit: int = SAID_LIMIT) -> str:
        """Text from outside as one clean line of at most `limit` characters without a secret in it."""
        known = "|".join(re.escape(each) for each in sorted(self._known, key=len, reverse=True))
        # Cleaned first: a zero-width character must not hide a key from the search.
        washed = re.sub(f"{known}|{_SHAPES}" if known else _SHAPES, "***", clean(text, _READ_LIMIT), flags=re.I)
        return clean(washed, limit)


class _Bearer(httpx.Auth):
    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        yield request


class Link:
    """One client for all requests."""

    def __init__(self, url: httpx.URL, in_flight: int, within_s: float, guard: Guard, secrets: Secrets) -> None:
        self._guard = guard
        self._secrets = secrets
        self._client = Client(url, within_s=within_s, connections=in_flight + 2)

    async def aclose(self) -> None:
        """Closes idle connections."""
        await self._client.aclose()

    async def send(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        key: SecretStr | None = None,
        body: dict[str, JsonValue] | None = None,
        limit: int = MAX_BODY,
    ) -> Reply:
        """The answer, whatever its status, of at most `limit` bytes.

        Raises NoPlan while the guard says no, Passing (UNREACHABLE, SERVER_FAULT) when there is no whole answer.
        """
        self._guard.enter()
        succeeded = False
        try:
            auth = _Bearer(key) if key is not None else None
            reply = await self._client.send(method, path, query=query, body=body, auth=auth, limit=limit)
            succeeded = reply.status == HTTPStatus.OK
        except NetFault as fault:
            code = NoPlanCode.UNREACHABLE if fault.code in _SILENT else NoPlanCode.SERVER_FAULT
            raise Passing(code, str(fault)) from None
        finally:
            self._guard.leave(succeeded)
        return reply

    def fault(self, reply: Reply) -> NoPlan:
        """What an answer other than 200 means. A pause that it asks for begins here."""
        match reply.status:
            case HTTPStatus.UNAUTHORIZED:
                # The body is left out: whatever it says, and however it spells the key, this is what it comes to.
                return NoPlan(NoPlanCode.KEY_REFUSED, "Venice refuses the key (401)")
            case HTTPStatus.PAYMENT_REQUIRED:
                self._guard.no_balance()
                return NoPlan(NoPlanCode.NO_BALANCE, self._said("no balance", reply))
            case HTTPStatus.TOO_MANY_REQUESTS:
                self._guard.limited(reply.headers)
                return NoPlan(NoPlanCode.RATE_LIMITED, self._said("rate limited", reply))
            case HTTPStatus.SERVICE_UNAVAILABLE:
                return Passing(NoPlanCode.BUSY, self._said("at capacity", reply))
            case status if status >= 500:
                return Passing(NoPlanCode.SERVER_FAULT, self._said("the server failed", reply))
            case status if 300 <= status < 400:
                return NoPlan(NoPlanCode.REFUSED, f"redirect refused ({status})")
            case _:
                return NoPlan(NoPlanCode.REFUSED, self._said("the request was refused", reply))

    def _said(self, what: str, reply: Reply) -> str:
        said = self._secrets.line(error_text(reply))
        return f"{what} ({reply.status}): {said}" if said != "?" else f"{what} ({reply.status})"


def error_text(reply: Reply) -> str:
    """What the server says is wrong, in either of its two shapes, else the start of the body. Unwashed."""
    text = reply.body.decode("utf-8", "replace")
    try:
        said = parse(text)
    except NotStrict:
        return "an HTML page" if text.lstrip().startswith("<") else text
    error = said.get("error") if isinstance(said, dict) else None
    if isinstance(error, dict):
        return " ".join(str(error[part]) for part in ("message", "code") if error.get(part))
    return error if isinstance(error, str) else ""
