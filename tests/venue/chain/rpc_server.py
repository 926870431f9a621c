"""A node on loopback that answers what it is told to, as badly as it is told to."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from venue.avantis.addresses import BASE
from venue.chain.rpc import Rpc

Question = dict[str, Any]
Fault = Callable[[web.BaseRequest, Question], Awaitable[web.StreamResponse]]
Answer = Callable[..., object]


def block_hash(number: int, branch: int = 0) -> str:
    return f"0x{branch:032x}{number:032x}"


def wire_head(number: int, branch: int = 0) -> dict[str, object]:
    """A block as nodes give it, with some of what else they say."""
    return {
        "number": hex(number),
        "hash": block_hash(number, branch),
        "parentHash": block_hash(number - 1, branch),
        "timestamp": hex(1_700_000_000 + 2 * number),
        "baseFeePerGas": "0x5f5e100",
        "transactions": [],
        "size": "0x220",
    }


class RpcServer:
    """`answers` are results by method, or functions of the parameters; `plan` are faults, one per question."""

    def __init__(self) -> None:
        self.chain_id = BASE
        self.block = 1_000
        self.answers: dict[str, object | Answer] = {}
        self.plan: deque[Fault] = deque()
        self.always: Fault | None = None
        self.faults: dict[str, Fault] = {}
        """By method, every time."""
        self.delay_s = 0.0
        self.asked: list[str] = []
        self.url = httpx.URL("http://127.0.0.1")

    def rpc(self, within_s: float = 3.0) -> Rpc:
        return Rpc(self.url, within_s=within_s)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        question: Question = json.loads(await request.read())
        self.asked.append(question["method"])
        await asyncio.sleep(self.delay_s)
        if self.plan:
            return await self.plan.popleft()(request, question)
        if self.always is not None:
            return await self.always(request, question)
        if fault := self.faults.get(question["method"]):
            return await fault(request, question)
        return said({"jsonrpc": "2.0", "id": question["id"], "result": self._result(question)})

    def _result(self, question: Question) -> object:
        known: dict[str, object | Answer] = {
            "eth_chainId": hex(self.chain_id),
            "eth_blockNumber": hex(self.block),
            "eth_getBlockByNumber": wire_head(self.block),
        }
        answer = (known | self.answers)[question["method"]]
        return answer(*question["params"]) if callable(answer) else answer


@asynccontextmanager
async def serving(count: int = 1) -> AsyncGenerator[list[RpcServer], None]:
    """So many of them."""
    async with AsyncExitStack() as stack:
        servers = []
        for _ in range(count):
            server = RpcServer()
            listening = await stack.enter_async_context(_listening(server))
            server.url = httpx.URL(str(listening.make_url("/v1/secret-canary")))
            servers.append(server)
        yield servers


@asynccontextmanager
async def _listening(server: RpcServer) -> AsyncGenerator[BaseTestServer, None]:
    app = web.Application()
    app.router.add_post("/v1/secret-canary", server.handle)
    async with TestServer(app) as listening:
        yield listening


def said(answer: object, status: int = 200, **headers: str) -> web.Response:
    return web.Response(body=json.dumps(answer).encode(), status=status, headers=headers)


def raw(body: bytes, status: int = 200, **headers: str) -> Fault:
    async def answer(_: web.BaseRequest, __: Question) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, status=status, headers=named)

    return answer


def envelope(**fields: object) -> Fault:
    """An answer with the right id, unless `fields` say otherwise."""

    async def answer(_: web.BaseRequest, question: Question) -> web.StreamResponse:
        return said({"jsonrpc": "2.0", "id": question["id"]} | fields)

    return answer


def error(code: int, message: str, data: object = None) -> Fault:
    return envelope(error={"code": code, "message": message, "data": data})


def too_often(retry_after: str = "") -> Fault:
    return raw(b"slow down", 429, **({"Retry_After": retry_after} if retry_after else {}))


def gzip_bomb() -> Fault:
    return raw(gzip.compress(b" " * 20_000_000), Content_Encoding="gzip")


async def huge(request: web.BaseRequest, _: Question) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _chunk in range(1_000):
        await response.write(b" " * 65_536)
    return response


async def drip(request: web.BaseRequest, _: Question) -> web.StreamResponse:
    """Never ends, and is never silent either."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)


async def reset(request: web.BaseRequest, _: Question) -> web.StreamResponse:
    """Ends the connection with an RST."""
    if request.transport is not None:
        sock: socket.socket = request.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()
