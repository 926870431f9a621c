"""The log of everything: bounded, newest on top, and still while it is read; and how the agent is doing."""

import pytest

from engine.snapshot import EventPage, Outcome
from tests.tui.operator import focused, watching
from tests.tui.scripted import NOW, ScriptedPort, agent, decision, events, snapshot, status
from tui.agent_figures import agent_heading, agent_lines
from tui.bar import cells
from tui.event_log import EventLog
from tui.settings import UiSettings
from tui.status import status_line
from tui.tones import Line, Tone


def text(line: Line) -> str:
    return "".join(piece for piece, _ in line)


def test_the_ring_keeps_the_newest_and_counts_the_rest() -> None:
    log = EventLog(room=100)
    log.take(EventPage(tuple(events(80)), 7))
    assert (len(log.rows), log.dropped, log.last) == (80, 7, 80)
    same = log.rows
    log.take(EventPage((), 0))
    assert log.rows is same
    log.take(EventPage(tuple(events(130)[80:]), 5))
    assert (len(log.rows), log.dropped, log.last) == (100, 7 + 5 + 30, 130)
    assert [row.number for row in log.rows] == list(range(130, 30, -1))


def test_what_was_dropped_unread_is_not_asked_for_again() -> None:
    log = EventLog()
    log.take(EventPage((), 12))
    assert (log.last, log.dropped) == (12, 12)


async def test_lines_arrive_on_top_and_the_cursor_follows_until_it_is_moved() -> None:
    port = ScriptedPort(history=events(200))
    async with watching(port, size=(80, 24)) as operator:
        await operator.press("7")
        assert focused(operator) == "log"
        assert operator.line("> ").endswith("line 200 of the story")
        port.history = events(203)
        port.show()
        await operator.frame()
        assert operator.line("> ").endswith("line 203 of the story")


async def test_the_view_stands_still_while_someone_reads_further_down() -> None:
    port = ScriptedPort(history=events(200))
    async with watching(port, size=(80, 24)) as operator:
        await operator.press("7", "pagedown", "pagedown", "k")
        before = operator.lines()[5:-2]
        port.history = [*events(200), *events(260)[200:]]
        port.show()
        await operator.frame()
        assert operator.lines()[5:-2] == before


async def test_the_log_says_what_was_dropped() -> None:
    port = ScriptedPort(history=events(5_100), dropped=50)
    async with watching(port) as operator:
        await operator.press("7")
        assert operator.sees("Log 5,000 lines, 150 earlier ones dropped")


async def test_an_empty_log_says_what_to_do() -> None:
    async with watching() as operator:
        await operator.press("7", "enter", "slash", "x")
        assert operator.sees("nothing has happened yet: enrol a token, or start the demo")


async def test_enter_opens_the_desk_of_a_line_and_escape_returns_to_it() -> None:
    async with watching(ScriptedPort(history=events(9))) as operator:
        await operator.press("7", "j", "enter")
        assert operator.sees("MOG·19cf  open")
        await operator.press("escape")
        assert operator.line("> ").endswith("line 8 of the story")


async def test_a_line_about_no_desk_has_no_page_and_no_desk_can_be_halted_from_the_log() -> None:
    port = ScriptedPort(history=events(6))
    async with watching(port) as operator:
        await operator.press("7", "enter")
        assert operator.message == "detail: nothing to open here"
        await operator.press("h", "c", "v", "u")
        assert port.commands == []
        assert focused(operator) == "log"


def test_the_heading_of_the_agent_has_what_there_is_room_for() -> None:
    assert text(agent_heading(agent())) == "Agent venice  ready  12.40 DIEM 3.10 USD"
    assert text(agent_heading(agent(), 24)) == "Agent venice  ready"
    assert text(agent_heading(agent(model="", asked=0, phase="", tier="signal"))) == "Agent signal"


def test_the_agent_says_what_it_may_spend_and_what_is_unknown() -> None:
    for width in (80, 120, 200):
        assert all(cells(line) < width for line in agent_lines(agent(degen=True), width))
    first, second = agent_lines(agent(), 120)
    assert "llama-3.3-70b, key from wallet" in text(first)
    for words in ("12.40 DIEM 3.10 USD", "498 requests left", "1.2s latency", "312 answered", "4 failed"):
        assert words in text(second)
    unknown = text(agent_lines(agent(requests_left=None, latency_ms=None, balance_diem="", balance_usd=""), 120)[1])
    assert unknown.split()[:5] == ["?", "DIEM", "?", "USD", "?"]
    assert "? latency" in unknown


def test_a_phase_that_is_not_ready_is_a_warning() -> None:
    line = agent_lines(agent(phase="no balance"), 120)[0]
    assert {tone for piece, tone in line if piece == "no balance"} == {Tone.WARN}


def test_without_a_model_there_are_no_counters() -> None:
    assert "no model is asked" in text(agent_lines(agent(model="", asked=0, phase=""), 120)[1])


def test_warnings_of_the_agent_pane() -> None:
    from tui.panes.agent_log import outcome

    for word in (Outcome.WARN, Outcome.QUARANTINE):
        assert outcome(decision(0, outcome=word))[1] is Tone.WARN


@pytest.mark.parametrize("width", range(80, 220, 7))
def test_the_badge_of_a_filter_that_is_off_is_always_there(width: int) -> None:
    crowded = status(alarms=("disk full",), feed_text="x" * 200, keepers_text="y" * 200, time_factor=60)
    line = status_line(crowded, NOW, width, 12_000, 3, degen=True)
    assert cells(line) == width
    assert (" DEGEN ", Tone.ALARM) in line
    assert " DEGEN " not in text(status_line(crowded, NOW, width))


@pytest.mark.parametrize("ui", [UiSettings(), UiSettings(theme="mono", colour=False)])
async def test_degen_is_on_every_screen_with_and_without_colour(ui: UiSettings) -> None:
    port = ScriptedPort(snapshot(agent=agent(degen=True, tier="degen")))
    async with watching(port, size=(80, 24), ui=ui) as operator:
        for key in ("1", "5", "7", "8", "1", "enter"):
            await operator.press(key)
            assert operator.lines()[0].startswith("  PAPER   DEGEN ")
        port.show(agent=agent())
        await operator.frame()
        assert "DEGEN" not in operator.lines()[0]
