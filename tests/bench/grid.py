"""A pane of 10,000 rows under an operator's hands, beside a stock DataTable of as many."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import DataTable
from textual.widgets.data_table import ColumnKey

from engine.snapshot import DeskRow
from tests.bench.report import best_of, report, timed
from tests.tui.scripted import desk, idle, usd
from themes import load
from tui.grid import Grid
from tui.panes.desks import TABLE
from tui.tones import Palette

ROWS, TIMES = 10_000, 7
SIZE = (120, 50)
CHANGED = 50
"""Rows that a fresh snapshot changes."""
_CASES = (
    ("move", "move"),
    ("page", "page"),
    ("sort", "sort"),
    ("filter key", "fill"),
    ("fresh snapshot", "update"),
)
"""Beside what of the stock table: it has no filter, and would have to be filled again."""
_SORTED = "pnl"
_FILTER = "side:short lev>20 mog"


class Ours(App[None]):
    """One pane."""

    def __init__(self) -> None:
        super().__init__()
        self.grid: Grid[DeskRow] = Grid(TABLE, Palette(load("night")), id="desks")

    def compose(self) -> ComposeResult:
        yield self.grid


class Stock(App[None]):
    """One table."""

    def compose(self) -> ComposeResult:
        yield DataTable[Text]()


def rows() -> tuple[DeskRow, ...]:
    """Open desks, and one in five that waits."""
    return tuple(desk(number) if number % 5 else idle(number) for number in range(ROWS))


def ten_thousand() -> None:
    """What every key and every snapshot costs, beside what a DataTable needs for the same."""
    ours, stock = asyncio.run(_ours()), asyncio.run(_stock())
    for case, baseline in _CASES:
        name = f"stock DataTable: {baseline}"
        report("tui.grid", f"{case}, {ROWS:,} rows", ours[case] * 1e6, "us", name, stock[baseline] * 1e6)


def _painted(widget: Widget, work: Callable[[], object]) -> float:
    """Seconds until the widget has its lines for the terminal again."""

    def both() -> None:
        work()
        widget.render_lines(Region(0, 0, *widget.size))

    return timed(both)


async def _ours() -> dict[str, float]:
    app = Ours()
    async with app.run_test(size=SIZE) as pilot:
        grid = app.grid
        grid.focus()
        grid.feed(rows())
        await pilot.pause()
        grid.move(ROWS - 100)
        took = {"move": best_of(TIMES, lambda: _painted(grid, lambda: grid.move(-1)))}
        took["page"] = best_of(TIMES, lambda: _painted(grid, lambda: grid.move(-grid.page)))
        # Every key at its best, and of those the dearest: no key may stall.
        took["filter key"] = max(min(key) for key in zip(*(_typed(grid) for _ in range(TIMES)), strict=True))
        took["sort"] = max(_sorts(grid))
        grid.view.sort = _SORTED
        took["fresh snapshot"] = best_of(TIMES, lambda: _fresh(grid))
    return took


def _typed(grid: Grid[DeskRow]) -> list[float]:
    """What each key of the filter takes, on rows never seen before."""
    grid.clear_filter()
    grid.feed(rows())
    keys = [events.Key("slash", "/"), *(events.Key(character, character) for character in _FILTER)]
    took = [_painted(grid, partial(grid.on_key, key)) for key in keys]
    assert 0 < len(grid.rows) < ROWS / 5
    grid.clear_filter()
    return took


def _sorts(grid: Grid[DeskRow]) -> Iterator[float]:
    """What each sort takes, column after column."""
    for _ in grid.shown:
        grid.next_sort()
        yield best_of(TIMES, lambda: _painted(grid, grid.sort_back))


def _fresh(grid: Grid[DeskRow]) -> float:
    """A snapshot in which a few rows are others, somewhere else in the order."""
    shown = list(grid.source)
    for at in range(0, ROWS, ROWS // CHANGED):
        shown[at] = replace(shown[at], pnl=usd(at), mark=usd(at))
    fresh = tuple(shown)
    return _painted(grid, lambda: grid.feed(fresh))


async def _stock() -> dict[str, float]:
    app = Stock()
    async with app.run_test(size=SIZE) as pilot:
        table: DataTable[Text] = app.query_one(DataTable)
        columns = table.add_columns(*(column.name for column in TABLE.columns))
        cells = [_cells(row) for row in rows()]
        took = {"fill": _painted(table, lambda: _fill(table, cells))}
        await pilot.pause()
        took["move"] = best_of(TIMES, lambda: _painted(table, lambda: table.move_cursor(row=table.cursor_row + 1)))
        took["page"] = best_of(TIMES, lambda: _painted(table, table.action_page_down))
        pnl = columns[6]
        took["sort"] = best_of(TIMES, lambda: _painted(table, lambda: table.sort(pnl, key=_figure)))
        took["update"] = best_of(TIMES, lambda: _painted(table, lambda: _update(table, pnl)))
    return took


def _cells(row: DeskRow) -> list[Text]:
    return [Text(column.cell(row, column.width)[0]) for column in TABLE.columns]


def _fill(table: "DataTable[Text]", cells: list[list[Text]]) -> None:
    for number, row in enumerate(cells):
        table.add_row(*row, key=str(number))


def _figure(cell: Text) -> float:
    try:
        return float(cell.plain.replace(",", ""))
    except ValueError:
        return 0.0


def _update(table: "DataTable[Text]", column: ColumnKey) -> None:
    for at in range(0, ROWS, ROWS // CHANGED):
        table.update_cell(str(at), column, Text(f"{at:.2f}"))
    table.sort(column, key=_figure)
