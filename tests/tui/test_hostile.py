"""Text from outside is shown, and does nothing else."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.keeper_rows import KeeperHealth, KeeperRow
from engine.snapshot import Event
from tests.scale import scaled
from tests.tui.hostile import HOSTILE, four_hundred, hostile_snapshot
from tests.tui.operator import Operator, watching
from tests.tui.scripted import NOW, ScriptedPort, address, points

SIZES = [(120, 40), (80, 24), (200, 60)][: scaled(1, 3, 3)]
STEP = scaled(3, 1, 1)
"""Of the rows on which a page and its dialogs are opened."""


def assert_harmless(operator: Operator) -> None:
    assert operator.app.is_running
    for line in operator.lines():
        assert not any(ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u202e\u2066\u2069\u200b" for char in line)


@pytest.mark.parametrize("size", SIZES)
async def test_four_hundred_hostile_names_through_every_pane(
    size: tuple[int, int], tried: Callable[[int], None]
) -> None:
    names = four_hundred()
    assert len(set(names)) > 380
    async with watching(ScriptedPort(hostile_snapshot(names)), size=size) as operator:
        for key in "123456890":
            await operator.press(key, "z", "g")
            for _ in range(0, len(names), max(size[1] - 5, 1)):
                assert_harmless(operator)
                assert {strip.cell_length for strip in operator.app.screen._compositor.render_strips()} == {size[0]}
                await operator.press("pagedown")
            await operator.press("z")
        assert operator.port.commands == []
    tried(len(names))


@pytest.mark.parametrize("size", [(80, 24), (160, 45), (220, 60)])
async def test_hostile_names_in_every_pane(size: tuple[int, int]) -> None:
    async with watching(ScriptedPort(hostile_snapshot()), size=size) as operator:
        for key in "12345678":
            await operator.press(key)
            assert_harmless(operator)
            await operator.press("z")
            assert_harmless(operator)
            await operator.press("G", "s", "s", "z")
            assert_harmless(operator)


async def test_markup_is_shown_as_it_is_written() -> None:
    async with watching(ScriptedPort(hostile_snapshot())) as operator:
        assert operator.sees("[/x]·")
        assert operator.sees("[@click=…·")


async def test_hostile_names_on_the_detail_pages_and_in_the_dialogs() -> None:
    history = [Event(number, NOW, address(number), text, text, text, text) for number, text in enumerate(HOSTILE)]
    async with watching(ScriptedPort(hostile_snapshot(), history=history)) as operator:
        for _ in HOSTILE[::STEP]:
            await operator.press("enter")
            assert_harmless(operator)
            for key in ("c", "v", "u"):
                await operator.press(key)
                assert_harmless(operator)
                await operator.press("escape")
            await operator.press("escape", "1", *"j" * STEP)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_hostile_lines_of_the_log_and_buybacks(size: tuple[int, int]) -> None:
    history = [Event(number + 1, NOW, address(number), text, text, text, text) for number, text in enumerate(HOSTILE)]
    async with watching(ScriptedPort(hostile_snapshot(), history=history), size=size) as operator:
        for keys in (("7", "j", "enter"), ("8", "tab", "enter"), ("7", "slash", *"token:red", "enter", "enter")):
            for key in keys:
                await operator.press(key)
                assert_harmless(operator)
            await operator.press("escape", "escape")


async def test_hostile_texts_on_the_pages_and_in_the_dialogs_of_the_exchange() -> None:
    async with watching(ScriptedPort(hostile_snapshot()), size=(80, 24)) as operator:
        for pane, keys in (("5", ("enter", "x")), ("6", ("enter", "n", "enter", "x", "enter"))):
            await operator.press(pane)
            for _ in HOSTILE[::STEP]:
                for key in keys:
                    await operator.press(key)
                    assert_harmless(operator)
                await operator.press("escape", "escape", pane, *"j" * STEP)
        assert operator.port.commands == []


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_hostile_markets_and_keepers(size: tuple[int, int]) -> None:
    keepers = tuple(KeeperRow(text, KeeperHealth.FAILING, 1, NOW, text) for text in HOSTILE)
    history = [Event(number + 1, NOW, "", text, f"by {text}", text, text) for number, text in enumerate(HOSTILE)]
    port = ScriptedPort(replace(hostile_snapshot(), keepers=keepers), history=history, past=points(100))
    async with watching(port, size=size) as operator:
        await operator.press("2")
        for _ in HOSTILE[:6]:
            await operator.press("enter")
            assert_harmless(operator)
            await operator.press("escape", "j")
        await operator.press("0")
        for _ in HOSTILE[:6]:
            await operator.press("j")
            assert_harmless(operator)
        assert operator.sees("What ")


async def test_reasons_and_accounts_are_shown_as_they_are_written() -> None:
    async with watching(ScriptedPort(hostile_snapshot()), size=(200, 60)) as operator:
        await operator.press("5")
        line = operator.line("[red]red[/red]")
        assert line.count("[red]red[/red]") >= 2


async def test_columns_stay_where_they_are_beside_a_wide_name() -> None:
    async with watching(ScriptedPort(hostile_snapshot())) as operator:
        starts = {strip.cell_length for strip in operator.app.screen._compositor.render_strips()}
        assert starts == {160}
