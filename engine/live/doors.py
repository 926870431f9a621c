"""The settlement as the chain layer and the live venue know it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from engine.settlement import Settlement
from engine.world import World
from venue.avantis import intent_facts, intent_log
from venue.avantis.claims import Claim
from venue.avantis.intent_state import Intents
from venue.chain import machine
from venue.chain.facts import Fact
from venue.chain.machine import ChainCode, Refusal
from venue.chain.state import Chain
from venue.chain.wallets import Of
from venue.exchange.commands import Rejection

T = TypeVar("T")


class ChainDoor:
    """One wallet's transactions in the journal, and what all believe of contracts."""

    def __init__(self, settlement: Settlement, wallet: str) -> None:
        self._settlement = settlement
        self._wallet = wallet

    async def submit(self, command: machine.Command) -> tuple[Fact, ...] | Refusal:
        answer = await self._settlement.submit(Of(self._wallet, command))
        if isinstance(answer, Rejection):
            return Refusal(ChainCode(answer.code), answer.detail)
        return tuple(fact for fact in answer if isinstance(fact, Fact))

    async def read(self, look: Callable[[Chain], T]) -> T:
        return await self._settlement.read(lambda world: look(world.wallets.of(self._wallet)))


class IntentDoor:
    """The signed intents of all wallets in the journal."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def submit(self, command: intent_log.Command) -> tuple[intent_facts.Fact, ...] | intent_log.Refusal:
        answer = await self._settlement.submit(command)
        if isinstance(answer, Rejection):
            return intent_log.Refusal(intent_log.LogCode(answer.code), answer.detail)
        return tuple(fact for fact in answer if isinstance(fact, intent_facts.Fact))

    async def read(self, look: Callable[[Intents], T]) -> T:
        return await self._settlement.read(lambda world: look(world.intents))


@dataclass(frozen=True, slots=True)
class Doors:
    """What one wallet does, in the journal."""

    chain: ChainDoor
    intents: IntentDoor


def doors_of(settlement: Settlement, wallet: str) -> Doors:
    """Over one journal."""
    return Doors(ChainDoor(settlement, wallet), IntentDoor(settlement))


def claims_of(world: World, wallet: str) -> tuple[Claim, ...]:
    """The positions that desks have in one wallet, as its watch names them."""
    return tuple(
        Claim(desk.address, replace(desk.ref, wallet=""), desk.filled_at_ms, desk.order is not None)
        for desk in world.house.desks.values()
        if desk.ref is not None and desk.wallet == wallet
    )
