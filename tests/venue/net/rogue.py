"""A server on loopback that breaks the rules of the wire itself, which a library for servers would not let it."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

PAGE = 64 * 1024
BOMB = gzip.compress(bytes(64 * 1024 * 1024))
MOST_SENT = 64 * 1024 * 1024
"""Whoever has taken so much has no bound."""
Shape = Callable[["Rogue", asyncio.StreamWriter], Awaitable[None]]
"""How it answers once it has been asked."""


@dataclass
class Rogue:
    """What it answers with, and what came of it. `elsewhere` is where its redirects lead."""

    shape: Shape
    elsewhere: str = ""
    url: str = ""
    asked: int = 0
    sent: int = 0
    _open: set["asyncio.Task[None]"] = field(default_factory=set)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.asked += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await reader.readuntil(b"\r\n\r\n")
                await self.shape(self, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()  # what nobody reads any more would keep it open for ever
            self._open.discard(task)

    async def write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Goes on until the other end has had enough of it."""
        writer.write(data)
        await writer.drain()
        self.sent += len(data)

    async def end(self) -> None:
        """Lets go of everybody."""
        left = tuple(self._open)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0)  # for what is told at the next turn: that connections are gone


def head(status: str = "200 OK", media: str = "application/json", **more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media}", *(f"{name}: {value}" for name, value in more.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def whole(body: bytes, media: str = "application/json") -> Shape:
    """A body, in order."""

    async def shape(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
        await rogue.write(writer, head(media=media, **{"Content-Length": str(len(body)), "Connection": "close"}) + body)

    return shape


async def endless_body(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
    await rogue.write(writer, head(Connection="close"))
    while rogue.sent < MOST_SENT:
        await rogue.write(writer, b" " * PAGE)


async def endless_stream(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
    await rogue.write(writer, head(media="text/event-stream", Connection="close") + b"data:")
    while rogue.sent < MOST_SENT:
        await rogue.write(writer, b"a" * PAGE)


async def endless_headers(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
    await rogue.write(writer, b"HTTP/1.1 200 OK\r\n")
    while rogue.sent < MOST_SENT:
        await rogue.write(writer, b"X: " + b"a" * 1000 + b"\r\n")


async def endless_line(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
    while rogue.sent < MOST_SENT:
        await rogue.write(writer, b"H" * PAGE)


async def slow_body(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
    await rogue.write(writer, head(**{"Content-Length": "100000"}))
    while True:
        await rogue.write(writer, b" ")
        await asyncio.sleep(0.02)


async def slow_headers(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
    await rogue.write(writer, b"HTTP/1.1 200 OK\r\n")
    while True:
        await rogue.write(writer, b"X: y\r\n")
        await asyncio.sleep(0.02)


async def silent(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def redirect(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
    more = {"Location": rogue.elsewhere, "Content-Length": "0", "Connection": "close"}
    await rogue.write(writer, head("307 Temporary Redirect", **more))


async def bomb(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
    more = {"Content-Encoding": "gzip", "Content-Length": str(len(BOMB)), "Connection": "close"}
    await rogue.write(writer, head(**more) + BOMB)


async def gone(rogue: Rogue, writer: asyncio.StreamWriter) -> None:
    """Hangs up in the middle."""
    await rogue.write(writer, head(**{"Content-Length": "1000"}) + b"{")


@asynccontextmanager
async def serving(rogue: Rogue) -> AsyncIterator[Rogue]:
    """On any free port."""
    server = await asyncio.start_server(rogue.handle, "127.0.0.1", 0)
    rogue.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield rogue
    finally:
        server.close()
        await rogue.end()
        await server.wait_closed()
