"""The venue's servers on loopback, with a plan of faults per path.

More routes are registered with `route`: a handler gets what was asked and returns a status and a JSON value.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import JsonValue, TypeAdapter

from tests.venue.avantis.world import AvantisWorld
from venue.avantis.hosts import Family

TX_BUILDER, GATEWAY, HISTORY, FEED = "/tx-builder", "/gateway", "/history", "/feed"
META = f"{TX_BUILDER}/v2/meta"
BUILDER_POSITIONS = f"{TX_BUILDER}/v2/positions"
CATALOGUE = f"{GATEWAY}/data/v2/trading"
USER_DATA = f"{GATEWAY}/core/user-data"
SPREAD = f"{GATEWAY}/risk/v2/spread"
STATUS = f"{HISTORY}/v2/market-order-initiated/status/{{hash}}"
TRADES = f"{HISTORY}/v2/history/trade-history/{{trader}}/{{page}}/{{limit}}"
PRICE = f"{FEED}/v2/pairs/{{pair}}/price-update-data"


@dataclass(frozen=True)
class Asked:
    """One request. `parts`: what stands in the path for the names in braces."""

    method: str
    path: str
    query: Mapping[str, str]
    body: JsonValue
    parts: Mapping[str, str]

    def value(self, name: str) -> JsonValue:
        """A parameter, from the query or from the body: tx-builder takes both."""
        inside = self.body.get(name) if isinstance(self.body, dict) else None
        return self.query.get(name, inside)

    def text(self, name: str) -> str:
        return str(self.value(name) or "")


Told = tuple[int, JsonValue]
Route = Callable[[Asked], Told]
Stream = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Status:
    """An answer that is only a status, or one with a JSON body."""

    status: int
    body: JsonValue = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """An answer of these bytes."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Drip:
    """A byte, and then nothing until the client leaves."""


@dataclass(frozen=True)
class Lie:
    """The true answer, changed."""

    change: Callable[[JsonValue], JsonValue]
    headers: Mapping[str, str] = field(default_factory=dict)


Fault = Status | Raw | Drip | Lie
HTML = Raw(b"<!doctype html><title>Just a moment</title>", headers={"Content-Type": "text/html"})
REDIRECT = Status(302, headers={"Location": "https://elsewhere.invalid/"})
HUGE = Raw(b'{"pad":"' + b"x" * (3 * 1024 * 1024) + b'"}')
BOMB = Raw(gzip.compress(b" " * 8 * 1024 * 1024), headers={"Content-Encoding": "gzip"})
EMPTY_POSITIONS = Lie(lambda _: {"positions": [], "limitOrders": []})


def refused(code: str, status: int, message: str = "no") -> Status:
    """How tx-builder refuses."""
    return Status(status, {"ok": False, "error": {"code": code, "message": message, "details": {}}})


class AvantisServer:
    """All the services, each under a path of its own."""

    def __init__(self, world: AvantisWorld) -> None:
        self.world = world
        self.asked: list[Asked] = []
        self._routes: dict[str, Route] = {}
        self._streams: dict[str, Stream] = {}
        self._faults: dict[str, tuple[list[Fault], bool]] = {}
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.05)
        _register(self)

    def route(self, pattern: str, route: Route) -> None:
        """Answers GET and POST at a path; `{name}` in it stands for one segment."""
        self._routes[pattern] = route

    def stream(self, path: str, stream: Stream) -> None:
        """Answers at a path in its own way."""
        self._streams[path] = stream

    def plan(self, pattern: str, *faults: Fault, forever: bool = False) -> None:
        """Faults for the next requests of a route, one each; `forever` keeps the last one."""
        self._faults[pattern] = (list(faults), forever)

    def heal(self) -> None:
        """Forgets all planned faults."""
        self._faults.clear()

    def family(self, name: str = "loopback") -> Family:
        """How it is reached."""
        base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return Family(name, base + TX_BUILDER, base + GATEWAY, base + HISTORY, base + FEED)

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if stream := self._streams.get(request.path):
            return await stream(request)
        for pattern, route in self._routes.items():
            if match := re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), request.path):
                return await self._answer(request, pattern, route, match.groupdict())
        return web.json_response({"message": "Not Found"}, status=404)

    async def _answer(
        self, request: web.BaseRequest, pattern: str, route: Route, parts: dict[str, str]
    ) -> web.StreamResponse:
        sent = await request.read()
        body = TypeAdapter[JsonValue](JsonValue).validate_json(sent) if sent else None
        asked = Asked(request.method, request.path, dict(request.query), body, parts)
        self.asked.append(asked)
        match self._next_fault(pattern):
            case Status(status, said, headers):
                return _response(status, said, headers)
            case Raw(raw, status, headers):
                return web.Response(body=raw, status=status, headers=headers)
            case Drip():
                return await _drip(request)
            case Lie(change, headers):
                status, told = route(asked)
                return _response(status, change(told), headers)
            case None:
                return _response(*route(asked), {})

    def _next_fault(self, pattern: str) -> Fault | None:
        faults, forever = self._faults.get(pattern, ([], False))
        if not faults:
            return None
        return faults[0] if forever and len(faults) == 1 else faults.pop(0)


def _response(status: int, told: JsonValue, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        body=b"" if told is None else json.dumps(told).encode(),
        status=status,
        headers={"Content-Type": "application/json", **headers},
    )


async def _drip(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"{")
    await asyncio.Event().wait()
    return response


def _register(server: AvantisServer) -> None:
    world = server.world

    def price(asked: Asked) -> Told:
        found = world.prices.get(int(asked.parts["pair"]))
        return (404, {"message": "no such pair"}) if found is None else (200, {"core": None, "pro": found.leg()})

    def status(asked: Asked) -> Told:
        order = world.orders.get(asked.parts["hash"])
        if order is None:  # the way of history: 200 all the same
            return 200, {"success": False, "errorMessage": "Market order not found"}
        return 200, {"success": True, "data": order.data()}

    def spread(asked: Asked) -> Told:
        return 201, {
            "spreadMechanism": 4,
            "byPass": True,
            "spreadPctWithoutFlow10": world.spread,
            "estimatedSpreadPctWithFlow10": world.spread,
        }

    server.route(CATALOGUE, lambda asked: (200, world.catalogue()))
    server.route(META, lambda asked: (200, {"ok": True, "data": world.meta_data()}))
    server.route(USER_DATA, lambda asked: (200, world.core_positions(asked.text("trader"))))
    positions = world.builder_positions
    server.route(BUILDER_POSITIONS, lambda asked: (200, {"ok": True, "data": positions(asked.text("trader"))}))
    server.route(TRADES, lambda asked: (200, {"success": True, "data": world.trades}))
    server.route(PRICE, price)
    server.route(STATUS, status)
    server.route(SPREAD, spread)


@asynccontextmanager
async def serving(world: AvantisWorld | None = None) -> AsyncGenerator[AvantisServer, None]:
    """A server, stopped afterwards."""
    server = AvantisServer(world or AvantisWorld())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
