"""A live venue on one anvil: the outside (chain, keepers, servers), and the house, which may die and be built again.

Blocks are mined by tests alone: what was sent waits in the pool until then.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final
from unittest.mock import patch

import httpx
from eth_utils.address import to_checksum_address

from tests.chain.avantis_servers import BTC, ETH, ChainReader, ChainWorld, Ordered, faithful
from tests.chain.node import KEYS, Node
from tests.chain.stage import EXECUTION_FEE, GAS, KEEPER, STRANGER, TRADER, Log, Receipt, Stage
from tests.venue.chain.memory import Memory
from venue.avantis.adapter import AvantisVenue
from venue.avantis.addresses import AVANTIS, BASE
from venue.avantis.asked import Approve
from venue.avantis.builder import Builder
from venue.avantis.catalogue import Catalogues
from venue.avantis.claims import Claims, PositionWatch
from venue.avantis.contracts import OPEN_TRADE
from venue.avantis.direct import DirectRoute
from venue.avantis.hosts import Api, Hosts
from venue.avantis.orders import OrderStatus, Unknown, fetch_status
from venue.avantis.positions import ChainFault
from venue.avantis.rules import rules
from venue.avantis.units import TEN, TO_WAD
from venue.avantis.wire import AvantisError
from venue.chain.agreed import AgreedNode
from venue.chain.call import Call
from venue.chain.endpoints import Endpoints
from venue.chain.envelope import RpcError
from venue.chain.erc20 import APPROVE
from venue.chain.guard import Guard
from venue.chain.rpc import Rpc
from venue.chain.sender import Sender
from venue.chain.signer import Signer, account_of
from venue.chain.step import Policy
from venue.net.client import Client

PAIRS: Final = {"ETH": ETH, "BTC": BTC}
USDC: Final = 10**6
MONEY: Final = 900_000 * USDC
DEEP: Final = 2
SLIPPAGE: Final = TEN
POLICY: Final = Policy(confirmations=DEEP)


class MinedStage(Stage):
    """A stage on a node that mines nothing by itself."""

    async def send(self, call: Call, sender: str = KEEPER) -> Receipt:
        asked = {"from": sender, "to": call.to, "data": f"0x{call.data.hex()}", "value": hex(call.value)}
        sent = await self.node.rpc("eth_sendTransaction", asked | {"gas": hex(GAS)})
        await self.node.mine()
        raw = await self.node.rpc("eth_getTransactionReceipt", sent)
        logs = [(each["address"], each["topics"], each["data"]) for each in raw["logs"]]
        read = tuple(Log(to_checksum_address(a), tuple(map(_bytes, t)), _bytes(d)) for a, t, d in logs)
        return Receipt(sent, raw["status"] == "0x1", read)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@contextmanager
def staged(node: Node) -> Generator[MinedStage, None, None]:
    """A node with the contracts and a rich trader on it; as it was before, afterwards."""

    async def build() -> tuple[str, MinedStage]:
        before = await node.snapshot()
        await node.rpc("evm_setAutomine", False)
        stage = await MinedStage.build(node)
        await stage.usdc(TRADER, MONEY)
        await stage.usdc(STRANGER, MONEY)
        return before, stage

    async def undo(before: str) -> None:
        await node.revert(before)
        await node.rpc("evm_setAutomine", True)

    before, stage = asyncio.run(build())
    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # certificates are slow to read, and nobody here speaks TLS
    try:
        with patch("httpx._transports.default.create_ssl_context", return_value=unused):
            yield stage
    finally:
        asyncio.run(undo(before))


@dataclass
class Clock:
    """Follows the chain's, and moves when a test says so."""

    now: int = 0

    def now_ms(self) -> int:
        return self.now

    def seconds(self) -> float:
        return self.now / 1000


class Outside:
    """Everything that does not die with the process: the chain, the keepers and the servers."""

    def __init__(self, stage: Stage, spread: int = 0) -> None:
        self.stage = stage
        self.node = stage.node
        self.clock = Clock()
        self.reader = ChainReader(stage.node.http_url)
        self.world = ChainWorld(self.reader, self.clock.now_ms, spread)
        self.server = faithful(self.world)
        self.spread = spread
        self.marks: dict[str, int | None] = {}
        for symbol in PAIRS:
            self.move(symbol, 1)

    def move(self, symbol: str, factor: float) -> None:
        """The price of the feed, of the keepers and of our own oracle."""
        pair = PAIRS[symbol]
        self.world.price[pair] = round(self.world.price[pair] * factor)
        self.marks[symbol] = self.world.price[pair] * TO_WAD

    async def mine(self, blocks: int = 1) -> None:
        await self.node.mine(blocks)
        await self.sync()

    async def sync(self) -> None:
        """Our clock is never behind the chain's."""
        head = await self.node.rpc("eth_getBlockByNumber", "latest", False)
        self.clock.now = max(self.clock.now, int(head["timestamp"], 16) * 1000)

    async def wait(self, seconds: int) -> None:
        """Time passes, on the chain as well."""
        await self.node.rpc("evm_increaseTime", seconds)
        await self.mine()

    def pending(self) -> list[Ordered]:
        """Orders that wait for a keeper."""
        return [order for order in self.reader.orders().values() if order.status == "pending"]

    async def execute(self) -> None:
        """Keepers execute what waits; what cannot be executed any more is given back."""
        for order in self.pending():
            against = 1 if order.is_long == order.opens else -1
            price = self.world.price[order.pair]
            price += against * (price * self.spread // (100 * TEN))
            try:
                await self.stage.execute(order.order_id, price)
            except AssertionError:
                await self.stage.cancel(order.order_id)
        await self.sync()

    async def cancel(self) -> None:
        """Keepers give back what waits."""
        for order in self.pending():
            await self.stage.cancel(order.order_id)
        await self.sync()

    async def nonce(self) -> int:
        return int(await self.node.rpc("eth_getTransactionCount", TRADER, "latest"), 16)

    async def balance(self) -> int:
        return await self.stage.balance(AVANTIS.usdc, TRADER)

    async def liquidate(self, symbol: str, index: int) -> None:
        """The price runs through the position; a keeper takes it, and the price comes back."""
        pair = PAIRS[symbol]
        held = next(each for each in self.world.held(TRADER) if each.slot == (pair, index))
        away = held.open_price * 95 * TEN // (100 * held.leverage)
        price = held.open_price - away if held.is_long else held.open_price + away
        await self.stage.liquidate(TRADER, pair, index, price)
        await self.sync()

    async def stranger(self, pair: int = ETH) -> None:
        """Somebody else opens a position."""
        await self.stage.must(Call(AVANTIS.usdc, APPROVE.encode(AVANTIS.storage, 1000 * USDC)), STRANGER)
        trade = (STRANGER, pair, 0, 0, 500 * USDC, self.world.price[pair], False, 5 * TEN, 0, 0, 0)
        await self.stage.must(Call(AVANTIS.trading, OPEN_TRADE.encode(trade, 0, TEN), EXECUTION_FEE), STRANGER)
        await self.execute()


@asynccontextmanager
async def outside(stage: Stage, spread: int = 0) -> AsyncGenerator[Outside, None]:
    """One test's world. The chain is reverted afterwards, and its pool emptied."""
    before = await stage.node.snapshot()
    made = Outside(stage, spread)
    await made.server.start()
    await made.sync()
    try:
        yield made
    finally:
        await made.server.stop()
        made.reader.close()
        await stage.node.rpc("anvil_dropAllTransactions")
        await stage.node.revert(before)


class _Reader:
    """The chain, as the watch knows it."""

    def __init__(self, node: AgreedNode) -> None:
        self._node = node

    async def call(self, call: Call) -> bytes:
        try:
            return await self._node.call(call, TRADER)
        except RpcError as error:
            raise ChainFault(f"{error.code}: {error}") from None


async def nobody() -> tuple[()]:
    """No claims."""
    return ()


class House:
    """One process: what production wires between a desk and the chain. What survives it is in `door`."""

    def __init__(
        self, out: Outside, door: Memory, claims: Claims = nobody, urls: tuple[str, ...] = (), policy: Policy = POLICY
    ) -> None:
        self.out = out
        self.door = door
        now_ms = out.clock.now_ms
        rpcs = [Rpc(httpx.URL(url)) for url in urls or (out.node.http_url,)]
        self.endpoints = Endpoints(rpcs, BASE)
        self.node = AgreedNode(self.endpoints)
        self.api = Api(Hosts((out.server.family(),)))
        self.sender = Sender(door, self.node, Signer(account_of(_bytes(KEYS[0])), BASE), policy, now_ms)
        self._client = Client(httpx.URL(out.server.family().tx_builder), within_s=8.0)
        self.builder = Builder((self._client,), out.clock.seconds)
        guard = Guard(rules(TRADER), simulate=lambda call: self.node.would_revert(call, TRADER))
        self.route = DirectRoute(TRADER, self.builder, guard, self.sender, self.node, self._history, DEEP)
        self.watch = PositionWatch(self.api, _Reader(self.node), TRADER, claims, now_ms)
        self.catalogues = Catalogues(self.api, now_ms)
        self.venue = AvantisVenue(
            TRADER, ("ETH", "BTC"), self.api, self.catalogues, self.route, self.watch, out.marks.get, SLIPPAGE, now_ms
        )

    async def aclose(self) -> None:
        await self.endpoints.aclose()
        await self.api.aclose()
        await self._client.aclose()

    async def _history(self, tx_hash: str) -> OrderStatus:
        try:
            return await fetch_status(self.api, tx_hash)
        except AvantisError as error:
            return Unknown(error.text)

    async def approve(self, amount: int = MONEY, name: str = "approve") -> None:
        """Lets storage take so much; sent and settled as orders are."""
        assert await self.route.send(name, Approve(TRADER, amount)) is None
        await self.settle()

    async def settle(self) -> None:
        """Blocks go by until what was sent has settled."""
        await self.out.mine()
        await self.sender.pass_once()
        await self.out.mine(DEEP)
        await self.sender.pass_once()


@asynccontextmanager
async def process(
    out: Outside, door: Memory, claims: Claims = nobody, urls: tuple[str, ...] = (), policy: Policy = POLICY
) -> AsyncGenerator[House, None]:
    """A process, from its start to its end."""
    house = House(out, door, claims, urls, policy)
    try:
        yield house
    finally:
        await house.aclose()
