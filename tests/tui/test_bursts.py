"""Keys of a slow line arrive at once: none is lost where it was meant, none acts where it was not, nothing crashes."""

import pytest
from textual import events

from engine.commands import HaltAll, NoteDesk
from tests.tui.operator import Operator, watching
from tests.tui.scripted import ScriptedPort
from tui.grid import FILTER_CAP


async def burst(operator: Operator, keys: str) -> None:
    """All at once, before any of them has done anything."""
    for key in keys:
        operator.app.post_message(events.Key(key, key))
    for _ in range(6):
        await operator.pilot.pause()


def sent(operator: Operator) -> list[str]:
    return [type(command).__name__ for command in operator.port.commands]


@pytest.mark.parametrize("panel", ["c", "v", "u", "f", "a", "?", "C", "N", ":"])
async def test_the_brake_works_through_every_panel(panel: str) -> None:
    async with watching(ScriptedPort()) as operator:
        await operator.press("question_mark" if panel == "?" else "colon" if panel == ":" else panel)
        await burst(operator, "HH")
        assert operator.app.is_running
        if panel in "N:":
            assert sent(operator) == [], "here H is a letter"
        else:
            assert [type(command) for command in operator.port.commands] == [HaltAll]


@pytest.mark.parametrize("keys", ["qq", "xxyy", "hh", "cc"])
async def test_more_keys_than_one_over_the_help_page_do_nothing(keys: str) -> None:
    async with watching(ScriptedPort()) as operator:
        await operator.press("question_mark")
        await burst(operator, keys)
        assert operator.app.is_running
        assert sent(operator) == []


async def test_what_is_typed_before_the_note_is_there_is_part_of_it() -> None:
    async with watching(ScriptedPort()) as operator:
        await burst(operator, "Nhold until Monday")
        await operator.press("enter")
        (command,) = operator.port.commands
        assert isinstance(command, NoteDesk)
        assert command.text == "hold until Monday"


async def test_what_is_typed_before_a_dangerous_question_answers_nothing() -> None:
    async with watching(ScriptedPort()) as operator:
        await burst(operator, "CCLOSE ALL")
        assert operator.sees("Type CLOSE ALL and enter: [_")
        assert sent(operator) == []


async def test_a_filter_that_is_full_takes_keys_and_makes_no_commands_of_them() -> None:
    async with watching(ScriptedPort()) as operator:
        await operator.press("slash")
        await burst(operator, "x" * FILTER_CAP + "HHhqq1")
        assert operator.app.is_running
        assert sent(operator) == []
        assert operator.sees("filter: ")


async def test_a_paste_goes_where_something_is_typed() -> None:
    async with watching(ScriptedPort()) as operator:
        await operator.press("slash")
        operator.app.screen.focused.post_message(events.Paste("bonk\nrm -rf"))  # type: ignore[union-attr]
        await operator.pilot.pause()
        assert operator.sees("filter: bonk_")
        await operator.press("enter", "N")
        operator.app.screen.post_message(events.Paste("wait\x1b[31m for it\nH"))
        await operator.pilot.pause()
        await operator.press("enter")
        assert [getattr(command, "text", "") for command in operator.port.commands] == ["wait[31m for it"]
