"""Many desks of one wallet on one chain: the real sender over a real journal, and what became of its orders."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import httpx

from engine.live.doors import ChainDoor
from tests.chain.avantis_house import DEEP
from tests.chain.fleet_proxy import Proxy
from tests.chain.node import KEYS
from tests.chain.stage import EXECUTION_FEE, TRADER, Stage
from tests.engine.house import settled
from venue.avantis.addresses import AVANTIS, BASE
from venue.avantis.contracts import MARKET_ORDER_INITIATED, OPEN_TRADE
from venue.avantis.rules import rules
from venue.avantis.units import TEN
from venue.chain import machine
from venue.chain.agreed import AgreedNode
from venue.chain.bucket import Budget
from venue.chain.call import Call
from venue.chain.endpoints import Endpoints
from venue.chain.envelope import RpcError
from venue.chain.erc20 import APPROVE
from venue.chain.facts import Fact
from venue.chain.guard import Guard
from venue.chain.machine import Refusal
from venue.chain.rpc import Rpc
from venue.chain.sender import Sender, Unsent
from venue.chain.signer import Signer, account_of
from venue.chain.state import Chain
from venue.chain.step import Policy

T = TypeVar("T")
PAIR_HOLDS: Final = 40
"""Most trades of one wallet on one pair."""
LEAST: Final = 100 * 10**6
PRICE: Final = 2_000 * TEN
REST_S: Final = 31.0
"""After which no endpoint rests any more."""
POLICY: Final = Policy(confirmations=DEEP)
AMPLE: Final = Budget(rate=1e6, burst=1e6)


@dataclass
class Clock:
    """Moves when a test says so."""

    now_s: float = 1_000.0

    def now_ms(self) -> int:
        return round(self.now_s * 1000)

    def seconds(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class Fate:
    """When the process dies: at the draw of that number, of whatever it waits for. 0: never."""

    at: int = 0
    count: int = 0
    dead: asyncio.Event = field(default_factory=asyncio.Event)

    async def tick(self, _: str = "") -> None:
        """One more point between two steps. Whoever is dead never gets past it."""
        self.count += 1
        if self.count == self.at:
            self.dead.set()
        if self.dead.is_set():
            await asyncio.Event().wait()


class MortalDoor:
    """The journal of a process that may die before and after each command."""

    def __init__(self, door: ChainDoor, fate: Fate) -> None:
        self._door = door
        self._fate = fate

    async def submit(self, command: machine.Command) -> tuple[Fact, ...] | Refusal:
        await self._fate.tick()
        answer = await self._door.submit(command)
        await self._fate.tick()
        return answer

    async def read(self, look: Callable[[Chain], T]) -> T:
        return await self._door.read(look)


@dataclass(frozen=True)
class Fleet:
    """One process: what production wires between orders and the chain."""

    sender: Sender
    guard: Guard
    door: MortalDoor

    async def order(self, number: int) -> Refusal | RpcError | None:
        """Sends the order of a desk unless it was sent before; an `RpcError` when there is no chain."""
        if not isinstance(await self.sender.standing(name(number)), Unsent):
            return None
        try:
            return await self.sender.send(name(number), await self.guard.passes(opening(number)))
        except RpcError as error:
            return error

    async def chain(self) -> Chain:
        return await self.door.read(lambda chain: chain)


def name(number: int) -> str:
    return f"desk-{number}"


def collateral(number: int) -> int:
    """No two orders have the same: the chain's log tells whose it is."""
    return LEAST + number


def opening(number: int) -> Call:
    """The order of a desk; pairs hold only so many."""
    pair = number // PAIR_HOLDS
    trade = (TRADER, pair, 0, 0, collateral(number), PRICE, True, 5 * TEN, 0, 0, 0)
    return Call(AVANTIS.trading, OPEN_TRADE.encode(trade, 0, TEN), EXECUTION_FEE)


@asynccontextmanager
async def fleet(
    proxy: Proxy, directory: Path, clock: Clock, fate: Fate | None = None, budget: Budget = AMPLE
) -> AsyncGenerator[Fleet, None]:
    """A process over the journal of `directory`. Leaving it is as sudden as a kill."""
    fate = fate or Fate()
    proxy.before = proxy.after = fate.tick
    rpc = Rpc(httpx.URL(proxy.url), within_s=20.0)
    endpoints = Endpoints([rpc], BASE, budget=budget, within_s=30.0, clock=clock.seconds, sleep=clock.sleep)
    node = AgreedNode(endpoints)
    async with settled(directory) as settlement:
        door = MortalDoor(ChainDoor(settlement, TRADER), fate)
        signer = Signer(account_of(bytes.fromhex(KEYS[0][2:])), BASE)
        guard = Guard(rules(TRADER), simulate=lambda call: node.would_revert(call, TRADER))
        try:
            yield Fleet(Sender(door, node, signer, POLICY, clock.now_ms), guard, door)
        finally:
            await endpoints.aclose()


async def lives(fate: Fate, work: Awaitable[object]) -> bool:
    """Whether the work got to its end before the process died; nothing of it goes on afterwards."""
    task, death = asyncio.ensure_future(work), asyncio.ensure_future(fate.dead.wait())
    await asyncio.wait((task, death), return_when=asyncio.FIRST_COMPLETED)
    finished = task.done()
    for each in (task, death):
        each.cancel()
    ends = await asyncio.gather(task, death, return_exceptions=True)
    if finished and isinstance(ends[0], BaseException):
        raise ends[0]
    return finished


async def allowed(stage: Stage) -> None:
    """The trader lets storage take all it has."""
    await stage.must(Call(AVANTIS.usdc, APPROVE.encode(AVANTIS.storage, 10**18)), TRADER)


async def nonce(stage: Stage) -> int:
    """How many of the trader's transactions are mined."""
    return int(await stage.node.rpc("eth_getTransactionCount", TRADER, "latest"), 16)


async def registered(stage: Stage) -> Counter[int]:
    """How often the venue has each order, by what it is over."""
    wanted = {"address": AVANTIS.trading, "fromBlock": "0x0", "toBlock": "latest"}
    found: Counter[int] = Counter()
    for log in await stage.node.rpc("eth_getLogs", wanted):
        topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
        if topics[0] == MARKET_ORDER_INITIATED.topic:
            found[MARKET_ORDER_INITIATED.decode(topics, bytes.fromhex(log["data"][2:]))[7]] += 1
    return found


def drawn(luck: random.Random, upto: int) -> Fate:
    """A death somewhere in the next `upto` points."""
    return Fate(luck.randint(1, upto))
