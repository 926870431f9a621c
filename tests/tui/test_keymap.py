"""Keys an operator chooses: told apart, printed as on a keyboard, and refused with the action and the key named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.operator import watching
from tests.tui.scripted import ScriptedPort
from tui.actions import ACTIONS, BY_ID
from tui.keymap import Keymap, KeymapError
from tui.reasons import Place
from tui.settings import UiSettings


def test_the_registrys_own_keys_are_a_key_map() -> None:
    own = {action.id: " ".join(action.keys.split(",")) for action in ACTIONS if action.id not in ("cancel", "back")}
    Keymap.of(own)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"hault": "h"}, "hault: no such action"),
        ({"halt": "hh"}, "halt: 'hh' is not a key"),
        ({"halt": "\x1b[31m"}, "is not a key"),
        ({"halt": "ctrl+"}, "'ctrl+' is not a key"),
        ({"halt": "c"}, "c is also the key of halt"),
        ({"leave": ""}, "leave: needs a key"),
        ({"cancel": "f2"}, "cancel: escape gets out of everything"),
        ({"halt": "escape"}, "esc is also the key of halt"),
        ({"halt_all": " "}, "halt_all: needs a key"),
    ],
)
def test_what_is_refused(wanted: dict[str, str], said: str) -> None:
    with pytest.raises(KeymapError) as caught:
        Keymap.of(wanted)
    assert said in str(caught.value)


@given(st.dictionaries(st.sampled_from(sorted(BY_ID)), st.sampled_from(["f1", "F", "h", "H", "ctrl+k x", "", ";"])))
def test_no_accepted_map_gives_one_key_two_meanings(wanted: dict[str, str]) -> None:
    try:
        keymap = Keymap.of(wanted)
    except KeymapError:
        return
    for place in Place:
        keys = [key for action in ACTIONS if place in action.places for key in keymap.keys(action)]
        assert len(keys) == len(set(keys))


async def test_a_chosen_key_works_is_shown_and_the_old_one_is_silent() -> None:
    keymap = Keymap.of({"halt": "f5 D", "filter": "="})
    async with watching(ScriptedPort(), ui=UiSettings(keymap=keymap)) as operator:
        assert operator.keys.startswith("f5 halt")
        await operator.press("h")
        assert operator.port.commands == []
        await operator.press("f5")
        await operator.press("D")
        assert [type(command).__name__ for command in operator.port.commands] == ["HaltDesk", "HaltDesk"]
        await operator.press("question_mark")
        assert operator.sees("f5 D  halt the selected desk")
        await operator.press("escape")
        await operator.press("equals_sign", "p", "e", "p", "e")
        assert operator.sees("filter: pepe_")


async def test_halting_all_by_a_chosen_key_works_behind_a_question_too() -> None:
    async with watching(ScriptedPort(), ui=UiSettings(keymap=Keymap.of({"halt_all": "f9"}))) as operator:
        await operator.press("c")
        await operator.press("f9")
        assert "f9 again within" in operator.message
        await operator.press("f9")
        assert [type(command).__name__ for command in operator.port.commands] == ["HaltAll"]
