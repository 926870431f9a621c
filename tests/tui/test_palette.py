"""Finding things by a few letters, and notes on a desk."""

from engine.commands import NoteDesk
from tests.tui.operator import watching
from tests.tui.scripted import ScriptedPort, desk, snapshot
from tui.palette import Hit, found


def titles(query: str, *names: str) -> list[str]:
    return [hit.title for hit in found(query, [Hit(name, "", lambda: None) for name in names])]


def test_letters_in_their_order_find_and_the_best_comes_first() -> None:
    assert titles("hall", "halt", "halt all", "help") == ["halt all"]
    assert titles("zz", "halt") == []
    assert titles("", "b", "a") == ["b", "a"]


async def test_an_action_is_found_and_done() -> None:
    async with watching(ScriptedPort()) as operator:
        await operator.press("colon", *"zoom", "enter")
        assert operator.sees("Desks")
        assert not operator.sees("Markets 2")


async def test_what_cannot_be_done_says_why() -> None:
    port = ScriptedPort(role="observer")
    async with watching(port) as operator:
        await operator.press("ctrl+p", *"halt all")
        assert operator.sees("observer: may only look")
        await operator.press("enter")
        assert operator.message == "halt all: observer: may only look"
        assert port.commands == []


async def test_a_desk_is_gone_to_by_its_name() -> None:
    async with watching(ScriptedPort()) as operator:
        await operator.press("colon", *"bonk", "enter")
        await operator.frame()
        assert operator.sees("BONK·")
        assert "esc back" in operator.keys


async def test_nothing_found_does_nothing() -> None:
    async with watching(ScriptedPort()) as operator:
        await operator.press("colon", *"qqqq")
        assert operator.sees("nothing is called that")
        await operator.press("enter", "escape")
        assert operator.port.commands == []


async def test_a_note_is_written_changed_and_seen() -> None:
    port = ScriptedPort(snapshot(desks=(desk(0, memo="old", memo_by="anna", memo_at_ms=1_795_269_000_000),)))
    async with watching(port) as operator:
        await operator.press("N")
        assert operator.sees("by anna")
        await operator.press("backspace", "backspace", "backspace", *"ask H", "enter")
        (command,) = port.commands
        assert isinstance(command, NoteDesk)
        assert (command.address, command.text) == (port.picture.desks[0].address, "ask H")
        await operator.press("enter")
        assert operator.sees("old")


async def test_a_note_that_is_left_with_escape_changes_nothing() -> None:
    async with watching(ScriptedPort()) as operator:
        await operator.press("N", *"half", "escape")
        assert operator.port.commands == []


async def test_a_note_of_somebody_else_is_shown_and_not_written_over_unseen() -> None:
    port = ScriptedPort(snapshot(desks=(desk(0, memo="old", memo_by="anna", memo_at_ms=1),)))
    async with watching(port) as operator:
        seen = port.picture.seq
        await operator.press("N")
        port.change_desk(0, memo="DO NOT TOUCH", memo_by="bob")
        await operator.frame()
        assert operator.sees("now there: DO NOT TOUCH")
        await operator.press("enter")
        (command,) = port.commands
        assert command.seen_seq == seen


async def test_an_action_that_would_do_something_else_by_now_is_not_done() -> None:
    port = ScriptedPort()
    async with watching(port) as operator:
        await operator.press("colon", *"halt")
        assert operator.sees("> halt")
        port.change_desk(0, halted_by="guard", halted_at_ms=1)
        await operator.frame()
        await operator.press("enter")
        assert port.commands == []
        assert operator.message == "halt: nothing was done, by now it would resume"
