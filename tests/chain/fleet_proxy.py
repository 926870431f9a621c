"""A slow way to a node: every answer comes late, some never do, and all of it is counted."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

END: Final = b"\r\n\r\n"
Hook = Callable[[str], Awaitable[None]]
"""Told the method of a request."""


async def _nothing(_: str) -> None:
    """Who has no hook."""


@dataclass
class Proxy:
    """In front of the node at `upstream`. Requests on different connections pass side by side."""

    upstream: str
    delay_s: float = 0.02
    luck: random.Random | None = None
    """Draws requests that never reach the node, and answers that never come back."""
    loses: float = 0.03
    before: Hook = _nothing
    """When a request has arrived, before the node has it."""
    after: Hook = _nothing
    """When the node has answered, before the answer goes back."""
    counts: Counter[str] = field(default_factory=Counter)
    under_way: int = 0
    most: int = 0
    """Requests that were under way at the same time."""
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Every connection ends in the middle of whatever it carries."""
        for task in self._tasks:
            task.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, with one of its own to the node."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        at = urlsplit(self.upstream)
        node_reader, node_writer = await asyncio.open_connection(at.hostname, at.port)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while await self._pass(reader, writer, node_reader, node_writer):
                    pass
        finally:
            for each in (writer, node_writer):
                each.transport.abort()
            if task is not None:
                self._tasks.discard(task)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        node_reader: asyncio.StreamReader,
        node_writer: asyncio.StreamWriter,
    ) -> bool:
        head, body = await _message(reader)
        method = str(json.loads(body)["method"])
        self.counts[method] += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.before(method)
            if self._lost():
                return False
            node_writer.write(head + body)
            answer = b"".join(await _message(node_reader))
            await self.after(method)
            await asyncio.sleep(self.delay_s)
            if self._lost():
                return False
            writer.write(answer)
            await writer.drain()
            return True
        finally:
            self.under_way -= 1

    def _lost(self) -> bool:
        return self.luck is not None and self.luck.random() < self.loses


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """One HTTP message whose length is given; the ones of clients and nodes are."""
    head = await reader.readuntil(END)
    fields = (line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    length = next(int(value) for name, value in fields if name.lower() == b"content-length")
    return head, await reader.readexactly(length)


@asynccontextmanager
async def proxied(upstream: str, delay_s: float = 0.02) -> AsyncGenerator[Proxy, None]:
    """A proxy that listens."""
    made = Proxy(upstream, delay_s)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.cut()
        await asyncio.gather(*made._tasks, return_exceptions=True)
