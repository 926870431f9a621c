"""A settlement on a real journal with an index that follows it, and histories to follow."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from engine.indexing.indexer import Indexer
from engine.indexing.look import Due
from engine.indexing.rows import figures, position_row, scan
from engine.replay import fold, world_of
from engine.sections import Index
from engine.settlement import Recorded, Settlement, Start
from engine.snapshot import Snapshot
from engine.world import Command, World
from store.index import Row
from store.journal import Journal
from store.reader import Reader
from tests.engine.house import ManualClock
from tests.engine.liquidations.books import UNSTEADY
from tests.tui.scripted import market, snapshot
from venue.exchange import commands as exchange
from venue.exchange.facts import BlockAdvanced
from venue.exchange.fixed import WAD, wad
from venue.exchange.params import MarketParams
from venue.exchange.state import Exchange

TABLES = ("meta", "positions", "markets", "leverage_buckets", "liquidatable", "market_snapshots", "prices")
FOR_EVER = Index(price_days=0, block_days=0)
SEED_LITERAL = replace(MarketParams.anchored(wad("60000"), wad("300000")), max_open_move=None)
"""A shallow curve whose mark anybody may move anywhere, so that positions are liquidated."""


@dataclass(slots=True)
class Indexed:
    """What a test drives."""

    settlement: Settlement
    indexer: Indexer
    clock: ManualClock
    replayed: list[int]
    """Numbers of the facts that were shown while it recovered."""


@asynccontextmanager
async def indexed(
    directory: Path,
    options: Index = FOR_EVER,
    due: Due = scan,
    clock: ManualClock | None = None,
    start: Start | None = None,
) -> AsyncIterator[Indexed]:
    """Recovered and followed; nothing is written but by `pass_once`, and leaving is as sudden as a kill."""
    clock = clock or ManualClock()
    journal = await Journal.open(directory)
    indexer = Indexer(directory, options, clock, journal.hash_at, due)
    replayed: list[int] = []

    def shown(world: World, recorded: Sequence[Recorded]) -> None:
        replayed.extend(item.seq for item in recorded)
        indexer.follow(world, recorded)

    try:
        await indexer.open()
        settlement = Settlement(journal, clock, indexer.follow)
        await settlement.recover(shown, start)
        writer = asyncio.create_task(settlement.run())
        try:
            await indexer.begin(settlement)
            yield Indexed(settlement, indexer, clock, replayed)
        finally:
            writer.cancel()
            await asyncio.wait((writer,))
    finally:
        await indexer.close()
        await journal.close()


async def founded(run: Indexed) -> None:
    """Two markets, and somebody who pays for bad debts."""
    commands = (
        exchange.FundInsurance(wad(1_000_000)),
        exchange.ListMarket("ETH", replace(UNSTEADY, max_open_move=None)),
        exchange.ListMarket("BTC", SEED_LITERAL),
    )
    for command in commands:
        await run.settlement.submit(command)


async def trade(run: Indexed, rng: random.Random, steps: int) -> None:
    """Opens, increases, closes in part, liquidations and blocks, several in one commit; some are refused."""
    for _ in range(steps):
        some = await run.settlement.read(lambda world: [_next(rng, world.exchange) for _ in range(rng.randint(1, 6))])
        await asyncio.gather(*map(run.settlement.submit, some))
        run.clock.advance(rng.random())


def _next(rng: random.Random, state: Exchange) -> Command:
    held, what = list(state.open_positions.values()), rng.random()
    if what < 0.15 or (not held and what < 0.5):
        return exchange.AdvanceBlock(rng.choice((1, 1, 3)))
    spent = rng.randint(10, 3_000) * WAD + rng.randrange(WAD)
    leverage = Fraction(rng.randint(20, 300), 10)
    user = f"trader-{rng.randint(1, 9)}"
    if not held or what < 0.5:
        market, is_long = rng.choice(("ETH", "BTC")), rng.random() < 0.5
        return exchange.OpenPosition(
            user=user, market=market, is_long=is_long, total=spent, leverage=leverage, deposit=spent
        )
    position = rng.choice(held)
    if what < 0.6:
        return exchange.IncreasePosition(
            user=position.user_id, position_id=position.id, total=spent, leverage=leverage, deposit=spent
        )
    if what < 0.8:
        part = rng.choice((Fraction(1), Fraction(1, 3)))
        return exchange.ClosePosition(user=position.user_id, position_id=position.id, part=part)
    ready = scan(state)
    return exchange.LiquidatePosition("keeper-1", rng.choice(ready) if ready else position.id)


def tables(directory: Path) -> dict[str, list[Row]]:
    """Everything in an index, as a reader sees it."""
    return {table: ask(directory, f"SELECT * FROM {table} ORDER BY 1") for table in TABLES}  # noqa: S608


def ask(directory: Path, question: str) -> list[Row]:
    """Rows, read-only."""
    with closing(sqlite3.connect(f"file:{directory}/index.db?mode=ro", uri=True)) as connection:
        return connection.execute(question).fetchall()


def told_by(world: World) -> dict[str, list[Row]]:
    """What the tables must say, made as directly as can be."""
    state = world.exchange
    held = state.positions.values()
    return {
        "positions": [position_row(figures(each)) for each in held],
        "liquidatable": [(each,) for each in sorted(scan(state))],
        "markets": [
            (
                *(each.symbol, str(each.base_reserve), str(each.quote_reserve), str(each.mark)),
                *(str(each.long_open_interest), str(each.short_open_interest), str(each.cumulative_carry_index)),
                *(str(each.params.index_scale), each.last_funding_block),
            )
            for _, each in sorted(state.markets.items())
        ],
    }


def blocks_of(directory: Path) -> list[Row]:
    """Every market after every block, by folding the whole world."""
    found: list[Row] = []
    with Reader(directory) as reader:
        world = World()
        for entry in reader.read(2**62):
            fact = fold(world, entry)
            if isinstance(fact, BlockAdvanced):
                found += [
                    (
                        *(fact.block, each.symbol, entry.at_ms, entry.seq, str(each.mark)),
                        *(str(each.long_open_interest), str(each.short_open_interest)),
                        *(str(each.cumulative_carry_index), each.mark / WAD),
                    )
                    for _, each in sorted(world.exchange.markets.items())
                ]
    return found


def bare(rows: list[Row]) -> list[Row]:
    """Without their checksums."""
    return [row[:-1] for row in rows]


def agree(directory: Path) -> None:
    """The tables are what the journal comes to, exactly."""
    kept, world = tables(directory), world_of(directory)
    wanted = told_by(world)
    assert bare(kept["positions"]) == wanted["positions"]
    assert bare(kept["markets"]) == wanted["markets"]
    assert kept["liquidatable"] == wanted["liquidatable"]
    assert bare(kept["market_snapshots"]) == blocks_of(directory)
    with Reader(directory) as reader:
        newest = reader.newest()
        list(reader.read(newest))
        said = {row[0]: row[1] for row in kept["meta"]}
        assert (said["seq"], said["hash"]) == (str(newest), reader.mark.hash.hex())


async def settle(run: Indexed) -> None:
    """Passes until nothing is being filled in."""
    for _ in range(50):
        said = await run.indexer.pass_once()
        if "filling" not in said and said != "made anew":
            return
        await asyncio.wait_for(run.indexer.filled(), 30)
    raise AssertionError("it never ends")


def picture(at_ms: int) -> Snapshot:
    """With one market that has a price."""
    return replace(snapshot(), at_ms=at_ms, markets=(market(0),))
