"""The page of a desk, and what can be done with one besides halting and closing it."""

from typing import Any

import pytest

from engine.commands import QuarantineDesk, ReduceDesk, ReleaseDesk
from engine.exchange_rows import Side
from engine.snapshot import DeskPhase, Event
from tests.tui.operator import watching
from tests.tui.scripted import NOW, ScriptedPort, address, desk, idle, plan, snapshot, usd
from tui.desk_figures import desk_lines, net
from tui.life_figures import plan_lines, target, timeline_lines
from tui.settings import UiSettings
from tui.tones import Line, Tone

QUICK = UiSettings(close_seconds=1.0)


def text(line: Line) -> str:
    return "".join(piece for piece, _ in line)


def page(width: int = 58, height: int = 40, **changes: Any) -> list[str]:
    return [text(line) for line in desk_lines(desk(1, **changes), width, height)]


def test_profit_is_split_and_the_net_adds_up() -> None:
    row = desk(1, pnl=usd(9), pnl_price=usd(10), pnl_carry=usd(-1), trading_fees=usd(2.5))
    assert net(row) == usd(6.5)
    lines = [text(line).split() for line in desk_lines(row, 58, 40)]
    figures = {" ".join(words[:-3]): words[-3] for words in lines if len(words) > 3}
    assert any("fees" in " ".join(words) and "-2.50" in words for words in lines)
    assert any(words[:2] == ["net", "+6.50"] for words in lines), figures


def test_unknown_profit_is_a_question_mark_with_its_reason() -> None:
    lines = page(pnl=None, pnl_price=None, pnl_unknown="no price for 14 s")
    assert " ? pnl unknown: no price for 14 s" in lines
    assert next(line for line in lines if line.startswith(" net")).split()[1] == "?"
    assert next(line for line in lines if line.startswith(" pnl")).split()[1] == "?"


@pytest.mark.parametrize("width", [50, 58, 80])
def test_figures_keep_their_columns(width: int) -> None:
    lines = page(width)
    figures = [line for line in lines if line.startswith((" pnl", "   price", " net", " deployed", " realised"))]
    assert len({len(line.rstrip()) for line in figures}) == 1
    assert all(len(line) <= width for line in lines), max(lines, key=len)


def test_what_a_registry_says_is_not_binding() -> None:
    lines = desk_lines(desk(1), 58, 40)
    line = next(line for line in lines if "enrolled as" in text(line))
    assert "long ETH 20x (not binding)" in text(line)
    assert {tone for _, tone in line} == {Tone.DIM}


def test_trouble_comes_first_and_says_what_to_do() -> None:
    lines = desk_lines(desk(1, quarantine="size differs", warning="stop missed"), 58, 40)
    assert text(lines[1]).startswith(" QUARANTINED: size differs; no loop touches it, u")
    assert any(text(line) == " ! stop missed" for line in lines)
    assert {tone for _, tone in lines[1]} == {Tone.WARN}


def test_blank_lines_go_before_figures_do() -> None:
    trouble: dict[str, Any] = {"quarantine": "x " * 60, "warning": "y " * 60, "note": "waits"}
    assert "" in page(50, 40, **trouble)
    lines = page(50, 24, **trouble)
    assert "" not in lines
    assert any("enrolled as" in line for line in lines)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (75, "LONG ETH 20x, wanted 75x, capped"),
        (20, "LONG ETH 20x"),
        (0, "LONG ETH 20x"),
        (5, "LONG ETH 20x, wanted 5x"),
    ],
)
def test_a_plan_says_what_was_wanted(asked: int, words: str) -> None:
    assert target(plan(0, asked_leverage=asked)) == words


def test_the_plan_stands_beside_what_was_seen() -> None:
    lines = [text(line) for line in plan_lines(plan(1, market="BTC"), 60, 30)]
    assert " ! degraded: venice timed out after 10 s" in lines
    assert any("saw 88.20 pending, in session, moves over 15m" in line for line in lines)
    rows = lines[next(number for number, line in enumerate(lines) if line.startswith("  market")) :]
    assert rows[1].startswith("→ BTC")
    assert next(line for line in lines if "WIF" in line).split() == ["WIF", "?", "?", "?", "25x"]
    few = [text(line) for line in plan_lines(plan(1), 60, 12)]
    assert "  and 2 more" in few


def test_a_plan_against_entering_without_anything_seen() -> None:
    none = plan(0, allow=False, market="", seen=(), in_session=False, reason="")
    lines = [text(line) for line in plan_lines(none, 60, 30)]
    assert "NO ENTRY" in lines[1]
    assert " no market was seen" in lines
    assert any("out of session" in line for line in lines)


def test_the_timeline_keeps_within_its_room_and_says_what_it_no_longer_holds() -> None:
    events = [Event(number, NOW, address(1), "open", "text", "BONK", "venue") for number in range(1, 40)]
    for width in (29, 60):
        lines = timeline_lines(events, 12, width, 10)
        assert len(lines) <= 10
        assert "12 earlier events are no longer held" in text(lines[-1])
        assert "venue" in text(lines[1])


async def test_a_decision_newer_than_the_plan_is_shown_above_it() -> None:
    async with watching(size=(120, 40)) as operator:
        operator.port.change_desk(0, plan=plan(0, at_ms=NOW - 60_000))
        await operator.frame()
        await operator.press("enter")
        assert operator.sees("Last decision")
        assert operator.sees("Last plan")
        operator.port.change_desk(0, plan=None)
        await operator.frame()
        assert not operator.sees("Last plan")
        assert operator.sees("long ETH 10x")


async def test_reduce_asks_with_cancel_in_focus_and_scales_the_payout() -> None:
    port = ScriptedPort()
    port.change_desk(1, notional=usd(1_000), exit=None)
    async with watching(port, ui=QUICK) as operator:
        await operator.press("j", "v")
        assert operator.message == "reduce: no exit price"
        fresh = desk(1)
        assert fresh.exit is not None
        port.change_desk(1, exit=fresh.exit)
        await operator.frame()
        await operator.press("v")
        assert operator.sees("(•) 25%   ( ) 50%   ( ) 75%")
        assert "750.00" in operator.line("left after")
        assert f"{fresh.exit.payout / 4e18:,.2f}" in operator.line("payout")
        await operator.press("enter")
        assert port.commands == []
        await operator.press("v", "down", "down", "down", "up", "tab", "enter", "enter")
        counts_down = "reducing BONK·dd61 by 50% in 1 s, esc cancels"
        assert operator.message in (counts_down, "reduce BONK·dd61 by 50%: done"), "a second may pass"
        await operator.until(lambda: port.commands)
        [command] = port.commands
        assert isinstance(command, ReduceDesk)
        assert (command.address, command.share) == (address(1), 500_000)
        assert command.worst_price == fresh.exit.price * 99 // 100
        assert command.seen_seq == port.picture.seq


async def test_a_reduction_can_be_cancelled_while_it_counts_down() -> None:
    async with watching(ui=QUICK) as operator:
        await operator.press("v", "tab", "enter", "escape")
        assert operator.message == "cancelled: reducing PEPE·3f2a"
        await operator.waits(1.1)
        assert operator.port.commands == []


async def test_a_position_that_vanishes_under_the_question_cannot_be_reduced() -> None:
    async with watching() as operator:
        await operator.press("v", "tab")
        operator.port.change_desk(0, side=None, exit=None)
        await operator.frame()
        await operator.press("enter")
        assert operator.sees("This position is gone")
        assert operator.port.commands == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"side": None, "exit": None}, "no position"),
        ({"phase": DeskPhase.OPENING}, "its opening has no answer yet"),
        ({"phase": DeskPhase.INCREASING}, "its increase has no answer yet"),
        ({"phase": DeskPhase.REDUCING}, "already reducing"),
        ({"phase": DeskPhase.CLOSING}, "already closing"),
        ({"phase": DeskPhase.UNKNOWN}, "outcome of the last order unknown"),
    ],
)
async def test_why_a_desk_can_be_neither_reduced_nor_closed(changes: dict[str, object], reason: str) -> None:
    async with watching() as operator:
        operator.port.change_desk(0, **changes)
        await operator.frame()
        for key, name in (("v", "reduce"), ("c", "close")):
            await operator.press(key)
            assert operator.message == f"{name}: {reason}"


async def test_quarantine_asks_and_release_does_not() -> None:
    port = ScriptedPort()
    async with watching(port) as operator:
        assert "u quarantine" in operator.keys
        await operator.press("u", "enter")
        assert port.commands == []
        await operator.press("u", "tab", "enter")
        assert isinstance(port.commands[0], QuarantineDesk)
        assert operator.message == "quarantine PEPE·3f2a: done"
        port.change_desk(0, quarantine="by ops", phase=DeskPhase.QUARANTINED)
        await operator.frame()
        assert "u release" in operator.keys
        await operator.press("u")
        [_, command] = port.commands
        assert isinstance(command, ReleaseDesk)
        assert command.address == address(0)


async def test_a_desk_that_is_set_aside_meanwhile_is_not_set_aside_again() -> None:
    async with watching() as operator:
        await operator.press("u", "tab")
        operator.port.change_desk(0, quarantine="by the guard")
        await operator.frame()
        await operator.press("enter")
        assert operator.sees("It is quarantined already")
        assert operator.port.commands == []


async def test_observers_and_panes_without_desks_say_so() -> None:
    async with watching(ScriptedPort(role="observer")) as operator:
        for key in ("v", "u"):
            await operator.press(key)
            assert operator.message.endswith("observer: may only look")
    async with watching() as operator:
        await operator.press("2")
        for key, name in (("v", "reduce"), ("u", "quarantine")):
            await operator.press(key)
            assert operator.message == f"{name}: no desk selected"


async def test_a_quarantined_row_says_so_and_why_before_all_else() -> None:
    rows = (desk(0, quarantine="size differs", halted_by="ops", side=Side.LONG), idle(1, quarantine="no answer"))
    async with watching(ScriptedPort(snapshot(desks=rows)), size=(80, 24)) as operator:
        assert "QUARANTINED  size differs  LONG 10x" in operator.line("PEPE·")
        assert "QUARANTINED  no answer" in operator.line("BONK·")
        await operator.press("slash", *"quarantined")
        assert operator.sees("(2 of 2)")
