"""One day, made from a seed: every loop, an operator, crashes, and at the end an evening in which all must settle."""

import asyncio
import itertools
import random
from collections.abc import Coroutine
from typing import Any

from engine import codec
from engine.agent.decide import Agent
from engine.buyback import BuybackEngine
from engine.desks import commands
from engine.desks.guard import Guard
from engine.desks.manager import DeskManager
from engine.desks.risk import Limits
from engine.desks.terms import Terms, caps_of
from engine.fees import FeeClaimer
from engine.sections import Buybacks, Risk, Signal
from engine.wallet import Balances, WalletWatch
from tests.simulation.adversary import MARKETS, Saboteur, WildFeed, WildPrices
from tests.simulation.checks import Checks
from tests.simulation.memory import MemorySettlement, VirtualClock
from tests.simulation.venues import LuckyFees, SlowSwap, SlowVenue, start_price
from venue.exchange.fixed import wad

DESKS = 12
PASSES = 180
"""One in eight minutes, the manager's slowest pace."""
STEPS = 2
"""Moves of the market between two passes of the manager."""
STEP_S = 86_400 / PASSES / STEPS
EVENING = 8
START_MS = 1_700_000_000_000
Chore = Coroutine[Any, Any, Any]


class Broken(AssertionError):
    """A day on which something did not hold; the message names the seed that replays it."""


class Day:
    """Everything that takes part. `run` raises Broken."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = rng = random.Random(seed)
        self.clock = VirtualClock(START_MS + rng.randrange(86_400_000))
        self.risk = Risk.model_validate(
            {
                "leverage": rng.choice((3, 10, 20)),
                "max_position_usdc": rng.choice((60, 150, 500)),
                "max_market_usdc": rng.choice((250, 600, 5_000)),
                "max_wallet_usdc": rng.choice((300, 900, 5_000)),
                "max_daily_usdc": rng.choice((400, 1_500, 20_000)),
                "open_interval_s": rng.choice((0, 900, 3_600)),
            }
        )
        self.swap = SlowSwap(rng)
        self.venue = SlowVenue(rng, {market: start_price(market) for market in MARKETS}, self._on_sent)
        self.feed = WildFeed()
        self.prices = WildPrices(rng, self.clock, self.venue, self.feed)
        self.saboteur = Saboteur(rng)
        self.fees = LuckyFees(rng)
        self.checks = Checks(caps_of(self.risk), wad(self.risk.leverage), self.venue, self.swap)
        self.ids = map(str, itertools.count(1))
        self.gas = ""
        self.crashy = rng.random() < 0.25
        self.crashes = 0
        self.settlement = MemorySettlement(self.clock, rng, self.checks)
        self._start()

    def _on_sent(self, account: str, order_id: str) -> None:
        self.checks.sent(account, order_id)

    def _start(self) -> None:
        """What a process has that a crash takes."""
        ids = self.ids.__next__
        first = self.saboteur if self.seed % 5 else None
        agent = Agent(self.feed, MARKETS, Signal(enabled=self.seed % 3 > 0), first)
        self.manager = DeskManager(
            self.settlement, self.venue, agent, Terms(self.risk, 75), self.clock, lambda _: self.gas, new_id=ids
        )
        courier, limits = self.manager.courier, Limits.of(self.risk)
        self.guard = Guard(self.settlement, self.venue, courier, limits, self.clock)
        self.buybacks = BuybackEngine(self.settlement, self.swap, Buybacks(), new_id=ids)
        self.claimer = FeeClaimer(self.settlement, self.fees, 200_000)
        self.watch = WalletWatch(self.settlement, self, self.clock)

    async def balances(self) -> Balances:
        """The wallet, as a chain would count it."""
        return Balances(self.venue.wallet + self.checks.fees - self.swap.spent + self.checks.strays)

    async def run(self) -> None:
        for number in range(DESKS):
            await self.settlement.submit(commands.EnrollToken(f"0x{number:02d}", f"desk {number}"))
        for number in range(PASSES):
            await self._pass()
            if self.checks.broken or number % 5 == 0:
                self._hold()
        self._calm()
        for _ in range(EVENING):
            await self._evening()
        self._hold()
        self.checks.evening(self.settlement.world.house)
        self._hold()

    def story(self) -> list[tuple[int, str, str]]:
        """Every fact with its time, as it would have been journaled."""
        return [(entry.at_ms, *codec.encode(entry.fact)) for entry in self.settlement.recorded]

    def _hold(self) -> None:
        self.checks.books(self.settlement.world.house)
        if self.checks.broken:
            raise Broken(f"seed {self.seed}, fact {self.settlement.seq}: {self.checks.broken[0]}")

    async def _pass(self) -> None:
        """The loops of eight minutes, all at once, while the market moves on."""
        rng = self.rng
        if rng.random() < 0.005:
            self.checks.strays += rng.randint(-(10**7), 10**7)
        if rng.random() < 0.01:
            self.clock.advance(-rng.choice((1, 30, 3_600)))
        self.gas = "too little gas" if rng.random() < 0.02 else ""
        chores = [self.manager.manage_all(), self._market(STEPS)]
        for chance, make in (
            (0.5, self.guard.check_desk_profits),
            (0.3, self.guard.check_desk_risk),
            (0.7, self.manager.watch),
            (0.3, self.watch.pass_once),
            (0.2, self.claimer.claim_pooled_fees_cycle),
            (0.1, self.buybacks.run_creator_buyback_cycle),
            (0.1, self.buybacks.run_buyback_cycle),
            (0.1, self._operate),
        ):
            if rng.random() < chance:
                chores.append(make())
        rng.shuffle(chores)
        crash = self.crashy and rng.random() < 0.012
        await (self._crash(chores) if crash else asyncio.gather(*chores))
        await self.manager.watch()

    async def _market(self, steps: int) -> str:
        for _ in range(steps):
            self.clock.advance(STEP_S)
            self.prices.step()
            self.venue.act()
            await asyncio.sleep(0)
        return ""

    async def _crash(self, chores: list[Chore]) -> None:
        """The process dies in the middle of it all; another one reads the record, and must see the same world."""
        tasks = [asyncio.ensure_future(chore) for chore in chores]
        for _ in range(self.rng.randint(0, 12)):
            await asyncio.sleep(0)
        self.settlement.crash()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.crashes += 1
        before = self.settlement.world
        self.settlement = self.settlement.reborn()
        self.checks.claim(self.settlement.world == before, "the record does not tell the same story")
        self._start()

    async def _operate(self) -> str:
        rng, courier = self.rng, self.manager.courier
        address, act = f"0x{rng.randrange(DESKS):02d}", rng.randrange(10)
        seen = self.settlement.seq - rng.choice((0, 0, 0, 50))
        if act == 0:
            await self.settlement.submit(commands.Halt("", "ops", "all"))
        elif act == 1:
            await self.settlement.submit(commands.Halt(address, "ops", "one"))
        elif act == 2:
            await courier.close(address, None, "ops", seen)
        elif act == 3:
            await courier.reduce(address, rng.randint(0, 1_000_000), rng.choice((None, 1)), "ops", seen)
        elif act == 4:
            await self.settlement.submit(commands.Quarantine(address, "", "ops"))
        elif act == 5:
            await self.settlement.submit(commands.Note(address, rng.choice(("", "odd")), "ops", "note"))
        else:
            for number in range(DESKS):
                last = commands.Resume if act > 7 else commands.Release
                await self.settlement.submit(last(f"0x{number:02d}", "ops", "all"))
        return ""

    def _calm(self) -> None:
        self.saboteur.quiet, self.prices.wild, self.swap.trouble, self.gas = True, False, 0.0, ""
        self.venue.calm()

    async def _evening(self) -> None:
        for number in range(DESKS):
            await self.settlement.submit(commands.Release(f"0x{number:02d}", "ops", "evening"))
        await self.manager.manage_all()
        await self.guard.check_desk_risk()
        await self.buybacks.run_creator_buyback_cycle()
        await self.buybacks.run_buyback_cycle()
        await self._market(STEPS)
        await self.manager.watch()
        await self.watch.pass_once()


def play(seed: int) -> Day:
    """A day, lived to its end, the same each time. Raises Broken."""
    day = Day(seed)
    asyncio.run(day.run())
    return day
