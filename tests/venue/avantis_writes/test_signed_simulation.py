"""Orders while everything breaks: processes die at any step, and relay and chain do not keep their word."""

import asyncio
import random
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.venue.avantis_writes.intent_house import FakeVenue, Hasty, Line, Memory, Process, routed
from tests.venue.avantis_writes.relay_stand import OPENED
from tests.venue.avantis_writes.signed_stand import CLOSING
from tests.venue.chain.fake_chain import Crash
from venue.avantis.asked import Order
from venue.avantis.direct import Done, NoEffect
from venue.avantis.intent_facts import Fact, IntentResult
from venue.avantis.intent_state import Intents, evolve
from venue.avantis.registered import Execution


async def together(*things: Awaitable[Any]) -> None:
    """Side by side, until all are over. Raises what one of them raised."""
    for raised in await asyncio.gather(*things, return_exceptions=True):
        if isinstance(raised, BaseException):
            raise raised


class Desk:
    """One process after another, over one journal and one venue."""

    def __init__(self, seed: int, door: type[Memory] = Memory) -> None:
        self.luck = random.Random(seed)
        self.venue = FakeVenue(self.luck)
        self.door = door
        self.facts: list[Fact] = []
        self.nonces = iter(range(1, 10_000))
        self.wanted = 0
        self.said: dict[str, NoEffect | Done] = {}
        self.refused: set[str] = set()
        """Of which `send` said that they have no effect."""
        self.start(self.luck)

    def start(self, luck: random.Random | None) -> None:
        process = Process(luck)
        self.memory = self.door(self.facts, process)
        line = Line(self.venue, process)
        self.route = routed(self.memory, line, line, lambda: self.venue.now, lambda: next(self.nonces))

    async def one_thing(self) -> None:
        draw = self.luck.random()
        if draw < 0.35:
            self.wanted += 1
            order_id, asked = f"o{self.wanted}", OPENED if self.luck.random() < 0.6 else CLOSING
            sends = [self.send(order_id, asked) for _ in range(self.luck.randint(1, 2))]
            await together(*sends, self.route.pass_once(), self.hear(order_id))
        elif draw < 0.6:
            self.venue.pass_time(self.luck.choice([2_000, 10_000, 40_000]))
        elif draw < 0.85:
            await self.route.pass_once()
        elif self.wanted:
            await self.hear(f"o{self.luck.randint(1, self.wanted)}")

    async def send(self, order_id: str, asked: Order) -> None:
        if await self.route.send(order_id, asked):
            self.refused.add(order_id)

    async def hear(self, order_id: str) -> None:
        """An end that was told once stays."""
        ending = await self.route.ending(order_id)
        before = self.said.get(order_id)
        assert before in (None, ending), (before, ending)
        if isinstance(ending, NoEffect | Done):
            self.said[order_id] = ending

    async def settle(self) -> None:
        """No faults any more, and time enough."""
        self.start(None)
        for _ in range(40):
            self.venue.pass_time(10_000)
            await self.route.pass_once()

    async def check(self) -> None:
        intents = Intents()
        for fact in self.facts:
            evolve(intents, fact)
        assert not intents.open
        nonces = {each.signed.nonce: order_id for order_id, each in intents.ended.items()}
        posts = [nonces[signed.intent.nonce] for signed in self.venue.posts]
        assert len(set(posts)) == len(posts)
        ends = {nonces[life.signed.intent.nonce]: life.end for life in self.venue.lives}
        done = {order_id: end for order_id, end in ends.items() if isinstance(end, Execution)}
        assert not self.refused & done.keys()
        for number in range(1, self.wanted + 1):
            await self.hear(f"o{number}")
            said = self.said[f"o{number}"]
            assert (said.execution if isinstance(said, Done) else None) == done.get(f"o{number}")


async def lived(seed: int, door: type[Memory] = Memory) -> Desk:
    desk = Desk(seed, door)
    for _ in range(120):
        try:
            await desk.one_thing()
        except Crash:
            await desk.route.aclose()
            desk.start(desk.luck)
    await desk.settle()
    await desk.check()
    return desk


@pytest.mark.parametrize("seed", range(60))
async def test_whatever_happens_each_order_happens_at_most_once_and_everything_ends(seed: int) -> None:
    await lived(seed)


async def test_the_simulation_sees_a_hand_over_that_was_not_written_down_first() -> None:
    seen = await asyncio.gather(*(lived(seed, Hasty) for seed in range(12)), return_exceptions=True)
    assert any(isinstance(each, AssertionError) for each in seen)


async def test_the_simulation_meets_every_result() -> None:
    desks = [await lived(seed) for seed in range(8)]
    said = [answer for desk in desks for answer in desk.said.values()]
    assert {"DONE" if isinstance(each, Done) else each.code for each in said} >= {each.value for each in IntentResult}
