"""`python -m tests.bench.flood_server RATE`: a Hermes that sends RATE updates a second to every stream, all feeds in a
frame, and whose prices say when they were made: a mantissa is `base(symbol)` plus the milliseconds since its start.

Its first line on stdout is its URL and that start in unix ms; it ends when its stdin does. A frame it could not send in
time is sent late, never left out.
"""

import asyncio
import sys
import time
from contextlib import suppress

from aiohttp import web

from venue.pyth import FEEDS

SLOT_S = 0.002
_USD = {"ETH": 2_000, "BTC": 60_000, "USDC": 1}
# A real frame carries its proof: some 1,000 bytes of signatures and 300 for each feed, in hex.
_PROOF = "5a" * (1_000 + 300 * len(FEEDS))


def base(symbol: str) -> int:
    """The mantissa (1e-8 USD) a feed starts from."""
    return _USD.get(symbol, 10) * 10**8


def _item(feed_id: str) -> str:
    average = '{"price":"%(price)d","conf":"%(conf)d","expo":-8,"publish_time":%(at)d}'
    metadata = '{"slot":%(slot)d,"proof_available_time":%(at)d,"prev_publish_time":%(at)d}'
    return f'{{"id":"{feed_id}","price":{average},"ema_price":{average},"metadata":{metadata}}}'


class _Frames:
    """What is sent, written out once but for the figures of each update."""

    def __init__(self, start_ms: int) -> None:
        self._start_ms = start_ms
        self._feeds = [(base(symbol), _item(feed.id)) for symbol, feed in FEEDS.items()]

    def at(self, now_ms: int) -> bytes:
        """All feeds, as of `now_ms`."""
        figures = {"at": now_ms // 1000, "slot": now_ms // 400}
        items = ",".join(
            item % {**figures, "price": of + now_ms - self._start_ms, "conf": of // 10_000} for of, item in self._feeds
        )
        return f'{{"binary":{{"encoding":"hex","data":["{_PROOF}"]}},"parsed":[{items}]}}'.encode()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _app(rate: float, start_ms: int) -> web.Application:
    frames, per_second = _Frames(start_ms), rate / len(FEEDS)

    async def latest(_: web.Request) -> web.Response:
        return web.Response(body=frames.at(_now_ms()), content_type="application/json")

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionResetError):
            began, sent = time.monotonic(), 0
            while True:
                while sent < (time.monotonic() - began) * per_second:
                    await response.write(b"data:" + frames.at(_now_ms()) + b"\n\n")
                    sent += 1
                await asyncio.sleep(SLOT_S)
        return response

    app = web.Application()
    app.router.add_get("/v2/updates/price/latest", latest)
    app.router.add_get("/v2/updates/price/stream", stream)
    return app


async def _serve(rate: float) -> None:
    start_ms = _now_ms()
    runner = web.AppRunner(_app(rate, start_ms), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]} {start_ms}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
