"""Looking back at a journal: exact at every entry, the same whichever way one comes, and nothing made up."""

import asyncio
import pickle
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from engine import reel
from engine.bygone import Bygones
from engine.config import Settings
from engine.demo.stage import Demo
from engine.desks.state import Desk
from engine.engine import Options
from engine.exchange_rows import Side
from engine.past import Past
from engine.reel import Reel
from engine.replay import fold
from engine.replica import replica
from engine.rewind import REFUSED, Rewind
from engine.runtime import Runtime
from engine.snapshot import FeedHealth, KeeperHealth, Snapshot
from engine.world import Fact, World
from store.errors import Damaged, StoreError
from store.journal import Entry
from store.reader import entries
from tests.engine.control import halt_all
from tests.engine.journals import write
from venue.chain.state import Chain
from venue.exchange.ledger import EXTERNAL, moves
from venue.exchange.state import PositionStatus
from venue.perp import PositionRef

ENTRIES = 400


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory: Path = tmp_path_factory.mktemp("past")
    asyncio.run(write(directory, ENTRIES))
    return directory


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few stills, so that a short journal has all that a long one has."""
    monkeypatch.setattr(reel, "SHORTEST", 8)
    monkeypatch.setattr(reel, "STILLS", 6)
    monkeypatch.setattr(reel, "NEAR", 2)
    monkeypatch.setattr(reel, "COPY", 3)


@pytest.fixture
def past(state: Path, tight: None) -> Iterator[Rewind]:
    made = Rewind(state, Settings())
    yield made
    made.close()


def worlds(directory: Path) -> Iterator[World]:
    """The world behind each entry, folded from the beginning."""
    world = World()
    for entry in entries(directory):
        fold(world, entry)
        yield world


def test_the_world_is_exact_at_every_entry_in_both_directions(state: Path, tight: None) -> None:
    folded = [pickle.loads(pickle.dumps(world)) for world in worlds(state)]  # noqa: S301 - our own, a moment ago
    tape = Reel(state)
    assert len(folded) == tape.newest >= ENTRIES
    order = [*range(tape.newest, 0, -1), *range(1, tape.newest + 1)]
    order += [random.Random(3).randint(1, tape.newest) for _ in range(150)]
    for seq in order:
        assert tape.seek(seq) == folded[seq - 1], seq
        assert tape.seq == seq
    assert len(tape._stills) <= reel.STILLS
    assert tape._distance > reel.SHORTEST, "they have been thinned out"
    assert len(tape._near) <= reel.NEAR
    tape.close()


def test_pictures_are_equal_whichever_way_one_comes(past: Rewind) -> None:
    forward: dict[int, Snapshot] = {}
    for seq in range(1, past.newest + 1):
        past.go_to(seq)
        forward[seq] = past.latest()
        assert forward[seq].seq == seq
    for seq in range(past.newest, 0, -1):
        past.go_to(seq)
        assert past.latest() == forward[seq]
    for _ in range(100):
        seq = random.Random(past.seq).randint(1, past.newest)
        past.go_to(seq)
        assert past.latest() == forward[seq]
    assert forward[past.newest].funds != forward[1].funds


def test_a_copy_is_equal_and_its_own() -> None:
    world = World()
    world.exchange.requests.keepers["k"] = True
    world.wallets.pins["a"] = None  # type: ignore[assignment]
    copied = replica(world)
    assert copied == world
    for name in (field.name for field in fields(World)):
        assert getattr(copied, name) is not getattr(world, name)
    copied.exchange.requests.keepers["k"] = False
    copied.house.at_risk["ETH"] += 5
    copied.intents.nonces.add(1)
    assert world.exchange.requests.keepers == {"k": True}
    assert (world.house.at_risk["ETH"], world.intents.nonces) == (0, set())
    assert type(copied.house.at_risk) is type(world.house.at_risk)


def test_what_is_one_thing_is_one_thing_in_the_copy(state: Path) -> None:
    *_, world = worlds(state)
    copied = replica(world).exchange
    assert copied.open_positions
    for number, position in copied.open_positions.items():
        assert copied.positions[number] is position
        assert world.exchange.positions[number] is not position
    ended = [each for each in world.exchange.positions.values() if each.status is not PositionStatus.OPEN]
    assert ended
    assert all(copied.positions[each.id] is each for each in ended)


def test_a_kind_of_state_nobody_thought_of_is_refused() -> None:
    world = World()
    world.house.fee_refs = {"a": object()}  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="holds a object"):
        replica(world)


def test_times_lead_to_the_last_entry_written_by_then(past: Rewind, state: Path) -> None:
    written = [entry.at_ms for entry in entries(state)]
    assert (past.first_ms, past.last_ms) == (written[0], written[-1])
    past.go_to_time(written[0] - 5_000)
    assert (past.at_ms, past.seq) == (written[0], written.count(written[0]))
    past.go_to_time(written[200] + 1)
    assert past.seq == sum(at_ms <= written[200] for at_ms in written)
    assert past.latest().status.now_ms == written[200] + 1, "the clock goes on between two entries"
    past.go_to_time(written[-1] + 10**9)
    assert (past.at_ms, past.seq) == (written[-1], len(written))
    past.go_to(-3)
    assert (past.seq, past.at_ms) == (1, written[0])


def test_the_same_picture_is_the_same_object(past: Rewind) -> None:
    past.go_to(100)
    shown = past.latest()
    past.go_to(100)
    assert past.latest() is shown


def test_events_are_those_up_to_the_cursor(past: Rewind) -> None:
    everything = past.events(0)
    assert everything.dropped == 0
    assert [event.number for event in everything.events] == list(range(1, len(everything.events) + 1))
    for seq in (past.newest, 300, 120, 30, 2, 1):
        past.go_to(seq)
        told = sum(event.at_ms <= past.at_ms for event in everything.events)
        page = past.events(0)
        assert page.events == everything.events[: len(page.events)]
        assert told - 5 <= len(page.events) <= told, "of one moment there may be several"
        assert past.events(len(page.events)).events == ()
    past.go_to(past.newest)
    assert past.events(7).events == everything.events[7:]


@pytest.mark.parametrize(("page", "ring"), [(3, 1_000), (4, 10), (1, 7)])
async def test_packed_events_are_the_events(state: Path, monkeypatch: pytest.MonkeyPatch, page: int, ring: int) -> None:
    plainly = Rewind(state, Settings())
    everything = plainly.events(0).events
    plainly.close()
    monkeypatch.setattr("engine.bygone.PAGE", page)
    monkeypatch.setattr("engine.bygone.RING", ring)
    packed = Rewind(state, Settings())
    newest = len(everything)
    bygones: Bygones = packed._reel.bygones
    assert len(bygones._pages) == newest // page
    for last in (newest, newest - 1, newest // 2, page, 1):
        for since in (0, 1, page, last - 1, last):
            found = bygones.between(since, last)
            wanted = everything[max(since, last - ring) : last]
            assert found.events == wanted
            assert found.dropped == max(0, last - ring - since)
    packed.close()


def test_nothing_is_made_up(past: Rewind) -> None:
    seen = past.latest()
    assert seen.status.mode == "REPLAY"
    assert (seen.status.feed, seen.status.keepers, seen.status.agent) == (
        FeedHealth.UNKNOWN,
        KeeperHealth.UNKNOWN,
        "?",
    )
    assert {row.index for row in seen.markets} == {None}
    assert {row.health for row in seen.markets} == {FeedHealth.UNKNOWN}
    assert not any("feed" in alarm or "keeper" in alarm for alarm in seen.status.alarms)
    assert seen.keepers == ()
    curves = {row.symbol: row for row in seen.markets if row.mark is not None}
    assert sorted(curves) == ["BTC", "ETH"]
    assert curves["ETH"].mark == past._reel.world.exchange.markets["ETH"].mark


async def test_nothing_can_be_commanded(past: Rewind) -> None:
    info = past.info()
    assert (info.past, info.role, info.attached) == (True, "observer", True)
    receipt = await past.submit(halt_all("x"))
    assert (receipt.ok, receipt.code, receipt.command_id) == (False, REFUSED, "x")


async def test_marks_go_as_far_as_the_cursor(past: Rewind, monkeypatch: pytest.MonkeyPatch) -> None:
    points = await past.market_history("ETH", 0)
    assert len(points) > 20
    assert [point.at_ms for point in points] == sorted({point.at_ms for point in points})
    assert {point.index for point in points} == {None}
    past.go_to(200)
    earlier = await past.market_history("ETH", 0)
    assert earlier == tuple(point for point in points if point.at_ms <= past.at_ms)
    assert await past.market_history("ETH", earlier[5].at_ms) == earlier[5:]
    assert await past.market_history("NOPE", 0) == ()


def test_too_many_marks_are_thinned_out(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.bygone.MOST_POINTS", 8)
    tape = Reel(state)
    assert 4 <= len(tape.marks._series["ETH"]) <= 8
    tape.close()


def test_reading_says_how_far_it_is(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reel, "REPORT", 100)
    told: list[tuple[int, int]] = []
    tape = Reel(state, lambda read, newest: told.append((read, newest)))
    assert told == [(read, tape.newest) for read in (100, 200, 300, 400)] + [(tape.newest, tape.newest)]
    tape.close()


def test_the_work_of_a_step_is_bounded(state: Path, tight: None, monkeypatch: pytest.MonkeyPatch) -> None:
    folded = 0

    def counted(world: World, entry: Entry) -> Fact:
        nonlocal folded
        folded += 1
        return fold(world, entry)

    tape = Reel(state)
    monkeypatch.setattr(reel, "fold", counted)
    for seq in range(tape.newest - 1, 0, -1):
        folded = 0
        tape.seek(seq)
        assert folded <= tape._distance
    for seq in range(2, tape.newest):
        folded = 0
        tape.seek(seq)
        assert folded == 1
    tape.seek(tape._distance * 2 - 1)
    folded = 0
    tape.seek(tape._distance * 2 - 2)
    assert folded < reel.SHORTEST, "near the cursor there is a still closer than the next"
    tape.close()


def test_a_live_run_is_shown_as_far_as_its_journal_knows() -> None:
    world = World()
    wallet, token = "0x" + "ab" * 20, "0x" + "01" * 20
    world.wallets.chains[wallet] = Chain(address=wallet, pins=world.wallets.pins)
    desk = world.house.desks[token] = Desk(token, "PEPE", wallet=wallet)
    desk.ref = PositionRef("ETH", True, 0, 4, wallet)
    world.house.ledger.apply(moves((EXTERNAL, f"pending:{token}", 7_000_000)))
    seen = Past(Settings(), world).picture(world, 9, 1_780_000_000_000)
    (row,) = seen.desks
    assert (row.market, row.side, row.position_id, row.pending) == ("ETH", Side.LONG, 4, 7 * 10**18)
    assert (row.mark, row.entry, row.pnl, row.collateral) == (None, None, None, None)
    assert (seen.status.mode, seen.status.venue, seen.status.block) == ("REPLAY", "avantis", None)
    assert (seen.flow.wallet, seen.flow.gas, seen.flow.simulated) == (None, None, "")
    (mine,) = seen.flow.wallets
    assert (mine.address, mine.usdc, mine.gas, mine.owned, mine.fullest) == (wallet, None, None, 7 * 10**18, "ETH")


# --- damage -----------------------------------------------------------------------------------------------------------


def edit(directory: Path, statement: str) -> None:
    with closing(sqlite3.connect(directory / "perpdesk.db")) as connection:
        connection.execute("DROP TRIGGER journal_is_never_edited")
        connection.execute(statement)
        connection.commit()


async def test_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    await write(tmp_path, 60)
    edit(tmp_path, "UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 30")
    with pytest.raises(Damaged, match="entry 30 does not fit"):
        Rewind(tmp_path, Settings())


async def test_an_empty_journal_is_refused(tmp_path: Path) -> None:
    await write(tmp_path, 0)
    with pytest.raises(StoreError, match="is empty"):
        Rewind(tmp_path, Settings())


async def test_damage_that_comes_later_stops_the_tape_and_says_so(tmp_path: Path, tight: None) -> None:
    await write(tmp_path, 60)
    past = Rewind(tmp_path, Settings())
    past.go_to(10)
    shown = past.latest()
    edit(tmp_path, "UPDATE journal SET payload = '{}' WHERE seq = 30")
    for _ in range(2):
        past.go_to(30)
        assert (past.seq, past.at_ms) == (10, shown.at_ms)
        assert past.latest().desks == shown.desks
        assert ["entry 30 does not fit" in alarm for alarm in past.latest().status.alarms] == [True]
    past.go_to(9)
    assert past.seq == 9
    past.go_to(10)
    assert past.latest() == shown
    past.close()


# --- against an engine that ran ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Snapshot, Any]:
    """The last picture of a demo, once desks have opened, and its events."""
    directory: Path = tmp_path_factory.mktemp("ran")
    runtime = Runtime(Options(Settings(), directory, Demo(seed=3)))
    runtime.start()
    end = monotonic() + 60
    pulled = runtime.latest()
    while not (pulled.status.desks_open and pulled.request_counts.executed > 3):
        assert monotonic() < end, "no desk has opened"
        pulled = runtime.latest()
    runtime.stop()
    assert runtime.failure is None
    return directory, runtime.latest(), runtime.events(0)


def test_it_ends_where_the_engine_ended(ran: tuple[Path, Snapshot, Any]) -> None:
    directory, last, told = ran
    past = Rewind(directory, Settings())
    seen = past.latest()
    assert seen.seq == last.seq
    assert [desk for desk in seen.desks if desk.position_id is not None]
    for mine, theirs in zip(seen.desks, last.desks, strict=True):
        assert mine == theirs
    assert (seen.decisions, seen.liquidations, seen.queue, seen.funds) == (
        last.decisions,
        last.liquidations,
        last.queue,
        last.funds,
    )
    assert seen.request_counts == last.request_counts
    assert [(row.key, row.state, row.amount) for row in seen.requests] == [
        (row.key, row.state, row.amount) for row in last.requests
    ]
    unpriced: dict[str, Any] = {
        "priced": False,
        "value": None,
        "token_price": None,
        "traders_pnl": None,
        "reserved": None,
    }
    assert seen.pools == tuple(replace(row, **unpriced) for row in last.pools)
    assert (seen.mine.holdings, seen.flow.accounts) == (last.mine.holdings, last.flow.accounts)
    for mark, row in zip(seen.markets, last.markets, strict=True):
        assert (mark.symbol, mark.mark, mark.long_oi, mark.depth) == (row.symbol, row.mark, row.long_oi, row.depth)
        assert mark.carry_per_hour == row.carry_per_hour
    for name in ("block", "desks_open", "desks_halted", "desks_waiting", "simulated", "liquidations", "venue"):
        assert getattr(seen.status, name) == getattr(last.status, name)
    assert past.events(0) == told, "numbered as the engine numbers them"
    past.go_to(1)
    past.go_to(past.newest)
    assert past.latest() == seen
    past.close()
