"""A signed route over a relay on this machine, and a chain that says what it was told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.venue.avantis_writes import relay_server as told
from tests.venue.avantis_writes.intent_house import TIMES, Memory, Process, routed, trade
from tests.venue.avantis_writes.relay_stand import NOW, OPENED, WALLET, Stand, standing
from venue.avantis.asked import Close, Order
from venue.avantis.direct import NoEffect
from venue.avantis.intent_facts import Fact
from venue.avantis.intent_state import OpenIntent
from venue.avantis.registered import Cancellation, Execution
from venue.avantis.relay import Relay
from venue.avantis.signed import SignedRoute
from venue.avantis.signed_ports import Deep
from venue.avantis.units import TEN, USDC

DUE_MS = NOW + TIMES.life_ms + TIMES.margin_ms
FILLED = Execution(3, True, OPENED.price, OPENED.collateral, 10 * TEN, 0, 100)
EXECUTED = replace(told.EXECUTED, payload=told.EXECUTED.payload | {"t": trade(OPENED, 3)})
LIFE = [told.ACCEPTED, told.ATTEMPT, told.INITIATED, EXECUTED]
GIVEN_BACK = NoEffect("CANCELED", "the venue gave the order back")
CLOSING = Close(WALLET, 0, 3, 100 * USDC, 3 * 10**13, TEN)


@dataclass
class Still:
    """A chain that says what it was told to."""

    word: int = 0
    time_ms: int = NOW
    opened: int | None = NOW // 1000 - 60
    found: Execution | Cancellation | None = None
    asked: list[str] = field(default_factory=list)

    def use(self, found: Execution | Cancellation | None = FILLED) -> None:
        """It has taken the nonce, and ended what that registered as `found`."""
        self.word |= 1 << 7
        self.found = found

    async def deep(self) -> Deep:
        return Deep(100, self.time_ms // 1000)

    async def nonce_word(self, slot: int, block: int) -> int:
        assert (slot, block) == (0, 100)
        return self.word

    async def opened_at(self, pair_index: int, trade_index: int) -> int | None:
        self.asked.append(f"{pair_index}/{trade_index}")
        return self.opened

    async def history(self, order: OpenIntent) -> Execution | Cancellation | None:
        self.asked.append(order.signed.order_id)
        return self.found


@dataclass
class House:
    """A route over a relay on this machine."""

    stand: Stand
    chain: Still
    memory: Memory
    route: SignedRoute

    async def send(self, asked: Order = OPENED) -> NoEffect | None:
        return await self.route.send("a", asked)

    async def looked(self) -> Any:
        await self.route.pass_once()
        return await self.route.ending("a")

    def restart(self, facts: list[Fact]) -> "House":
        """Another process, with what the journal holds."""
        memory = Memory(facts, Process())
        relay = Relay(self.stand.relay._client, lambda: self.stand.now, follow_s=0.2, poll_s=0.02)
        return House(self.stand, self.chain, memory, routed(memory, relay, self.chain, lambda: self.stand.now))

    def posts(self) -> int:
        return len(self.stand.server.orders)

    def late(self) -> None:
        """Past every deadline, by both clocks."""
        self.stand.now = self.chain.time_ms = DUE_MS + TIMES.patience_ms + 2_000


@asynccontextmanager
async def housing(script: list[told.Step], log: list[told.Told] | None = None) -> AsyncIterator[House]:
    async with standing(follow_s=0.2) as stand:
        stand.server.script, stand.server.log = script, LIFE if log is None else log
        memory, chain = Memory([], Process()), Still()
        route = routed(memory, stand.relay, chain, lambda: stand.now)
        yield House(stand, chain, memory, route)
        await route.aclose()


async def ended(house: House) -> None:
    """Lets the stream come to its end."""
    await asyncio.gather(*house.route._streams.values(), return_exceptions=True)
