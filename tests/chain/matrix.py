"""One desk's order from its intent to its end, in a process that dies at any await on the way, and those after it.

Real are journal and settlement, the desk's manager and courier, the adapter, both routes, the sender and the guard.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, cast

from engine.desks.manager import DeskManager
from engine.desks.state import Desk
from engine.desks.terms import Terms
from engine.live.doors import claims_of, doors_of
from engine.live.fleet_venue import FleetVenue
from engine.sections import Risk
from engine.settlement import Settlement
from engine.world import World
from tests.chain.fleet import Fate
from tests.chain.node import KEYS
from tests.chain.paper_chain import MONEY
from tests.chain.scene import DEEP, Scene
from tests.chain.stage import TRADER
from tests.engine.house import TOKEN, ManualClock, settled
from tests.engine.trading import ScriptedAgent
from venue.avantis.adapter import AvantisVenue
from venue.avantis.addresses import BASE
from venue.avantis.asked import Approve
from venue.avantis.builder import Builder
from venue.avantis.catalogue import Catalogues
from venue.avantis.claims import Claim, PositionWatch
from venue.avantis.direct import DirectRoute
from venue.avantis.hosts import Api
from venue.avantis.intent_chain import IntentChain
from venue.avantis.orders import OrderStatus, Unknown, fetch_status
from venue.avantis.positions import ChainFault
from venue.avantis.relay import OnAccepted, Outcome, RelayCode, Unsettled
from venue.avantis.routes import TwoRoutes
from venue.avantis.rules import rules
from venue.avantis.signed import SignedRoute
from venue.avantis.tracking import Seen, Track, fold
from venue.avantis.typed_signer import IntentChecker, IntentSigner, SignedIntent
from venue.avantis.units import TEN
from venue.avantis.wire import AvantisError
from venue.chain.call import Call
from venue.chain.envelope import RpcError
from venue.chain.guard import Guard
from venue.chain.sender import Sender
from venue.chain.signer import Signer, account_of
from venue.chain.step import Policy

POLICY: Final = Policy(confirmations=DEEP, expires_blocks=8)
RISK: Final = Risk(leverage=20, open_interval_s=0)  # type: ignore[arg-type]
FEES: Final = 200_000_000
ROUNDS: Final = 120
ALLOWED: Final = 3 * MONEY
HALF: Final = 500_000
NONCES: Final = count(1)
"""Of signed intents; none is drawn twice."""
KEY: Final = bytes.fromhex(KEYS[0][2:])
BY_HAND: Final = ("reduce", "close", "approve")
"""What nobody begins a second time. The manager wants the others until it has them."""


class Mortal:
    """Anything at whose awaits a process may die: before each, and behind those that change something."""

    def __init__(self, inner: Any, fate: Fate, name: str, *changes: str) -> None:
        self._inner, self._fate, self._name, self._changes = inner, fate, name, changes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._fate.tick(f"{self._name}.{name}")
            answer = await method(*args, **kwargs)
            if name in self._changes:
                await self._fate.tick(f"{self._name}.{name} done")
            return answer

        return call


class MortalJournal:
    """The settlement: dies before and behind each transaction."""

    def __init__(self, settlement: Settlement, fate: Fate) -> None:
        self._settlement, self._fate = settlement, fate

    async def submit(self, command: Any) -> Any:
        name = type(getattr(command, "command", command)).__name__
        await self._fate.tick(f"journal {name}")
        answer = await self._settlement.submit(command)
        await self._fate.tick(f"journal {name} done")
        return answer

    async def read(self, look: Any) -> Any:
        if self._fate.dead.is_set():
            await asyncio.Event().wait()
        return await self._settlement.read(look)


class Relay:
    """Takes whatever it is given; says that it has it and no more."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def submit(self, signed: SignedIntent, on_accepted: OnAccepted) -> Outcome:
        self._scene.hand_over(signed)
        name = f"trk-{signed.intent.nonce}"
        await on_accepted(name)
        return await self.follow(fold(Track(), Seen(0, "MarketOrderAccepted", {"trackingId": name})), on_accepted)

    async def follow(self, track: Track, on_accepted: OnAccepted) -> Outcome:
        del on_accepted
        return Unsettled(RelayCode.NO_END, track)


class _Clock(ManualClock):
    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.now_ms())
        self._scene = scene

    def now_ms(self) -> int:
        return self._scene.now_ms()


class _Reader:
    def __init__(self, node: Any) -> None:
        self._node = node

    async def call(self, call: Call) -> bytes:
        try:
            return cast(bytes, await self._node.call(call, TRADER))
        except RpcError as error:
            raise ChainFault(str(error)) from None


Planted = Callable[["Process"], None]
"""Puts a bug in a process."""


@dataclass
class Process:
    """What production wires between a desk and the chain."""

    scene: Scene
    fate: Fate
    settlement: Settlement
    signed_first: bool
    numbers: Callable[[], int]

    def __post_init__(self) -> None:
        scene, fate, clock = self.scene, self.fate, _Clock(self.scene)
        self.journal = cast(Settlement, MortalJournal(self.settlement, fate))
        node = cast(Any, Mortal(scene.node, fate, "node", "send_raw"))
        api = cast(Api, Mortal(scene.api, fate, "api"))
        doors = doors_of(self.journal, TRADER)
        signer = Signer(account_of(KEY), BASE)
        self.sender = Sender(doors.chain, node, signer, POLICY, scene.now_ms)
        guard = Guard(rules(TRADER), lambda call: node.would_revert(call, TRADER))
        builder = cast(Builder, Mortal(scene.builder(), fate, "builder"))

        async def history(tx_hash: str) -> OrderStatus:
            try:
                return await fetch_status(api, tx_hash)
            except AvantisError as error:
                return Unknown(error.text)

        async def claims() -> tuple[Claim, ...]:
            return await self.journal.read(lambda world: claims_of(world, TRADER))

        self.direct = DirectRoute(TRADER, builder, guard, self.sender, node, history, DEEP)
        relay = cast(Any, Mortal(Relay(scene), fate, "relay", "submit"))
        checker, intents = IntentChecker(TRADER, scene.now_ms), signer.another(IntentSigner)
        chain = IntentChain(TRADER, node, history, DEEP)
        self.signed = SignedRoute(doors.intents, relay, chain, checker, intents, scene.now_ms, self.numbers)
        route = TwoRoutes(self.signed, self.direct) if self.signed_first else TwoRoutes(self.direct, self.signed)
        self.watch = PositionWatch(api, _Reader(node), TRADER, claims, scene.now_ms)
        catalogues = Catalogues(api, scene.now_ms)
        marks = {"ETH": 2_000 * 10**18}.get
        alone = AvantisVenue(TRADER, ("ETH",), api, catalogues, route, self.watch, marks, TEN, scene.now_ms, gas=False)
        venue = FleetVenue({TRADER: alone}, self.journal.read, lambda _: "")
        self.manager = DeskManager(self.journal, venue, ScriptedAgent(), Terms(RISK, 75), clock)

    async def begin(self, kind: str) -> None:
        """What starts the order."""
        await self.sender.adopt()
        await self.watch.look()
        if kind == "approve":
            await self.direct.send("allow", Approve(TRADER, ALLOWED))
        elif kind == "reduce":
            await self.manager.courier.reduce(TOKEN, HALF, None, "ops")
        elif kind == "close":
            await self.manager.courier.close(TOKEN, None, "ops")

    async def follow(self, kind: str) -> None:
        """Every loop's turn, again and again, until all is settled."""
        await self.sender.adopt()
        for _ in range(ROUNDS):
            await self.watch.look()
            if kind not in BY_HAND:
                await self.manager.manage_all()
            await self.sender.pass_once()
            await self.signed.pass_once()
            await self.manager.courier.watch()
            if await self._settled(kind):
                return
            await self.scene.turn()
        raise AssertionError(f"{kind}: no end after {ROUNDS} rounds: {await self.desk(repr)}")

    async def _settled(self, kind: str) -> bool:
        def rests(world: World) -> bool:
            desk = world.house.desks[TOKEN]
            open_ = world.wallets.of(TRADER).open or world.intents.open
            wanted = kind in BY_HAND or desk.halted or (desk.ref and not world.house.ledger[f"pending:{TOKEN}"])
            return not desk.order and not open_ and bool(wanted)

        return await self.settlement.read(rests) and not await self.scene.waiting()

    async def desk(self, look: Callable[[Desk], Any]) -> Any:
        return await self.settlement.read(lambda world: look(world.house.desks[TOKEN]))

    async def aclose(self) -> None:
        await self.signed.aclose()


@asynccontextmanager
async def process(
    scene: Scene, directory: Path, signed: bool, fate: Fate | None = None, planted: Planted | None = None
) -> AsyncGenerator[Process, None]:
    """From its start to its death."""
    async with settled(directory, _Clock(scene)) as settlement:
        made = Process(scene, fate or Fate(), settlement, signed, NONCES.__next__)
        if planted:
            planted(made)
        try:
            yield made
        finally:
            await made.aclose()
