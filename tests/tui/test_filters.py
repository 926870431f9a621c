"""Filters: all words, any case, and words of one field; and which fields there are when one is not."""

import pytest

from tests.tui.operator import watching
from tests.tui.scripted import ScriptedPort, events, snapshot
from tui.filters import unknown_field
from tui.panes import PANES, Pane, desks
from tui.table import View, arranged

ROWS = snapshot().desks


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("token:pep", ["PEPE"]),
        ("TOKEN:PEP SIDE:short", ["PEPE"]),
        ("side:short market:btc", ["MOG"]),
        ("by halted", ["CAT"]),
        ("phase:deciding", ["MFER"]),
        ("side:long side:short", []),
        ("13:58", ["CAT"]),
        ("token:", [row.token for row in ROWS]),
        ("  ", [row.token for row in ROWS]),
        ("bogus:x", []),
    ],
)
def test_all_words_must_occur_each_in_its_field(text: str, tokens: list[str]) -> None:
    assert [row.token for row in arranged(desks.TABLE, ROWS, View(filter=text))] == tokens


def test_a_field_that_is_not_there_names_those_that_are() -> None:
    assert unknown_field("pep side:long", desks.TABLE.fields) == ""
    assert unknown_field("bogus:x", desks.TABLE.fields) == "no field bogus here; fields: token, market, side, phase"
    assert unknown_field("14:03 a:b", {}) == ""


@pytest.mark.parametrize("pane", PANES, ids=lambda pane: pane.id)
def test_every_field_of_every_pane_can_be_searched(pane: Pane) -> None:
    rows = pane.rows(snapshot())
    assert pane.table.fields
    for name in pane.table.fields:
        assert len(arranged(pane.table, rows, View(filter=f"{name}:"))) == len(rows)
        assert not arranged(pane.table, rows, View(filter=f"{name}:nobody-has-this"))


async def test_the_screen_says_which_fields_there_are() -> None:
    async with watching(ScriptedPort(history=events(20))) as operator:
        await operator.press("7", "slash", *"sauce:venice")
        assert operator.sees("no field sauce here; fields: token, source, kind, text")
        await operator.press("escape", "slash", *"token:pepe source:venice kind:halt")
        assert operator.sees("filter: token:pepe source:venice kind:halt_ (0 of 20)")
        assert operator.sees("nothing matches the filter; escape clears it")
        await operator.press("escape", "slash", *"token:pepe source:venice kind:liq", "enter")
        assert operator.sees("(1 of 20)")
        assert operator.sees("line 5 of the story")
