"""What the tests of this folder share: updates in one line, servers on loopback, waits that can be watched."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import web
from pydantic import JsonValue, SecretStr, TypeAdapter

from venue.pyth import FEEDS, LinkTiming, PricePath, WireItem, WirePrice
from venue.pyth.hermes import HermesClient
from venue.pyth.simulator import HermesSimulator

KEY = SecretStr("canary-5f1d")
FIXTURES = Path(__file__).parent / "fixtures"
NOW_S = 1_785_143_368
NOW_MS = NOW_S * 1000
QUICK = LinkTiming(connect_s=3.0, silence_s=3.0)
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def real_ms() -> int:
    return time.time_ns() // 1_000_000


def load(name: str) -> dict[str, JsonValue]:
    return TypeAdapter(dict[str, JsonValue]).validate_json((FIXTURES / name).read_bytes())


def item(
    symbol: str = "ETH",
    price: int = 195_656_091_864,
    conf: int = 87_908_136,
    expo: int = -8,
    publish_time: int = NOW_S,
) -> WireItem:
    sent = WirePrice(price=str(price), conf=str(conf), expo=expo, publish_time=publish_time)
    return WireItem(id=FEEDS[symbol].id, price=sent)


def frame(*items: WireItem) -> bytes:
    return json.dumps({"parsed": [each.model_dump() for each in items]}).encode()


class Pauses:
    """Stands in for the client's sleep: reports each wait, skips the first `skip` of them, then holds."""

    def __init__(self, skip: int = 0) -> None:
        self.taken: asyncio.Queue[float] = asyncio.Queue()
        self._skip = skip

    async def __call__(self, seconds: float) -> None:
        self.taken.put_nowait(seconds)
        self._skip -= 1
        if self._skip < 0:
            await asyncio.Event().wait()

    async def next(self) -> float:
        async with asyncio.timeout(5):
            return await self.taken.get()


class Inbox:
    """Collects what a client delivers."""

    def __init__(self) -> None:
        self.items: asyncio.Queue[WireItem] = asyncio.Queue()

    def __call__(self, item: WireItem, received_ms: int) -> None:
        self.items.put_nowait(item)

    async def take(self, count: int) -> list[WireItem]:
        async with asyncio.timeout(5):
            return [await self.items.get() for _ in range(count)]


@asynccontextmanager
async def running(client: HermesClient) -> AsyncGenerator[HermesClient, None]:
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await client.aclose()


@asynccontextmanager
async def serving(handler: Handler) -> AsyncGenerator[str, None]:
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def simulating(interval_ms: int = 40, seed: int = 1) -> AsyncGenerator[HermesSimulator, None]:
    simulator = HermesSimulator(PricePath(seed, real_ms()), FEEDS, KEY, real_ms, interval_ms)
    await simulator.start()
    try:
        yield simulator
    finally:
        await simulator.stop()
