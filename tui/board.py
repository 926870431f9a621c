"""What the screens of panes share: the arrangement, the cursor, and the keys that work on rows."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

from textual.containers import Container
from textual.widget import Widget

from tui.columns_dialog import ColumnsDialog
from tui.deck import Deck
from tui.grid import Grid
from tui.panes import Pane
from tui.session import Session
from tui.splits import Axis, Shape
from tui.tones import Line, Tone

NARROW = 100
"""Cells in which no two panes go side by side."""
_BARS = 3
"""Lines of the screen that are no pane."""
_WORDS = {(Axis.X, -1): "narrower", (Axis.X, 1): "wider", (Axis.Y, -1): "lower", (Axis.Y, 1): "higher"}
_AROUND = ("desks", "markets", "request_counts", "agent")
"""Fields of the snapshot that the status line and the actions look at."""


class Board(Deck):
    """Panes of rows; the first and one other in a narrow terminal, one alone when zoomed."""

    panes: ClassVar[tuple[Pane, ...]]
    first: ClassVar[int]
    """The number of its first pane among those of all screens."""

    def __init__(self, session: Session, pane: int = 0) -> None:
        super().__init__(session)
        self._wanted = pane
        self.grids: list[Grid[Any]] = []
        for shown in self.panes:
            grid: Grid[Any] = Grid(shown.table, session.palette, id=shown.id)
            grid.heading = partial(self._heading, shown)
            grid.recall(session.memory.view(shown.id))
            grid.starts_filter = lambda key: session.keymap.means(key, "filter")
            grid.viewed = partial(self._keep, grid)
            self.grids.append(grid)
        self._under = pane or 1
        """The pane below the first where there is room for one only."""
        self._zoomed = False

    def fields(self) -> frozenset[str]:
        """Of the snapshot, that are on the screen, with what the lines around the panes say."""
        shown = (pane for pane, grid in zip(self.panes, self.grids, strict=True) if grid.display)
        return frozenset((*_AROUND, *(name for pane in shown for name in pane.fields)))

    def _keep(self, grid: Grid[Any]) -> None:
        self.session.memory.keep_view(str(grid.id), grid.view)

    def shape(self) -> Shape | None:
        """How the panes divide the room, where the operator may divide it otherwise."""
        return None

    def _heading(self, pane: Pane) -> Line:
        return pane.heading(self.session.frame.snapshot)

    def _rows(self, pane: Pane) -> Sequence[Any]:
        return pane.rows(self.session.frame.snapshot)

    def body(self) -> Iterable[Widget]:
        """The panes."""
        yield Container(*self.grids, id="panes")

    def on_mount(self) -> None:
        """The pane that was asked for has the focus."""
        self.grids[self._wanted].focus()

    def draw_body(self) -> None:
        """Hands every visible pane its rows."""
        for pane, grid in zip(self.panes, self.grids, strict=True):
            if grid.display:
                grid.feed(self._rows(pane))

    @property
    def grid(self) -> Grid[Any]:
        """The pane with the focus."""
        return self.focused if isinstance(self.focused, Grid) else self.grids[0]

    def measure(self) -> None:
        """Chooses the layout for the width."""
        super().measure()
        self._arrange()

    def _arrange(self) -> None:
        narrow = self.app.size.width < NARROW
        self.set_class(narrow, "-narrow")
        self.set_class(self._zoomed, "-zoomed")
        focus = self.grids.index(self.grid)
        for number, grid in enumerate(self.grids):
            if self._zoomed:
                grid.display = number == focus
            else:
                grid.display = not narrow or number in (0, self._under)
        self._divide()
        self.call_after_refresh(self.draw_frame, fresh=True)

    def _length(self, axis: Axis) -> int:
        return self.app.size.width if axis is Axis.X else self.app.size.height - _BARS

    def _divide(self) -> None:
        """Gives every pane its share, or the room to the one that is zoomed."""
        shape = None if self._zoomed else self.shape()
        styles = self.query_one("#panes").styles
        for axis in Axis:
            weights: dict[str, int] = {}
            if shape is not None and axis in shape.bands:
                weights = shape.weights(axis, self.session.memory.shares, self._length(axis))
            parts = tuple(f"{weight}fr" for weight in weights.values()) or None
            if axis is Axis.X:
                styles.grid_columns = parts
            else:
                styles.grid_rows = parts

    def on_grid_moved(self) -> None:
        """The keys may mean something else on another row."""
        self.draw_bars()

    def focus_pane(self, number: int) -> None:
        """Gives the focus to one of its own panes."""
        grid = self.grids[number]
        if number:
            self._under = number
        grid.display = True
        grid.focus()
        # Focus arrives as a message; the layout must follow it, not precede it.
        self.call_later(self._arrange)

    def action_step(self, step: int) -> None:
        """tab, shift+tab"""
        self.focus_pane((self.grids.index(self.grid) + step) % len(self.grids))

    def action_zoom(self) -> None:
        """z"""
        self._zoomed = not self._zoomed
        self._arrange()

    def action_export(self) -> None:
        """e"""
        self.session.export(str(self.grid.id), self.grid.table, self.grid.rows)

    def action_filter(self) -> None:
        """/"""
        self.grid.edit_filter()

    def action_sort(self) -> None:
        """s"""
        self.grid.next_sort()

    def action_sort_back(self) -> None:
        """S"""
        if not self.grid.sort_back():
            self.session.say("these rows are not sorted by a column yet", Tone.DIM)

    def action_columns(self) -> None:
        """f"""
        self.app.push_screen(ColumnsDialog(self.session, self.grid))

    def action_resize_pane(self, axis: str, step: int) -> None:
        """< > - +"""
        way, shape, pane = Axis(axis), self.shape(), self.grids.index(self.grid)
        words = f"{self.grid.id} cannot be made {_WORDS[way, step]}"
        if self._zoomed:
            self.session.say(f"{words}: it is zoomed", Tone.WARN)
        elif shape is None or not shape.movable(pane, way):
            beside = "beside it" if way is Axis.X else "above or below it"
            self.session.say(f"{words}: no pane {beside} to divide the room with", Tone.WARN)
        else:
            shares = self.session.memory.shares
            moved = shape.resized(pane, way, step, shares, self._length(way))
            if moved == shares:
                self.session.say(f"{words}: that is all there is room for", Tone.WARN)
            else:
                self.session.memory.keep_shares(moved)
                self._arrange()

    def action_move(self, where: str) -> None:
        """Arrows, j and k, pages, g and G"""
        grid = self.grid
        end = len(grid.rows)
        steps = {"down": 1, "up": -1, "page_down": grid.page, "page_up": -grid.page, "first": -end, "last": end}
        grid.move(steps[where])

    def action_cancel(self) -> None:
        """esc"""
        if not self.session.cancel() and not self.grid.clear_filter() and self._zoomed:
            self.action_zoom()
