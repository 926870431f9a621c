"""Which columns a pane shows: one line per column, space switches it."""

from typing import Any

from tui.dialogs import STEPS, Panel
from tui.format import fit
from tui.grid import Grid
from tui.session import Session
from tui.table import Column
from tui.tones import Line, Tone

_FOOT = "space shows or hides, a shows all, enter closes"
_NAME_CELLS = 22


class ColumnsDialog(Panel):
    """Every column of the pane behind; what is hidden makes room for the rest at once."""

    width = 54

    def __init__(self, session: Session, grid: Grid[Any]) -> None:
        super().__init__(session)
        self._grid = grid
        # One that is for other widths has a column in its place, which is listed.
        self._columns = [column for column in grid.table.columns if grid.size.width in column.widths]
        self._at = 0

    def content(self) -> list[Line]:
        """The columns, with why one that is wanted is not on the screen."""
        shown = {column.name for column, _ in self._grid.shown}
        title = ((f"Columns of {self._grid.id}", Tone.STRONG),)
        rows = [self._row(at, column, shown) for at, column in enumerate(self._columns)]
        return [title, *rows, ((_FOOT, Tone.DIM),)]

    def _row(self, at: int, column: Column[Any], shown: set[str]) -> Line:
        hidden = column.name in self._grid.view.hidden
        remark = "always" if column is self._grid.table.main else ""
        if not hidden and column.name not in shown:
            remark = "no room"
        tone = Tone.BADGE if at == self._at else Tone.DIM if hidden else Tone.TEXT
        name = fit(f"[{' ' if hidden else 'x'}] {column.name}", _NAME_CELLS)
        return (("> " if at == self._at else "  ", Tone.TEXT), (name, tone), (f"  {remark}", Tone.DIM))

    def pressed(self, key: str) -> None:
        """Arrows and j k choose a column, space switches it."""
        if key in STEPS:
            self._at = max(0, min(self._at + STEPS[key], len(self._columns) - 1))
        elif key == "space":
            self._grid.toggle_column(self._columns[self._at].name)
        elif key == "a":
            self._grid.show_all()
        elif key == "enter":
            self.dismiss()
            return
        self.draw_frame(fresh=False)
