"""Columns, order and filter of a table, and what a changed line repaints; all without a terminal."""

from dataclasses import replace

import pytest

from tests.tui.scripted import desk, idle, snapshot
from tui.lines import changed
from tui.panes import PANES, Pane
from tui.panes.desks import TABLE
from tui.table import View, arranged, row_line, sort_order, sortable
from tui.tones import Tone

ROWS = snapshot().desks


@pytest.mark.parametrize("pane", PANES, ids=lambda pane: pane.id)
@pytest.mark.parametrize("width", [20, 49, 59, 79, 80, 99, 199])
def test_columns_always_fit_and_rows_are_as_wide_as_the_header(pane: Pane, width: int) -> None:
    fitting = pane.table.fitting(width)
    room = sum(column_width + 1 for _, column_width in fitting) + 2
    assert room <= width + 1
    for row in pane.rows(snapshot()):
        line = row_line(pane.table, row, fitting, "  ")
        assert sum(len(text) for text, _ in line) == room


def test_the_least_kept_columns_go_first() -> None:
    names = [column.name for column, _ in TABLE.fitting(45)]
    assert names == ["token", "side", "pnl", "liq"]
    assert [column.name for column, _ in TABLE.fitting(200)] == [column.name for column in TABLE.columns]


def test_without_a_filter_or_a_sort_nothing_is_copied() -> None:
    assert arranged(TABLE, ROWS, View()) is ROWS


@pytest.mark.parametrize(("text", "tokens"), [("PEP", ["PEPE"]), ("ops", ["CAT"]), ("nothing like it", [])])
def test_a_filter_ignores_case(text: str, tokens: list[str]) -> None:
    assert [row.token for row in arranged(TABLE, ROWS, View(filter=text.upper()))] == tokens
    assert [row.token for row in arranged(TABLE, ROWS, View(filter=text.lower()))] == tokens


def test_sorting_is_stable_and_unknown_comes_last() -> None:
    number = 1 + [column.name for column in sortable(TABLE)].index("pnl")
    rows = (*(replace(row, pnl=0) for row in ROWS[:3]), replace(ROWS[5], pnl=None), replace(ROWS[6], pnl=-1))
    result = arranged(TABLE, rows, View(sort=number))
    assert [row.token for row in result] == [rows[4].token, *(row.token for row in rows[:3]), rows[3].token]


@pytest.mark.parametrize("pane", PANES, ids=lambda pane: pane.id)
def test_every_sort_order_works(pane: Pane) -> None:
    rows = pane.rows(snapshot())
    for number in range(len(sortable(pane.table)) + 1):
        view = View(sort=number)
        assert len(arranged(pane.table, rows, view)) == len(rows)
        assert (sort_order(pane.table, view) is None) == (number == 0)


def test_a_changed_price_repaints_its_own_cells_only() -> None:
    fitting = TABLE.fitting(80)
    before = row_line(TABLE, desk(1), fitting, "  ")
    after = row_line(TABLE, desk(1, mark=64_411 * 10**18), fitting, "  ")
    [(x, width)] = changed(before, after)
    assert width == 11
    assert "64,411.00" in "".join(text for text, _ in after)[x : x + width]


def test_a_row_that_changes_its_shape_is_repainted_from_where_it_differs() -> None:
    fitting = TABLE.fitting(80)
    before = row_line(TABLE, desk(1), fitting, "  ")
    after = row_line(TABLE, idle(1), fitting, "  ")
    assert list(changed(before, after)) == [(17, None)]


def test_lines_that_say_the_same_repaint_nothing() -> None:
    line = (("a", Tone.TEXT), ("b", Tone.DIM))
    assert list(changed(line, (("a", Tone.TEXT), ("b", Tone.DIM)))) == []
    assert list(changed(line, (("a", Tone.TEXT), ("b", Tone.TEXT)))) == [(1, 1)]
    assert list(changed(line, (("a", Tone.TEXT),))) == [(1, None)]
    assert list(changed((), line)) == [(0, None)]
