"""Facts are durable before anyone sees them, commands are decided in order, and a restart is a fold."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engine.desks.commands import BookFees, EnrollToken, Halt
from engine.settlement import Recorded, StoreFailed
from store import journal
from store.errors import Damaged
from store.journal import Journal
from tests.engine.house import OTHER, TOKEN, ManualClock, done, enrolled, listed, settled
from tests.patient import PATIENCE_S, until
from venue.exchange.commands import AdvanceBlock, Code, Deposit, OpenPosition, Rejection, Withdraw
from venue.exchange.fixed import WAD


async def test_a_restart_folds_to_the_same_world(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH", "BTC")
        await enrolled(settlement, 12_345_678)
        order = OpenPosition(
            user="a", market="ETH", is_long=True, total=10 * WAD, leverage=Fraction(7), deposit=10 * WAD, order_id="o"
        )
        await done(settlement, order)
        await done(settlement, AdvanceBlock(3))
        await done(settlement, Halt("", "ops", "c1"))
        before = await settlement.read(deepcopy)
        seq = settlement.seq
    async with settled(tmp_path) as again:
        assert again.seq == seq
        assert await again.read(deepcopy) == before


async def test_a_rejection_is_not_journaled(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        answer = await settlement.submit(Withdraw("a", WAD))
        assert isinstance(answer, Rejection)
        assert answer.code is Code.INSUFFICIENT_WALLET
        assert settlement.seq == 0


async def test_nothing_is_published_or_readable_before_it_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[Recorded] = []
    gate = asyncio.Event()
    append = Journal.append

    async def slow(self: Journal, *args: object) -> int:
        await gate.wait()
        return await append(self, *args)  # type: ignore[arg-type]

    async with settled(tmp_path, published=published) as settlement:
        monkeypatch.setattr(Journal, "append", slow)
        deposit = asyncio.create_task(settlement.submit(Deposit("a", WAD)))
        await asyncio.sleep(0)
        look = asyncio.create_task(settlement.read(lambda world: world.exchange.ledger["wallet:a"]))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not deposit.done()
        assert not look.done()
        assert published == []
        gate.set()
        await deposit
        assert await look == WAD
        assert [item.seq for item in published] == [1]


async def test_commands_in_flight_share_a_transaction_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    append = Journal.append

    async def counted(self: Journal, facts: list[tuple[str, str]], at_ms: int) -> int:
        sizes.append(len(facts))
        return await append(self, facts, at_ms)

    monkeypatch.setattr(Journal, "append", counted)
    async with settled(tmp_path) as settlement:
        answers = await asyncio.gather(*(settlement.submit(Deposit(f"u{n}", WAD)) for n in range(100)))
        assert all(isinstance(answer, tuple) for answer in answers)
        assert settlement.seq == 100
    assert len(sizes) < 10
    journal = await Journal.open(tmp_path)
    users = [entry.payload[9:12] async for entry in journal.replay()]
    await journal.close()
    assert users == [f'u{n}"'[:3] for n in range(100)]


async def test_a_cancelled_caller_cancels_nothing(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        call = asyncio.create_task(settlement.submit(Deposit("a", WAD)))
        await asyncio.sleep(0)
        call.cancel()
        assert await settlement.read(lambda world: world.exchange.ledger["wallet:a"]) == WAD


async def test_a_failing_reader_fails_alone(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        with pytest.raises(ZeroDivisionError):
            await settlement.read(lambda _: 1 // 0)
        await done(settlement, Deposit("a", WAD))


async def test_a_store_that_refuses_ends_everything_and_nothing_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> int:
        raise OSError("disk full")

    async with settled(tmp_path) as settlement:
        await done(settlement, Deposit("a", WAD))
        with monkeypatch.context() as broken:
            broken.setattr(Journal, "append", full)
            with pytest.raises(StoreFailed, match="disk full"):
                await settlement.submit(Deposit("a", WAD))
        with pytest.raises(StoreFailed):
            await settlement.submit(Deposit("a", WAD))
    async with settled(tmp_path) as again:
        assert await again.read(lambda world: world.exchange.ledger["wallet:a"]) == WAD


async def test_time_in_the_journal_never_runs_backwards(tmp_path: Path) -> None:
    clock = ManualClock()
    published: list[Recorded] = []
    async with settled(tmp_path, clock, published) as settlement:
        await done(settlement, EnrollToken(TOKEN, "PEPE"))
        clock.advance(-3600)
        await done(settlement, BookFees(TOKEN, "f1", 1))
    assert published[0].at_ms == published[1].at_ms


@pytest.mark.parametrize(
    ("kind", "payload", "why"),
    [
        ("Nonsense", "{}", "unknown kind 'Nonsense'"),
        ("TokenEnrolled", '{"address":"0x","name":"x","extra":"1"}', "unknown fields"),
        ("TokenEnrolled", '{"address":"0x"}', "cannot be read"),
        ("BlockAdvanced", '{"block":"nan","carries":[]}', "cannot be read"),
        ("FeesArrived", '{"address":"0xnobody","ref":"1","amount":"1","moves":[]}', "contradicts"),
        ("Deposited", '{"user":"a","moves":[{"source":"wallet:b","target":"wallet:a","amount":"1"}]}', "contradicts"),
    ],
)
async def test_a_journal_that_does_not_fold_is_refused(tmp_path: Path, kind: str, payload: str, why: str) -> None:
    journal = await Journal.open(tmp_path)
    await journal.append([(kind, payload)], 1)
    await journal.close()
    with pytest.raises(Damaged, match=why):
        async with settled(tmp_path):
            pass


async def test_it_says_how_long_the_commit_in_progress_has_lasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, begun, answers = ManualClock(), asyncio.Event(), asyncio.Event()
    append = Journal.append

    async def waits(self: Journal, facts: Sequence[tuple[str, str]], at_ms: int) -> int:
        begun.set()
        await answers.wait()
        return await append(self, facts, at_ms)

    monkeypatch.setattr(Journal, "append", waits)
    async with settled(tmp_path, clock) as settlement:
        assert settlement.committing_s == 0.0
        asked = asyncio.create_task(settlement.submit(EnrollToken(TOKEN, "PEPE")))
        await begun.wait()
        clock.advance(12)
        assert settlement.committing_s == 12.0
        answers.set()
        await asked
        assert settlement.committing_s == 0.0
        spread = settlement.commits.spread()
        assert spread is not None
        assert spread.worst_ms == 12_000
        assert settlement.why_not() == "the disk did not answer for 12 s: nothing is opened for a while"
        clock.advance(30)
        assert settlement.why_not() == ""
        await settlement.submit(EnrollToken(OTHER, "WIF"))
        assert settlement.why_not() == "", "a commit like any other"


async def test_a_loop_that_stands_still_is_not_blamed_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, begun, answers = ManualClock(), threading.Event(), threading.Event()
    commit = journal._commit

    def waits(connection: sqlite3.Connection, *rest: Any) -> None:
        begun.set()
        answers.wait()
        commit(connection, *rest)

    async with settled(tmp_path, clock) as settlement:
        monkeypatch.setattr(journal, "_commit", waits)
        asked = asyncio.create_task(settlement.submit(EnrollToken(TOKEN, "PEPE")))
        assert await asyncio.to_thread(begun.wait, PATIENCE_S)
        clock.advance(1)
        assert settlement.committing_s == 1.0
        answers.set()
        until(lambda: settlement.committing_s == 0.0, "end of the commit, with a loop that stands still")
        clock.advance(12)
        await asked
        assert settlement.why_not() == ""


async def test_a_commit_that_is_refused_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(self: Journal, facts: Sequence[tuple[str, str]], at_ms: int) -> int:
        raise OSError("no")

    monkeypatch.setattr(Journal, "append", refused)
    async with settled(tmp_path) as settlement:
        with pytest.raises(StoreFailed):
            await settlement.submit(EnrollToken(TOKEN, "PEPE"))
        assert settlement.committing_s == 0.0
