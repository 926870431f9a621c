"""Closing every position: listed with sizes and prices, meant by a word typed in full, cancelled by escape in time."""

from dataclasses import replace

from engine.commands import CloseDesks
from engine.exchange_rows import Side
from engine.snapshot import DeskPhase
from tests.tui.operator import Operator, watching
from tests.tui.scripted import ScriptedPort, desk, snapshot
from tui.settings import UiSettings

QUICK = UiSettings(close_seconds=0.05)
WORD = ("C", "L", "O", "S", "E", "space", "A", "L", "L")


def port(number: int = 3) -> ScriptedPort:
    return ScriptedPort(snapshot(desks=tuple(desk(each) for each in range(number))))


def sent(operator: Operator) -> list[CloseDesks]:
    return [command for command in operator.port.commands if isinstance(command, CloseDesks)]


async def test_the_word_closes_what_is_listed_no_worse_than_one_percent() -> None:
    async with watching(port(), ui=QUICK) as operator:
        await operator.press("C")
        assert operator.sees("Close all 3 positions")
        assert operator.sees("together")
        await operator.press(*WORD, "enter")
        await operator.until(lambda: sent(operator))
        (command,) = sent(operator)
        rows = {row.address: row for row in operator.port.picture.desks}
        assert {leave.address for leave in command.leaves} == set(rows)
        for leave in command.leaves:
            quoted = rows[leave.address].exit
            assert quoted is not None
            assert 0.009 < abs(leave.worst_price / quoted.price - 1) < 0.02
        assert command.seen_seq == operator.port.picture.seq


async def test_half_the_word_closes_nothing() -> None:
    async with watching(port(), ui=QUICK) as operator:
        await operator.press("C", *WORD[:5], "enter", "escape")
        await operator.waits(0.1)
        assert operator.port.commands == []


async def test_escape_cancels_the_countdown() -> None:
    async with watching(port(), ui=UiSettings(close_seconds=30)) as operator:
        await operator.press("C", *WORD, "enter")
        assert "closing 3 positions in" in operator.message
        await operator.press("escape")
        assert operator.message == "cancelled: closing all"
        assert operator.port.commands == []


async def test_what_cannot_be_closed_is_counted_and_left_alone() -> None:
    rows = (desk(0), desk(1, exit=None), desk(2, phase=DeskPhase.CLOSING))
    async with watching(ScriptedPort(snapshot(desks=rows)), ui=QUICK) as operator:
        await operator.press("C")
        assert operator.sees("Close all 1 positions")
        assert operator.sees("2 more are left")
        await operator.press(*WORD, "enter")
        await operator.until(lambda: sent(operator))
        assert [leave.address for leave in sent(operator)[0].leaves] == [rows[0].address]


async def test_a_position_that_ends_under_the_question_is_no_longer_meant() -> None:
    async with watching(port(2), ui=QUICK) as operator:
        await operator.press("C", *WORD)
        gone = replace(operator.port.picture.desks[0], side=None, exit=None)
        operator.port.show(desks=(gone, operator.port.picture.desks[1]))
        await operator.frame()
        assert operator.sees("Close all 1 positions")
        await operator.press("enter")
        await operator.until(lambda: sent(operator))
        assert len(sent(operator)[0].leaves) == 1


async def test_many_desks_fit_on_a_small_terminal() -> None:
    async with watching(port(50), size=(80, 24), ui=QUICK) as operator:
        await operator.press("C")
        assert operator.sees("Close all 50 positions")
        assert operator.sees("smaller ones")
        assert operator.sees("Type CLOSE ALL and enter")
        await operator.press("H")
        assert "again within" in operator.message


async def test_without_positions_it_says_so() -> None:
    async with watching(ScriptedPort(snapshot(desks=()))) as operator:
        await operator.press("C")
        assert operator.message == "close all: no position to close"


async def test_what_is_opened_after_the_question_is_not_closed() -> None:
    async with watching(port(2), ui=QUICK) as operator:
        await operator.press("C")
        first, second = operator.port.picture.desks
        turned = replace(first, position_id=99_999, side=Side.LONG)
        operator.port.show(desks=(turned, second, desk(7)))
        await operator.frame()
        assert operator.sees("Close all 1 positions")
        assert operator.sees("2 more are left: newly opened")
        await operator.press(*WORD, "enter")
        await operator.until(lambda: sent(operator))
        assert [leave.address for leave in sent(operator)[0].leaves] == [second.address]


async def test_small_letters_will_do_and_a_wrong_word_is_told() -> None:
    async with watching(port(1), ui=QUICK) as operator:
        await operator.press("C", *"close", "enter")
        assert operator.sees("CLOSE is not CLOSE ALL: nothing is closed")
        await operator.press("space", *"all", "enter")
        await operator.until(lambda: sent(operator))
