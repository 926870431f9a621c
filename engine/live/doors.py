"""The settlement as the chain layer and the live venue know it."""

from collections.abc import Callable
from typing import TypeVar

from engine.settlement import Settlement
from engine.world import World
from venue.avantis.claims import Claim
from venue.chain import machine
from venue.chain.facts import Fact
from venue.chain.machine import ChainCode, Refusal
from venue.chain.state import Chain
from venue.exchange.commands import Rejection

T = TypeVar("T")


class ChainDoor:
    """The wallet's transactions in the journal."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def submit(self, command: machine.Command) -> tuple[Fact, ...] | Refusal:
        answer = await self._settlement.submit(command)
        if isinstance(answer, Rejection):
            return Refusal(ChainCode(answer.code), answer.detail)
        return tuple(fact for fact in answer if isinstance(fact, Fact))

    async def read(self, look: Callable[[Chain], T]) -> T:
        return await self._settlement.read(lambda world: look(world.chain))


def claims_of(world: World) -> tuple[Claim, ...]:
    """The positions that desks have, as the venue's watch wants them."""
    return tuple(
        Claim(desk.address, desk.ref, desk.filled_at_ms, desk.order is not None)
        for desk in world.house.desks.values()
        if desk.ref is not None
    )
