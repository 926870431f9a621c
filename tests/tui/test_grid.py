"""Columns, order and filter of a table, and what a changed line repaints; all without a terminal."""

import math
from dataclasses import replace
from typing import Any

import pytest

from engine.snapshot import DeskRow
from tests.tui.scripted import desk, idle, snapshot
from tui.lines import changed
from tui.panes import PANES, Pane
from tui.panes.desks import TABLE
from tui.table import Column, View, arranged, header_line, next_sort, row_line, sort_order, sortable
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


def column(name: str) -> Column[DeskRow]:
    return next(column for column in TABLE.columns if column.name == name)


@pytest.mark.parametrize("falling", [False, True])
def test_sorting_is_stable_and_unknown_comes_last_both_ways(falling: bool) -> None:
    ends = [replace(ROWS[6], pnl=-1), replace(ROWS[8], pnl=1)]
    rows = (*(replace(row, pnl=0) for row in ROWS[:3]), replace(ROWS[5], pnl=None), *ends)
    result = arranged(TABLE, rows, View(sort="pnl", falling=falling))
    first, last = reversed(ends) if falling else ends
    assert [row.token for row in result] == [first.token, *(row.token for row in rows[:3]), last.token, rows[3].token]


def test_what_is_not_a_number_has_no_place_among_numbers() -> None:
    rows = tuple(replace(ROWS[at], liq_move=move) for at, move in enumerate((0.3, math.nan, 0.1, None, 0.2)))
    result = arranged(TABLE, rows, View(sort="liq"))
    assert [row.token for row in result] == [rows[at].token for at in (2, 4, 0, 1, 3)]


@pytest.mark.parametrize("pane", PANES, ids=lambda pane: pane.id)
def test_every_sort_order_works_both_ways(pane: Pane) -> None:
    rows = pane.rows(snapshot())
    names = [column.name for column in pane.table.columns]
    assert len(names) == len(set(names))
    assert len(sortable(pane.table)) >= len(names) - 3
    for shown in sortable(pane.table):
        for falling in (False, True):
            view = View(sort=shown.name, falling=falling)
            result = arranged(pane.table, rows, view)
            assert len(result) == len(rows)
            assert sort_order(pane.table, view) is shown.order
            assert shown.order is not None
            keys: list[Any] = [key for row in result if (key := shown.order(row)) is not None]
            assert keys == sorted(keys, reverse=falling)
    assert sort_order(pane.table, View()) is None
    assert sort_order(pane.table, View(sort="nothing")) is None


def test_s_goes_through_the_columns_on_the_screen_from_left_to_right() -> None:
    fitting = TABLE.fitting(45)
    view, seen = View(), []
    while True:
        view.sort, view.falling = next_sort(fitting, view)
        if not view.sort:
            break
        seen.append((view.sort, view.falling))
    assert seen == [("token", False), ("side", False), ("pnl", False), ("liq", False)]
    assert next_sort(fitting, View(sort="entry")) == ("token", False)
    assert next_sort(TABLE.fitting(200), View(sort="side")) == ("lev", True)
    assert next_sort((), View(sort="side")) == ("", False)


@pytest.mark.parametrize("pane", PANES, ids=lambda pane: pane.id)
@pytest.mark.parametrize("width", [49, 79, 100, 199])
def test_the_mark_of_the_sorted_column_moves_nothing_and_cuts_no_name(pane: Pane, width: int) -> None:
    fitting = pane.table.fitting(width)
    [(plain, _)] = header_line(fitting, View())
    for shown, _ in fitting:
        for falling, mark in ((False, "▲"), (True, "▼")):
            [(text, _)] = header_line(fitting, View(sort=shown.name, falling=falling))
            assert text.replace(mark, " ") == plain
            assert text.count(mark) == 1
            assert text[: text.index(mark)].endswith(shown.name)


def test_hidden_columns_give_their_room_to_others_and_the_main_one_cannot_be_hidden() -> None:
    def names(width: int, *hidden: str) -> list[str]:
        return [column.name for column, _ in TABLE.fitting(width, frozenset(hidden))]

    assert names(50) == ["token", "side", "pnl", "liq"]
    assert names(50, "side", "token") == ["token", "mark", "pnl", "liq"]
    assert names(200, *names(200)) == ["token"]


@pytest.mark.parametrize("number", [2, 4, 7])
def test_what_stands_across_hidden_columns_is_said_elsewhere(number: int) -> None:
    hidden = frozenset(("side", "lev", "collateral", "entry", "mark"))
    line = row_line(TABLE, ROWS[number], TABLE.fitting(60, hidden), "  ")
    assert ("pending", "HALTED", "UNKNOWN")[(2, 4, 7).index(number)] in "".join(text for text, _ in line)


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
