"""An HTTP client for servers that may be slow, huge, broken or hostile: every answer is bounded in time and size.

Redirects are answers like any other, proxies from the environment are not used, and compression is refused, because
what it expands to has no bound.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

import httpx
from pydantic import JsonValue

from venue.net.sse import Event, EventDecoder, EventTooLarge

MAX_BODY: Final = 256 * 1024


class NetCode(StrEnum):
    """Why there is no whole answer; stable."""

    UNREACHABLE = "UNREACHABLE"
    TOO_SLOW = "TOO_SLOW"
    TOO_LARGE = "TOO_LARGE"
    COMPRESSED = "COMPRESSED"
    NOT_A_STREAM = "NOT_A_STREAM"


class NetFault(Exception):
    """There is no whole answer. `sent`: whether the server may have acted on the request."""

    def __init__(self, code: NetCode, text: str, sent: bool) -> None:
        super().__init__(text)
        self.code = code
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, whole."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)


class Client:
    """Requests to one server. `within_s` bounds each of them from its first byte to its last.

    Raises NetFault when there is no whole answer; an answer of any status is an answer.
    """

    def __init__(self, url: httpx.URL, *, within_s: float, connections: int = 10) -> None:
        self._url = url
        self._within_s = within_s
        self._turns = asyncio.Semaphore(connections)  # the pool looks at everybody who waits, each time
        self._http = httpx.AsyncClient(
            headers={"Accept-Encoding": "identity", "User-Agent": "perpdesk"},
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # noqa: S113 - every use sits inside asyncio.timeout
        )

    @property
    def host(self) -> str:
        """Whom it speaks to."""
        return self._url.netloc.decode()

    async def aclose(self) -> None:
        """Closes idle connections."""
        await self._http.aclose()

    async def send(
        self,
        method: Literal["GET", "POST", "PUT"],
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: JsonValue = None,
        auth: httpx.Auth | None = None,
        limit: int = MAX_BODY,
        within_s: float | None = None,
    ) -> Reply:
        """The answer, whatever its status, of at most `limit` bytes."""
        request = self._request(method, path, query, body, "application/json")
        with _Faults():
            async with asyncio.timeout(within_s or self._within_s), self._turns:
                response = await self._http.send(request, stream=True, auth=auth)
                try:
                    return await _whole(response, limit)
                finally:
                    await response.aclose()

    @asynccontextmanager
    async def events(
        self, path: str, body: JsonValue, *, limit: int = MAX_BODY, silence_s: float, within_s: float
    ) -> AsyncGenerator[Reply | AsyncGenerator[Event, None], None]:
        """A POST that is answered by a stream of events, or by an answer that is none.

        `silence_s` is the longest wait for the next byte, comments included, `within_s` bounds the whole.
        """
        request = self._request("POST", path, (), body, "text/event-stream")
        with _Faults():
            async with asyncio.timeout(within_s):
                response = await self._http.send(request, stream=True)
                try:
                    if response.status_code == 200 and _media_type(response) == "text/event-stream":
                        yield _events(response, limit, silence_s)
                    else:
                        yield await _whole(response, limit)
                finally:
                    await response.aclose()

    def _request(
        self, method: str, path: str, query: Sequence[tuple[str, str]], body: JsonValue, accept: str
    ) -> httpx.Request:
        url = self._url.copy_with(path=f"{self._url.path.rstrip('/')}/{path.lstrip('/')}")
        if query:
            url = url.copy_with(params=list(query))
        headers = {"Accept": accept}
        if body is None:
            return self._http.build_request(method, url, headers=headers)
        content = json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        return self._http.build_request(
            method, url, content=content, headers=headers | {"Content-Type": "application/json"}
        )


class _Faults:
    """Puts what the library raises into words of ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        match error:
            case TimeoutError():
                raise NetFault(NetCode.TOO_SLOW, "no whole answer in time", sent=True) from None
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout() | httpx.UnsupportedProtocol():
                raise NetFault(NetCode.UNREACHABLE, _named(error), sent=False) from None
            case httpx.HTTPError() | httpx.StreamError() | OSError():
                raise NetFault(NetCode.UNREACHABLE, _named(error), sent=True) from None
            case EventTooLarge():
                raise NetFault(NetCode.TOO_LARGE, str(error), sent=True) from None


def _named(error: BaseException) -> str:
    return f"connection failed: {type(error).__name__}"


def _media_type(response: httpx.Response) -> str:
    sent: str = response.headers.get("content-type", "")
    return sent.partition(";")[0].strip().lower()


def _plain(response: httpx.Response) -> None:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NetFault(NetCode.COMPRESSED, "the answer is compressed, which has no bound", sent=True)


async def _whole(response: httpx.Response, limit: int) -> Reply:
    _plain(response)
    whole = bytearray()
    async for chunk in response.aiter_raw():
        whole += chunk
        if len(whole) > limit:
            raise NetFault(NetCode.TOO_LARGE, f"the answer is larger than {limit:,} bytes", sent=True)
    return Reply(response.status_code, response.headers, bytes(whole))


async def _events(response: httpx.Response, limit: int, silence_s: float) -> AsyncGenerator[Event, None]:
    _plain(response)
    decoder = EventDecoder(limit)
    chunks = response.aiter_raw()
    while True:
        async with asyncio.timeout(silence_s):
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        for event in decoder.feed(chunk):
            yield event
