"""Desks on the embedded exchange, and what has happened there while nobody looked."""

import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from engine.desks import commands
from engine.desks.guard import Guard
from engine.desks.manager import DeskManager
from engine.desks.reconcile import Reconciler
from engine.desks.risk import Limits
from engine.desks.terms import Terms
from engine.sections import Risk
from engine.settlement import ExchangeDoor, Settlement
from engine.snapshot import DeskPhase
from tests.engine.house import ManualClock, done, enrolled, kept, listed, settled
from tests.engine.trading import ScriptedAgent, moved
from tests.venue.perp.paper_bench import PaperBench
from venue.exchange import commands as exchange
from venue.exchange.fixed import wad
from venue.exchange.paper import MIN_NOTIONAL, PaperVenue
from venue.exchange.requests.commands import CancelRequest
from venue.exchange.requests.request import Kind
from venue.perp import CloseOrder, PerpPosition, PerpVenue, PositionRef, UnknownPnl

DESKS: Final = [f"0x{number:040x}" for number in range(1, 9)]
RISK: Final = Risk(leverage=20, open_interval_s=0)  # type: ignore[arg-type]


class Awake(ManualClock):
    """Whoever sleeps wakes at once, and time has passed."""

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


class Blurred(PaperVenue):
    """Lists what it likes of what it has."""

    def __init__(self, settlement: Settlement, clock: ManualClock) -> None:
        super().__init__(ExchangeDoor(settlement), MIN_NOTIONAL, "desk:", clock.now_ms)
        self.hidden: set[str] = set()
        """Accounts whose positions are left out."""
        self.blind: set[str] = set()
        self.luck: Random | None = None

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        seen = [(ref, self._of(each)) for ref, each in (await super().positions()).items()]
        if self.luck:
            self.luck.shuffle(seen)
        return {ref: each for ref, each in seen if each.account not in self.hidden}

    def _of(self, position: PerpPosition) -> PerpPosition:
        return replace(position, pnl=UnknownPnl("no price")) if position.account in self.blind else position


@dataclass
class Loops:
    """The loops of an engine that has just begun. They number no order: nothing new is to be asked for."""

    settlement: Settlement
    clock: Awake
    venue: PerpVenue
    before: Callable[[], Awaitable[object]] | None = None
    unseen: Callable[[], str] = lambda: ""
    writes: bool = True
    numbered: int = 0

    def __post_init__(self) -> None:
        terms, numbers = Terms(RISK, 75), count(1)

        def new_id() -> str:
            self.numbered = next(numbers)
            return f"new-{self.numbered}"

        self.manager = DeskManager(
            self.settlement, self.venue, ScriptedAgent(), terms, self.clock, hold=self._held, new_id=new_id
        )
        said = (self.settlement, self.venue, self.manager.courier, self.clock, self.unseen)
        self.reconciler = Reconciler(*said, writes=self.writes)
        self.guard = Guard(self.settlement, self.venue, self.manager.courier, Limits.of(RISK), self.clock)

    def _held(self) -> str:
        return self.reconciler.why_not()

    async def turn(self) -> None:
        """Every loop once."""
        if self.before:
            await self.before()
        await self.reconciler.pass_once()
        await self.manager.manage_all()
        await self.guard.check_desk_profits()
        await self.guard.check_desk_risk()

    async def turns(self) -> int:
        """Two of them; then one more, after which the journal's newest number must be the one that is returned."""
        await self.turn()
        await self.turn()
        newest = self.settlement.seq
        await self.turn()
        return newest

    async def phases(self) -> dict[str, DeskPhase]:
        return await self.settlement.read(
            lambda world: {address: desk.phase for address, desk in world.house.desks.items()}
        )


@dataclass
class PaperHouse:
    """What happens to each desk, and where that must leave it."""

    loops: Loops
    venue: Blurred
    bench: PaperBench
    luck: Random
    expected: dict[str, DeskPhase] = field(default_factory=dict)
    strays: dict[int, int] = field(default_factory=dict)
    """Size of each position that is nobody's."""

    async def happens(self, what: str, address: str) -> None:
        self.expected[address] = await getattr(self, f"_{what}")(address)

    def heal(self) -> None:
        """All is listed as it is."""
        self.venue.hidden.clear()
        self.venue.blind.clear()
        self.venue.luck = None

    async def _liquidated(self, address: str) -> DeskPhase:
        ref = await self._ref(address)
        before = (await self.bench.look()).markets["ETH"].mark
        refused = True
        while refused:
            await self.bench.move_price("ETH", 0.98)
            await done(self.loops.settlement, exchange.AdvanceBlock())
            answer = await self.loops.settlement.submit(exchange.LiquidatePosition("liquidator", ref.trade_index))
            refused = isinstance(answer, exchange.Rejection)
        mark = (await self.bench.look()).markets["ETH"].mark
        await self.bench.move_price("ETH", Fraction(before, mark))  # type: ignore[arg-type]
        return DeskPhase.CLOSED

    async def _filled(self, address: str) -> DeskPhase:
        await self._closing(address, times=1)
        await kept(self.loops.settlement)
        return DeskPhase.CLOSED

    async def _sent_twice(self, address: str) -> DeskPhase:
        await self._closing(address, times=2)
        await kept(self.loops.settlement)
        return DeskPhase.CLOSED

    async def _cancelled(self, address: str) -> DeskPhase:
        await self._closing(address, times=1)
        book = (await self.bench.look()).requests
        key, now_ms = book.by_client[f"o-{address}"], self.loops.clock.now_ms() + 10**7
        await done(self.loops.settlement, exchange.AdvanceBlock())
        await done(self.loops.settlement, CancelRequest(Kind.ORDER, key, f"desk:{address}", now_ms))
        return DeskPhase.OPEN

    async def _never_sent(self, address: str) -> DeskPhase:
        await self._closing(address, times=0)
        return DeskPhase.OPEN

    async def _waiting(self, address: str) -> DeskPhase:
        await self._closing(address, times=1)
        return DeskPhase.CLOSING

    async def _missing(self, address: str) -> DeskPhase:
        self.venue.hidden.add(address)
        return DeskPhase.OPEN

    async def _blind(self, address: str) -> DeskPhase:
        self.venue.blind.add(address)
        return DeskPhase.OPEN

    async def _shuffled(self, address: str) -> DeskPhase:
        self.venue.luck = self.luck
        return self.expected.get(address, DeskPhase.OPEN)

    async def _half(self, address: str) -> DeskPhase:
        self.venue.hidden |= {address, *self.luck.sample(DESKS, len(DESKS) // 2)}
        return DeskPhase.OPEN

    async def _extra(self, address: str) -> DeskPhase:
        """Of an account that is no desk's, or a second one of its own."""
        owner = self.luck.choice((f"desk:{address}", "desk:0xnobody"))
        size, is_long = wad(10), self.luck.random() < 0.5
        order = exchange.OpenPosition(
            user=owner, market="ETH", is_long=is_long, total=size, leverage=Fraction(2), deposit=size
        )
        await done(self.loops.settlement, order)
        made = max((await self.bench.look()).open_positions)
        self.strays[made] = (await self.bench.look()).open_positions[made].base_size
        return DeskPhase.OPEN

    async def _closing(self, address: str, *, times: int) -> None:
        ref = await self._ref(address)
        await done(self.loops.settlement, commands.IntendClose(address, f"o-{address}", None, "ops", None))
        for _ in range(times):
            await self.venue.close(CloseOrder(f"o-{address}", address, ref))

    async def _ref(self, address: str) -> PositionRef:
        ref = await self.loops.settlement.read(lambda world: world.house.desks[address].ref)
        assert ref is not None
        return ref


HAPPENS: Final = (
    "liquidated",
    "filled",
    "sent_twice",
    "cancelled",
    "never_sent",
    "waiting",
    "missing",
    "blind",
    "shuffled",
    "half",
    "extra",
)


async def opened(directory: Path, addresses: list[str] = DESKS) -> None:
    """A journal of desks that all have a position."""
    directory.mkdir()  # noqa: ASYNC240 - nobody else is on this loop
    clock = Awake()
    async with settled(directory, clock) as settlement:
        await listed(settlement, "ETH")
        await done(settlement, exchange.FundInsurance(wad(1_000_000)))
        for address in addresses:
            await enrolled(settlement, 100_000_000, address)
        loops = Loops(settlement, clock, Blurred(settlement, clock))
        await loops.reconciler.pass_once()
        await moved(settlement, loops.manager)
        assert set((await loops.phases()).values()) == {DeskPhase.OPEN}


@asynccontextmanager
async def awakened(base: Path, directory: Path, luck: Random) -> AsyncGenerator[PaperHouse, None]:
    """Another process, over a copy."""
    shutil.copytree(base, directory)
    clock = Awake()
    async with settled(directory, clock) as settlement:
        venue = Blurred(settlement, clock)
        yield PaperHouse(Loops(settlement, clock, venue), venue, PaperBench(settlement), luck)
