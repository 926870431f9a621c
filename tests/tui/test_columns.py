"""An operator arranges a pane: order, columns, filter; and what ten thousand rows must not cost."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App, ComposeResult

from engine.snapshot import DeskRow
from tests.tui.operator import Operator, watching
from tests.tui.scripted import desk, usd
from themes import load
from tui.board import Board
from tui.columns_dialog import ColumnsDialog
from tui.grid import Grid
from tui.keymap import Keymap
from tui.panes.desks import TABLE
from tui.settings import UiSettings
from tui.table import RowLines
from tui.tones import Palette


def desks_line(operator: Operator, text: str) -> str:
    """The left half of a line of the screen."""
    return operator.line(text)[:79]


def order(operator: Operator) -> list[str]:
    """The tokens on the screen, from the top down."""
    return [line[2:16].partition("·")[0].strip() for line in operator.lines()[3:15]]


async def test_the_header_marks_the_order_and_shift_s_turns_it() -> None:
    async with watching() as operator:
        await operator.press("S")
        assert operator.message == "these rows are not sorted by a column yet"
        await operator.press(*"sss")
        assert "lev▼collateral" in operator.lines()[2]
        assert order(operator)[:3] == ["MOG", "TOSHI", "DOGINME"]
        assert order(operator)[-2:] == ["WIF", "MFER"]
        await operator.press("S")
        assert "lev▲collateral" in operator.lines()[2]
        assert order(operator)[:3] == ["PEPE", "CAT", "HIGHER"]
        assert order(operator)[-2:] == ["WIF", "MFER"]


async def test_the_cursor_stays_on_its_row_when_the_operator_sorts() -> None:
    async with watching() as operator:
        await operator.press("j", "j", "j")
        assert operator.line("MOG·").startswith(">")
        for key in "sssSss":
            await operator.press(key)
            assert operator.line("MOG·").startswith(">")


async def test_in_sorted_rows_no_key_means_another_desk_than_the_one_looked_at() -> None:
    async with watching() as operator:
        await operator.press(*"sssssss")
        assert operator.lines()[3].startswith("> BONK")
        operator.port.change_desk(8, pnl=usd(-500))
        await operator.frame()
        assert operator.lines()[3].startswith("  HIGHER")
        assert operator.line("BONK·").startswith(">")
        await operator.press("g")
        assert operator.lines()[3].startswith("> HIGHER")


async def test_columns_are_hidden_and_shown_one_by_one() -> None:
    async with watching(size=(120, 40)) as operator:
        await operator.press("f")
        assert operator.sees("Columns of desks")
        assert operator.sees("[x] collateral          no room")
        await operator.press("space", "j", "space", "j", "space", "k")
        assert operator.sees("[x] token               always")
        assert operator.sees("> [ ] side")
        assert operator.sees("  [ ] lev")
        await operator.press("enter")
        header = operator.lines()[2][:59]
        assert header.split() == ["token", "collateral", "mark", "pnl", "liq"]
        assert "2 hidden" in operator.lines()[1]
        await operator.press("f", "a", "escape")
        assert operator.lines()[2][:59].split() == ["token", "side", "lev", "mark", "pnl", "liq"]
        assert "hidden" not in operator.lines()[1]


@pytest.mark.parametrize("size", [(80, 24), (250, 70)])
async def test_every_pane_has_its_columns_on_one_panel(size: tuple[int, int]) -> None:
    async with watching(size=size) as operator:
        for key in "123456789":
            await operator.press(key, "f")
            dialog, board = operator.app.screen, operator.app.screen_stack[-2]
            assert isinstance(dialog, ColumnsDialog)
            assert isinstance(board, Board)
            assert operator.sees("space shows or hides")
            for column in board.grid.table.columns:
                if board.grid.size.width in column.widths:
                    assert operator.sees(f"] {column.name} "), (key, column.name)
            await operator.press("escape")


async def test_the_filter_listens_to_the_key_the_operator_chose() -> None:
    ui = UiSettings(keymap=Keymap.of({"filter": "f5"}))
    async with watching(ui=ui) as operator:
        await operator.press("f5", *"mog/", "backspace", "enter")
        assert "filter: mog (1 of 12)" in desks_line(operator, "Desks 12")
        await operator.press("escape", "slash")
        assert "filter" not in desks_line(operator, "Desks 12")


def test_a_row_that_was_just_there_is_not_formatted_again() -> None:
    asked: list[str] = []

    def dimmed(row: DeskRow) -> bool:
        asked.append(row.token)
        return False

    rows = [desk(number) for number in range(4)]
    lines = RowLines(replace(TABLE, dimmed=dimmed))
    fitting = TABLE.fitting(80)
    first = lines(rows[:3], fitting, 0)
    assert len(asked) == 3
    moved = lines(rows[1:], fitting, 0)
    assert len(asked) == 5  # the new one, and the one that has the cursor now
    assert moved[1] is first[2]
    assert [line[0][0] for line in moved] == ["> ", "  ", "  "]
    lines(rows[1:], TABLE.fitting(60), 0)
    assert len(asked) == 8
    assert lines([desk(1)], TABLE.fitting(60), 0)[0] == lines([rows[1]], TABLE.fitting(60), 0)[0]


class Pane(App[None]):
    """One pane of very many rows, which counts what it is asked about them."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        self.rows = tuple(desk(number) for number in range(count))
        columns = tuple(replace(column, cell=self._counted("cell", column.cell)) for column in TABLE.columns)
        table = replace(
            TABLE,
            columns=columns,
            key=self._counted("key", TABLE.key),
            haystack=self._counted("haystack", TABLE.haystack),
        )
        self.grid: Grid[DeskRow] = Grid(table, Palette(load("night")), id="desks")

    def _counted(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def asking(*given: Any) -> Any:
            self.asked[what] += 1
            return function(*given)

        return asking

    def compose(self) -> ComposeResult:
        yield self.grid


async def test_ten_thousand_rows_are_not_gone_through_for_every_key_and_every_snapshot() -> None:
    app = Pane(10_000)
    async with app.run_test(size=(120, 30)) as pilot:
        grid = app.grid
        grid.focus()
        grid.feed(app.rows)
        await pilot.pause()
        app.asked.clear()
        await pilot.press("end")
        grid.move(9_000)
        grid.move(-5)
        grid.feed(app.rows)
        assert app.asked["key"] == app.asked["haystack"] == 0
        assert app.asked["cell"] < 3 * 30 * len(TABLE.columns)
        await pilot.press("slash", *"mog")
        assert len(grid.rows) == 834
        assert app.asked["haystack"] == 10_000
        fresh = (*app.rows[:5], desk(5, pnl=0), *app.rows[6:])
        grid.feed(fresh)
        assert app.asked["haystack"] == 10_001
