"""Hermes over server-sent events."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from http import HTTPStatus

import httpx

from venue.net.sse import EventDecoder, EventTooLarge
from venue.pyth.fault import Diagnosis, HermesError


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
    except EventTooLarge as error:
        raise HermesError(str(error)) from None
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
