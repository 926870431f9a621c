"""A relay on this machine: it streams what its script says, breaks where it says, and remembers every order."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

TRADER = "0x" + "11" * 20
ID = "trk-1"


@dataclass(frozen=True)
class Told:
    """One event; `seq` None leaves its number out of the stream."""

    name: str
    seq: int | None
    payload: Any

    def streamed(self) -> bytes:
        number = "" if self.seq is None else f"id: {self.seq}\n"
        return f": hb\n\nevent: {self.name}\n{number}data: {json.dumps(self.payload)}\n\n".encode()

    def listed(self) -> dict[str, Any]:
        return {"seq": self.seq, "type": self.name, "payload": self.payload, "at": 1_800_000_000_000}


@dataclass(frozen=True)
class Break:
    """The connection is gone."""


@dataclass(frozen=True)
class Silence:
    """Nothing comes any more, not even a comment."""


@dataclass(frozen=True)
class Drip:
    """A comment a little at a time, for ever."""


@dataclass(frozen=True)
class Flood:
    """A line that does not end."""


Step = Told | Break | Silence | Drip | Flood

ACCEPTED = Told("MarketOrderAccepted", 0, {"trackingId": ID})
ATTEMPT = Told("AttemptFailed", 1, {"attempt": 1, "code": "NO_PRICE", "message": "...", "willRetry": True})
INITIATED = Told("MarketOrderInitiated", 2, {"orderId": 42, "trader": TRADER, "pairIndex": 0, "open": True})
REQUESTED = Told("IncreasePositionRequested", 2, {"orderId": 42, "trader": TRADER, "pairIndex": 0})
TRADE = {
    "trader": TRADER,
    "pairIndex": 0,
    "index": 3,
    "initialPosToken": "100000000",
    "positionSizeUSDC": "100000000",
    "openPrice": "30000000000000",
    "buy": True,
    "leverage": "100000000000",
    "tp": "0",
    "sl": "0",
    "timestamp": 1_700_000_000,
}
EXECUTED = Told(
    "MarketOrderExecuted",
    3,
    {
        "orderId": 42,
        "open": True,
        "price": "30000000000000",
        "positionSizeUSDC": "100000000",
        "percentProfit": "0",
        "usdcSentToTrader": "0",
        "isPnl": False,
        "t": TRADE,
        "transactionHash": "0xaa",
    },
)
INCREASED = Told("PositionSizeIncreased", 3, {"orderId": 42, "isPnl": False, "t": TRADE, "transactionHash": "0xaa"})
CANCELED = Told("MarketOrderCanceled", 3, {"orderId": 42, "trader": TRADER, "pairIndex": 0})
FAILED = Told("Error", 3, {"status": "failed", "code": "ATTEMPTS_EXHAUSTED", "message": "...", "trackingId": ID})
TIMEOUT = Told("Error", None, {"code": "STREAM_TIMEOUT", "message": "..."})


class RelayServer:
    """`script` is what an order is answered with; `log` is what the relay knows of it later."""

    def __init__(self) -> None:
        self.script: list[Step] = []
        self.status = 200
        self.media_type = "text/event-stream"
        self.log: list[Told] = []
        self.status_faults: deque[int | bytes] = deque()
        self.known = True
        self.orders: list[dict[str, Any]] = []
        self.asked_after: list[str] = []
        self.url = ""

    async def execute(self, request: web.Request) -> web.StreamResponse:
        self.orders.append(await request.json())
        if self.script and isinstance(self.script[0], Break):
            _cut(request)
        response = web.StreamResponse(status=self.status, headers={"Content-Type": self.media_type})
        await response.prepare(request)
        for step in self.script:
            await _do(step, request, response)
        return response

    async def follow(self, request: web.Request) -> web.StreamResponse:
        after = request.query["afterSeq"]
        self.asked_after.append(after)
        if self.status_faults:
            fault = self.status_faults.popleft()
            return web.Response(status=fault) if isinstance(fault, int) else web.Response(body=fault)
        if not self.known or request.match_info["id"] != ID:
            return web.Response(status=404)
        later = [told.listed() for told in self.log if told.seq is not None and told.seq > int(after)]
        return web.json_response({"events": later})


async def _do(step: Step, request: web.Request, response: web.StreamResponse) -> None:
    match step:
        case Told():
            await response.write(step.streamed())
        case Break():
            await asyncio.sleep(0.02)
            _cut(request)
        case Silence():
            await asyncio.sleep(3)
        case Drip():
            while True:
                await response.write(b":")
                await asyncio.sleep(0.02)
        case Flood():
            while True:
                await response.write(b"x" * 65_536)


def _cut(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


@asynccontextmanager
async def serving() -> AsyncIterator[RelayServer]:
    """The relay, on a port of its own."""
    server = RelayServer()
    app = web.Application()
    app.router.add_post("/gateway/batched-market/market/execute-batched", server.execute)
    app.router.add_get("/gateway/batched-market/tracking-id/{id}/status", server.follow)
    async with TestServer(app) as running:
        server.url = str(running.make_url("/gateway"))
        yield server
