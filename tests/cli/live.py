"""A live venue for the real program: a chain with the contracts, honest servers, keepers and an oracle, on loopback."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import JsonValue

from engine.config import Settings
from engine.live.chain_watch import contracts
from tests.chain.avantis_servers import ETH, ChainReader, ChainWorld, faithful
from tests.chain.node import KEYS, Node
from tests.chain.stage import TRADER, Stage
from tests.venue.avantis.server import Asked, AvantisServer, Told
from venue.avantis.addresses import AVANTIS
from venue.avantis.units import TEN
from venue.chain.call import Call
from venue.chain.erc20 import APPROVE
from venue.chain.keystore import Kdf, import_key
from venue.chain.passwords import FromFile
from venue.clanker.reader import MULTICALL
from venue.pyth import FEEDS

T = TypeVar("T")
HERMES: Final = "/hermes/v2/updates/price/latest"
PASSWORD: Final = "correct horse"
MONEY: Final = 10_000 * 10**6
UNUSED: Final = (AVANTIS.pair_storage, AVANTIS.pair_infos, AVANTIS.multicall, MULTICALL)


class LiveVenue:
    """Everything outside of the program. Blocks are mined every second, keepers execute what waits."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.reader = ChainReader(node.http_url)
        self.world = ChainWorld(self.reader, _now_ms, 0)
        self.server: AvantisServer
        self.stage = Stage(node)
        self.keeping = True
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return self.server.family().tx_builder.removesuffix("/tx-builder")

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs something beside the program."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def start(self) -> None:
        self._thread.start()
        self.do(self._prepare())
        self._keeper = asyncio.run_coroutine_threadsafe(self._keep(), self._loop)

    def stop(self) -> None:
        self._keeper.cancel()
        self.do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.reader.close()

    def env(self, **more: str) -> dict[str, str]:
        """Of a program that trades here."""
        return {
            "BASE_RPC_URL": self.node.http_url,
            "PERPDESK_VENUE": "avantis",
            "PERPDESK_PYTH__URL": f"{self.url}/hermes",
            "PERPDESK_AVANTIS__HOSTS": f'["{self.url}"]',
            "PERPDESK_CHAIN__CONFIRMATIONS": "1",
            **more,
        }

    def approve(self, amount: int) -> None:
        """By a transaction of the wallet's that the program knows nothing of."""
        self.do(self.stage.must(Call(AVANTIS.usdc, APPROVE.encode(AVANTIS.storage, amount)), TRADER))

    async def _prepare(self) -> None:
        stage = await Stage.build(self.node)
        await stage.usdc(TRADER, MONEY)
        for address in (*UNUSED, *contracts(Settings())):
            if await self.node.rpc("eth_getCode", address, "latest") == "0x":
                await self.node.set_code(address, b"\x00")
        await self.node.rpc("evm_setIntervalMining", 1)
        self.server = faithful(self.world)  # wants the loop it runs on
        self.server.route(HERMES, self._hermes)
        await self.server.start()

    async def _end(self) -> None:
        await self.server.stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            for order in self.reader.orders().values() if self.keeping else ():
                if order.status == "pending":
                    with suppress(AssertionError):
                        await self.stage.execute(order.order_id, self.world.price[order.pair])

    def _hermes(self, asked: Asked) -> Told:
        prices = {"ETH": self.world.price[ETH], "BTC": 64_000 * TEN}
        return 200, {"binary": {"encoding": "hex", "data": ["00"]}, "parsed": [_item(*each) for each in prices.items()]}


def _item(symbol: str, price: int) -> dict[str, JsonValue]:
    feed = FEEDS[symbol]
    mantissa = price * 10**-feed.expo // TEN
    now_s = _now_ms() // 1000
    told: dict[str, JsonValue] = {
        "price": str(mantissa),
        "conf": str(mantissa // 10_000),
        "expo": feed.expo,
        "publish_time": now_s,
    }
    return {"id": feed.id, "price": told, "ema_price": told, "metadata": {"slot": 1, "proof_available_time": now_s}}


def _now_ms() -> int:
    return time.time_ns() // 10**6


@contextmanager
def live_venue() -> Generator[LiveVenue, None, None]:
    """A chain of its own."""
    with Node() as node:
        made = LiveVenue(node)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def private(path: Path, text: str) -> Path:
    """A file that only we can read."""
    path.write_text(text)
    path.chmod(0o600)
    return path


def locked(folder: Path, key: str = KEYS[0], password_is: str = PASSWORD) -> dict[str, str]:
    """A keystore of the trader, quick to open, and the settings that name it."""
    folder.chmod(0o700)
    password = private(folder / "password", f"{password_is}\n")
    source = FromFile(private(folder / "key", key))
    path = folder / "wallet.json"
    asyncio.run(import_key(path, source, FromFile(password), Kdf("pbkdf2", 1000)))
    return {"PERPDESK_WALLET__KEYSTORE": str(path), "PERPDESK_WALLET__PASSWORD_FILE": str(password)}


def stranger_code() -> bytes:
    """A contract that answers everything with one byte: a caller that only looks for code is content."""
    return bytes.fromhex("60016000f3")
