"""An audit finds what was tampered with, whatever it is, and says nothing of what is sound."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from engine.audit import Report, _Audit, audit, caught_up
from engine.desks.accounts import deployed, in_flight
from engine.indexing import waiting
from engine.indexing.rebuild import rebuild
from engine.replay import world_of
from engine.sound import faults
from engine.stills import world as frozen
from engine.stills.make import make
from engine.world import World
from store import stills
from store.errors import Damaged
from tests.engine.indexed import founded, indexed, trade
from tests.engine.journals import write
from venue.exchange.ledger import INSURANCE, TRADE_FUND
from venue.exchange.state import PositionStatus

ENTRIES = 600


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory: Path = tmp_path_factory.mktemp("state")
    asyncio.run(write(directory, ENTRIES))
    return directory


@pytest.fixture
def world(state: Path) -> World:
    return world_of(state)


def found(report: Report) -> dict[str, bool]:
    return {each.check: each.ok for each in report.findings}


def test_a_sound_directory_has_no_faults(state: Path) -> None:
    report = audit(state)
    assert report.ok
    assert [each.cases for each in report.findings if each.check in ("chain", "fold")] == [report.mark.seq] * 2
    assert report.world == world_of(state)


def any_open(world: World) -> int:
    return next(iter(world.exchange.open_positions))


def some_desk(world: World) -> str:
    return next(iter(world.house.desks))


def _create(world: World) -> None:
    world.exchange.ledger.balances[INSURANCE] += 1


def _overdraw(world: World) -> None:
    world.exchange.ledger.balances[TRADE_FUND] -= 10**30
    world.exchange.ledger.balances[INSURANCE] += 10**30


def _end(world: World) -> None:
    world.exchange.positions[any_open(world)].status = PositionStatus.CLOSED


def _double(world: World) -> None:
    number = any_open(world)
    world.exchange.open_positions[number] = replace(world.exchange.open_positions[number])


def _grow(world: World) -> None:
    world.exchange.open_positions[any_open(world)].entry_notional += 1


def _interest(world: World) -> None:
    world.exchange.markets["ETH"].short_open_interest += 1


def _base(world: World) -> None:
    world.exchange.markets["ETH"].long_base -= 1


def _reuse(world: World) -> None:
    world.exchange.next_position_id = 1


def _strip(world: World) -> None:
    position = world.exchange.open_positions[any_open(world)]
    position.margin = 0


def _lose(world: World) -> None:
    house = world.house
    account = next(account for account, amount in house.ledger.balances.items() if amount > 10)
    house.ledger.balances[account] -= 10
    house.ledger.balances[deployed(some_desk(world))] = 10


def _forget(world: World) -> None:
    house = world.house
    account = next(account for account, amount in house.ledger.balances.items() if amount > 10)
    house.ledger.balances[account] -= 10
    house.ledger.balances[in_flight(some_desk(world))] = 10


def _drain(world: World) -> None:
    world.exchange.markets["BTC"].quote_reserve = 0


TAMPERED: dict[str, Callable[[World], None]] = {
    "clearinghouse sums to 1": _create,
    "trade_fund of the clearinghouse holds -": _overdraw,
    "are open in one list only": _end,
    "is not one thing": _double,
    "its positions sum to": _grow,
    "ETH short is": _interest,
    "ETH base is": _base,
    "the next position would be 1": _reuse,
    "has no size, no notional or no margin": _strip,
    "has 10 deployed and no position": _lose,
    "has 10 in flight and no order": _forget,
    "BTC has an empty reserve": _drain,
}


@pytest.mark.parametrize(("words", "tamper"), TAMPERED.items(), ids=[each.__name__ for each in TAMPERED.values()])
def test_a_world_that_was_tampered_with_is_not_sound(world: World, words: str, tamper: Callable[[World], None]) -> None:
    assert list(faults(world)) == []
    tamper(world)
    told = list(faults(world))
    assert any(words in fault for fault in told), told


def test_a_snapshot_is_compared_with_the_fold(state: Path, tmp_path: Path) -> None:
    copy = tmp_path / "state"
    copy.mkdir()
    for path in state.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    make(copy, pytest.fail)
    (path,) = stills.found(copy)
    report = audit(copy)
    assert report.ok
    assert next(each.cases for each in report.findings if each.check == "snapshots") == 1
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))
    assert [check for check, ok in found(audit(copy)).items() if not ok] == ["snapshots"]


def test_an_index_is_compared_with_the_fold(state: Path, tmp_path: Path) -> None:
    copy = tmp_path / "state"
    copy.mkdir()
    for name in ("perpdesk.db", "perpdesk.head"):
        (copy / name).write_bytes((state / name).read_bytes())
    rebuild(copy, 0, lambda _done, _of: None)
    report = audit(copy)
    assert report.ok
    assert next(each.cases for each in report.findings if each.check == "index") == 1
    with closing(sqlite3.connect(copy / "index.db")) as connection:
        connection.execute("INSERT INTO liquidatable VALUES (7)")
        connection.commit()
    assert [fault for each in audit(copy).findings for fault in each.faults] == [
        "index.db: 1 rows of liquidatable are not what the entries fold to"
    ]
    with closing(sqlite3.connect(copy / "index.db")) as connection:
        connection.execute("DELETE FROM liquidatable")
        connection.execute("UPDATE positions SET margin = '1' WHERE id = 3")
        connection.commit()
    assert [check for check, ok in found(audit(copy)).items() if not ok] == ["index"]


async def test_an_index_that_is_being_written_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running engine writes many positions in pieces: until the last, some rows are newer than the fact it names."""
    rng = random.Random(1)
    async with indexed(tmp_path) as run:
        await founded(run)
        await trade(run, rng, 15)
        await run.indexer.pass_once()
        assert (audit(tmp_path).ok, notes(audit(tmp_path))) == (True, [])
        await trade(run, rng, 15)
        monkeypatch.setattr(waiting, "PIECE", 1)
        assert not await run.indexer._write_piece()
        report = audit(tmp_path)
        assert [fault for each in report.findings for fault in each.faults] == []
        assert notes(report) == ["index.db: being written; not compared"]
        await run.indexer.pass_once()
        assert (audit(tmp_path).ok, notes(audit(tmp_path))) == (True, [])


def test_an_index_that_is_made_anew_meanwhile_is_no_fault(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine that makes it creates the file before it is an index."""
    path = copy / "index.db"
    path.touch()
    assert [check for check, ok in found(audit(copy)).items() if not ok] == ["index"]
    newest = _Audit.newest

    def meanwhile(self: _Audit) -> int:
        path.unlink()
        rebuild(copy, 0, lambda _done, _of: None)
        return newest(self)

    monkeypatch.setattr(_Audit, "newest", meanwhile)
    report = audit(copy)
    assert report.ok
    assert notes(report) == ["index.db: made anew meanwhile; not compared"]


@pytest.fixture
def copy(state: Path, tmp_path: Path) -> Path:
    directory = tmp_path / "copy"
    directory.mkdir()
    for name in ("perpdesk.db", "perpdesk.head"):
        (directory / name).write_bytes((state / name).read_bytes())
    return directory


@pytest.fixture
def shorter(tmp_path: Path) -> Path:
    """A journal that begins as the other does."""
    directory = tmp_path / "shorter"
    directory.mkdir()
    asyncio.run(write(directory, ENTRIES // 2))
    return directory


def notes(report: Report) -> list[str]:
    return [note for each in report.findings for note in each.notes]


def test_a_snapshot_that_is_pruned_meanwhile_is_no_fault(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(copy, pytest.fail)
    there = stills.found(copy)
    there[0].unlink()
    monkeypatch.setattr(stills, "found", lambda _directory: there)
    assert audit(copy).ok


def test_a_snapshot_of_another_perpdesk_is_not_compared(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(copy, pytest.fail)
    (path,) = stills.found(copy)
    monkeypatch.setattr(frozen, "fingerprint", lambda: bytes(32))
    report = audit(copy)
    assert report.ok
    assert next(each.cases for each in report.findings if each.check == "snapshots") == 0
    assert notes(report) == [f"{path}: made by another perpdesk; not compared"]


def test_a_snapshot_of_entries_that_are_not_there_says_that_the_journal_was_cut(copy: Path, shorter: Path) -> None:
    make(copy, pytest.fail)
    (path,) = stills.found(copy)
    path.rename(shorter / path.name)
    report = audit(shorter)
    assert [check for check, ok in found(report).items() if not ok] == ["chain"]
    (fault,) = (fault for each in report.findings for fault in each.faults)
    assert f"perpdesk.db: ends with entry {report.mark.seq}, and {path.name} was made behind entry " in fault


def test_what_only_calls_itself_a_newer_snapshot_says_nothing_of_the_journal(shorter: Path) -> None:
    (shorter / "perpdesk.still-9999").write_text("nothing")
    report = audit(shorter)
    assert [check for check, ok in found(report).items() if not ok] == ["snapshots"]


def test_an_index_of_facts_that_are_not_there_says_that_the_journal_was_cut(copy: Path, shorter: Path) -> None:
    rebuild(copy, 0, lambda _done, _of: None)
    (copy / "index.db").rename(shorter / "index.db")
    report = audit(shorter)
    assert [check for check, ok in found(report).items() if not ok] == ["index"]
    assert [fault for each in report.findings for fault in each.faults] == [
        f"index.db: speaks of entries behind {report.mark.seq}: of another journal, or this one was cut"
    ]


def test_a_journal_without_a_witness_is_said_to_have_none(copy: Path) -> None:
    assert notes(audit(copy)) == []
    (copy / "perpdesk.head").unlink()
    report = audit(copy)
    assert report.ok
    assert notes(report) == ["perpdesk.head: no witness: a cut would not be noticed"]


async def test_a_report_catches_up_with_its_journal_and_with_no_other(tmp_path: Path) -> None:
    async with indexed(tmp_path) as run:
        await founded(run)
        report = audit(tmp_path)
        await trade(run, random.Random(2), 5)
        assert caught_up(tmp_path, report) == world_of(tmp_path)
    (other := tmp_path / "other").mkdir()
    await write(other, 100)
    with pytest.raises(Damaged) as caught:
        caught_up(other, report)
    assert caught.value.code == "JOURNAL_CHANGED"
