"""A Hermes server for one machine: the same requests, answers and failures as the real one, invented prices.

Nothing it serves can be taken to a chain: the binary blob says so instead of carrying signatures.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from typing import Final

from aiohttp import WSMsgType, web
from pydantic import JsonValue, SecretStr, TypeAdapter, ValidationError

from venue.pyth.path import PricePath
from venue.pyth.price import Feed
from venue.pyth.script import Regime, worst
from venue.pyth.wire import SocketRequest

BLOB: Final = b"SIMULATED: not a Pyth accumulator update"
LIFETIME_MESSAGE: Final = "Connection timeout reached (24h)"

_SLOTS: Final = 4
"""A stream sends a quarter of its feeds per frame, four frames per interval, as updates really trickle in."""
_COMMENT_EVERY: Final = 64
_json: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HermesSimulator:
    """Serves `path` to whoever knows `key` (None: to anyone). Each feed is sent every `interval_ms`.

    Meant for loopback: it has no TLS and no limits on its clients.
    """

    def __init__(
        self,
        path: PricePath,
        feeds: Mapping[str, Feed],
        key: SecretStr | None,
        now_ms: Callable[[], int],
        interval_ms: int = 240,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.path = path
        self._feeds = {feed.id: feed for feed in feeds.values()}
        self._key = key
        self._now_ms = now_ms
        self._slot_s = interval_ms / 1000 / _SLOTS
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self._stopping = False
        self._cuts = 0
        self.streams = 0
        """Streams open now, of both kinds."""

    @property
    def url(self) -> str:
        """Where it listens; valid after `start`."""
        return f"http://{self._host}:{self._port}"

    @property
    def regimes(self) -> frozenset[Regime]:
        """What is going on now, on any feed."""
        return self.path.regimes(self._now_ms())

    @property
    def regime(self) -> Regime:
        """The worst of `regimes`."""
        return worst(self.regimes)

    async def start(self) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        app = web.Application(middlewares=[self._gate])
        app.router.add_get("/v2/updates/price/latest", self._latest)
        app.router.add_get("/v2/updates/price/stream", self._stream)
        app.router.add_get(r"/v2/updates/price/{publish_time:\d{1,12}}", self._at)
        app.router.add_get("/ws", self._socket)
        self._stopping = False
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = int(runner.addresses[0][1])

    async def stop(self) -> None:
        """End every stream and free the port. Harmless when not started."""
        self._stopping = True
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def enter(
        self,
        regime: Regime,
        symbols: Iterable[str] | None = None,
        *,
        duration_s: float | None = None,
        move: float | None = None,
    ) -> None:
        """Start a regime now. See `PricePath.enter`; DISCONNECT concerns the whole server, whatever `symbols` say."""
        self.path.enter(regime, self._now_ms(), symbols, duration_s=duration_s, move=move)

    def cut(self) -> None:
        """End every open stream as Hermes does after 24 hours."""
        self._cuts += 1

    @web.middleware
    async def _gate(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if Regime.DISCONNECT in self.regimes:
            raise web.HTTPServiceUnavailable(text="unavailable")
        if self._key is not None:
            wanted = f"Bearer {self._key.get_secret_value()}".encode()
            if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted):
                raise web.HTTPUnauthorized(text="unauthorized")
        return await handler(request)

    async def _latest(self, request: web.Request) -> web.Response:
        now_ms = self._now_ms()
        return self._answer(request, {feed.id: self._item(feed, now_ms) for feed in self._asked(request)})

    async def _at(self, request: web.Request) -> web.Response:
        publish_time = int(request.match_info["publish_time"])
        if publish_time * 1000 > self._now_ms():
            raise web.HTTPNotFound(text="Update data not found")
        at_ms = publish_time * 1000
        items = {feed.id: self._item(feed, at_ms, publish_time) for feed in self._asked(request)}
        return self._answer(request, items)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        feeds = dict.fromkeys(self._asked(request), True)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        with suppress(ConnectionResetError):  # hanging up is how a client leaves
            await self._write(response, feeds, request)
        return response

    async def _write(self, response: web.StreamResponse, feeds: dict[Feed, bool], request: web.Request) -> None:
        cuts = self._cuts
        async with aclosing(self._ticks(feeds, request)) as ticks:
            async for number, due in ticks:
                if cuts != self._cuts:
                    await response.write(f"event: error\ndata: {LIFETIME_MESSAGE}\n\n".encode())
                    return
                if due:
                    now_ms = self._now_ms()
                    payload = self._payload(request, {feed.id: self._item(feed, now_ms) for feed in due})
                    await response.write(b"data:" + _json.dump_json(payload) + b"\n\n")
                if number % _COMMENT_EVERY == 0:
                    await response.write(b":\n\n")

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30.0, max_msg_size=64 * 1024, compress=False)
        await socket.prepare(request)
        feeds: dict[Feed, bool] = {}
        sender = asyncio.create_task(self._push(socket, feeds, request))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await socket.send_str(_json.dump_json(self._subscribe(str(message.data), feeds)).decode())
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return socket

    async def _push(self, socket: web.WebSocketResponse, feeds: dict[Feed, bool], request: web.Request) -> None:
        cuts = self._cuts
        async with aclosing(self._ticks(feeds, request)) as ticks:
            async for _, due in ticks:
                for feed in due:
                    item = self._item(feed, self._now_ms(), verbose=feeds.get(feed, False))
                    await socket.send_str(_json.dump_json({"type": "price_update", "price_feed": item}).decode())
                if cuts != self._cuts:
                    break
        await socket.close()

    async def _ticks(
        self, feeds: dict[Feed, bool], request: web.Request
    ) -> AsyncGenerator[tuple[int, list[Feed]], None]:
        """Slot number and the feeds due in it, on a fixed beat, until this server or this connection goes away."""
        loop = asyncio.get_running_loop()
        start, number = loop.time(), 0
        self.streams += 1
        try:
            while not self._stopping:
                if Regime.DISCONNECT in self.regimes:
                    if request.transport is not None:
                        request.transport.abort()
                    return
                yield number, list(feeds)[number % _SLOTS :: _SLOTS]
                # A late beat is skipped, not made up for: prices are only worth their newest value.
                number = max(number + 1, int((loop.time() - start) / self._slot_s))
                await asyncio.sleep(start + number * self._slot_s - loop.time())
        finally:
            self.streams -= 1

    def _subscribe(self, text: str, feeds: dict[Feed, bool]) -> JsonValue:
        try:
            request = SocketRequest.model_validate_json(text)
        except ValidationError:
            return {"type": "response", "status": "error", "error": "Invalid message"}
        if request.type == "unsubscribe":
            for feed in [feed for feed in feeds if feed.id in request.ids]:
                del feeds[feed]
            return {"type": "response", "status": "success"}
        unknown = [each for each in request.ids if each not in self._feeds]
        if unknown and not request.ignore_invalid_price_ids:
            error = f"Price feed(s) with id(s) [{', '.join(unknown)}] not found"
            return {"type": "response", "status": "error", "error": error}
        feeds.update({self._feeds[each]: request.verbose for each in request.ids if each in self._feeds})
        return {"type": "response", "status": "success"}

    def _asked(self, request: web.Request) -> list[Feed]:
        """The feeds a query names, in its order. Raises the HTTP answer when it names them wrongly."""
        ids = [each.lower().removeprefix("0x") for each in request.query.getall("ids[]", [])]
        if not ids or not all(re.fullmatch(r"[0-9a-f]{64}", each) for each in ids):
            raise web.HTTPBadRequest(text="Failed to deserialize query string: invalid or missing ids[]")
        unknown = [each for each in ids if each not in self._feeds]
        if unknown and request.query.get("ignore_invalid_price_ids", "false") != "true":
            raise web.HTTPNotFound(text=f"Price ids not found: {', '.join(unknown)}")
        return [self._feeds[each] for each in dict.fromkeys(ids) if each in self._feeds]

    def _answer(self, request: web.Request, items: dict[str, JsonValue]) -> web.Response:
        return web.Response(body=_json.dump_json(self._payload(request, items)), content_type="application/json")

    @staticmethod
    def _payload(request: web.Request, items: dict[str, JsonValue]) -> JsonValue:
        encoding = "base64" if request.query.get("encoding") == "base64" else "hex"
        blob = base64.b64encode(BLOB).decode() if encoding == "base64" else BLOB.hex()
        parsed: JsonValue = list(items.values()) if request.query.get("parsed", "true") == "true" else None
        return {"binary": {"encoding": encoding, "data": [blob]}, "parsed": parsed}

    def _item(self, feed: Feed, at_ms: int, publish_time: int | None = None, *, verbose: bool = True) -> JsonValue:
        mantissa, conf = self.path.at(feed.symbol, at_ms)
        published = self.path.publish_time(feed.symbol, at_ms) if publish_time is None else publish_time
        price: JsonValue = {
            "price": str(mantissa),
            "conf": str(conf),
            "expo": feed.expo,
            "publish_time": published,
        }
        # The real average moves slower; nobody here reads it.
        item: dict[str, JsonValue] = {"id": feed.id, "price": price, "ema_price": price}
        if verbose:
            item["metadata"] = {
                "slot": at_ms // 400,
                "proof_available_time": published + 1,
                "prev_publish_time": published - 1,
            }
        return item
