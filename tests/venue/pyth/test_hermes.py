from __future__ import annotations

import asyncio
import gzip
import json
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import pytest
from aiohttp import WSMsgType, web
from pydantic import SecretStr

from tests.venue.pyth.support import (
    KEY,
    NOW_S,
    QUICK,
    Handler,
    Inbox,
    Pauses,
    frame,
    item,
    load,
    real_ms,
    running,
    serving,
    simulating,
)
from venue.pyth import FEEDS, Feed, HermesError, LinkPhase, LinkTiming, Regime, WireItem
from venue.pyth.fault import Diagnosis
from venue.pyth.hermes import HermesClient

Transport = Literal["sse", "ws"]
both = pytest.mark.parametrize("transport", ["sse", "ws"])
SHORT = replace(QUICK, silence_s=0.05)


def client(
    url: str,
    transport: Transport = "sse",
    *,
    on_item: Callable[[WireItem, int], None] | None = None,
    pauses: Pauses | None = None,
    timing: LinkTiming = QUICK,
    key: SecretStr | None = KEY,
    feeds: dict[str, Feed] | None = None,
    max_frame: int = 256 * 1024,
    ignore_invalid_ids: bool = True,
) -> HermesClient:
    return HermesClient(
        url,
        key,
        FEEDS if feeds is None else feeds,
        on_item or Inbox(),
        real_ms,
        transport=transport,
        timing=timing,
        max_frame=max_frame,
        ignore_invalid_ids=ignore_invalid_ids,
        rng=random.Random(1),
        sleep=pauses or Pauses(),
    )


def streaming(
    *sse: bytes, ws: tuple[str | bytes, ...] = (), hold: bool = True, headers: dict[str, str] | None = None
) -> Handler:
    """A server that sends these, over either transport, and then holds the line or hangs up."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/ws"):
            socket = web.WebSocketResponse(timeout=0.01)
            await socket.prepare(request)
            await socket.receive()
            for message in ws:
                await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
            await socket.ping()
            if hold:
                await socket.receive()
            await socket.close()
            return socket
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"} | (headers or {}))
        await response.prepare(request)
        for chunk in sse:
            await response.write(chunk)
        if hold:
            await response.write(b":\n\n:\n\n")
            await asyncio.Event().wait()
        return response

    return handler


def data(*items: WireItem) -> bytes:
    return b"data: " + frame(*items) + b"\n\n"


def pushed(update: WireItem) -> str:
    return '{"type":"price_update","price_feed":' + update.model_dump_json() + "}"


SUBSCRIBED = '{"type":"response","status":"success"}'


@both
async def test_every_feed_arrives(transport: Transport) -> None:
    inbox = Inbox()
    async with simulating() as simulator, running(client(simulator.url, transport, on_item=inbox)) as link:
        items = await inbox.take(36)
        assert {each.id for each in items} == {feed.id for feed in FEEDS.values()}
        assert link.state.phase is LinkPhase.LIVE
        assert (link.state.connected_count, link.state.reconnects) == (1, 0)
        assert simulator.streams == 1


REFUSALS = [
    (401, {}, "unauthorized", "key refused (401)", 30),
    (403, {}, f"Not entitled: feed {KEY.get_secret_value()}", "key not entitled: Not entitled: feed *** (403)", 30),
    (404, {}, "Price ids not found: abcd", "not found: Price ids not found: abcd (404)", 30),
    (429, {"Retry-After": "7"}, "slow down", "rate limited (429)", 7),
    (429, {}, "slow down", "rate limited (429)", 60),
    (429, {"Retry-After": "Sat, 21 Nov 2026 07:28:00 GMT"}, "", "rate limited (429)", 60),
    (429, {"Retry-After": "99999"}, "", "rate limited (429)", 600),
    (503, {}, "<html><body>no", "server answered an HTML page (503)", 0.5),
    (500, {}, "a\x1b[31m\u202eb\nc", "server answered a [31m b c (500)", 0.5),
    (302, {"Location": "/elsewhere"}, "", "redirect refused (302)", 30),
]


@both
@pytest.mark.parametrize(("status", "headers", "text", "reason", "least_s"), REFUSALS)
async def test_refusals_are_told_apart(
    transport: Transport, status: int, headers: dict[str, str], text: str, reason: str, least_s: float
) -> None:
    asked: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers=headers, text=text)

    pauses = Pauses()
    async with serving(handler) as url, running(client(url, transport, pauses=pauses)) as link:
        delay = await pauses.next()
        assert link.state.reason == reason
        assert link.state.phase is LinkPhase.WAITING
        assert link.state.retry_at_ms == link.state.since_ms + round(delay * 1000)
        assert least_s <= delay <= max(least_s, 2.0)
        assert len(asked) == 1
        with pytest.raises(HermesError) as error:
            await link.latest(["ETH"])
        assert (error.value.reason, error.value.status) == (reason, status)


@both
async def test_no_key_is_said_so(transport: Transport) -> None:
    pauses = Pauses()
    async with simulating() as simulator, running(client(simulator.url, transport, key=None, pauses=pauses)) as link:
        assert await pauses.next() == 30
        assert link.state.reason == "no key: Hermes needs one (401)"


@both
async def test_unknown_ids_are_named(transport: Transport) -> None:
    stranger = {"XAU": Feed("XAU", "ab" * 32), "ETH": FEEDS["ETH"]}
    pauses = Pauses()
    async with simulating() as simulator:
        strict = client(simulator.url, transport, feeds=stranger, pauses=pauses, ignore_invalid_ids=False)
        async with running(strict) as link:
            assert await pauses.next() == 30
            assert "ab" * 32 in link.state.reason
            assert "not found" in link.state.reason
        inbox = Inbox()
        async with running(client(simulator.url, transport, feeds=stranger, on_item=inbox)):
            assert {each.id for each in await inbox.take(3)} == {FEEDS["ETH"].id}


@both
async def test_the_daily_cut_is_survived(transport: Transport) -> None:
    inbox, pauses = Inbox(), Pauses(skip=1)
    async with (
        simulating() as simulator,
        running(client(simulator.url, transport, on_item=inbox, pauses=pauses)) as link,
    ):
        await inbox.take(12)
        simulator.cut()
        assert 0.5 <= await pauses.next() <= 2.0
        while link.state.connected_count < 2:
            await inbox.take(1)
        assert (link.state.phase, link.state.reconnects) == (LinkPhase.LIVE, 1)


async def test_what_an_error_event_says_is_passed_on() -> None:
    pauses = Pauses()
    server = streaming(data(item()), b"event: error\ndata: Slow consumer: disconnected\n\n")
    async with serving(server) as url, running(client(url, pauses=pauses)) as link:
        await pauses.next()
        assert link.state.reason == "server said: Slow consumer: disconnected"


@both
async def test_a_disconnect_is_survived(transport: Transport) -> None:
    inbox, pauses = Inbox(), Pauses()
    async with simulating() as simulator:
        async with running(client(simulator.url, transport, on_item=inbox, pauses=pauses)) as link:
            await inbox.take(12)
            simulator.enter(Regime.DISCONNECT)
            await pauses.next()
            assert link.state.phase is LinkPhase.WAITING
            assert link.state.reason.startswith("connection ")
        async with running(client(simulator.url, transport, pauses=pauses)) as link:
            await pauses.next()
            assert link.state.reason == "server answered unavailable (503)"
        simulator.enter(Regime.CALM)
        async with running(client(simulator.url, transport, on_item=inbox)):
            await inbox.take(12)


@both
@pytest.mark.parametrize("spoke", [True, False])
async def test_comments_pings_and_other_feeds_are_not_prices(transport: Transport, spoke: bool) -> None:
    stranger = WireItem(id="ab" * 32, price=item().price)
    before = (data(item()),) if spoke else ()
    server = streaming(*before, data(stranger), ws=(SUBSCRIBED, *([pushed(item())] * spoke), pushed(stranger)))
    timing = SHORT if spoke else replace(SHORT, connect_s=0.05)
    inbox, pauses = Inbox(), Pauses()
    async with (
        serving(server) as url,
        running(client(url, transport, on_item=inbox, pauses=pauses, timing=timing)) as link,
    ):
        await pauses.next()
        assert link.state.reason == "no price for 0.05 s"
        assert link.state.connected_count == spoke
        assert link.ignored == 1
        assert inbox.items.qsize() == spoke


@both
async def test_a_flood_of_other_feeds_is_silence(transport: Transport) -> None:
    stranger = WireItem(id="ab" * 32, price=item().price)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(timeout=0.01)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await (socket if transport == "ws" else response).prepare(request)
        with suppress(ConnectionResetError):
            while True:
                await (socket.send_str(pushed(stranger)) if transport == "ws" else response.write(data(stranger)))
                await asyncio.sleep(0)
        return socket if transport == "ws" else response

    pauses = Pauses()
    timing = replace(QUICK, connect_s=0.1)
    async with serving(handler) as url, running(client(url, transport, pauses=pauses, timing=timing)) as link:
        await pauses.next()
        assert link.state.reason == "no price for 0.1 s"
        assert link.ignored > 10


@both
async def test_a_server_that_never_answers(transport: Transport) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    pauses = Pauses()
    timing = replace(QUICK, connect_s=0.05, request_s=0.05)
    async with serving(handler) as url, running(client(url, transport, pauses=pauses, timing=timing)) as link:
        await pauses.next()
        assert link.state.reason == "no price for 0.05 s"
        with pytest.raises(HermesError, match=r"no answer in 0\.05 s"):
            await link.latest(["ETH"])


@both
@pytest.mark.parametrize("junk", [b"<html>", b"\xff\xfe\x00", b'{"parsed":7}', b'{"type":"other"}'])
async def test_junk_ends_the_connection(transport: Transport, junk: bytes) -> None:
    pauses = Pauses()
    server = streaming(b"data: " + junk + b"\n\n", ws=(junk,))
    async with serving(server) as url, running(client(url, transport, pauses=pauses)) as link:
        assert await pauses.next() <= 2.0
        assert link.state.reason == "malformed data"


@both
async def test_an_oversized_frame_ends_the_connection(transport: Transport) -> None:
    pauses = Pauses()
    server = streaming(b"data: " + b"x" * 5000, ws=("x" * 5000,))
    async with serving(server) as url, running(client(url, transport, pauses=pauses, max_frame=4096)) as link:
        await pauses.next()
        assert link.state.reason == "frame larger than 4096 bytes"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Content-Type": "text/html"}, "expected plain text/event-stream, got identity text/html"),
        ({"Content-Encoding": "gzip"}, "expected plain text/event-stream, got gzip text/event-stream"),
    ],
)
async def test_only_a_plain_event_stream_is_read(headers: dict[str, str], reason: str) -> None:
    pauses = Pauses()
    server = streaming(gzip.compress(data(item())), headers=headers)
    async with serving(server) as url, running(client(url, pauses=pauses)) as link:
        await pauses.next()
        assert link.state.reason == reason


async def test_a_refused_subscription() -> None:
    pauses = Pauses()
    server = streaming(ws=('{"type":"response","status":"error","error":"Price feed(s) with id(s) [..] not found"}',))
    async with serving(server) as url, running(client(url, "ws", pauses=pauses)) as link:
        assert await pauses.next() == 30
        assert link.state.reason == "subscription refused: Price feed(s) with id(s) [..] not found"


async def test_the_subscription_is_the_documented_one() -> None:
    seen: list[str] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        message = await socket.receive()
        assert message.type is WSMsgType.TEXT
        seen.append(str(message.data))
        seen.append(request.headers.get("Sec-WebSocket-Extensions", "no compression"))
        await socket.close()
        return socket

    pauses = Pauses()
    async with serving(handler) as url, running(client(url, "ws", feeds={"ETH": FEEDS["ETH"]}, pauses=pauses)):
        await pauses.next()
    assert json.loads(seen[0]) == load("socket.json")["subscribe"]
    assert seen[1] == "no compression"


@both
async def test_backoff_grows_with_jitter_and_a_price_alone_does_not_reset_it(transport: Transport) -> None:
    pauses = Pauses(skip=29)
    server = streaming(data(item()), ws=(SUBSCRIBED, pushed(item())), hold=False)
    async with serving(server) as url, running(client(url, transport, pauses=pauses)) as link:
        delays = [await pauses.next() for _ in range(30)]
        assert link.state.reason == "closed by the server"
        assert link.state.reconnects == 29
    assert all(0.5 <= delay <= 15 for delay in delays)
    assert delays[0] <= 2
    assert max(delays) > 8
    # Ten connections a minute at most, whatever the server does.
    assert sum(delays) > 29 * 6
    assert len(set(delays)) == 30


async def test_a_stable_connection_starts_the_backoff_afresh() -> None:
    pauses = Pauses(skip=19)
    server = streaming(data(item()), hold=False)
    timing = replace(QUICK, stable_s=0.0)
    async with serving(server) as url, running(client(url, pauses=pauses, timing=timing)):
        assert max([await pauses.next() for _ in range(20)]) <= 1.0


async def test_nobody_listening() -> None:
    async with serving(streaming()) as url:
        pass
    pauses = Pauses()
    async with running(client(url, pauses=pauses)) as link:
        await pauses.next()
        assert link.state.reason == "connection failed: ConnectError"


@both
@pytest.mark.parametrize("bug", [RuntimeError("ours"), TimeoutError("ours"), OSError("ours")])
async def test_a_bug_in_the_consumer_is_not_called_a_broken_line(transport: Transport, bug: Exception) -> None:
    def on_item(item: WireItem, received_ms: int) -> None:
        raise bug

    async with simulating() as simulator, client(simulator.url, transport, on_item=on_item) as link:
        async with asyncio.timeout(5):
            with pytest.raises(type(bug), match="ours"):
                await link.run()


async def test_rest() -> None:
    async with simulating() as simulator, client(simulator.url) as link:
        assert {each.id for each in await link.latest(["ETH", "BTC"])} == {FEEDS["ETH"].id, FEEDS["BTC"].id}
        past = real_ms() // 1000 - 600
        (then,) = await link.at(past, ["SOL"])
        assert (then.price.publish_time, then.price.price) == (past, str(simulator.path.at("SOL", past * 1000)[0]))
        with pytest.raises(HermesError, match="Update data not found"):
            await link.at(past + 6000, ["SOL"])
        with pytest.raises(KeyError):
            await link.latest(["GOLD"])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda: web.Response(body=b"[]", content_type="application/json"), "malformed data"),
        (lambda: web.Response(body=b" " * 5000, content_type="application/json"), "answer larger than 4096 bytes"),
        (lambda: web.Response(text="<html>", content_type="text/html"), "expected plain application/json, got .*html"),
    ],
)
async def test_rest_answers_are_checked(answer: Callable[[], web.Response], reason: str) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return answer()

    async with serving(handler) as url, client(url, max_frame=4096) as link:
        with pytest.raises(HermesError, match=reason):
            await link.latest(["ETH"])


async def test_rest_keeps_only_what_was_asked() -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(body=frame(item("BTC"), item("ETH")), content_type="application/json")

    async with serving(handler) as url, client(url) as link:
        assert [each.id for each in await link.latest(["ETH"])] == [FEEDS["ETH"].id]


@both
async def test_the_key_travels_in_its_header_and_nowhere_else(
    transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    requests: list[tuple[str, str | None]] = []
    canary = KEY.get_secret_value()

    async def handler(request: web.BaseRequest) -> web.Response:
        requests.append((request.path_qs, request.headers.get("Authorization")))
        return web.Response(status=500, text=f"you sent {request.headers['Authorization']}")

    pauses = Pauses()
    async with serving(handler) as url, running(client(url, transport, pauses=pauses)) as link:
        await pauses.next()
        with pytest.raises(HermesError) as error:
            await link.at(NOW_S, ["ETH"])
        shown = [repr(link), str(link.state), repr(error.value), str(error.value), error.value.reason, caplog.text]
    inbox = Inbox()
    async with simulating() as simulator, running(client(simulator.url, transport, on_item=inbox)) as link:
        await inbox.take(1)
        await link.latest(["ETH"])
    assert [authorization for _, authorization in requests] == [f"Bearer {canary}"] * 2
    assert not any(canary in path for path, _ in requests)
    assert not any(canary in text for text in [*shown, caplog.text])


@pytest.mark.parametrize("key", ["", "a b", "line\n", "ключ", "\x1b[31m"])
def test_a_key_no_header_can_carry_is_refused_unquoted(key: str) -> None:
    with pytest.raises(ValueError, match="Hermes key") as error:
        client("https://hermes.pyth.network", key=SecretStr(key))
    assert not key or key not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://hermes.pyth.network",
        "https://user:secret@hermes.pyth.network",
        "https://hermes.pyth.network?ACCESS_TOKEN=secret",
        "ftp://hermes.pyth.network",
        "hermes.pyth.network",
        "https://",
        "https://hermes.pyth.network:99999",
        "https://\x00.network",
        "https://" + "a" * 64 + ".network",
    ],
)
def test_a_url_that_would_betray_the_key_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="Hermes URL") as error:
        client(url)
    assert "secret" not in str(error.value)


async def test_a_url_may_have_a_path() -> None:
    asked: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(status=500)

    transports: tuple[Transport, ...] = ("sse", "ws")
    async with serving(handler) as url:
        for transport in transports:
            pauses = Pauses()
            async with running(client(f"{url}/hermes/", transport, pauses=pauses)):
                await pauses.next()
    assert asked == ["/hermes/v2/updates/price/stream", "/hermes/ws"]


def test_server_text_is_cut_short() -> None:
    assert len(Diagnosis(KEY, 1, 1).text(b"x" * 5000)) == 160


@both
async def test_a_refused_key_stays_in_sight_while_trying_again(transport: Transport) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()
    pauses = Pauses(skip=1)

    async def handler(request: web.BaseRequest) -> web.Response:
        if not pauses.taken.empty():
            asked.set()
            await answer.wait()
        return web.Response(status=401, text="unauthorized")

    async with serving(handler) as url, running(client(url, transport, pauses=pauses)) as link:
        async with asyncio.timeout(5):
            await asked.wait()
        assert link.state.phase is LinkPhase.CONNECTING
        assert link.state.reason == "connecting, after: key refused (401)"
        answer.set()
        assert [await pauses.next(), await pauses.next()] == [30, 30]
