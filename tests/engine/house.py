"""A real settlement on a real journal, with a clock the test owns."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine.desks import commands as desks
from engine.desks.manager import DeskManager
from engine.keepers.notes import Notes
from engine.keepers.requests import RequestKeeper
from engine.liquidations.book import LiquidationBook
from engine.settlement import Recorded, Settlement
from engine.world import Command, Fact, World
from store.journal import Journal
from venue.exchange import commands as exchange
from venue.exchange.commands import Rejection
from venue.exchange.fixed import wad
from venue.exchange.params import MarketParams
from venue.exchange.pool.units import TokenPrice
from venue.exchange.requests.commands import RegisterKeeper
from venue.exchange.tokens import TOKENS, priced

TOKEN = "0x" + "a1" * 20
OTHER = "0x" + "b2" * 20


class ManualClock:
    """Stands still until it is moved; sleepers wake when their time has come."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._start_ms = self._now_ms = now_ms
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self.slept: list[float] = []
        self.asleep = asyncio.Event()

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return (self._now_ms - self._start_ms) / 1000

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.asleep.set()
        woken = asyncio.Event()
        self._sleepers.append((self.monotonic() + seconds, woken))
        await woken.wait()

    def advance(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)
        for due, woken in self._sleepers:
            if due <= self.monotonic():
                woken.set()


class FixedPrices:
    """Prices the test sets: whole USD and a half-width, stamped by the clock."""

    def __init__(self, clock: ManualClock, **usd: str) -> None:
        self._clock = clock
        self.usd = usd
        self.spread = "0"
        self.age_ms = 0

    def one(self, name: str) -> TokenPrice | None:
        if name not in self.usd:
            return None
        return priced(TOKENS[name], wad(self.usd[name]), wad(self.spread), self._clock.now_ms() - self.age_ms)

    def of(self, tokens: Iterable[str]) -> tuple[TokenPrice, ...]:
        return tuple(price for token in tokens if (price := self.one(token)) is not None)


def keeper(
    settlement: Settlement,
    prices: FixedPrices | None = None,
    account: str = "keeper-1",
    **options: Any,
) -> RequestKeeper:
    """A keeper on a clock of its own, or on that of its prices."""
    clock = prices._clock if prices else ManualClock()
    return RequestKeeper(settlement, prices or FixedPrices(clock), clock, account, Notes(), **options)


async def kept(settlement: Settlement, desks: DeskManager | None = None) -> None:
    """One keeper pass, and the desks look at what it did."""
    await done(settlement, RegisterKeeper("keeper-1"))
    await keeper(settlement).pass_once()
    if desks:
        await desks.courier.watch()


@asynccontextmanager
async def settled(
    directory: Path,
    clock: ManualClock | None = None,
    published: list[Recorded] | None = None,
    book: LiquidationBook | None = None,
) -> AsyncIterator[Settlement]:
    """A recovered settlement whose writer runs; leaving is as sudden as a kill, because nothing is flushed.

    `published` and `book`, of a journal that is new, follow what is committed.
    """

    def publish(world: World, items: Sequence[Recorded]) -> None:
        if published is not None:
            published.extend(items)
        if book is not None:
            for item in items:
                book.follow(world.exchange, item.fact)

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


async def enrolled(settlement: Settlement, fees: int = 0, address: str = TOKEN, reserve: int = 0) -> None:
    """A desk, with fees (micro-dollars) if any, of whose perp leg `reserve` (1e-6) is kept back."""
    await done(settlement, desks.EnrollToken(address, "PEPE"))
    if fees:
        await done(settlement, desks.BookFees(address, "f1", fees, reserve))
