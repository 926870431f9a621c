"""Nobody outside can hold us, fill us, lead us elsewhere or say a thing twice: each client against each bad server."""

import asyncio
import json
import time
import tracemalloc
from contextlib import aclosing

import pytest
from pydantic import ValidationError
from websockets.asyncio.server import ServerConnection, serve

from engine.alerts.desk import alert_desk
from engine.clock import SystemClock
from engine.config import ConfigError, Settings
from engine.live.chain_watch import announcing
from engine.live.wiring import hosts_of, reading
from engine.sections import Alerts, Avantis
from tests.venue.net import rogue
from tests.venue.net.outward import OUTWARD, WITHIN_S, Outward
from tests.venue.pyth.support import item
from venue.avantis.addresses import BASE
from venue.chain import subscription
from venue.pyth.fault import Diagnosis
from venue.pyth.wire import SocketRequest
from venue.pyth.ws import ws_frames

SHAPES = {
    "endless-body": rogue.endless_body,
    "endless-stream": rogue.endless_stream,
    "endless-headers": rogue.endless_headers,
    "endless-line": rogue.endless_line,
    "slow-body": rogue.slow_body,
    "slow-headers": rogue.slow_headers,
    "silent": rogue.silent,
    "redirect": rogue.redirect,
    "gzip-bomb": rogue.bomb,
    "hung-up": rogue.gone,
}
LONGEST_S = 4.0
"""Within which any of them gives up that was told to within half a second; a second attempt included."""
MOST_SENT = 16 * 1024 * 1024
MOST_HELD = 24 * 1024 * 1024
"""Bytes that may have left the server, which the kernel's buffers hold some of, and that may be held here."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "CONNECT_S", WITHIN_S)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", OUTWARD)
async def test_a_server_that_breaks_the_rules_is_left(name: str, shape: str) -> None:
    elsewhere = rogue.Rogue(rogue.silent)
    async with rogue.serving(elsewhere), rogue.serving(rogue.Rogue(SHAPES[shape])) as server:
        server.elsewhere = elsewhere.url.replace("http", "ws", 1) if name.endswith("-ws") else elsewhere.url
        began = asyncio.get_running_loop().time()
        tracemalloc.start()
        try:
            async with asyncio.timeout(3 * LONGEST_S):
                why = await OUTWARD[name].ask(server.url)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert why, "it was content"
        assert "canary" not in why
        assert why.isprintable()
        assert server.asked
        assert elsewhere.asked == 0
        # A socket that has failed throws away what still comes, until its time is up.
        assert server.sent < MOST_SENT or name.endswith("-ws")
        assert peak < MOST_HELD
    assert asyncio.get_running_loop().time() - began < LONGEST_S


READS = {name: each for name, each in OUTWARD.items() if each.honest}
SLIPS = {
    "twice": '"zz":1,"zz":1',
    "nan": '"zz":NaN',
    "infinite": '"zz":-Infinity',
    "overflow": '"zz":1e999',
    "digits": f'"zz":{"9" * 5000}',
    "deep": f'"zz":{"[" * 600}{"]" * 600}',
    "escapes": '"zz":"' + '\\"' * 60_000,
}


def slipped(honest: bytes, slip: str) -> bytes:
    """An honest object with something more at its beginning."""
    return b"{" + slip.encode() + b"," + honest[1:]


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("name", READS)
async def test_json_is_read_strictly(name: str, slip: str) -> None:
    client = READS[name]
    assert client.honest is not None
    assert await said(client, client.honest) == ""
    if name not in ("builder",):  # which knows every key there may be
        assert await said(client, slipped(client.honest, '"zz":1')) == ""
    began = time.process_time()
    assert await said(client, slipped(client.honest, SLIPS[slip]))
    assert time.process_time() - began < 1.0


async def said(client: Outward, body: bytes) -> str:
    async with rogue.serving(rogue.Rogue(rogue.whole(body))) as server:
        return await client.ask(server.url)


FRAMES = {
    "hermes-ws": json.dumps({"type": "price_update", "price_feed": item().model_dump()}),
    "rpc-ws": json.dumps({"jsonrpc": "2.0", "id": 0, "result": hex(BASE)}),
}


@pytest.mark.parametrize("slip", ["", *SLIPS, "huge", "no-utf-8"])
@pytest.mark.parametrize("name", FRAMES)
async def test_frames_of_a_socket_are_read_strictly(name: str, slip: str) -> None:
    honest = FRAMES[name]

    async def answer(socket: ServerConnection) -> None:
        async for asked in socket:
            frame: str | bytes = honest.replace('"id": 0', f'"id": {json.loads(asked).get("id", 0)}')
            match slip:
                case "":
                    pass
                case "huge":
                    frame = f'{{"zz":"{"a" * 4 * 1024 * 1024}",{str(frame)[1:]}'
                case "no-utf-8":
                    frame = b"\xff\xfe" + str(frame).encode()
                case _:
                    frame = slipped(str(frame).encode(), SLIPS[slip]).decode()
            if "eth_subscribe" in str(asked):
                frame = json.dumps({"jsonrpc": "2.0", "id": json.loads(asked)["id"], "result": "0x1"})
            await socket.send(frame)

    async with serve(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        why = await OUTWARD[name].ask(url)
    assert bool(why) == bool(slip), why


FORBIDDEN = (
    "{}://192.0.2.1/",
    "{}://user:canary@127.0.0.1/",
    "{}://127.0.0.1/?key=canary",
    "{}://127.0.0.1/#canary",
    "file:///etc/canary",
    "{}://",
    "{}://127.0.0.1:99999/",
    "{}://exa mple/",
)


@pytest.mark.parametrize("url", FORBIDDEN)
@pytest.mark.parametrize("setting", ["pyth.url", "venice.url", "avantis", "rpc", "ws", "webhook", "ntfy", "telegram"])
def test_nothing_is_sent_in_the_clear_or_to_what_is_no_host(setting: str, url: str) -> None:
    where = url.format("ws" if setting == "ws" else "http")
    with pytest.raises((ConfigError, ValidationError, ValueError)) as caught:
        _wire(setting, where)
    if setting in ("rpc", "ws", "webhook"):  # those that may hold a key
        assert "canary" not in str(caught.value)


def _wire(setting: str, url: str) -> None:
    clock = SystemClock()
    match setting:
        case "pyth.url":
            Settings.model_validate({"pyth": {"url": url}})
        case "venice.url":
            Settings.model_validate({"venice": {"url": url}})
        case "avantis":
            hosts_of(Settings(avantis=Avantis(hosts=(url if "://" in url else f"{url}://",))))
        case "rpc":
            reading(Settings.model_validate({"base_rpc_url": url}), clock)
        case "ws":
            announcing(Settings.model_validate({"base_ws_url": url}))
        case "webhook":
            alert_desk(Alerts.model_validate({"webhook": url}), clock)
        case "ntfy":
            alert_desk(Alerts.model_validate({"ntfy_topic": "t", "ntfy_url": url}), clock)
        case "telegram":
            telegram = {"telegram_chat": "1", "telegram_token": "t", "telegram_url": url}
            alert_desk(Alerts.model_validate(telegram), clock)


async def test_a_server_that_is_faster_than_we_read_waits() -> None:
    """And its frames are not kept here: 256 MiB are offered, of which a few arrive."""
    frame, offered, sent, held_up = "x" * 65_536, 4_096, 0, asyncio.Event()

    async def floods(socket: ServerConnection) -> None:
        nonlocal sent
        await socket.recv()
        try:
            for _ in range(offered):
                async with asyncio.timeout(0.5):
                    await socket.send(frame)
                sent += 1
        except TimeoutError:
            held_up.set()

    request = SocketRequest(type="subscribe", ids=[], verbose=True, ignore_invalid_price_ids=True)
    async with serve(floods, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        frames = ws_frames(url, {}, request, 2 * len(frame), Diagnosis(None, 1.0, 1.0))
        async with aclosing(frames):
            assert len(await anext(frames)) == len(frame)
            async with asyncio.timeout(20):
                await held_up.wait()
            assert sent * len(frame) < MOST_SENT
            for _ in range(sent - 1):
                await anext(frames)
