"""The venue's relay over a chain of our own: it checks who signed, registers by its own transaction, and tells.

Typed data is hashed by eth-account and decoded by eth-abi, so that it shares nothing with what made it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, Final

from aiohttp import web
from eth_abi.abi import decode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address

from tests.chain.stage import CLOSE_INTENT, OPEN_INTENT, TRADER
from tests.cli.live import LiveVenue
from tests.venue.avantis.server import GATEWAY, Asked, Told
from venue.avantis.addresses import AVANTIS, BASE
from venue.avantis.contracts import MARKET_EXECUTED, TRADE
from venue.chain.call import Call

EXECUTE: Final = f"{GATEWAY}/batched-market/market/execute-batched"
STATUS: Final = f"{GATEWAY}/batched-market/tracking-id/{{id}}/status"
OPEN, CLOSE = 0, 1
_TRADE_FIELDS: Final = (
    "address trader,uint256 pairIndex,uint256 index,uint256 initialPosToken,uint256 positionSizeUSDC,uint256 openPrice,"
    "bool buy,uint256 leverage,uint256 tp,uint256 sl,uint256 timestamp"
)
_REQUESTS: Final = {
    OPEN: ("OpenTradeReq", "Trade _t,uint8 _type,uint256 _slippageP,uint256 _deadline,uint256 _nonce"),
    CLOSE: (
        "CloseTradeReq",
        "address _trader,uint256 _pairIndex,uint256 _index,uint256 _openTimestamp,uint256 _amount,"
        "uint256 _wantedPrice,uint256 _deadline,uint256 _nonce",
    ),
}
_DOMAIN: Final = {
    "name": "AvantisTrading",
    "version": "1",
    "chainId": BASE,
    "verifyingContract": AVANTIS.trading,
}


class Manner(Enum):
    """How it treats the next order."""

    HONEST = "honest"
    HOLDS = "holds"
    """Says nothing, and registers it once `released` is set."""
    GIVES_UP = "gives up"
    """Says that it failed, and registers it all the same once `released` is set."""
    REFUSES = "refuses"
    """Answers 400, and registers it all the same once `released` is set."""
    DENIES = "denies"
    """Registers it, and says that it was canceled."""
    INFLATES = "inflates"
    """Says of an execution that it was of another position, at another price, and paid more."""
    MUDDLES = "muddles"
    """Says that it failed, uses the nonce for nothing, and registers the order under another."""


class RelayOperator:
    """The relay of a live venue. `posts` is every order it was ever given."""

    def __init__(self, live: LiveVenue) -> None:
        self.live = live
        self.manner = Manner.HONEST
        self.released = asyncio.Event()
        self.posts: list[dict[str, Any]] = []
        self._told: dict[str, list[dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[int]] = set()
        live.server.stream(EXECUTE, self._execute)
        live.server.route(STATUS, self._status)

    def release(self) -> None:
        self.live.do(self._release())

    async def _release(self) -> None:
        self.released.set()
        await asyncio.gather(*self._tasks)

    async def _execute(self, request: web.BaseRequest) -> web.StreamResponse:
        order = await request.json()
        self.posts.append(order)
        call = _checked(order)
        if self.manner is Manner.HOLDS:
            self._later(call)
            await asyncio.sleep(60)
        if self.manner is Manner.REFUSES:
            self._later(call)
            return web.json_response({"message": "bad request"}, status=400)
        name = f"trk-{len(self.posts)}"
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)

        async def tell(kind: str, **payload: Any) -> None:
            events = self._told.setdefault(name, [])
            events.append({"seq": len(events), "type": kind, "payload": payload, "at": 0})
            text = f"event: {kind}\nid: {len(events) - 1}\ndata: {json.dumps(payload)}\n\n"
            await response.write(text.encode())

        await tell("MarketOrderAccepted", trackingId=name)
        if self.manner in (Manner.GIVES_UP, Manner.MUDDLES):
            await self._gives_up(order, call)
            await tell("Error", code="ATTEMPTS_EXHAUSTED")
            return response
        number = await self._register(call)
        await tell("MarketOrderInitiated", orderId=number)
        if self.manner is Manner.DENIES:
            await tell("MarketOrderCanceled", orderId=number)
            return response
        await self._to_the_end(number, tell)
        return response

    def _later(self, call: Call) -> None:
        async def register() -> int:
            await self.released.wait()
            return await self._register(call)

        self._tasks.add(asyncio.create_task(register()))

    async def _gives_up(self, order: dict[str, Any], call: Call) -> None:
        if self.manner is Manner.GIVES_UP:
            self._later(call)
            return
        raw = bytes.fromhex(order["erc712"]["userIntent"][2:])
        nonce = int.from_bytes(raw[-32:], "big")
        await self.live.stage.use_nonce(TRADER, nonce)
        await self._register(Call(AVANTIS.trading, OPEN_INTENT.selector + _opening(raw, nonce ^ 1)))

    async def _register(self, call: Call) -> int:
        before = set(self.live.reader.orders())
        await self.live.stage.must(call)
        return max(set(self.live.reader.orders()) - before)

    async def _to_the_end(self, number: int, tell: Callable[..., Awaitable[None]]) -> None:
        for _ in range(600):
            await asyncio.sleep(0.1)
            match self.live.reader.orders()[number].status:
                case "executed":
                    await tell("MarketOrderExecuted", **self._fill(number))
                    return
                case "canceled":
                    await tell("MarketOrderCanceled", orderId=number)
                    return

    def _fill(self, number: int) -> dict[str, Any]:
        wanted: dict[str, object] = {
            "address": AVANTIS.trading,
            "fromBlock": "0x0",
            "topics": [f"0x{MARKET_EXECUTED.topic.hex()}"],
        }
        (logs,) = self.live.reader.batch(("eth_getLogs", [wanted]))
        for log in logs:
            topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
            order_id, t, opens, price, _, _, paid, *_ = MARKET_EXECUTED.decode(topics, bytes.fromhex(log["data"][2:]))
            if order_id == number:
                names = [each.split()[1] for each in _TRADE_FIELDS.split(",")]
                trade = {
                    name: value if isinstance(value, bool) else str(value) for name, value in zip(names, t, strict=True)
                }
                if self.manner is Manner.INFLATES:
                    price, paid, trade["index"] = 1, paid + 10**12, "39"
                told = {"orderId": number, "open": opens, "price": str(price), "usdcSentToTrader": str(paid)}
                return {**told, "t": trade}
        raise AssertionError("executed, and no log of it")

    def _status(self, asked: Asked) -> Told:
        events = self._told.get(asked.parts["id"])
        if events is None:
            return 404, {"message": "unknown"}
        return 200, {"events": [each for each in events if each["seq"] > int(asked.text("afterSeq") or 0)]}


def _opening(raw: bytes, nonce: int) -> bytes:
    """The arguments of an opening, without its type."""
    words = [raw[at : at + 32] for at in range(0, len(raw), 32)]
    return b"".join((*words[:11], words[12], words[13], nonce.to_bytes(32, "big")))


def _checked(order: dict[str, Any]) -> Call:
    """The transaction that an order comes to, once it is the trader's own."""
    kind = order["orderType"]
    name, declared = _REQUESTS[kind]
    raw = bytes.fromhex(order["erc712"]["userIntent"][2:])
    signature = bytes.fromhex(order["erc712"]["userSignature"][2:])
    fields = [each.split() for each in declared.split(",")]
    values = decode([TRADE if type_ == "Trade" else type_ for type_, _ in fields], raw)
    trade = [each.split() for each in _TRADE_FIELDS.split(",")]
    message: dict[str, Any] = {field: value for (_, field), value in zip(fields, values, strict=True)}
    types = {name: [{"name": field, "type": type_} for type_, field in fields]}
    if kind == OPEN:
        message["_t"] = {field: value for (_, field), value in zip(trade, values[0], strict=True)}
        types["Trade"] = [{"name": field, "type": type_} for type_, field in trade]
    signed = encode_typed_data(_DOMAIN, types, message)
    assert to_checksum_address(Account.recover_message(signed, signature=signature)) == TRADER
    if kind == OPEN:
        t, type_, *rest = values
        assert type_ == 0
        return Call(AVANTIS.trading, OPEN_INTENT.encode(t, *rest))
    return Call(AVANTIS.trading, CLOSE_INTENT.encode(*values))
