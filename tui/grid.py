"""The widget of a pane: a title line, a header line, and as many rows as are visible.

Only visible rows are ever formatted, a row is repainted only in the cells that changed, and the cursor belongs to a
key, not to a line, so that it stays on its row when the order changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Generic

from rich.cells import cell_len
from textual import events
from textual.message import Message

from tui.filters import Texts, why_bad
from tui.format import clean, fit, wrap
from tui.lines import Lines
from tui.table import (
    FALLING,
    MARGIN,
    RISING,
    Fitting,
    Row,
    RowLines,
    Table,
    View,
    arranged,
    header_line,
    next_sort,
    sort_order,
)
from tui.tones import Line, Palette, Tone

_HEAD = 2
"""Title and header."""
FILTER_CAP = 60
"""Most characters of a filter."""


class Grid(Lines, Generic[Row], can_focus=True):
    """A pane of rows."""

    class Moved(Message):
        """The cursor is on another row, or the keys of this pane mean something else now."""

    def __init__(self, table: Table[Row], palette: Palette, *, id: str) -> None:  # noqa: A002
        super().__init__(palette, id=id)
        self.table = table
        self.view = View()
        self.heading: Callable[[], Line] = lambda: ((id, Tone.STRONG),)
        self.starts_filter: Callable[[str], bool] = lambda key: key == "slash"
        """Whether a key, as Textual names it, is the one that starts a filter."""
        self.viewed: Callable[[], None] = lambda: None
        """Called when the operator has asked for another view of the rows."""
        self._source: Sequence[Row] = ()
        self._rows: Sequence[Row] = ()
        self._keys: list[str] = []
        self._texts = Texts(table.haystack)
        self._lines_of = RowLines(table)
        self._top = 0
        self._cursor = ""
        self._index = 0
        self._moved = False
        """Until the operator moves it, the cursor stays on the first line: there is what matters most. Only where the
        operator has sorted the rows it goes with its row, so that no key means another row than the one looked at."""
        self.anchored = False
        """Whether the view goes along with the cursor's row when rows arrive above it, so that nothing moves."""
        self._fitting = lru_cache(maxsize=8)(table.fitting)

    @property
    def rows(self) -> Sequence[Row]:
        """The rows as arranged."""
        return self._rows

    @property
    def source(self) -> Sequence[Row]:
        """All rows, as they came."""
        return self._source

    @property
    def index(self) -> int:
        """The line of the cursor among the arranged rows."""
        return self._index

    @property
    def chosen(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._index] if self._rows else None

    @property
    def shown(self) -> Fitting[Row]:
        """The columns on the screen, with their widths."""
        return self._fitting(self.size.width, self.view.hidden)

    def feed(self, rows: Sequence[Row]) -> None:
        """Takes the rows of a new snapshot."""
        if rows is not self._source:
            self._source = rows
            self._arrange()
        self.paint()

    def _arrange(self) -> None:
        was = self._index
        self._rows = arranged(self.table, self._source, self.view, self._texts)
        self._keys = list(map(self.table.key, self._rows))
        self._index = self._line(was)
        self._cursor = self._keys[self._index] if self._keys else self._cursor
        if self.anchored and self._moved:
            self._top += self._index - was

    def _line(self, was: int) -> int:
        """Where the cursor's row is now."""
        if not self._keys or not (self._moved or self.view.sort):
            return 0
        try:
            return self._keys.index(self._cursor)
        except ValueError:
            # The row is gone: stay on its line instead of jumping to the top.
            return min(was, len(self._keys) - 1)

    def paint(self) -> None:
        """Draws what is visible; nothing reaches the terminal where nothing changed."""
        width, height = self.size
        room = height - _HEAD
        if width <= MARGIN or room <= 0:
            return
        index = self._index
        self._top = max(min(self._top, index, len(self._rows) - room), index - room + 1, 0)
        fitting = self.shown
        visible = self._rows[self._top : self._top + room]
        lines: list[Line] = [self._title(width, room), header_line(fitting, self.view)]
        lines += self._lines_of(visible, fitting, index - self._top if self.has_focus else None)
        if not visible:
            said = wrap(self._nothing(), width - MARGIN, room)
            lines += [((fit(" " * MARGIN + part, width), Tone.DIM),) for part in said]
        selected = index - self._top + _HEAD if self.has_focus and visible else None
        self.draw(lines, selected)

    def _nothing(self) -> str:
        if self.view.filter and self._source:
            bad = why_bad(self.view.filter, self.table.fields, self.table.numbers)
            return bad or "nothing matches the filter; escape clears it"
        return self.table.empty

    def _title(self, width: int, room: int) -> Line:
        lead = "▌" if self.has_focus else " "
        left = ((lead, Tone.STRONG), *self.heading())
        right = self._remarks(room)
        used = sum(cell_len(text) for text, _ in left)
        rest = width - used - 1
        right = fit(right, min(cell_len(right), max(rest - 3, 0)))
        rule = "─" * max(rest - cell_len(right) - (2 if right else 1), 0)
        tone = Tone.TEXT if self.view.editing else Tone.DIM
        return (*left, (f" {rule}", Tone.DIM), (f" {right} " if right else "", tone))

    def _remarks(self, room: int) -> str:
        parts: list[str] = []
        if self.view.filter or self.view.editing:
            cursor = "_" if self.view.editing else ""
            parts.append(f"filter: {self.view.filter}{cursor} ({len(self._rows):,} of {len(self._source):,})")
        if self.view.sort:
            parts.append(f"by {self.view.sort}{FALLING if self.view.falling else RISING}")
        if self.view.hidden:
            parts.append(f"{len(self.view.hidden)} hidden")
        if len(self._rows) > room:
            last = min(self._top + room, len(self._rows))
            parts.append(f"{self._top + 1:,}-{last:,} of {len(self._rows):,}")
        return "  ".join(parts)

    def move(self, step: int) -> None:
        """Moves the cursor by so many rows, stopping at both ends."""
        if self._keys:
            self._index = min(max(self._index + step, 0), len(self._keys) - 1)
            self._cursor = self._keys[self._index]
            self._moved = self._index > 0
            self._changed()

    @property
    def page(self) -> int:
        """Rows per page."""
        return max(self.size.height - _HEAD - 1, 1)

    def next_sort(self) -> None:
        """Sorts by the next column on the screen that has an order; after the last, as the rows come in."""
        self.view.sort, self.view.falling = next_sort(self.shown, self.view)
        self._rearranged()

    def sort_back(self) -> bool:
        """Sorts the other way round; False where nothing is sorted."""
        if not self.view.sort:
            return False
        self.view.falling = not self.view.falling
        self._rearranged()
        return True

    def toggle_column(self, name: str) -> None:
        """Shows a column, or no longer; the one that says which row it is stays."""
        if name != self.table.main.name:
            self.view.hidden ^= {name}
            self._viewed()

    def show_all(self) -> None:
        """Shows every column again."""
        self.view.hidden = frozenset()
        self._viewed()

    def recall(self, view: View) -> None:
        """Takes over a view from an earlier run; what this table does not know is dropped."""
        names = {column.name for column in self.table.columns} - {self.table.main.name}
        self.view = replace(view, filter=clean(view.filter)[:FILTER_CAP], hidden=view.hidden & names, editing=False)
        if sort_order(self.table, self.view) is None:
            self.view.sort, self.view.falling = "", False
        self._arrange()

    def edit_filter(self) -> None:
        """Starts typing a filter."""
        self.view.editing = True
        self._rearranged()

    def clear_filter(self) -> bool:
        """Drops the filter; False if there was none."""
        if not self.view.filter and not self.view.editing:
            return False
        self.view.filter, self.view.editing = "", False
        self._rearranged()
        return True

    def _rearranged(self) -> None:
        if not self._moved:
            self._cursor, self._index = "", 0
        self._arrange()
        self._viewed()

    def _viewed(self) -> None:
        self._changed()
        self.viewed()

    def _changed(self) -> None:
        self.paint()
        self.post_message(self.Moved())

    def on_key(self, event: events.Key) -> None:
        """While a filter is typed, keys are text and nothing else.

        The key that starts it is taken here and not as a binding: bindings run later, and by then the next keys of
        a burst from a slow line would have been taken as commands.
        """
        if not self.view.editing:
            if not self.starts_filter(event.key):
                return
            self.edit_filter()
        elif event.key == "escape":
            self.clear_filter()
        elif event.key in ("enter", "tab"):
            self.view.editing = False
            self._changed()
        elif event.key == "backspace":
            self.view.filter = self.view.filter[:-1]
            self._rearranged()
        elif event.is_printable and event.character:
            self._write(event.character)  # also when it is full: what is typed here never becomes a command
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """The first line of what is pasted into a filter."""
        if self.view.editing:
            event.stop()
            self._write("".join(letter for letter in event.text.partition("\n")[0] if letter.isprintable()))

    def _write(self, text: str) -> None:
        self.view.filter = (self.view.filter + clean(text))[:FILTER_CAP]
        self._rearranged()

    def on_focus(self) -> None:
        """Shows the cursor."""
        self._changed()

    def on_blur(self) -> None:
        """Hides the cursor; a filter being typed is kept as it stands."""
        self.view.editing = False
        self.paint()

    def on_resize(self) -> None:
        """Draws for the new size."""
        self.paint()

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves the cursor."""
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        """The wheel moves the cursor."""
        self.move(-1)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on a row."""
        row = self._top + event.y - _HEAD
        if event.y >= _HEAD and row < len(self._keys):
            self.move(row - self._index)
