"""The index says what the exchange says, of one fact, as long as nothing is wrong with its file."""

import asyncio
import random
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest

from engine.history import History
from engine.indexing.fill import blocks
from engine.indexing.rebuild import rebuild
from engine.indexing.waiting import Gap
from engine.replay import world_of
from engine.sections import Index
from engine.settlement import Recorded, Start, StoreFailed
from engine.world import Command, World
from store.index import Row
from store.reader import Reader
from tests.engine.house import done
from tests.engine.indexed import agree, ask, blocks_of, founded, indexed, picture, settle, tables, trade
from tests.tui.scripted import market, snapshot
from venue.exchange.commands import AdvanceBlock, OpenPosition
from venue.exchange.facts import BlockAdvanced
from venue.exchange.fixed import WAD, wad
from venue.exchange.health import health
from venue.exchange.state import Exchange


@pytest.mark.parametrize("seed", range(4))
async def test_the_tables_are_the_exchange_after_any_history(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    async with indexed(tmp_path) as run:
        await founded(run)
        for _ in range(6):
            await trade(run, rng, 15)
            await run.indexer.pass_once()
            agree(tmp_path)
    world = world_of(tmp_path)
    assert world.exchange.liquidations > 0, "the history has everything in it"
    assert tables(tmp_path)["liquidatable"] or seed != 0


@pytest.mark.parametrize("seed", range(4))
async def test_health_is_computed_when_it_is_asked_for(tmp_path: Path, seed: int) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(seed), 80)
        await run.indexer.pass_once()
    exchange = world_of(tmp_path).exchange
    rows = ask(
        tmp_path,
        "SELECT position_id, mark, notional, margin, pnl, carry, equity_if_closed, current_leverage, buffer_ratio, "
        "is_liquidatable FROM position_health ORDER BY position_id",
    )
    assert [row[0] for row in rows] == sorted(exchange.open_positions)
    for row in rows:
        _same(row, exchange)


def _same(row: Row, exchange: Exchange) -> None:
    """To 1e-9: ratios of themselves, sums of what they are sums of."""
    position = exchange.open_positions[int(str(row[0]))]
    curve = exchange.markets[position.market]
    state = health(curve, position)
    notional = Fraction(position.base_size * curve.quote_reserve, curve.base_reserve)
    leaving = state.exit
    assert row[1:4] == pytest.approx((curve.mark / WAD, float(notional / WAD), position.margin / WAD), rel=1e-9)
    sums = (leaving.pnl_trade / WAD, leaving.pnl_carry / WAD, leaving.equity / WAD)
    assert row[4:7] == pytest.approx(sums, rel=1e-9, abs=1e-9 * float(notional / WAD))
    assert row[7] == pytest.approx(float(notional / position.margin), rel=1e-9)
    assert row[8:] == (float(state.buffer), int(state.liquidatable))


async def test_a_block_is_shown_as_it_was_left_though_more_was_committed_with_it(tmp_path: Path) -> None:
    opening = OpenPosition(user="a", market="ETH", is_long=True, total=wad(900), leverage=Fraction(5), deposit=wad(900))
    async with indexed(tmp_path) as run:
        await founded(run)
        together: tuple[Command, ...] = (opening, AdvanceBlock(), opening, AdvanceBlock(), opening)
        await asyncio.gather(*map(run.settlement.submit, together))
        with Reader(tmp_path) as reader:
            assert len({entry.at_ms for entry in reader.read(100)}) == 1
        await run.indexer.pass_once()
    agree(tmp_path)
    interest = [int(str(row[5])) for row in tables(tmp_path)["market_snapshots"] if row[1] == "ETH"]
    assert interest[1] == pytest.approx(2 * interest[0], rel=1e-2)


async def test_what_is_rebuilt_is_what_was_kept(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        run.indexer.take(snapshot())
        for seed in range(3):
            await trade(run, random.Random(seed), 25)
            await run.indexer.pass_once()
    kept = tables(tmp_path)
    assert kept["prices"]
    told: list[tuple[int, int]] = []
    found = rebuild(tmp_path, 0, lambda done, of: told.append((done, of)))
    assert tables(tmp_path) == kept
    assert told[-1] == (found.seq, found.seq)
    (tmp_path / "index.db").unlink()
    rebuild(tmp_path, 0, lambda done, of: None)
    assert tables(tmp_path) == kept | {"prices": []}


async def test_a_kill_between_two_batches_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    rng = random.Random(5)
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, rng, 20)
        await run.indexer.pass_once()
        await trade(run, rng, 20)
    async with indexed(tmp_path) as run:
        await trade(run, rng, 5)
        assert "filling" not in await run.indexer.pass_once(), "all that was missing was shown again"
        agree(tmp_path)


async def test_a_stop_between_a_look_and_its_answer_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look has been taken and the task that asked for it is cancelled before it goes on: what was to be written
    must be in the last pass."""
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(9), 30)
        passing = asyncio.create_task(run.indexer.pass_once())
        due = run.indexer._due

        def looked_at(exchange: Exchange) -> Iterable[int]:
            asyncio.get_running_loop().call_soon(passing.cancel)
            return due(exchange)

        monkeypatch.setattr(run.indexer, "_due", looked_at)
        with pytest.raises(asyncio.CancelledError):
            await passing
        monkeypatch.setattr(run.indexer, "_due", due)
        await run.indexer.flush()
    agree(tmp_path)
    assert tables(tmp_path)["positions"]


async def test_a_stop_while_it_is_made_anew_leaves_none_that_lacks_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(9), 30)
        await run.indexer.pass_once()
        (tmp_path / "index.db").unlink()
        passing = asyncio.create_task(run.indexer.pass_once())
        made_anew = run.indexer.file.anew

        async def anew() -> None:
            await made_anew()
            asyncio.get_running_loop().call_soon(passing.cancel)

        monkeypatch.setattr(run.indexer.file, "anew", anew)
        with pytest.raises(asyncio.CancelledError):
            await passing
        await run.indexer.flush()
    assert not tables(tmp_path)["positions"]
    async with indexed(tmp_path) as run:
        await run.indexer.pass_once()
    agree(tmp_path)


async def test_a_start_from_a_snapshot_that_is_newer_than_the_index_fills_it_in(tmp_path: Path) -> None:
    rng = random.Random(6)
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, rng, 10)
        await run.indexer.pass_once()
        await trade(run, rng, 30)
    with Reader(tmp_path) as reader:
        list(reader.read(2**62))
        mark = reader.mark
    async with indexed(tmp_path, start=Start(mark, 0, world_of(tmp_path))) as run:
        assert run.replayed == []
        await settle(run)
        agree(tmp_path)
        await trade(run, rng, 10)
        await run.indexer.pass_once()
        agree(tmp_path)


@pytest.mark.parametrize("seqs", [(3,), (1, 3), (2, 4), (1,)])
async def test_a_fact_that_is_missing_ends_it(tmp_path: Path, seqs: tuple[int, ...]) -> None:
    async with indexed(tmp_path) as run:
        await done(run.settlement, AdvanceBlock())
        wrong = [Recorded(seq, 0, BlockAdvanced(2, ())) for seq in seqs]
        with pytest.raises(StoreFailed, match=r"fact \d was followed by fact \d: some are missing") as failed:
            run.indexer.follow(World(), wrong)
        assert failed.value.code == "FACT_GAP"


async def test_a_gap_stops_the_writer_with_that_line(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await done(run.settlement, AdvanceBlock())
        run.indexer.follow(World(), [Recorded(2, 0, BlockAdvanced(2, ()))])
        with pytest.raises(StoreFailed, match="fact 2 was followed by fact 2"):
            await run.settlement.submit(AdvanceBlock())
        with pytest.raises(StoreFailed) as failed:
            await run.settlement.submit(AdvanceBlock())
        assert failed.value.code == "FACT_GAP"


async def test_what_is_old_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.indexing.file.PRUNED_AT_ONCE", 3)
    monkeypatch.setattr("engine.indexing.indexer.PRUNED_AT_ONCE", 3)
    day = 86_400
    async with indexed(tmp_path, Index(price_days=2, block_days=1)) as run:
        await founded(run)
        for _ in range(4):
            for _ in range(5):
                await run.settlement.submit(AdvanceBlock())
                run.indexer.take(picture(run.clock.now_ms()))
                run.clock.advance(10)
            await run.indexer.pass_once()
            run.clock.advance(day)
        for _ in range(40):
            await run.indexer.pass_once()
        now_ms = run.clock.now_ms()
    assert ask(tmp_path, "SELECT * FROM market_snapshots") == []
    ages = [now_ms - int(str(row[0])) for row in ask(tmp_path, "SELECT DISTINCT at_ms FROM prices")]
    assert len(ages) == 5
    assert max(ages) <= 2 * day * 1000


async def test_prices_are_sampled_at_their_pace_and_survive_a_damaged_file(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        for step in range(0, 60_000, 200):
            run.indexer.take(picture(1_700_000_000_000 + step))
        await run.indexer.pass_once()
    found = tables(tmp_path)["prices"]
    row = market(0)
    assert [each[0] for each in found] == list(range(1_700_000_000_000, 1_700_000_060_000, 10_000))
    assert {each[2:5] for each in found} == {(str(row.index), str(row.conf), str(row.mark))}
    with closing(sqlite3.connect(tmp_path / "index.db")) as connection:
        connection.execute("UPDATE prices SET mark = '1' WHERE at_ms = 1700000010000")
        connection.commit()
    async with indexed(tmp_path) as run:
        await settle(run)
    assert tables(tmp_path)["prices"] == [found[0], *found[2:]], "all but the one that cannot be believed"


async def test_charts_have_their_past_back(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        for _ in range(30):
            await run.settlement.submit(AdvanceBlock())
            run.indexer.take(picture(run.clock.now_ms()))
            run.clock.advance(10)
        await run.indexer.pass_once()
    history, row = History(), market(0)
    async with indexed(tmp_path, clock=run.clock) as run:
        now_ms = run.clock.now_ms()
        history.take(picture(now_ms))
        history.restore(await run.indexer.past())
        run.clock.advance(90_000)
        assert await run.indexer.past() == {}
    *older, newest = history.since("ETH", 0)
    assert newest.at_ms == now_ms
    assert 5 <= len(older) <= 6
    assert [point.at_ms // 60_000 for point in older] == sorted({point.at_ms // 60_000 for point in older})
    assert {(point.index, point.conf, point.mark, point.long_oi) for point in older} == {
        (row.index, row.conf, row.mark, 0)
    }


async def test_switched_off_it_touches_nothing(tmp_path: Path) -> None:
    async with indexed(tmp_path, Index(enabled=False)) as run:
        await founded(run)
        assert run.indexer.workers(0) == ()
        await run.indexer.flush()
    assert not (tmp_path / "index.db").exists()


async def test_the_child_reads_what_the_engine_would_have_noted(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(9), 60)
    everything = blocks_of(tmp_path)
    assert set(blocks(tmp_path, Gap(0, 10**9), 0)) == set(everything)
    middle = everything[len(everything) // 2]
    seq, at_ms = int(str(middle[3])), int(str(middle[2]))
    some = list(blocks(tmp_path, Gap(seq - 1, seq), 0))
    assert {row[3] for row in some} == {seq}
    assert all(int(str(row[2])) >= at_ms for row in blocks(tmp_path, Gap(0, 10**9), at_ms))


async def test_the_documented_queries_have_answers(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, random.Random(3), 40)
        await run.indexer.pass_once()
    page = (Path(__file__).parents[2] / "docs" / "index.md").read_text()
    asked = [each for block in page.split("```sql")[1:] for each in block.split("```")[0].split(";")[:-1]]
    assert len(asked) == 4
    for question in asked:
        rows = ask(tmp_path, question)
        assert rows
        assert None not in rows[0]
