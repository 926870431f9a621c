"""What a pane knows about its rows: columns by priority, order, filter, and one row as a line of cells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from rich.cells import cell_len

from tui.filters import BadQuery, Fields, Numbers, parse, plain
from tui.format import fit
from tui.tones import Line, Span, Tone

if TYPE_CHECKING:
    from _typeshed import SupportsRichComparison

Row = TypeVar("Row")
Order = Callable[[Row], "SupportsRichComparison | None"]

ANY_WIDTH = range(100_000)
MARGIN = 2
"""Cells left of the first column, for the mark of the cursor."""
RISING, FALLING = "▲", "▼"
"""Which way the sorted column goes, from the top down."""


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
    order: Order[Row] | None = None
    """What rows are sorted by; unknown (None) comes last both ways. No key: sorting by this column makes no sense."""
    falling: bool = False
    """Largest first, when it is chosen."""
    widths: range = ANY_WIDTH
    """Widths of the pane it is for; at others another column says as much in less room, or more in more."""


Fitting = tuple[tuple[Column[Row], int], ...]
"""Columns on the screen, with their widths."""


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
    numbers: Numbers[Row] = field(default_factory=dict)
    """What `name>20` in a filter compares."""

    @property
    def main(self) -> Column[Row]:
        """The column that says which row it is: the last to go, and never hidden."""
        return max(self.columns, key=lambda column: column.keep)

    def fitting(self, width: int, hidden: frozenset[str] = frozenset()) -> Fitting[Row]:
        """The columns that have room, with their widths: the least kept go first, none ever wraps."""
        room = width - MARGIN
        chosen: set[str] = set()
        wanted = [c for c in self.columns if width in c.widths and (c.name not in hidden or c is self.main)]
        for column in sorted(wanted, key=lambda c: -c.keep):
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
    sort: str = ""
    """Name of the column; empty is the order the rows come in."""
    falling: bool = False
    """Largest first."""
    hidden: frozenset[str] = frozenset()
    """Names of columns that are not to be shown."""


def arranged(
    table: Table[Row],
    rows: Sequence[Row],
    view: View,
    texts: Callable[[Sequence[Row]], Sequence[str]] | None = None,
) -> Sequence[Row]:
    """Filtered and sorted rows; the very same sequence where there is nothing to do.

    A filter that is not understood finds nothing. `texts` is `Table.haystack` of many rows, as `filters.plain` has it.
    """
    if view.filter:
        try:
            query = parse(view.filter, table.fields, table.numbers)
        except BadQuery:
            return ()
        rows = query.select(rows, texts or (lambda some: [plain(table.haystack(row)) for row in some]))
    order = sort_order(table, view)
    return rows if order is None else _ordered(rows, order, view.falling)


def _ordered(rows: Sequence[Row], order: Order[Row], falling: bool) -> Sequence[Row]:
    """Rows with equal keys keep their order, also from the largest down."""
    keys = list(map(order, rows))
    # What is not equal to itself is not a number, and has no place among numbers.
    known = [at for at, key in enumerate(keys) if key is not None and key == key]
    # None is not among them any more, which no type can say.
    known.sort(key=keys.__getitem__, reverse=falling)  # type: ignore[arg-type]
    if len(known) == len(rows):
        return [rows[at] for at in known]
    placed = set(known)
    return [rows[at] for at in known] + [row for at, row in enumerate(rows) if at not in placed]


def sortable(table: Table[Row]) -> list[Column[Row]]:
    """The columns rows can be sorted by."""
    return [column for column in table.columns if column.order is not None]


def sort_order(table: Table[Row], view: View) -> Order[Row] | None:
    """The sort key in force."""
    return next((column.order for column in table.columns if view.sort and column.name == view.sort), None)


def next_sort(fitting: Fitting[Row], view: View) -> tuple[str, bool]:
    """What `s` sorts by after this: the next column on the screen, after the last none; and whether largest first."""
    columns = [column for column, _ in fitting if column.order is not None]
    names = [column.name for column in columns]
    at = names.index(view.sort) + 1 if view.sort in names else 0
    return (columns[at].name, columns[at].falling) if at < len(columns) else ("", False)


def header_line(fitting: Fitting[Row], view: View) -> Line:
    """The names of the columns. The mark of the sorted one stands in a blank: nothing moves and no name is cut."""
    parts = [" " * MARGIN]
    for column, width in fitting:
        name, gap = fit(column.name, width, not column.left), " "
        if view.sort == column.name:
            mark = FALLING if view.falling else RISING
            if column.left and cell_len(column.name) < width:
                name = fit(column.name + mark, width)
            else:
                gap = mark
        parts.append(name + gap)
    return (("".join(parts), Tone.DIM),)


def row_line(table: Table[Row], row: Row, fitting: Fitting[Row], mark: str) -> Line:
    """One row as spans, one per column, so that a change in one repaints that one."""
    line: list[Span] = [(mark, Tone.TEXT)]
    aside = table.aside(row)
    dim = table.dimmed(row)
    across = _across(table, row, fitting) if aside else ()
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


def _across(table: Table[Row], row: Row, fitting: Fitting[Row]) -> tuple[str, ...]:
    """The columns the words stand across: others than usual where the operator has hidden all of those."""
    usual = table.across(row)
    if any(column.name in usual for column, _ in fitting):
        return usual
    return tuple(column.name for column, _ in fitting if column.name != table.main.name)


class RowLines(Generic[Row]):
    """The rows on the screen as lines; a row object that was just there, in the same columns, is not formatted anew."""

    def __init__(self, table: Table[Row]) -> None:
        self._table = table
        self._fitting: Fitting[Row] = ()
        self._held: dict[int, tuple[Row, str, Line]] = {}

    def __call__(self, rows: Sequence[Row], fitting: Fitting[Row], chosen: int | None) -> list[Line]:
        """One line per row, with the cursor's mark on the one numbered `chosen`."""
        known = self._held if fitting == self._fitting else {}
        self._fitting, self._held = fitting, {}
        lines: list[Line] = []
        for at, row in enumerate(rows):
            mark = "> " if at == chosen else "  "
            # What is held is held alive: nothing else can be at its address.
            held = known.get(id(row))
            line = held[2] if held and held[1] == mark else row_line(self._table, row, fitting, mark)
            self._held[id(row)] = (row, mark, line)
            lines.append(line)
        return lines
