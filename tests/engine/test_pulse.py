"""Time that jumps bars what is new until all has been seen again; a loop that stands still is noticed by a thread."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from engine.alerts.rules import Alert, Kind
from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.config import Settings
from engine.disk import Disk, DiskLoop
from engine.engine import Engine, Options
from engine.holds import BUDGET, Holds
from engine.pulse import BEAT_S, JUMP_MS, Pulse, Watchdog
from engine.settlement import HOLD_S, HUNG_S
from engine.worker import Cadence, Worker
from tests.engine.house import ManualClock, enrolled, listed, settled
from tests.engine.trading import ScriptedAgent, manager


class SettableClock(ManualClock):
    """Its wall time can be set, and so it looks to a machine that slept."""

    off_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.off_ms


@pytest.mark.parametrize("jump_ms", [JUMP_MS + 1, 3_600_000, -JUMP_MS - 1, -86_400_000])
def test_a_jump_is_noticed_by_whoever_asks_first(jump_ms: int) -> None:
    clock = SettableClock()
    pulse = Pulse(clock)
    clock.advance(500)
    assert pulse.why_not() == ""
    clock.off_ms += jump_ms
    way = "forward" if jump_ms > 0 else "back"
    assert pulse.why_not().startswith(f"the clock jumped {way} by ")
    clock.advance(HOLD_S - 1)
    assert pulse.why_not() != ""
    clock.advance(1)
    assert pulse.why_not() == ""


async def test_a_process_that_was_stopped_begins_nothing_until_all_has_been_seen_again() -> None:
    clock = SettableClock()
    pulse = Pulse(clock)
    beating = asyncio.create_task(pulse.run())
    while not pulse.beats:
        await asyncio.sleep(0)
        clock.advance(BEAT_S)
    assert pulse.why_not() == ""
    clock.advance(60)
    assert pulse.why_not() == "the process stood still for 60 s: nothing is opened for a while"
    clock.advance(HOLD_S)
    beating.cancel()
    await asyncio.wait((beating,))


def test_a_clock_that_is_pulled_gently_is_no_jump() -> None:
    clock = SettableClock()
    pulse = Pulse(clock)
    for _ in range(10_000):
        clock.advance(1)
        clock.off_ms += 500
        assert pulse.why_not() == ""


async def test_after_a_jump_no_desk_opens_until_all_has_been_seen_again(tmp_path: Path) -> None:
    clock = SettableClock()
    pulse = Pulse(clock)
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent(), clock=clock, hold=Holds(pulse.why_not).why_not)
        clock.off_ms = 7_200_000
        assert await desks.manage_all() == "1 desks, 0 moved"
        told = await settlement.read(lambda world: next(iter(world.house.desks.values())).deferred)
        assert told is not None
        assert "the clock jumped forward by 7,200 s" in told.reason
        clock.advance(HOLD_S)
        assert await desks.manage_all() == "1 desks, 1 moved"


async def broken() -> str:
    raise OSError("no way to the venue")


async def test_while_nobody_guards_nothing_is_opened() -> None:
    clock = ManualClock()
    guard = Worker("risk", Cadence(1, 1), broken, clock, random.Random(1))
    other = Worker("buybacks", Cadence(1, 1), broken, clock, random.Random(1))
    holds = Holds(lambda: "")
    holds.guarded_by((guard, other))
    running = [asyncio.create_task(worker.run()) for worker in (guard, other)]
    for number in range(1, BUDGET + 1):
        clock.asleep.clear()
        assert holds.why_not() == ""
        while guard.in_a_row < number or other.in_a_row < number:
            await asyncio.sleep(0)
            clock.advance(1)
    assert holds.why_not() == "risk failing: nothing is opened while nobody guards what is"
    assert holds.alarms() == (holds.why_not(),)
    assert guard.row().failures == guard.in_a_row
    for task in running:
        task.cancel()
    await asyncio.wait(running)


async def test_a_guard_that_hangs_guards_no_better_than_one_that_fails() -> None:
    clock, hangs, passes = ManualClock(), asyncio.Event(), list[str]()

    async def guarded() -> str:
        passes.append("")
        if len(passes) == 2:
            await hangs.wait()
        return ""

    guard = Worker("risk", Cadence(10, 10), guarded, clock, random.Random(1))
    holds = Holds()
    holds.guarded_by((guard,))
    running = asyncio.create_task(guard.run())
    while len(passes) < 2:
        await asyncio.sleep(0)
        clock.advance(1)
    assert (holds.why_not(), holds.alarms()) == ("", ())
    clock.advance(31)
    assert guard.in_a_row == 0
    assert holds.why_not() == "risk late: nothing is opened while nobody guards what is"
    assert holds.alarms() == (holds.why_not(),)
    hangs.set()
    clock.asleep.clear()
    await clock.asleep.wait()
    assert (holds.why_not(), holds.alarms()) == ("", ())
    running.cancel()
    await asyncio.wait((running,))


@pytest.fixture
def told() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_a_loop_that_stands_still_is_told_with_the_place_it_stands_at(
    told: list[structlog.typing.EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.pulse.LOOK_S", 0.01)
    monkeypatch.setattr("engine.pulse.STALL_S", 0.05)
    pulse = Pulse(ManualClock())
    with Watchdog(pulse, Disk()):
        stuck_here(pulse)
        beat_until(pulse, told, "the loop turns again")
    (line,) = (line for line in told if line["event"] == "the loop is stuck")
    assert "stuck_here" in line["at"]
    assert __file__ in line["at"]
    assert pulse.stalls == 1


class Writing:
    """A commit in progress, and how often somebody has looked at it."""

    lasts_s = 0.0
    looks = 0

    @property
    def committing_s(self) -> float:
        self.looks += 1
        return self.lasts_s

    def lasts(self, seconds: float) -> None:
        """Until it has been looked at."""
        self.lasts_s, seen, end = seconds, self.looks, time.monotonic() + 20
        while self.looks < seen + 3:
            assert time.monotonic() < end


def test_a_disk_that_does_not_answer_is_told_once_and_when_it_does_again(
    told: list[structlog.typing.EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.pulse.LOOK_S", 0.01)
    monkeypatch.setattr("engine.pulse.STALL_S", 1_000.0)
    disk, writing = Disk(), Writing()
    disk.below(writing)
    with Watchdog(Pulse(ManualClock()), disk):
        for seconds in (HUNG_S - 0.1, HUNG_S, HUNG_S + 60, 0.0, 0.1):
            writing.lasts(seconds)
    assert [line["event"] for line in told] == ["the disk does not answer", "the disk answers again"]
    assert told[0]["seconds"] == HUNG_S
    assert told[1]["silent_s"] == HUNG_S + 60


async def test_while_the_disk_does_not_answer_the_picture_says_so_and_those_who_do_not_look_are_told() -> None:
    disk, writing, shown, told = Disk(), Writing(), list[tuple[str, ...]](), list[Alert]()
    loop = DiskLoop(disk, lambda: shown.append(disk.alarms()), told.extend)
    assert await loop.pass_once() == "answers"
    disk.below(writing)
    words = "the disk has not answered for {} s: nothing is written, nothing new is begun"
    for seconds in (0.0, HUNG_S - 1, HUNG_S, HUNG_S, HUNG_S + 7, 0.0, 0.0):
        writing.lasts_s = seconds
        await loop.pass_once()
    assert shown == [(words.format(5),), (words.format(12),), ()]
    assert [(alert.kind, alert.over, alert.text) for alert in told] == [
        (Kind.DISK, False, words.format(5)),
        (Kind.DISK, True, f"over: {words.format(12)}"),
    ]


def stuck_here(pulse: Pulse) -> None:
    end = time.monotonic() + 20
    while not pulse.stalls:
        assert time.monotonic() < end


def beat_until(pulse: Pulse, told: list[structlog.typing.EventDict], words: str) -> None:
    end = time.monotonic() + 20
    while not any(line["event"] == words for line in told):
        pulse.beats += 1
        assert time.monotonic() < end


async def test_a_fault_nobody_waits_for_is_an_alarm(tmp_path: Path) -> None:
    nowhere = Settings.model_validate({"pyth": {"url": "http://127.0.0.1:9"}})
    engine = Engine(Options(nowhere, tmp_path), SystemClock(), Chronicle(logging=False))
    stop = asyncio.Event()

    def ready() -> None:
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "somebody", "exception": ValueError("no")})
        loop.call_exception_handler({"message": "again", "exception": ValueError("no")})
        stop.set()

    await engine.run(ready, stop)
    assert engine.snapshot.status.alarms.count("a fault nobody was waiting for: the log has it") == 1
