"""The venue's servers over a chain of our own: whatever they say of positions and orders, they read there.

The tx-builder encodes with its own ABI and from decimal text, so that it shares nothing with the encoder it is held
against.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import httpx
from eth_utils.address import to_checksum_address
from pydantic import JsonValue
from web3 import Web3

from tests.chain.stage import EXECUTION_FEE, STRANGER, TRADER
from tests.venue.avantis.server import PRICE, STATUS, TX_BUILDER, Asked, AvantisServer, Told
from tests.venue.avantis.world import AvantisWorld, WorldPair
from venue.avantis.addresses import AVANTIS
from venue.avantis.contracts import (
    MARKET_EXECUTED,
    MARKET_OPEN_CANCELED,
    MARKET_ORDER_INITIATED,
    OPEN_TRADES,
    OPEN_TRADES_COUNT,
)
from venue.avantis.positions import Held
from venue.avantis.units import TEN, written
from venue.chain.abi import Event, Function

ETH: Final = 7
BTC: Final = 3
MOST: Final = 40
FEE: Final = 0.045
CLOSE_CANCELED: Final = Event("MarketCloseCanceled(uint256,address indexed,uint256,uint256)")
OPEN_PATH: Final = f"{TX_BUILDER}/v2/trade/open"
CLOSE_PATH: Final = f"{TX_BUILDER}/v2/trade/close"
INCREASE_PATH: Final = f"{TX_BUILDER}/v2/position/increase"
APPROVE_PATH: Final = f"{TX_BUILDER}/v2/token/approve"


def _inputs(text: str) -> list[dict[str, Any]]:
    return [{"type": kind, "name": name} for kind, name in (each.split() for each in text.split(", "))]


def _function(name: str, inputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "function", "name": name, "inputs": inputs, "outputs": [], "stateMutability": "payable"}


_TRADE: Final = {
    "type": "tuple",
    "name": "t",
    "components": _inputs(
        "address trader, uint256 pairIndex, uint256 index, uint256 initialPosToken, uint256 positionSizeUSDC, "
        "uint256 openPrice, bool buy, uint256 leverage, uint256 tp, uint256 sl, uint256 timestamp"
    ),
}
_UPDATE: Final = {
    "type": "tuple",
    "name": "u",
    "components": _inputs(
        "address trader, uint256 pairIndex, uint256 index, uint256 openPrice, uint256 initialPosToken, uint256 leverage"
    ),
}
_ABI: Final = [
    _function("openTrade", [_TRADE, *_inputs("uint8 _type, uint256 _slippageP")]),
    _function(
        "closeTradeMarket",
        _inputs("uint256 _pairIndex, uint256 _index, uint256 _amount, uint256 _expectedPrice"),
    ),
    _function("increasePositionSize", [_UPDATE, *_inputs("uint256 _slippageP")]),
    _function("approve", _inputs("address spender, uint256 amount")),
]
_CONTRACT: Final = Web3().eth.contract(abi=_ABI)


def offer(to: str, trader: str, name: str, arguments: list[Any], value: int) -> Told:
    """The tx-builder's answer with one call."""
    told: dict[str, JsonValue] = {
        "to": to,
        "from": trader,
        "data": _CONTRACT.encode_abi(name, args=arguments),
        "value": hex(value),
        "chainId": 8453,
        "description": f"a {name}",
    }
    return 200, {"ok": True, "data": told}


def _steps(text: str, steps: int) -> int:
    return int(Decimal(text) * steps)


def _open(asked: Asked) -> Told:
    trader, collateral = asked.text("trader"), _steps(asked.text("collateralUsdc"), 10**6)
    price, leverage = _steps(asked.text("openPrice"), 10**10), _steps(asked.text("leverage"), 10**10)
    is_long = asked.text("side") == "long"
    trade = (trader, int(asked.text("pairIndex") or 0), 0, 0, collateral, price, is_long, leverage, 0, 0, 0)
    slippage = _steps(asked.text("slippagePercent"), 10**10)
    return offer(AVANTIS.trading, trader, "openTrade", [trade, 0, slippage], EXECUTION_FEE)


def _close(asked: Asked) -> Told:
    collateral = _steps(asked.text("collateralToCloseUsdc"), 10**6)
    price = _steps(asked.text("expectedPrice"), 10**10)
    arguments = [int(asked.text("pairIndex") or 0), int(asked.text("tradeIndex") or 0), collateral, price]
    return offer(AVANTIS.trading, asked.text("trader"), "closeTradeMarket", arguments, EXECUTION_FEE)


def _increase(asked: Asked) -> Told:
    trader, collateral = asked.text("trader"), _steps(asked.text("additionalCollateralUsdc"), 10**6)
    price, leverage = _steps(asked.text("openPrice"), 10**10), _steps(asked.text("leverage"), 10**10)
    slot = int(asked.text("pairIndex") or 0), int(asked.text("tradeIndex") or 0)
    added = (trader, *slot, price, collateral, leverage)
    slippage = _steps(asked.text("slippagePercent"), 10**10)
    return offer(AVANTIS.trading, trader, "increasePositionSize", [added, slippage], EXECUTION_FEE)


def _approve(asked: Asked) -> Told:
    arguments = [asked.text("spender"), _steps(asked.text("amountUsdc"), 10**6)]
    return offer(AVANTIS.usdc, asked.text("trader"), "approve", arguments, 0)


@dataclass(frozen=True)
class Ordered:
    """An order as the chain's logs tell it. `status` as history writes it."""

    order_id: int
    tx_hash: str
    pair: int
    is_long: bool
    opens: bool
    status: str = "pending"
    end: Mapping[str, JsonValue] = field(default_factory=dict)

    def data(self) -> dict[str, JsonValue]:
        initiated: dict[str, JsonValue] = {"txHash": self.tx_hash, "open": self.opens}
        told: dict[str, JsonValue] = {"status": self.status, "orderId": str(self.order_id), "initiated": initiated}
        return told if self.status == "pending" else told | {self.status: dict(self.end)}


class ChainReader:
    """What anybody can read on the chain now. It blocks: the routes of the servers are plain functions."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def batch(self, *asked: tuple[str, list[object]]) -> list[Any]:
        """Results in the order asked."""
        body = [{"jsonrpc": "2.0", "id": at, "method": name, "params": rest} for at, (name, rest) in enumerate(asked)]
        answers = self._http.post("", json=body).raise_for_status().json()
        return [each["result"] for each in sorted(answers, key=lambda each: int(each["id"]))]

    def stored(self, function: Function, *arguments: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """What storage returns, for each of the arguments."""
        calls: list[tuple[str, list[object]]] = [
            ("eth_call", [{"to": AVANTIS.storage, "data": f"0x{function.encode(*each).hex()}"}, "latest"])
            for each in arguments
        ]
        return [function.decode_returned(bytes.fromhex(raw[2:])) for raw in self.batch(*calls)]

    def held(self, trader: str) -> list[Held]:
        pairs = ETH, BTC
        counts = self.stored(OPEN_TRADES_COUNT, *((trader, pair) for pair in pairs))
        slots = [
            (trader, pair, at) for pair, (count,) in zip(pairs, counts, strict=True) if count for at in range(MOST)
        ]
        return [_held(row) for row in (self.stored(OPEN_TRADES, *slots) if slots else []) if row[7]]

    def orders(self) -> dict[int, Ordered]:
        """All orders there ever were, by their numbers."""
        wanted: dict[str, object] = {"address": AVANTIS.trading, "fromBlock": "0x0", "toBlock": "latest"}
        (logs,) = self.batch(("eth_getLogs", [wanted]))
        orders: dict[int, Ordered] = {}
        for log in logs:
            _fold(orders, log)
        return orders


def _held(row: tuple[Any, ...]) -> Held:
    _, pair, index, collateral, _, price, is_long, leverage, _, _, opened_at_s = row
    room = price * 85 * TEN // (100 * leverage)
    liquidation = price - room if is_long else price + room
    return Held(pair, index, is_long, collateral, leverage, price, opened_at_s, max(0, liquidation), 0, 0, False)


def _fold(orders: dict[int, Ordered], log: dict[str, Any]) -> None:
    topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
    data, tx_hash, block = bytes.fromhex(log["data"][2:]), log["transactionHash"], int(log["blockNumber"], 16)
    if topics[0] == MARKET_ORDER_INITIATED.topic:
        _, pair, opens, order_id, _, is_long, *_ = MARKET_ORDER_INITIATED.decode(topics, data)
        orders[order_id] = Ordered(order_id, tx_hash, pair, is_long, opens)
        return
    for event in (MARKET_EXECUTED, MARKET_OPEN_CANCELED, CLOSE_CANCELED):
        if topics[0] == event.topic:
            said = event.decode(topics, data)
            old = orders[said[0]]
            status = "executed" if event is MARKET_EXECUTED else "canceled"
            end: dict[str, JsonValue] = {"txHash": tx_hash, "blockNumber": block}
            orders[said[0]] = Ordered(old.order_id, old.tx_hash, old.pair, old.is_long, old.opens, status, end)


class ChainWorld(AvantisWorld):
    """A world whose positions and open interest are the chain's."""

    def __init__(self, reader: ChainReader, now_ms: Callable[[], int], spread: int) -> None:
        pairs = [
            WorldPair(ETH, "ETH", pair_oi=0, extra={"spreadP": spread / 10**10}),
            WorldPair(BTC, "BTC", max_leverage=50, pair_oi=0, extra={"spreadP": spread / 10**10}),
        ]
        super().__init__(pairs=pairs, spread=str(spread))
        self.reader = reader
        self.clock = now_ms
        self.price = {ETH: 2000 * TEN, BTC: 64_000 * TEN}
        """What the feed says and keepers execute at, 1e-10."""

    def held(self, trader: str) -> list[Held]:
        return self.reader.held(to_checksum_address(trader))

    def catalogue(self) -> dict[str, JsonValue]:
        held = [each for trader in (TRADER, STRANGER) for each in self.held(trader)]
        for pair in self.pairs:
            sizes = [each.collateral * each.leverage // TEN for each in held if each.pair_index == pair.index]
            pair.pair_oi = sum(sizes) / 10**6
        return super().catalogue()

    def feed(self, asked: Asked) -> Told:
        price = self.price.get(int(asked.parts["pair"]))
        if price is None:
            return 404, {"message": "no such pair"}
        leg: JsonValue = {"price": written(price, TEN), "publishTimestampMs": self.clock(), "priceUpdateData": "0xab"}
        return 200, {"core": None, "pro": leg}

    def status(self, asked: Asked) -> Told:
        for order in self.reader.orders().values():
            if order.tx_hash == asked.parts["hash"]:
                return 200, {"success": True, "data": order.data()}
        return 200, {"success": False, "errorMessage": "Market order not found"}


def faithful(world: ChainWorld) -> AvantisServer:
    """The servers, not started yet."""
    server = AvantisServer(world)
    server.route(PRICE, world.feed)
    server.route(STATUS, world.status)
    for path, route in ((OPEN_PATH, _open), (CLOSE_PATH, _close), (INCREASE_PATH, _increase), (APPROVE_PATH, _approve)):
        server.route(path, route)
    return server
