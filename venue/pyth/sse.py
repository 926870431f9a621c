"""Server-sent events over httpx: bytes in, bounded frames out.

The decoder is our own because a line or an event must never grow past a limit, and because the payload stays bytes
all the way to the JSON parser.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import NamedTuple

import httpx

from venue.pyth.fault import Diagnosis, HermesError


class Event(NamedTuple):
    """One server-sent event; `name` is empty for an unnamed one."""

    name: bytes
    data: bytes


class EventDecoder:
    """Splits a byte stream, however it is cut into chunks, into events of at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes. Raises `HermesError` when one outgrows the limit."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        events = [event for line in lines if (event := self._line(line.removesuffix(b"\r"))) is not None]
        self._measure(len(self._rest))
        return events

    def _line(self, line: bytes) -> Event | None:
        if not line:
            event = Event(self._name, b"\n".join(self._data)) if self._data else None
            self._name, self._data, self._size = b"", [], 0
            return event
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value
        elif field == b"data":
            self._size += len(value) + 1  # so that empty lines count too
            self._data.append(value)
            self._measure(0)
        return None

    def _measure(self, more: int) -> None:
        if self._size + more > self._limit:
            raise HermesError(f"frame larger than {self._limit} bytes")


async def sse_frames(
    http: httpx.AsyncClient, request: httpx.Request, limit: int, diagnose: Diagnosis
) -> AsyncGenerator[bytes, None]:
    """Payloads of the unnamed events, until the server closes.

    Raises `HermesError` when the server says why not or breaks the rules, `httpx.HTTPError` when the line breaks.
    """
    response = await http.send(request, stream=True)
    try:
        await expect(response, "text/event-stream", limit, diagnose)
        decoder = EventDecoder(limit)
        async for chunk in response.aiter_raw():
            for event in decoder.feed(chunk):
                if event.name == b"error":
                    raise HermesError(f"server said: {diagnose.text(event.data)}")
                if event.name in (b"", b"message"):
                    yield event.data
    finally:
        await response.aclose()


async def expect(response: httpx.Response, media_type: str, limit: int, diagnose: Diagnosis) -> None:
    """Raise `HermesError` unless `response` is a plain 200 of `media_type`. Compression is refused: it has no bound."""
    if response.status_code != HTTPStatus.OK:
        raise diagnose.status(response.status_code, response.headers, await body(response, limit))
    sent = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = response.headers.get("content-encoding", "identity")
    if sent != media_type or encoding != "identity":
        raise HermesError(f"expected plain {media_type}, got {diagnose.text(f'{encoding} {sent}'.encode())}")


async def body(response: httpx.Response, limit: int) -> bytes:
    """The whole body. Raises `HermesError` when it is larger than `limit` bytes."""
    whole = bytearray()
    async for chunk in response.aiter_raw():
        whole += chunk
        if len(whole) > limit:
            raise HermesError(f"answer larger than {limit} bytes", status=response.status_code)
    return bytes(whole)
