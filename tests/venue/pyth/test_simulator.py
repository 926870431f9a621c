from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.venue.pyth.support import KEY, NOW_MS, NOW_S, item, real_ms, simulating
from venue.pyth import FEEDS, FeedState, PriceBook, PricePath, RefusalCode, Regime
from venue.pyth.simulator import BLOB, LIFETIME_MESSAGE, HermesSimulator
from venue.pyth.wire import SocketReply, SocketUpdate, parse_socket, parse_updates

ETH, BTC, UNKNOWN = FEEDS["ETH"].id, FEEDS["BTC"].id, "ab" * 32
LATEST, STREAM = "/v2/updates/price/latest", "/v2/updates/price/stream"


@asynccontextmanager
async def browsing(simulator: HermesSimulator) -> AsyncGenerator[aiohttp.ClientSession, None]:
    headers = {"Authorization": f"Bearer {KEY.get_secret_value()}"}
    async with aiohttp.ClientSession(simulator.url, headers=headers) as session:
        yield session


async def test_latest_has_the_documented_shape() -> None:
    async with simulating() as simulator, browsing(simulator) as http:
        async with http.get(LATEST, params=[("ids[]", "0x" + ETH.upper()), ("ids[]", BTC)]) as answer:
            body = await answer.json()
        assert body["binary"] == {"encoding": "hex", "data": [BLOB.hex()]}
        assert b"SIMULATED" in BLOB
        assert [each["id"] for each in body["parsed"]] == [ETH, BTC]
        first = body["parsed"][0]
        assert set(first) == {"id", "price", "ema_price", "metadata"}
        assert {name: type(value) for name, value in first["price"].items()} == {
            "price": str,
            "conf": str,
            "expo": int,
            "publish_time": int,
        }
        assert set(first["metadata"]) == {"slot", "proof_available_time", "prev_publish_time"}
        async with http.get(LATEST, params={"ids[]": ETH, "encoding": "base64", "parsed": "false"}) as answer:
            body = await answer.json()
        assert body == {"binary": {"encoding": "base64", "data": [base64.b64encode(BLOB).decode()]}, "parsed": None}


@pytest.mark.parametrize("path", [LATEST, STREAM, f"/v2/updates/price/{NOW_S}", "/ws"])
@pytest.mark.parametrize("authorization", ["", "Bearer wrong", f"Basic {KEY.get_secret_value()}", "Bearer ключ"])
async def test_the_key_is_required(path: str, authorization: str) -> None:
    async with simulating() as simulator, aiohttp.ClientSession(simulator.url) as http:
        headers = {"Authorization": authorization}
        async with http.get(path, params={"ids[]": ETH}, headers=headers) as answer:
            assert (answer.status, await answer.text()) == (401, "unauthorized")


@pytest.mark.parametrize("path", [LATEST, f"/v2/updates/price/{NOW_S}", STREAM])
async def test_ids_are_checked(path: str) -> None:
    async with simulating() as simulator, browsing(simulator) as http:
        params = [("ids[]", ETH), ("ids[]", UNKNOWN)]
        async with http.get(path, params=params) as answer:
            assert (answer.status, await answer.text()) == (404, f"Price ids not found: {UNKNOWN}")
        async with http.get(path, params=[*params, ("ignore_invalid_price_ids", "true")]) as answer:
            assert answer.status == 200
        for wrong in ([], [("ids[]", "xyz")]):
            async with http.get(path, params=wrong) as answer:
                assert answer.status == 400


async def test_stream_frames() -> None:
    async with simulating() as simulator, browsing(simulator) as http:
        async with http.get(STREAM, params={"ids[]": ETH}) as answer:
            assert answer.content_type == "text/event-stream"
            lines = [await answer.content.readline() for _ in range(4)]
            assert lines[0].startswith(b"data:")
            assert lines[1:] == [b"\n", b":\n", b"\n"]
            assert parse_updates(lines[0].removeprefix(b"data:"))[0].id == ETH
            simulator.cut()
            rest = await answer.content.read()
        assert rest.endswith(f"event: error\ndata: {LIFETIME_MESSAGE}\n\n".encode())


async def test_socket_subscriptions() -> None:
    async with simulating() as simulator, browsing(simulator) as http, http.ws_connect("/ws") as socket:

        async def say(**message: object) -> SocketReply:
            await socket.send_json(message)
            while True:
                heard = parse_socket((await socket.receive_str()).encode())
                if isinstance(heard, SocketReply):
                    return heard

        assert (await say(type="nonsense")).status == "error"
        refused = await say(type="subscribe", ids=[ETH, UNKNOWN])
        assert refused.error == f"Price feed(s) with id(s) [{UNKNOWN}] not found"
        assert (await say(type="subscribe", ids=[ETH, UNKNOWN], ignore_invalid_price_ids=True)).status == "success"
        text = await socket.receive_str()
        heard = parse_socket(text.encode())
        assert isinstance(heard, SocketUpdate)
        assert heard.price_feed.id == ETH
        assert "metadata" not in text
        assert (await say(type="subscribe", ids=["0x" + BTC], verbose=True)).status == "success"
        while BTC not in (text := await socket.receive_str()):
            pass
        assert "metadata" in text
        assert (await say(type="unsubscribe", ids=[ETH, BTC])).status == "success"
        await socket.ping(b"still there?")
        assert (await say(type="subscribe", ids=[])).status == "success"


async def test_a_taken_port_is_an_os_error_and_a_stopped_one_is_free() -> None:
    async with simulating() as simulator:
        port = int(simulator.url.rpartition(":")[2])
        second = HermesSimulator(PricePath(1, NOW_MS), FEEDS, None, real_ms, port=port)
        with pytest.raises(OSError, match="address already in use"):
            await second.start()
        await second.stop()
    await second.start()
    async with aiohttp.ClientSession(second.url) as http, http.get(LATEST, params={"ids[]": ETH}) as answer:
        assert answer.status == 200
    await second.stop()


async def test_hanging_up_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        simulating() as simulator,
        browsing(simulator) as http,
        http.get(STREAM, params={"ids[]": ETH}) as staying,
    ):
        leaving = await http.get(STREAM, params={"ids[]": BTC})
        socket = await http.ws_connect("/ws")
        await leaving.content.readline()
        assert simulator.streams == 3
        leaving.close()
        await socket.close()
        async with asyncio.timeout(5):
            while simulator.streams > 1:
                await staying.content.readline()
    assert simulator.streams == 0
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("regime", "refused", "state"),
    [
        (Regime.CALM, None, FeedState.LIVE),
        (Regime.WIDE, None, FeedState.WIDE),
        (Regime.FROZEN, None, FeedState.STALE),
        (Regime.FUTURE, RefusalCode.FROM_THE_FUTURE, FeedState.STALE),
    ],
)
def test_each_regime_is_met_by_its_check(regime: Regime, refused: RefusalCode | None, state: FeedState) -> None:
    clock = NOW_MS
    simulator = HermesSimulator(PricePath(3, NOW_MS), FEEDS, None, lambda: clock)
    book = PriceBook()
    simulator.enter(Regime.CALM)
    for step in range(60):
        if step == 4:
            simulator.enter(regime, ["ETH"])
            assert simulator.regime is regime
        clock = NOW_MS + step * 240
        mantissa, conf = simulator.path.at("ETH", clock)
        published = simulator.path.publish_time("ETH", clock)
        book.apply(item(price=mantissa, conf=conf, publish_time=published), clock)
    assert book.view("ETH", clock).state is state
    assert set(book.refused) == ({refused} if refused else set())
