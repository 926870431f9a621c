"""A tx-builder on this machine that answers what it is told to."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Answer:
    """One answer. A shape is a way of sending it that its bytes do not show."""

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    shape: str = ""


class BuilderServer:
    """Gives `answer` to every request, and remembers the requests."""

    def __init__(self) -> None:
        self.answer = Answer(b"{}")
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, json.loads(await request.read() or b"{}")))
        shaped = {"drip": self._drip, "hold": self._hold, "abort": self._abort, "endless": self._endless}
        if self.answer.shape in shaped:
            return await shaped[self.answer.shape](request)
        headers = {"Content-Type": self.answer.media_type, **self.answer.headers}
        return web.Response(body=self._body(headers), status=self.answer.status, headers=headers)

    def _body(self, headers: dict[str, str]) -> bytes:
        body = self.answer.body
        match self.answer.shape:
            case "nest":
                return b"[" * 20_000 + b"]" * 20_000
            case "latin":
                return body.replace(b'{"ok"', b'{"\xe9": 1, "ok"')
            case "huge":
                return body + b" " * 65_536
            case "gzip":
                headers["Content-Encoding"] = "gzip"
                return zlib.compress(bytes(300_000))
        return body

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for byte in self.answer.body:
            await response.write(bytes((byte,)))
            await asyncio.sleep(0.02)
        return response

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b" " * 16_384)

    async def _hold(self, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    async def _abort(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


@asynccontextmanager
async def serving() -> AsyncIterator[BuilderServer]:
    """The server, on a port of its own."""
    server = BuilderServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    async with TestServer(app) as running:
        server.url = str(running.make_url("/"))
        yield server
