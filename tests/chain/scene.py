"""All that outlives the processes of the crash matrix: the chain, the keepers, the servers, the relay."""

from typing import Any, Final, Protocol

from tests.chain.inside import PREFIXES, Inside, InsideApi, servers
from tests.chain.paper_chain import PaperChain
from venue.avantis.builder import Builder
from venue.avantis.hosts import Api, Service
from venue.avantis.positions import Held
from venue.avantis.typed_signer import SignedIntent

DEEP: Final = 2
BLIND_BLOCKS: Final = 12


class Scene(Protocol):
    """All that outlives a process."""

    node: Any
    exact: bool
    """No fees: what stands is what was paid."""
    cancels: bool
    """Keepers give back what waits, once."""

    @property
    def api(self) -> Api: ...

    def builder(self) -> Builder: ...

    def now_ms(self) -> int: ...

    async def turn(self) -> None:
        """Blocks go by; keepers act."""
        ...

    async def held(self) -> list[Held]: ...

    async def money(self) -> int: ...

    async def executed(self) -> int:
        """How many orders took effect."""
        ...

    async def waiting(self) -> int:
        """How many orders wait for a keeper."""
        ...

    async def allowance(self) -> int: ...

    def hand_over(self, signed: SignedIntent) -> None: ...


class PaperScene:
    """On a chain in memory. Wants a running loop."""

    exact = True

    def __init__(self, chain: PaperChain) -> None:
        self.node = self.chain = chain
        self.cancels = False
        self._server = servers(chain, chain.now_ms)
        self.api: Api = InsideApi(self._server)
        self._blind = 0

    def builder(self) -> Builder:
        return Builder((Inside(self._server, PREFIXES[Service.TX_BUILDER]),), lambda: self.now_ms() / 1000)

    def now_ms(self) -> int:
        return self.chain.now_ms()

    def blind(self) -> None:
        """For a while no order gets into a block."""
        self.chain.blind = True

    async def turn(self) -> None:
        if self.chain.blind:
            self._blind += 1
            self.chain.mine(BLIND_BLOCKS)
            if self._blind == 10:
                self.chain.handed.clear()
                self.chain.pool = {nonce: tx for nonce, tx in self.chain.pool.items() if not tx.data}
                self.chain.blind = False
            return
        self.chain.mine()
        if await self.waiting():
            self.chain.keep(self.cancels)
            self.cancels = False
        self.chain.mine(DEEP)

    async def held(self) -> list[Held]:
        return list(self.chain.held_now.values())

    async def money(self) -> int:
        return self.chain.money

    async def executed(self) -> int:
        return sum(each.status == "executed" for each in self.chain.registered.values())

    async def waiting(self) -> int:
        return sum(each.status == "pending" for each in self.chain.registered.values())

    async def allowance(self) -> int:
        return self.chain.allowance

    def hand_over(self, signed: SignedIntent) -> None:
        self.chain.hand_over(signed)
