"""Everybody who asks a server outside, each as one question: what comes back is why there is no answer, or nothing."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

import httpx
from pydantic import JsonValue, SecretStr

from engine.agent.plan import NoPlan
from engine.agent.venice import Venice
from engine.agent.venice_state import VeniceOptions
from engine.alerts.rules import Alert, Kind
from engine.alerts.sinks import ntfy, telegram, webhook
from tests.engine.agent.asking import SIGHT
from tests.engine.agent.venice_server import completion
from tests.engine.house import ManualClock
from tests.venue.avantis_writes.golden import ASKED, answer
from tests.venue.avantis_writes.relay_stand import NOW, signed
from tests.venue.pyth.support import KEY, NOW_MS, frame, item
from venue.avantis.addresses import BASE
from venue.avantis.builder import Builder
from venue.avantis.envelope import NotOffered
from venue.avantis.hosts import Api, Hosts, family_of
from venue.avantis.prices import fetch_price
from venue.avantis.relay import Rejected, Relay, Unsettled
from venue.avantis.wire import AvantisError
from venue.chain.heads import WsLost
from venue.chain.rpc import Rpc, RpcError
from venue.chain.subscription import subscribed
from venue.net.client import Client
from venue.pyth import FEEDS, HermesError, LinkTiming
from venue.pyth.hermes import HermesClient

WITHIN_S = 0.5
QUICK = LinkTiming(connect_s=WITHIN_S, silence_s=WITHIN_S, request_s=WITHIN_S)
MODEL = "m"


@dataclass(frozen=True)
class Outward:
    """A client. `honest` is an answer that it takes, where it reads JSON from HTTP."""

    ask: Callable[[str], Awaitable[str]]
    honest: bytes | None = None


def _client(url: str) -> Client:
    return Client(httpx.URL(url), within_s=WITHIN_S)


async def hermes_rest(url: str) -> str:
    client = HermesClient(url, KEY, FEEDS, lambda *_: None, lambda: NOW_MS, timing=QUICK)
    async with client:
        try:
            return "" if await client.latest(("ETH",)) else "no price"
        except HermesError as error:
            return error.reason


async def _hermes_stream(url: str, transport: str) -> str:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def sleep(_: float) -> None:
        if not ended.done():
            ended.set_result(client.state.reason)
        await asyncio.Event().wait()

    def take(*_: object) -> None:
        if not ended.done():
            ended.set_result("")

    client = HermesClient(
        url, KEY, FEEDS, take, lambda: NOW_MS, timing=QUICK, sleep=sleep, transport="ws" if transport == "ws" else "sse"
    )
    async with client:
        running = asyncio.create_task(client.run())
        try:
            return await ended
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def hermes_sse(url: str) -> str:
    return await _hermes_stream(url, "sse")


async def hermes_ws(url: str) -> str:
    return await _hermes_stream(url, "ws")


async def _venice(url: str, key: str = "", mint_key: str = "", model: str = "") -> str:
    keys = [SecretStr(each) if each else None for each in (key, mint_key)]
    options = VeniceOptions(url, keys[0], keys[1], model, timeout_s=WITHIN_S, retry_wait_s=0.0)
    venice = Venice(options, ManualClock())
    try:
        plan = await venice.plan(SIGHT)
        return "" if plan.allow else "declined"
    except NoPlan as refusal:
        return str(refusal)
    finally:
        await venice.aclose()


async def venice_plan(url: str) -> str:
    return await _venice(url, "k" * 20, model=MODEL)


async def venice_models(url: str) -> str:
    return await _venice(url, "k" * 20)


async def venice_mint(url: str) -> str:
    return await _venice(url, mint_key="5e" * 32)


async def builder(url: str) -> str:
    client = _client(url)
    try:
        await Builder((client,), lambda: 0.0, within_s=WITHIN_S).call(ASKED["open"])
        return ""
    except NotOffered as refusal:
        return str(refusal)
    finally:
        await client.aclose()


async def relay(url: str) -> str:
    async def accepted(_: str) -> None: ...

    client = _client(url)
    times = {"silence_s": WITHIN_S, "stream_s": WITHIN_S, "follow_s": WITHIN_S, "poll_s": 0.02}
    try:
        outcome = await Relay(client, lambda: NOW, **times).submit(signed(), accepted)
        return str(outcome.code) if isinstance(outcome, Rejected | Unsettled) else ""
    finally:
        await client.aclose()


async def data(url: str) -> str:
    api = Api(Hosts((family_of(url),), within_s=WITHIN_S))
    try:
        await fetch_price(api, 7, lambda: NOW_MS)
        return ""
    except AvantisError as error:
        return str(error.code)
    finally:
        await api.aclose()


async def rpc(url: str) -> str:
    asked = Rpc(httpx.URL(f"{url}/v2/canary-key-0123456789"), within_s=WITHIN_S)
    try:
        await asked.chain_id()
        return ""
    except RpcError as error:
        return f"{error.code}: {error}"
    finally:
        await asked.aclose()


async def rpc_ws(url: str) -> str:
    async with aclosing(subscribed(url.replace("http", "ws", 1), BASE, silence_s=WITHIN_S)) as heads:
        try:
            await anext(heads)
            return ""
        except WsLost as lost:
            return str(lost)


def _post(place: str) -> Callable[[str], Awaitable[str]]:
    async def send(url: str) -> str:
        client = _client(url)
        made = {
            "webhook": lambda: webhook(client, "canary"),
            "ntfy": lambda: ntfy(client, "canary"),
            "telegram": lambda: telegram(client, "canary", "1"),
        }[place]()
        try:
            return await made.send((Alert(Kind.TEST, "test", "words"),))
        finally:
            await client.aclose()

    return send


def _json(value: JsonValue) -> bytes:
    return json.dumps(value).encode()


_PRO: JsonValue = {"pro": {"price": 2000.5, "publishTimestampMs": NOW_MS, "priceUpdateData": "0xabcd"}}
_PLAN = json.dumps(
    {"request_id": SIGHT.request_id, "allow": True, "market": "ETH", "side": "long", "leverage": 5, "reason": "x"}
)
OUTWARD = {
    "hermes-rest": Outward(hermes_rest, frame(item())),
    "hermes-sse": Outward(hermes_sse),
    "hermes-ws": Outward(hermes_ws),
    "venice-plan": Outward(venice_plan, _json(completion(MODEL, _PLAN))),
    "venice-models": Outward(venice_models),
    "venice-mint": Outward(venice_mint),
    "builder": Outward(builder, answer("open")),
    "relay": Outward(relay),
    "data": Outward(data, _json(_PRO)),
    "rpc": Outward(rpc, _json({"jsonrpc": "2.0", "id": 1, "result": hex(BASE)})),
    "rpc-ws": Outward(rpc_ws),
    "webhook": Outward(_post("webhook")),
    "ntfy": Outward(_post("ntfy")),
    "telegram": Outward(_post("telegram")),
}
