"""What a pane knows about its rows: columns by priority, order, filter, and one row as a line of cells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tui.filters import Fields, matcher
from tui.format import fit
from tui.tones import Line, Span, Tone

Row = TypeVar("Row")

ANY_WIDTH = range(100_000)
MARGIN = 2
"""Cells left of the first column, for the mark of the cursor."""


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: `cell` gives text and meaning for a width; `keep` is higher for columns that go later."""

    name: str
    width: int
    cell: Callable[[Row, int], Span]
    keep: int = 0
    left: bool = False
    grow: bool = False
    """Takes what room is left."""
    order: Callable[[Row], Any] | None = None
    """Sort key, smallest first; None where sorting by this column makes no sense."""
    widths: range = ANY_WIDTH
    """Widths of the pane it is for; at others another column says as much in less room, or more in more."""


@dataclass(frozen=True)
class Table(Generic[Row]):
    """All a pane knows about its rows: columns and cells, nothing else."""

    columns: tuple[Column[Row], ...]
    key: Callable[[Row], str]
    haystack: Callable[[Row], str]
    """The text a filter searches."""
    empty: str
    """What to tell an operator who sees no rows."""
    aside: Callable[[Row], Span | None] = lambda row: None
    """Text shown across the columns that `across` names, in place of their cells."""
    across: Callable[[Row], tuple[str, ...]] = lambda row: ()
    dimmed: Callable[[Row], bool] = lambda row: False
    fields: Fields[Row] = field(default_factory=dict)
    """What `name:word` in a filter searches."""

    def fitting(self, width: int) -> tuple[tuple[Column[Row], int], ...]:
        """The columns that have room, with their widths: the least kept go first, none ever wraps."""
        room = width - MARGIN
        chosen: set[str] = set()
        for column in sorted((column for column in self.columns if width in column.widths), key=lambda c: -c.keep):
            if column.width + 1 > room:
                break
            chosen.add(column.name)
            room -= column.width + 1
        return tuple(
            (column, column.width + (max(room, 0) if column.grow else 0))
            for column in self.columns
            if column.name in chosen
        )


@dataclass
class View:
    """What the operator asked a table to show."""

    filter: str = ""
    editing: bool = False
    sort: int = 0
    """0 is the order the rows come in; n is the n-th sortable column."""


def arranged(table: Table[Row], rows: Sequence[Row], view: View) -> Sequence[Row]:
    """Filtered and sorted rows; the very same sequence where there is nothing to do."""
    if view.filter:
        rows = list(filter(matcher(view.filter, table.haystack, table.fields), rows))
    if order := sort_order(table, view):
        rows = sorted(rows, key=order)
    return rows


def sortable(table: Table[Row]) -> list[Column[Row]]:
    """The columns `s` goes through."""
    return [column for column in table.columns if column.order is not None]


def sort_order(table: Table[Row], view: View) -> Callable[[Row], Any] | None:
    """The sort key in force."""
    return sortable(table)[view.sort - 1].order if view.sort else None


def row_line(table: Table[Row], row: Row, fitting: tuple[tuple[Column[Row], int], ...], mark: str) -> Line:
    """One row as spans, one per column, so that a change in one repaints that one."""
    line: list[Span] = [(mark, Tone.TEXT)]
    aside = table.aside(row)
    dim = table.dimmed(row)
    across = table.across(row) if aside else ()
    for column, width in fitting:
        if column.name in across:
            if aside is not None:
                room = sum(width + 1 for column, width in fitting if column.name in across)
                line.append((fit(aside[0], room - 1) + " ", aside[1]))
                aside = None
            continue
        text, tone = column.cell(row, width)
        if dim and tone is Tone.TEXT:
            tone = Tone.DIM
        line.append((fit(text, width, not column.left) + " ", tone))
    return tuple(line)
