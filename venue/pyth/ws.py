"""The Hermes WebSocket: subscribe once, then bounded frames out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from websockets.exceptions import ConnectionClosed, InvalidStatus

from venue.net.ws import WAITING_FRAMES, Straight, quiet
from venue.pyth.fault import Diagnosis, HermesError
from venue.pyth.wire import SocketRequest

_TOO_BIG: Final = 1009


async def ws_frames(
    url: str, headers: dict[str, str], request: SocketRequest, limit: int, diagnose: Diagnosis
) -> AsyncGenerator[bytes, None]:
    """Messages after `request` was sent, as bytes, until the server closes.

    Raises `HermesError` when the handshake is refused or a message outgrows `limit`; `OSError` or
    `websockets.WebSocketException` when the line breaks.
    """
    connection = Straight(
        url,
        additional_headers=headers,
        compression=None,
        max_size=limit,
        max_queue=WAITING_FRAMES,
        proxy=None,
        # The caller's deadline is stricter than all of these, and prices are a better sign of life than pongs.
        open_timeout=None,
        ping_interval=None,
        close_timeout=0.5,
        logger=quiet,
    )
    try:
        async with connection as socket:
            await socket.send(request.model_dump_json())
            while True:
                yield await socket.recv(decode=False)
    except InvalidStatus as refused:
        answer = refused.response
        raise diagnose.status(answer.status_code, answer.headers, bytes(answer.body)) from None
    except ConnectionClosed as closed:
        if closed.sent is not None and closed.sent.code == _TOO_BIG:
            raise HermesError(f"frame larger than {limit} bytes") from None
        if closed.rcvd is None:
            raise HermesError("connection lost") from None
