"""The widget of a pane: a title line, a header line, and as many rows as are visible.

Only visible rows are ever formatted, a row is repainted only in the cells that changed, and the cursor belongs to a
key, not to a line, so that it stays on its row when the order changes.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Generic

from rich.cells import cell_len
from textual import events
from textual.message import Message

from tui.filters import unknown_field
from tui.format import clean, fit
from tui.lines import Lines
from tui.table import MARGIN, Column, Row, Table, View, arranged, row_line, sortable
from tui.tones import Line, Palette, Tone

_HEAD = 2
"""Title and header."""
_FILTER_CAP = 60
FILTER_KEY = "slash"


class Grid(Lines, Generic[Row], can_focus=True):
    """A pane of rows."""

    class Moved(Message):
        """The cursor is on another row, or the keys of this pane mean something else now."""

    def __init__(self, table: Table[Row], palette: Palette, *, id: str) -> None:  # noqa: A002
        super().__init__(palette, id=id)
        self.table = table
        self.view = View()
        self.heading: Callable[[], Line] = lambda: ((id, Tone.STRONG),)
        self._source: Sequence[Row] = ()
        self._rows: Sequence[Row] = ()
        self._keys: list[str] = []
        self._top = 0
        self._cursor = ""
        self._moved = False
        """Until the operator moves it, the cursor stays on the first line: there is what matters most."""
        self.anchored = False
        """Whether the view goes along with the cursor's row when rows arrive above it, so that nothing moves."""
        self._fitting = lru_cache(maxsize=8)(table.fitting)

    @property
    def rows(self) -> Sequence[Row]:
        """The rows as arranged."""
        return self._rows

    @property
    def index(self) -> int:
        """The line of the cursor among the arranged rows."""
        try:
            return self._keys.index(self._cursor)
        except ValueError:
            return 0

    @property
    def chosen(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.index] if self._rows else None

    def feed(self, rows: Sequence[Row]) -> None:
        """Takes the rows of a new snapshot."""
        if rows is not self._source:
            self._source = rows
            self._arrange()
        self.paint()

    def _arrange(self) -> None:
        was = self.index
        self._rows = arranged(self.table, self._source, self.view)
        self._keys = [self.table.key(row) for row in self._rows]
        if self._keys and not self._moved:
            self._cursor = self._keys[0]
        elif self._keys and self._cursor not in self._keys:
            # The row is gone: stay on its line instead of jumping to the top.
            self._cursor = self._keys[min(was, len(self._keys) - 1)]
        if self.anchored and self._moved:
            self._top += self.index - was

    def paint(self) -> None:
        """Draws what is visible; nothing reaches the terminal where nothing changed."""
        width, height = self.size
        room = height - _HEAD
        if width <= MARGIN or room <= 0:
            return
        index = self.index
        self._top = max(min(self._top, index, len(self._rows) - room), index - room + 1, 0)
        fitting = self._fitting(width)
        visible = self._rows[self._top : self._top + room]
        lines: list[Line] = [self._title(width, room), self._header(fitting)]
        for number, row in enumerate(visible, self._top):
            mark = "> " if self.has_focus and number == index else "  "
            lines.append(row_line(self.table, row, fitting, mark))
        if not visible:
            lines.append(((fit("  " + self._nothing(), width), Tone.DIM),))
        selected = index - self._top + _HEAD if self.has_focus and visible else None
        self.draw(lines, selected)

    def _nothing(self) -> str:
        if self.view.filter and self._source:
            wrong = unknown_field(self.view.filter, self.table.fields)
            return wrong or "nothing matches the filter; escape clears it"
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
            parts.append(f"by {sortable(self.table)[self.view.sort - 1].name}")
        if len(self._rows) > room:
            last = min(self._top + room, len(self._rows))
            parts.append(f"{self._top + 1:,}-{last:,} of {len(self._rows):,}")
        return "  ".join(parts)

    def _header(self, fitting: tuple[tuple[Column[Row], int], ...]) -> Line:
        text = " " * MARGIN + "".join(fit(column.name, width, not column.left) + " " for column, width in fitting)
        return ((text, Tone.DIM),)

    def move(self, step: int) -> None:
        """Moves the cursor by so many rows, stopping at both ends."""
        if self._keys:
            line = min(max(self.index + step, 0), len(self._keys) - 1)
            self._cursor = self._keys[line]
            self._moved = line > 0
            self._changed()

    @property
    def page(self) -> int:
        """Rows per page."""
        return max(self.size.height - _HEAD - 1, 1)

    def next_sort(self) -> None:
        """Sorts by the next sortable column; after the last, by the order the rows come in."""
        self.view.sort = (self.view.sort + 1) % (len(sortable(self.table)) + 1)
        self._rearranged()

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
        self._arrange()
        self._changed()

    def _changed(self) -> None:
        self.paint()
        self.post_message(self.Moved())

    def on_key(self, event: events.Key) -> None:
        """While a filter is typed, keys are text and nothing else.

        The key that starts it is taken here and not as a binding: bindings run later, and by then the next keys of
        a burst from a slow line would have been taken as commands.
        """
        if not self.view.editing:
            if event.key != FILTER_KEY:
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
        elif event.is_printable and event.character and len(self.view.filter) < _FILTER_CAP:
            self.view.filter += clean(event.character)
            self._rearranged()
        else:
            return
        event.stop()
        event.prevent_default()

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
            self.move(row - self.index)
