"""The wallet that holds the desks' USDC: counted, and held against the sum of what is attributed."""

from dataclasses import dataclass
from typing import Protocol

from engine.clock import Clock
from engine.desks.commands import ReconcileWallet
from engine.settlement import Settlement
from engine.text import money
from engine.world import World


@dataclass(frozen=True, slots=True)
class Balances:
    """USDC in 1e-6; `gas` in native coins of 1e-18, None where orders cost none."""

    usdc: int
    gas: int | None = None


BLIND_MS = 600_000


class Wallet(Protocol):
    """Whoever can say what the wallet holds."""

    async def balances(self) -> Balances:
        """What it holds now."""
        ...


class PaperPurse:
    """The wallet of a paper run, which the journal keeps."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def balances(self) -> Balances:
        """What it holds now; orders on paper cost no gas of the wallet's."""
        return Balances(await self._settlement.read(lambda world: world.paper.balance))


class WalletWatch:
    """Counts the wallet. A difference is booked once two counts in a row agree on it: money may be on its way; never
    where nothing is written (`writes`)."""

    def __init__(self, settlement: Settlement, wallet: Wallet, clock: Clock, *, writes: bool = True) -> None:
        self._settlement = settlement
        self._wallet = wallet
        self._clock = clock
        self._writes = writes
        self._off: int | None = None
        self.counted: Balances | None = None
        """What was found the last time; when; and what the books said then."""
        self.counted_at_ms: int | None = None
        self.books = 0
        self._blind_since_ms: int | None = None
        """Since when orders without an answer keep a difference from being seen."""

    def alarm(self, now_ms: int) -> str:
        """That the wallet has not been counted for long, and why; or nothing."""
        if self._blind_since_ms is None or now_ms - self._blind_since_ms < BLIND_MS:
            return ""
        minutes = (now_ms - self._blind_since_ms) // 60_000
        return f"wallet not counted for {minutes} min: an order has no answer"

    def _blind(self, blind: bool) -> None:
        if not blind:
            self._blind_since_ms = None
        elif self._blind_since_ms is None:
            self._blind_since_ms = self._clock.now_ms()

    async def pass_once(self) -> str:
        """One count, and what follows from it."""
        found = self.counted = await self._wallet.balances()
        self.counted_at_ms = self._clock.now_ms()
        held, unanswered, leaving = await self._settlement.read(_books)
        self.books = held
        off = found.usdc - held
        hidden = 0 < off <= unanswered
        self._blind(leaving or hidden)
        if leaving:
            self._off = None
            return "a payout is on its way; counted again later"
        off = 0 if hidden else off
        if off and off == self._off and self._writes:
            await self._settlement.submit(ReconcileWallet(off))
        self._off = off
        return f"{money(found.usdc)} USDC counted, {money(off)} off"


def _books(world: World) -> tuple[int, int, bool]:
    """What should be held, what orders may not have spent yet, and whether a payout may be on its way."""
    house = world.house
    leaving = any(desk.order and not desk.order.kind.adds_risk for desk in house.desks.values())
    return house.held(), house.unanswered(), leaving
