"""A real settlement on a real journal, with a clock the test owns."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from engine.desks import commands as desks
from engine.settlement import Recorded, Settlement
from engine.world import Command, Fact
from store.journal import Journal
from venue.exchange import commands as exchange
from venue.exchange.commands import Rejection
from venue.exchange.fixed import wad
from venue.exchange.params import MarketParams

TOKEN = "0x" + "a1" * 20
OTHER = "0x" + "b2" * 20


class ManualClock:
    """Stands still until it is moved; sleepers wake when their time has come."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._start_ms = self._now_ms = now_ms
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return (self._now_ms - self._start_ms) / 1000

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        woken = asyncio.Event()
        self._sleepers.append((self.monotonic() + seconds, woken))
        await woken.wait()

    def advance(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)
        for due, woken in self._sleepers:
            if due <= self.monotonic():
                woken.set()


@asynccontextmanager
async def settled(
    directory: Path, clock: ManualClock | None = None, published: list[Recorded] | None = None
) -> AsyncIterator[Settlement]:
    """A recovered settlement whose writer runs; leaving is as sudden as a kill, because nothing is flushed."""

    def publish(items: Sequence[Recorded]) -> None:
        if published is not None:
            published.extend(items)

    journal = await Journal.open(directory)
    try:
        settlement = Settlement(journal, clock or ManualClock(), publish)
        await settlement.recover()
        writer = asyncio.create_task(settlement.run())
        try:
            yield settlement
        finally:
            writer.cancel()
            await asyncio.wait((writer,))
    finally:
        await journal.close()


async def done(settlement: Settlement, command: Command) -> tuple[Fact, ...]:
    """The facts of a command that must be accepted."""
    answer = await settlement.submit(command)
    assert not isinstance(answer, Rejection), answer
    return answer


async def listed(settlement: Settlement, *symbols: str, price: str = "2000", depth: str = "5000000") -> None:
    """Markets with curves anchored at `price`."""
    for symbol in symbols:
        await done(settlement, exchange.ListMarket(symbol, MarketParams.anchored(wad(price), wad(depth))))


async def enrolled(settlement: Settlement, fees: int = 0, address: str = TOKEN) -> None:
    """A desk, with fees (micro-dollars) if any."""
    await done(settlement, desks.EnrollToken(address, "PEPE"))
    if fees:
        await done(settlement, desks.BookFees(address, "f1", fees))
