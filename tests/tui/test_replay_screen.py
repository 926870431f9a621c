"""An operator looks back: the same screens on a journal, forward and backward."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.config import Settings
from engine.port import Port
from engine.rewind import Rewind
from engine.snapshot import Event
from tests.engine.journals import write
from tests.tui.operator import Operator, Size
from tests.tui.scripted import NOW, ScriptedPort
from tui.app import PerpdeskApp
from tui.frame import Frame
from tui.memory import Memory
from tui.opening import paint
from tui.settings import UiSettings
from tui.table import View
from tui.tape import Player


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory: Path = tmp_path_factory.mktemp("journal")
    asyncio.run(write(directory, 300))
    return directory


class Clock:
    """Seconds that pass when the test says so."""

    now = 0.0


@asynccontextmanager
async def looking_back(journal: Path, clock: Clock, size: Size = (160, 45)) -> AsyncIterator[tuple[Operator, Rewind]]:
    """The app on a journal, at its newest entry."""
    past = Rewind(journal, Settings())
    app = PerpdeskApp(past, UiSettings(), lambda: NOW, tape=Player(past, lambda: clock.now))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        operator = Operator(app, pilot, ScriptedPort())
        await operator.frame()
        yield operator, past
    past.close()


def test_what_is_looked_for_in_the_past_is_not_kept_for_the_next_live_run(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_at_once(port: Port, ui: UiSettings, browser: object, memory: Memory, *_: object) -> int:
        memory.keep_view("desks", View(filter="side:short"))
        assert memory.close() == ""
        return 0

    monkeypatch.setattr("tui.app.run_app", leave_at_once)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    past = Rewind(journal, Settings())
    paint(past, UiSettings(), tape=Player(past))
    assert list(tmp_path.rglob("*")) == []
    paint(past, UiSettings())
    past.close()
    assert [file.name for file in tmp_path.rglob("*.json")] == ["screen.json"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_it_says_what_it_is_and_what_nobody_knows(journal: Path, clock: Clock, size: Size) -> None:
    async with looking_back(journal, clock, size) as (operator, past):
        top = operator.lines()[0]
        assert "REPLAY" in top
        assert "pyth unknown" in top
        assert "silent" not in top
        assert f"of {past.newest}" in operator.message
        assert operator.message.startswith("‖ paused")
        assert operator.line("ETH").split()[-1]
        assert "?" in operator.line("DOGE")


async def test_back_and_on_show_the_same_again(journal: Path, clock: Clock) -> None:
    async with looking_back(journal, clock) as (operator, past):
        newest = past.newest
        shown = {newest: operator.lines()}
        for step in range(1, 6):
            await operator.press("left")
            assert past.seq == newest - step
            shown[past.seq] = operator.lines()
            assert f"entry {past.seq} of {newest}" in operator.message
        for _ in range(5):
            await operator.press("right")
            assert operator.lines() == shown[past.seq]
        assert shown[newest] != shown[newest - 5]


async def test_time_on_the_status_line_is_that_of_the_cursor(journal: Path, clock: Clock) -> None:
    async with looking_back(journal, clock) as (operator, past):
        at_end = operator.lines()[0].split()[-1]
        await operator.press("left_square_bracket")
        assert past.at_ms == past.last_ms - 60_000
        earlier = operator.lines()[0].split()[-1]
        assert earlier != at_end
        assert earlier in operator.message
        await operator.frame()
        assert operator.lines()[0].split()[-1] == earlier, "nothing goes on by itself"


async def test_it_plays_at_its_speed_and_stops_at_the_end(journal: Path, clock: Clock) -> None:
    async with looking_back(journal, clock) as (operator, past):
        await operator.press("left_square_bracket", "left_square_bracket", "full_stop", "full_stop", "space")
        assert operator.message.startswith("▶ playing  x5 ")
        begin = past.at_ms
        clock.now += 4
        await operator.frame()
        assert past.at_ms == begin + 20_000
        clock.now += 100
        await operator.frame()
        assert (past.at_ms, past.seq) == (past.last_ms, past.newest)
        await operator.frame()
        assert operator.message.startswith("‖ paused")


async def test_the_log_follows_backward_as_well(journal: Path, clock: Clock) -> None:
    async with looking_back(journal, clock) as (operator, past):
        await operator.press("7")
        await operator.frame()
        everything = operator.app.session.frame.log.rows
        assert operator.sees(f"Log {len(everything)} lines")
        await operator.press(*["left_square_bracket"] * 2)
        held = operator.app.session.frame.log.rows
        assert 0 < len(held) < len(everything)
        assert held == everything[-len(held) :]
        assert max(event.at_ms for event in held) <= past.at_ms
        assert operator.sees(f"Log {len(held)} lines")
        await operator.press("right_curly_bracket")
        assert operator.app.session.frame.log.rows == everything
        assert "dropped" not in operator.lines()[0]


async def test_nothing_can_be_commanded_and_the_tape_comes_back(journal: Path, clock: Clock) -> None:
    async with looking_back(journal, clock) as (operator, _):
        await operator.press("h")
        assert "what is past cannot be commanded" in operator.message
        await operator.press("left")
        assert operator.message.startswith("‖ paused")
        await operator.press("H", "H")
        assert "what is past cannot be commanded" in operator.message


async def test_the_page_of_a_desk_has_the_tape_too(journal: Path, clock: Clock) -> None:
    async with looking_back(journal, clock) as (operator, past):
        await operator.press("enter")
        await operator.press("left")
        assert past.seq == past.newest - 1
        assert f"entry {past.seq} of {past.newest}" in operator.message


async def test_alarms_can_still_be_read(journal: Path, clock: Clock) -> None:
    async with looking_back(journal, clock) as (operator, _):
        await operator.press("a")
        assert operator.sees("Nothing needs you now.")
        await operator.press("escape")
        assert operator.message.startswith("‖ paused")


async def test_leaving_needs_no_second_key(journal: Path, clock: Clock) -> None:
    async with looking_back(journal, clock) as (operator, _):
        await operator.press("q")
        assert not operator.app.is_running or operator.app._exit


async def test_on_a_living_engine_the_keys_of_the_tape_do_nothing() -> None:
    port = ScriptedPort()
    app = PerpdeskApp(port, UiSettings(), lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        operator = Operator(app, pilot, port)
        await operator.frame()
        await operator.press("space")
        assert "only in perpdesk replay" in operator.message


def test_a_leap_over_more_than_the_log_holds_has_lost_nothing(monkeypatch: pytest.MonkeyPatch, journal: Path) -> None:
    monkeypatch.setattr("engine.bygone.RING", 10)
    past = Rewind(journal, Settings())
    past.go_to(1)
    frame = Frame(past, lambda: NOW)
    past.go_to(past.newest)
    assert frame.pull()
    assert [event.number for event in frame.log.rows] == [event.number for event in reversed(past.events(0).events)]
    assert (frame.dropped, len(frame.log.rows)) == (0, 10)
    assert frame.log.dropped > 0, "that there were earlier ones is said"
    past.close()


def test_a_living_engine_that_starts_anew_keeps_what_was_seen() -> None:
    port = ScriptedPort(history=[Event(1, NOW, "", "market", "listed")])
    clock = [NOW]
    frame = Frame(port, lambda: clock[0])
    port.show()
    clock[0] += 2_000
    assert (frame.silent_ms(), frame.now_ms()) == (2_000, port.picture.status.now_ms + 2_000)
    assert frame.pull()
    assert len(frame.log.rows) == 1
