"""The same scene on a node, with the compiled contracts and servers behind sockets."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from tests.chain.avantis_house import MONEY as RICH
from tests.chain.avantis_house import Outside, outside
from tests.chain.paper_chain import MONEY
from tests.chain.stage import KEEPER, TRADER, Stage
from venue.avantis.addresses import AVANTIS, BASE
from venue.avantis.builder import Builder
from venue.avantis.hosts import Api, Hosts
from venue.avantis.positions import Held
from venue.avantis.typed_signer import SignedIntent
from venue.chain.agreed import AgreedNode
from venue.chain.call import Call
from venue.chain.endpoints import Endpoints
from venue.chain.erc20 import ALLOWANCE, APPROVE, TRANSFER
from venue.chain.rpc import Rpc
from venue.net.client import Client

DEEP = 2


class AnvilScene:
    """Orders are sent as transactions only: the relay's own are tried elsewhere."""

    exact = False

    def __init__(self, out: Outside) -> None:
        self.out = out
        self.cancels = False
        self._endpoints = Endpoints([Rpc(httpx.URL(out.node.http_url))], BASE)
        self.node = AgreedNode(self._endpoints)
        self.api = Api(Hosts((out.server.family(),)))
        self._client = Client(httpx.URL(out.server.family().tx_builder), within_s=8.0)
        self._name = ""

    def builder(self) -> Builder:
        return Builder((self._client,), self.out.clock.seconds)

    def now_ms(self) -> int:
        return self.out.clock.now_ms()

    async def turn(self) -> None:
        await self.out.mine()
        if self.out.pending():
            await (self.out.cancel() if self.cancels else self.out.execute())
            self.cancels = False
        await self.out.mine(DEEP)

    async def held(self) -> list[Held]:
        return self.out.world.held(TRADER)

    async def money(self) -> int:
        return await self.out.balance()

    async def executed(self) -> int:
        return sum(order.status == "executed" for order in self.out.reader.orders().values())

    async def waiting(self) -> int:
        return len(self.out.pending())

    async def allowance(self) -> int:
        (allowed,) = await self.out.stage.ask(AVANTIS.usdc, ALLOWANCE, TRADER, AVANTIS.storage)
        return int(allowed)

    def hand_over(self, signed: SignedIntent) -> None:
        raise AssertionError(f"no relay here: {signed}")

    async def poor(self, allowed: int) -> None:
        """The wallet has as much as on paper, and storage may take so much of it."""
        await self.out.stage.must(Call(AVANTIS.usdc, TRANSFER.encode(KEEPER, RICH - MONEY)), TRADER)
        await self.out.stage.must(Call(AVANTIS.usdc, APPROVE.encode(AVANTIS.storage, allowed)), TRADER)
        await self.out.sync()

    async def keep(self) -> None:
        """Remembers the chain as it is now."""
        self._name = await self.out.node.snapshot()

    async def back(self) -> None:
        """As it was then, and may be again."""
        await self.out.node.rpc("anvil_dropAllTransactions")
        await self.out.node.revert(self._name)
        self.out.clock.now = 0
        await self.out.sync()
        await self.keep()

    async def aclose(self) -> None:
        await self._endpoints.aclose()
        await self.api.aclose()
        await self._client.aclose()


@asynccontextmanager
async def anvil_scene(stage: Stage) -> AsyncGenerator[AnvilScene, None]:
    async with outside(stage) as out:
        scene = AnvilScene(out)
        try:
            yield scene
        finally:
            await scene.aclose()
