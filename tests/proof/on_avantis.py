"""Desks with positions at Avantis, one wallet's; its servers and its node, which may all say something else."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from pydantic import JsonValue

from engine.desks import commands
from engine.live.doors import claims_of
from engine.live.fleet_venue import FleetVenue
from engine.live.member import strangers
from engine.settlement import Settlement
from engine.snapshot import DeskPhase
from engine.world import World
from tests.chain.inside import InsideApi
from tests.engine.house import done, settled
from tests.proof.on_paper import DESKS, Awake, Loops
from tests.venue.avantis.server import BUILDER_POSITIONS, USER_DATA, Asked, AvantisServer, Told
from tests.venue.avantis.world import NOW_MS, TRADER, AvantisWorld, WorldChain, WorldPair
from venue.avantis.adapter import AvantisVenue
from venue.avantis.asked import Close, Order
from venue.avantis.catalogue import Catalogues
from venue.avantis.claims import Claim, PositionWatch
from venue.avantis.direct import Done, Ending, NoEffect, RouteCode, UnderWay
from venue.avantis.positions import ChainFault, Held
from venue.avantis.registered import Execution
from venue.avantis.units import TEN
from venue.chain.call import Call
from venue.perp import Filled, PositionRef

COLLATERAL: Final = 100_000_000
MARK: Final = 2_000 * 10**18
OPENED_S: Final = NOW_MS // 1000 - 600


class Quiet:
    """A route that sends nothing, and knows how orders ended."""

    def __init__(self) -> None:
        self.ends: dict[str, Ending] = {}
        self.sent: list[tuple[str, Order]] = []

    async def send(self, order_id: str, asked: Order) -> NoEffect | None:
        self.sent.append((order_id, asked))
        return None

    async def ending(self, order_id: str) -> Ending:
        return self.ends.get(order_id, NoEffect(RouteCode.NEVER_SENT, "nothing was ever signed for it"))


class Node(WorldChain):
    """Hides and changes what stands in slots, as a reorganised chain does."""

    def __init__(self, world: AvantisWorld) -> None:
        super().__init__(world)
        self.hidden: set[int] = set()

    async def call(self, call: Call) -> bytes:
        if self.down:
            raise ChainFault("no node answers")
        lost = {held.slot for held in self.world.held(TRADER) if held.trade_index in self.hidden}
        seen = AvantisWorld()
        seen.hold(*(held for held in self.world.held(TRADER) if held.slot not in lost))
        return await WorldChain(seen).call(call)


@dataclass
class AvantisHouse:
    """What happens to each desk, and where that must leave it: now, and once everybody tells the truth again."""

    settlement: Settlement
    world: AvantisWorld
    node: Node
    server: AvantisServer
    route: Quiet
    watch: PositionWatch
    marks: dict[str, int | None]
    loops: Loops
    luck: Random
    expected: dict[str, DeskPhase] = field(default_factory=dict)
    healed: dict[str, DeskPhase] = field(default_factory=dict)
    strays: int = 0
    doubled: str = ""
    lies: dict[str, list[Callable[[list[Any]], list[Any]]]] = field(default_factory=dict)

    def happens(self, what: str, address: str) -> None:
        now = getattr(self, f"_{what}")(DESKS.index(address), address)
        self.expected[address], self.healed[address] = now if isinstance(now, tuple) else (now, now)

    def alarms(self) -> str:
        """What a member of the fleet says of it."""
        return "; ".join(strangers([orphan.held for orphan in self.watch.known.orphans]))

    def heal(self) -> None:
        """Everybody tells the truth."""
        self.lies.clear()
        self.marks["ETH"] = MARK
        self.node.hidden.clear()
        self.node.down = False

    # The truth

    def _liquidated(self, index: int, _: str) -> DeskPhase:
        self._drop(index)
        return DeskPhase.CLOSED

    def _resized(self, index: int, _: str) -> DeskPhase:
        """By somebody's hand, or by a rule: the venue dates it anew."""
        share = self.luck.choice((2, 3, 10))
        self._change(index, lambda held: replace(held, collateral=held.collateral // share, opened_at_s=_later(self)))
        return DeskPhase.QUARANTINED

    def _topped_up(self, index: int, _: str) -> DeskPhase:
        self._change(index, lambda held: replace(held, collateral=held.collateral * 2, opened_at_s=_later(self)))
        return DeskPhase.QUARANTINED

    def _shrunk(self, index: int, _: str) -> DeskPhase:
        """Without a word: at the same time as before."""
        self._change(index, lambda held: replace(held, collateral=held.collateral // 2))
        return DeskPhase.QUARANTINED

    def _extra(self, index: int, _: str) -> DeskPhase:
        self.world.hold(_held(100 + index), trader=TRADER)
        self.strays += 1
        return DeskPhase.OPEN

    def _filled(self, index: int, address: str) -> DeskPhase:
        self._drop(index)
        execution = Execution(index, True, 2_000 * TEN, COLLATERAL, 10 * TEN, COLLATERAL, 100)
        self.route.ends[f"o-{address}"] = Done(Close(TRADER, 7, index, COLLATERAL, 2_000 * TEN, TEN), execution)
        return DeskPhase.CLOSED

    def _cancelled(self, _: int, address: str) -> DeskPhase:
        self.route.ends[f"o-{address}"] = NoEffect(RouteCode.CANCELED, "the venue gave the order back")
        return DeskPhase.OPEN

    def _never_sent(self, _: int, __: str) -> DeskPhase:
        return DeskPhase.OPEN

    def _waiting(self, _: int, address: str) -> DeskPhase:
        self.route.ends[f"o-{address}"] = UnderWay()
        return DeskPhase.CLOSING

    # What is said of it

    def _missing(self, index: int, _: str) -> DeskPhase:
        """At one server, or at both: they are one source."""
        for path in self.luck.choice(((USER_DATA,), (BUILDER_POSITIONS,), (USER_DATA, BUILDER_POSITIONS))):
            self._lie(path, lambda rows: [row for row in rows if _index(row) != index])
        return DeskPhase.OPEN

    def _reorged(self, index: int, _: str) -> DeskPhase:
        """The chain does not hold it for a while."""
        self.node.hidden.add(index)
        return DeskPhase.OPEN

    def _half(self, _: int, __: str) -> DeskPhase:
        for path in (USER_DATA, BUILDER_POSITIONS):
            self._lie(path, lambda rows: rows[: len(rows) // 2])
        return DeskPhase.OPEN

    def _shuffled(self, _: int, __: str) -> DeskPhase:
        for path in (USER_DATA, BUILDER_POSITIONS):
            self._lie(path, lambda rows: Random(1).sample(rows, len(rows)))
        return DeskPhase.OPEN

    def _duplicated(self, _: int, __: str) -> DeskPhase:
        """At one of the servers, which is not believed then: without the other nobody would say what is gone."""
        self.doubled = self.doubled or self.luck.choice((USER_DATA, BUILDER_POSITIONS))
        self._lie(self.doubled, lambda rows: [*rows, *rows[:1]])
        return DeskPhase.OPEN

    def _misstated(self, index: int, _: str) -> DeskPhase:
        """A server has another size than the chain, which wins."""
        self._lie(
            USER_DATA,
            lambda rows: [row | {"collateral": "1"} if _index(row) == index else row for row in rows],
        )
        return DeskPhase.OPEN

    def _without_profit(self, _: int, __: str) -> DeskPhase:
        self.marks["ETH"] = None
        return DeskPhase.OPEN

    def _lie(self, path: str, lie: Callable[[list[Any]], list[Any]]) -> None:
        self.lies.setdefault(path, []).append(lie)

    def told(self, path: str, rows: list[Any]) -> list[Any]:
        for lie in self.lies.get(path, ()):
            rows = lie(rows)
        return rows

    def _drop(self, index: int) -> None:
        held = self.world.positions[TRADER.lower()]
        held[:] = [each for each in held if each.trade_index != index]

    def _change(self, index: int, change: Callable[[Held], Held]) -> None:
        held = self.world.positions[TRADER.lower()]
        held[:] = [change(each) if each.trade_index == index else each for each in held]


def _index(row: Any) -> int:
    return int(row["trade"]["index"] if "trade" in row else row["index"])


def _later(house: AvantisHouse) -> int:
    return house.loops.clock.now_ms() // 1000 + 20


ORDERED: Final = ("filled", "cancelled", "never_sent", "waiting")
SIZED: Final = ("resized", "topped_up", "shrunk")
SAID: Final = ("missing", "reorged", "half", "shuffled", "duplicated", "misstated", "without_profit")
HAPPENS: Final = ("liquidated", "extra", *ORDERED, *SIZED, *SAID)


def _held(index: int) -> Held:
    return Held(7, index, True, COLLATERAL, 10 * TEN, 2_000 * TEN, OPENED_S, 1_000 * TEN, 0, 0, False)


def _pending(address: str, world: World) -> int:
    return world.house.ledger[f"pending:{address}"]


async def opened(settlement: Settlement) -> None:
    """Desks whose positions the journal has, each in a slot of its own."""
    for index, address in enumerate(DESKS):
        await done(settlement, commands.EnrollToken(address, "PEPE"))
        await done(settlement, commands.PinDesk(address, TRADER))
        await done(settlement, commands.BookFees(address, "f1", 2 * COLLATERAL, 0))
        free = await settlement.read(partial(_pending, address))
        await done(settlement, commands.IntendOpen(address, f"i-{address}", "ETH", True, 10 * 10**18, free))
        ref = PositionRef("ETH", True, 7, index, TRADER)
        filled = Filled(f"i-{address}", ref, 2_000 * 10**18, 10 * free, 0, 0)
        await done(settlement, commands.RecordOutcome(address, filled))


@asynccontextmanager
async def awakened(directory: Path, luck: Random) -> AsyncGenerator[AvantisHouse, None]:
    """A process, over a journal that knows of a position for each desk, and a venue that has them all."""
    clock = Awake(NOW_MS)
    world = AvantisWorld(pairs=[WorldPair(7, "ETH")])
    world.hold(*(_held(index) for index in range(len(DESKS))))
    node, server, route = Node(world), AvantisServer(world), Quiet()
    directory.mkdir()  # noqa: ASYNC240 - nobody else is on this loop
    async with settled(directory, clock) as settlement:
        await opened(settlement)

        async def claims() -> tuple[Claim, ...]:
            return await settlement.read(lambda state: claims_of(state, TRADER))

        api = InsideApi(server)
        watch = PositionWatch(api, node, TRADER, claims, clock.now_ms)
        marks: dict[str, int | None] = {"ETH": MARK}
        catalogues = Catalogues(api, clock.now_ms)
        venue = AvantisVenue(TRADER, ("ETH",), api, catalogues, route, watch, marks.get, TEN, clock.now_ms)
        fleet = FleetVenue({TRADER: venue}, settlement.read, lambda _: "")
        loops = Loops(settlement, clock, fleet, before=watch.look, unseen=venue.unseen)
        house = AvantisHouse(settlement, world, node, server, route, watch, marks, loops, luck)
        _lying(house)
        yield house


def _lying(house: AvantisHouse) -> None:
    def core(asked: Asked) -> Told:
        rows: Any = house.world.core_positions(asked.text("trader"))["positions"]
        return 200, {"positions": house.told(USER_DATA, rows), "limitOrders": []}

    def builder(asked: Asked) -> Told:
        rows: Any = house.world.builder_positions(asked.text("trader"))["trades"]
        told: dict[str, JsonValue] = {"trades": house.told(BUILDER_POSITIONS, rows), "orders": []}
        return 200, {"ok": True, "data": told}

    house.server.route(USER_DATA, core)
    house.server.route(BUILDER_POSITIONS, builder)
