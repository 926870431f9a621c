"""From the start of an engine to its being ready, on a long journal, with a snapshot of it and without.

The journal is the machine's own answer to real commands: `OPEN` positions stand, others have been opened, cut and
closed, by requests that a keeper executed, among fees, halts and blocks of carry. The snapshot is as old as it gets
before the next is begun: `ENOUGH` facts are behind it, and must be folded.
"""

import asyncio
import gc
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine import codec, logs
from engine.config import Settings
from engine.desks import commands as desks
from engine.engine import Options
from engine.runtime import Runtime
from engine.stills.make import make
from engine.stills.maker import ENOUGH
from engine.world import Command, World, decide, evolve
from store.journal import Journal
from tests.bench.report import report, timed
from venue.exchange import commands as exchange
from venue.exchange.commands import Rejection
from venue.exchange.fixed import wad
from venue.exchange.paper_quotes import command_of
from venue.exchange.params import MarketParams
from venue.exchange.requests.book import RequestRules
from venue.exchange.requests.commands import ExecuteRequest, FoundExchange, RegisterKeeper
from venue.exchange.requests.request import Kind
from venue.exchange.state import Position
from venue.perp import CloseOrder, OpenOrder, Order, PositionRef, ReduceOrder

FACTS = 1_000_000
OPEN = 10_000
BEGIN_MS = 1_780_000_000_000
STEP_MS = 50
BATCH = 2_000
TENTH = 10**5
"""Of a position, as orders say it."""
_DESKS = tuple(f"0x{number:040x}" for number in range(1, 51))
_MARKETS = {"ETH": "2000", "BTC": "60000", "SOL": "150"}
_KEEPER = "keeper-1"
Transaction = tuple[int, list[tuple[str, str]]]
"""When, and its rows for the journal."""


class _History:
    """Commands one after the other, each on the world that the ones before have left."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.world = World()
        self.now_ms = BEGIN_MS
        self.seq = 0
        self._number = 0

    def transactions(self) -> Iterator[Transaction]:
        """One after another, for ever."""
        rows: list[tuple[str, str]] = []
        for command in self._commands():
            rows += self._done(command)
            if len(rows) >= BATCH:
                yield self.now_ms, rows
                rows = []
                self.now_ms += STEP_MS

    def _done(self, command: Command) -> list[tuple[str, str]]:
        facts = decide(self.world, command)
        if isinstance(facts, Rejection):
            return []
        for fact in facts:
            self.seq += 1
            evolve(self.world, fact, self.seq, self.now_ms)
        return [codec.encode(fact) for fact in facts]

    def _commands(self) -> Iterator[Command]:
        yield FoundExchange("bench", RequestRules())
        yield RegisterKeeper(_KEEPER)
        yield exchange.FundInsurance(wad(10**9))
        for symbol, price in _MARKETS.items():
            yield exchange.ListMarket(symbol, MarketParams.anchored(wad(price), wad(10**11)))
        for number, address in enumerate(_DESKS):
            yield desks.EnrollToken(address, f"TOK{number}")
        while True:
            yield from self._next()

    def _next(self) -> Iterator[Command]:
        what, address = self._random.random(), self._random.choice(_DESKS)
        self._number += 1
        if what < 0.02:
            yield exchange.AdvanceBlock(1)
        elif what < 0.15:
            fees = self._random.randint(10**5, 10**7)
            yield desks.BookFees(address, f"f{self._number:09}", fees, 100_000)
        elif what < 0.16:
            halted = self.world.house.desks[address].halted
            command = f"c{self._number}"
            yield desks.Resume(address, "ops", command) if halted else desks.Halt(address, "ops", command)
        else:
            yield from self._traded(self._order(what))

    def _order(self, what: float) -> Order:
        held = self.world.exchange.open_positions
        name = f"o{self._number}"
        if len(held) > OPEN or (held and what < 0.4):
            position = self._one_of(held)
            ref = PositionRef(position.market, position.is_long, 0, position.id)
            account = position.user_id
            if len(held) > OPEN or self._random.random() < 0.5:
                return CloseOrder(name, account, ref)
            return ReduceOrder(name, account, ref, self._random.randint(1, 9) * TENTH)
        account, market = f"trader-{self._random.randrange(3_000)}", self._random.choice(tuple(_MARKETS))
        long, spent = self._random.random() < 0.5, self._random.randint(100, 2_000) * 10**6
        return OpenOrder(name, account, market, long, spent, self._random.randint(2, 8) * 10**18)

    def _one_of(self, held: dict[int, Position]) -> Position:
        """Any of those that are open, without making a list of all of them."""
        newest = self.world.exchange.next_position_id
        while True:
            found = held.get(self._random.randrange(max(1, newest - 4 * OPEN), newest))
            if found:
                return found

    def _traded(self, order: Order) -> Iterator[Command]:
        """Asked for, and executed in the next block."""
        yield command_of(self.world.exchange, order, "", 0, self.now_ms)
        key = self.world.exchange.requests.by_client.get(order.order_id)
        if key:
            yield ExecuteRequest(Kind.ORDER, key, _KEEPER, (), self.now_ms)


async def _write(directory: Path, history: _History, transactions: Iterator[Transaction], until: int) -> None:
    journal = await Journal.open(directory)
    try:
        async for _ in journal.replay():
            pass
        while history.seq < until:
            at_ms, rows = next(transactions)
            await journal.append(rows, at_ms)
    finally:
        await journal.close()


def ready(directory: Path) -> float:
    """Seconds from the start of an engine, in a process of its own that has loaded its code, to its being ready."""
    for path in directory.glob("index.db*"):
        path.unlink()
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.recovery", str(directory)], stdout=subprocess.PIPE, text=True, check=True
    )
    return float(run.stdout)


def snapshot() -> None:
    """Recovery of a million facts."""
    gc.disable()
    history = _History(1)
    transactions = history.transactions()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        asyncio.run(_write(directory, history, transactions, FACTS - ENOUGH))
        make(directory, lambda why: None)
        asyncio.run(_write(directory, history, transactions, FACTS))
        held, ended = len(history.world.exchange.open_positions), len(history.world.exchange.positions)
        del history, transactions
        gc.enable()
        gc.collect()
        with_it = ready(directory)
        for path in directory.glob("perpdesk.still-*"):
            path.unlink()
        without = ready(directory)
    case = f"{FACTS:,} facts, {held:,} positions open of {ended:,}"
    report("recovery.snapshot", case, with_it, "s", "the same without", without)


def _start(directory: Path) -> None:
    settings = Settings.model_validate({"pyth": {"url": "http://127.0.0.1:9"}, "exchange": {"markets": list(_MARKETS)}})
    logs.setup(directory / "perpdesk.log")
    runtime = Runtime(Options(settings, directory))
    seconds = timed(runtime.start)
    runtime.stop()
    sys.stdout.write(f"{seconds}\n")


if __name__ == "__main__":
    _start(Path(sys.argv[1]))
