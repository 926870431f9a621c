"""One process: the whole paper engine, and a live wallet beside it, over one journal; until it dies."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

from engine import assembly
from engine.agent.decide import Agent
from engine.clock import Clock
from engine.commands import CloseDesk, Command, HaltAll, HaltDesk, ReduceDesk, ResumeDesk
from engine.config import Settings
from engine.core import Core
from engine.demo.stage import Demo, at_pace
from engine.desks.commands import EnrollToken, Release
from engine.exchange_loops import RETRY_KEEPER, request_keepers
from engine.labels import is_looked_at
from engine.liquidations.book import LiquidationBook
from engine.live.doors import doors_of
from engine.markets import found_exchange
from engine.paper_wallet import DESK_PREFIX
from engine.places import Places, on_paper
from engine.pulse import Pulse
from engine.requests.hooks import Hooks
from engine.sections import ExchangeSettings, Risk, Signal
from engine.settlement import ExchangeDoor, Recorded, Settlement
from engine.stills.maker import StillMaker
from engine.watched import Ours, Watched
from engine.worker import Cadence, Worker
from engine.world import World
from tests.simulation.outside import EveryFeed, FarVenue, Outside
from tests.simulation.venues import SeenFees
from tests.simulation.witness import Witness
from tests.venue.avantis_writes.intent_house import routed
from tests.venue.avantis_writes.relay_stand import OPENED
from tests.venue.avantis_writes.signed_stand import CLOSING
from tests.venue.chain.support import KEY, signer_of
from tests.venue.chain.test_sender import POLICY, ping
from venue.chain.sender import Sender
from venue.exchange.paper import MIN_NOTIONAL
from venue.perp import PerpVenue

LEFT_OUT = ("feed", "snapshots")
"""Loops that need a socket or another process."""
SCREEN = Cadence(60, 60)
LIVE = Cadence(1.5, 2.0)
CROWDS = ("traders", "crowd")
CROWD = 5
"""How much slower than everybody's the pace of the crowd is: most of what happens is theirs."""
POLLS_S = 1.5
"""Loops that turn more often only look whether there is something to do."""
HURRIED = 2
UNHURRIED_S = 5.0
ASKING = Cadence(5.0, 25.0)
RARELY = Cadence(30.0, 200.0)


def house_of(seed: int, demo: bool) -> Settings:
    """Settings of a history: those of a demo run sixty times as fast, and with a crowd."""
    rng = random.Random(f"{seed}:settings")
    risk = {
        "max_position_usdc": rng.choice((60, 150, 500)),
        "max_market_usdc": rng.choice((250, 600, 5_000)),
        "max_wallet_usdc": rng.choice((300, 900, 5_000)),
        "max_daily_usdc": rng.choice((400, 1_500, 20_000)),
        "open_interval_s": rng.choice((0, 900, 3_600)),
    }
    exchange = ExchangeSettings(
        liquidation_keepers=4 if demo else 2, depth_usd=Decimal(rng.choice((200_000, 5_000_000)))
    )
    settings = Settings(risk=Risk.model_validate(risk), exchange=exchange, signal=Signal(enabled=rng.random() < 0.7))
    return at_pace(Demo(seed, leverage=rng.choice((3, 10, 20))), settings, seed) if demo else settings


@dataclass(frozen=True, slots=True)
class Setting:
    """What all processes of a history have in common. `pace`: how much slower than in a real run the pulse beats,
    and loops turn that only look whether there is something to do."""

    settings: Settings
    desks: int
    pace: float
    demo: bool


class Life:
    """A process. `over` ends it in good order."""

    def __init__(self, outside: Outside, witness: Witness, setting: Setting) -> None:
        self.outside = outside
        self.witness = witness
        self.setting = setting
        self.settings = setting.settings
        self.clock: Clock = outside.clock
        self.desks = [f"0x{number:040x}" for number in range(setting.desks)]
        self.pace = setting.pace
        self.over = asyncio.Event()
        self.workers: list[Worker] = []
        self.polling = {"sender", "intents"}
        self.hooks = Hooks()
        self._following: tuple[LiquidationBook | Watched, ...] = ()

    async def run(self) -> None:
        """Raises what the engine raises."""
        outside = self.outside
        self.settlement = Settlement(outside.disk.journal(), self.clock, self._committed)
        await self.settlement.recover(self.witness.replayed)
        self.witness.born(self.settlement)
        outside.weather.mist(asyncio.get_running_loop().time(), 0.5 if outside.weather.blind else 0.0)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self.settlement.run())]
            await self._set_up()
            running += [tasks.create_task(worker.run()) for worker in self.workers]
            await self.parts.warm_up()
            running += [tasks.create_task(worker.run()) for worker in self.later]
            running.append(tasks.create_task(self._heart()))
            await self.over.wait()
            for task in running:
                task.cancel()

    def calm(self) -> None:
        """The crowd has seen enough, and nobody is in a hurry."""
        for worker in self.workers:
            least = 60.0 if worker.name in CROWDS else UNHURRIED_S if worker.name in self.polling else 0.0
            cadence = worker._cadence
            worker._cadence = Cadence(max(cadence.shortest, least), max(cadence.longest, least))

    async def _heart(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.outside.second()
            self.witness.second()

    async def _set_up(self) -> None:
        book = await self.settlement.read(lambda world: LiquidationBook(world.exchange))
        watched = await self.settlement.read(lambda world: Watched(world.exchange, is_looked_at))
        self._following = (book, watched)
        stills, pulse = StillMaker(Path(), lambda: 0, 0, self.clock), Pulse(self.clock)
        core = Core(self.settlement, self.clock, pulse, self._screen, self.hooks, book, watched, stills)
        settings, seed = self.settings, self.witness.seed
        with _wired(self):
            demo = Demo(seed) if self.setting.demo else None
            self.parts = assembly.assemble(settings, demo, seed, core, None, self.desks)
        keepers = {**request_keepers(settings), RETRY_KEEPER: True}
        await found_exchange(self.settlement, settings.exchange, keepers)
        for number, address in enumerate(self.desks):
            await self.settlement.submit(EnrollToken(address, f"desk {number}"))
        for worker in self.parts.all_workers():
            if worker._cadence.longest <= POLLS_S:
                self.polling.add(worker.name)
            worker._cadence = _paced(worker, self.pace)
        self.workers = [worker for worker in self.parts.workers if worker.name not in LEFT_OUT]
        self.later = list(self.parts.later_workers)
        self._live_wallet()
        self.workers.append(self._worker("operator", Cadence(10, 60), self._operate))
        self.witness.watches(book, (*self.workers, *self.later))

    def _live_wallet(self) -> None:
        outside, signer = self.outside, signer_of(KEY)
        doors = doors_of(self.settlement, signer.address)
        self.sender = Sender(doors.chain, outside.chain, signer, POLICY, self.clock.now_ms)
        nonces = iter(range(outside.wanted * 1_000 + 1, 10**12))
        self.route = routed(doors.intents, outside.line, outside.line, self.clock.now_ms, nonces.__next__)  # type: ignore[arg-type]
        live = Cadence(LIVE.shortest * self.pace, LIVE.longest * self.pace)
        self.workers += [
            self._worker("sender", live, self._send),
            self._worker("intents", live, self.route.pass_once),
            self._worker("asking", ASKING if self.setting.demo else RARELY, self._ask),
        ]

    def _worker(self, name: str, cadence: Cadence, work: object) -> Worker:
        rng = random.Random(f"{self.witness.seed}:{name}")
        return Worker(name, cadence, work, self.clock, rng)  # type: ignore[arg-type]

    async def _send(self) -> str:
        await self.sender.adopt()
        return await self.sender.pass_once()

    async def _ask(self) -> str:
        outside = self.outside
        if self.witness.calm:
            return "enough"
        number = outside.wanted = outside.wanted + 1
        if outside.rng.random() < 0.5:
            await self.sender.send(f"tx{number}", await ping(number))
            return "a transaction"
        order_id, asked = f"o{number}", OPENED if outside.rng.random() < 0.6 else CLOSING
        answers = await asyncio.gather(*(self.route.send(order_id, asked) for _ in range(outside.rng.randint(1, 2))))
        if all(answers):  # one of two at once may have found nobody to ask, and the other have sent it
            outside.refused.add(order_id)
        return "an intent"

    async def _operate(self) -> str:
        rng, seq = self.outside.rng, self.settlement.seq
        address, act = rng.choice(self.desks), 9 if self.witness.calm else rng.randrange(10)
        said: dict[str, Any] = {
            "id": f"{rng.getrandbits(64):x}",
            "who": "ops",
            "seen_seq": seq,
            "expires_at_ms": self.clock.now_ms() + 5_000,
        }
        if act > 4:
            for each in await self.settlement.read(_set_aside):
                await self.settlement.submit(Release(each, "ops", said["id"]))
        commands: tuple[Command, ...] = (
            HaltAll(**said),
            HaltDesk(address=address, **said),
            CloseDesk(address=address, worst_price=rng.choice((1, 10**30)), **said),
            ReduceDesk(address=address, share=rng.randint(0, 1_000_000), worst_price=1, **said),
        )
        command = commands[act] if act < len(commands) else ResumeDesk(address=address, **said)
        return (await self.parts.operator.execute(command)).text

    async def _screen(self) -> str:
        positions = await self.parts.venue.positions()
        rows = tuple(worker.row() for worker in self.workers)
        now_ms, seq = self.clock.now_ms(), self.settlement.seq
        await self.settlement.read(lambda world: self.parts.view.build(world, positions, rows, seq, now_ms))
        return "drawn"

    def _committed(self, world: World, recorded: Sequence[Recorded]) -> None:
        for item in recorded:
            for each in self._following:
                each.follow(world.exchange, item.fact)
        self.witness.committed(world, recorded)
        self.hooks.published(recorded)


def _set_aside(world: World) -> list[str]:
    return [desk.address for desk in world.house.desks.values() if desk.quarantine]


def _paced(worker: Worker, pace: float) -> Cadence:
    """Loops that poll turn at another pace: a house must stand at any."""
    if worker.name == "screen":
        return SCREEN
    if worker.name.startswith("liquidator"):  # who race each other for what is due
        pace = min(pace, HURRIED)
    cadence, slower = worker._cadence, pace * (CROWD if worker.name in CROWDS else 1)
    return cadence if cadence.longest > POLLS_S else Cadence(cadence.shortest * slower, cadence.longest * slower)


@contextmanager
def _wired(life: Life) -> Iterator[None]:
    """While an engine is put together: to the outside there is, not to sockets."""
    outside, feed = life.outside, EveryFeed(life.outside.clock, life.settings.signal.momentum_lookback_ms)
    outside.prices.told_to(feed)

    def places(settlement: Settlement, demo: Demo | None, seed: int, clock: Clock, ours: Ours) -> Places:
        venue = FarVenue(ExchangeDoor(settlement), MIN_NOTIONAL, DESK_PREFIX, clock.now_ms, ours)
        venue.weather, venue.intended, venue.early = outside.weather, life.witness.intended, life.witness.broken
        venue.seen = life.witness.looked
        stands: PerpVenue = venue
        made = on_paper(settlement, demo, seed, clock)
        fees = SeenFees(outside.fees, life.witness.begins)
        return replace(made, venue=stands, fees=fees, swaps=outside.swaps)

    def agent(of: EveryFeed, markets: tuple[str, ...], signal: Signal, _: None) -> Agent:
        return Agent(of, markets, signal, outside.saboteur if life.witness.seed % 5 else None)

    patches: dict[str, Any] = {"Feed": lambda *_: feed, "on_paper": places, "Agent": agent}
    with patch.multiple(assembly, **patches):
        yield


@contextmanager
def ids_of(seed: int) -> Iterator[None]:
    """Random ids are drawn from the seed as well."""
    rng = random.Random(f"{seed}:ids")
    with patch("uuid.uuid4", lambda: UUID(int=rng.getrandbits(128), version=4)):
        yield
