"""The first screen: desks, markets, the agent's decisions and liquidations side by side."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from textual.containers import Container
from textual.widget import Widget

from engine.snapshot import DecisionRow, DeskRow, LiquidationRow
from tui.actions import Place, Sight, bindings
from tui.deck import Deck
from tui.detail import DeskPage, PositionPage
from tui.grid import Grid
from tui.panes import PANES, Pane
from tui.session import Session
from tui.tones import Line

_NARROW = 100


class Overview(Deck):
    """Two panes by two; two in a narrow terminal; one when zoomed."""

    DEFAULT_CSS = """
    Overview #panes {
        layout: grid; grid-size: 2 2; grid-columns: 1fr 1fr; grid-rows: 1fr 1fr; grid-gutter: 0 1; height: 1fr;
    }
    Overview.-narrow #panes { grid-size: 1 2; grid-columns: 1fr; }
    Overview.-zoomed #panes { grid-size: 1 1; grid-columns: 1fr; grid-rows: 1fr; }
    """
    BINDINGS = bindings(Place.OVERVIEW)
    place = Place.OVERVIEW

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.grids: list[Grid[Any]] = []
        for pane in PANES:
            grid: Grid[Any] = Grid(pane.table, session.palette, id=pane.id)
            grid.heading = partial(self._heading, pane)
            self.grids.append(grid)
        self._under = 1
        """The pane below the desks where there is room for one only."""
        self._zoomed = False

    def _heading(self, pane: Pane) -> Line:
        return pane.heading(self.session.frame.snapshot)

    def body(self) -> Iterable[Widget]:
        """The four panes."""
        yield Container(*self.grids, id="panes")

    def on_mount(self) -> None:
        """The desks come first."""
        self.grids[0].focus()

    def draw_body(self) -> None:
        """Hands every visible pane its rows."""
        for pane, grid in zip(PANES, self.grids, strict=True):
            if grid.display:
                grid.feed(pane.rows(self.session.frame.snapshot))

    @property
    def grid(self) -> Grid[Any]:
        """The pane with the focus."""
        return self.focused if isinstance(self.focused, Grid) else self.grids[0]

    def selected_desk(self) -> DeskRow | None:
        """Only what is highlighted counts as selected."""
        row = self.grid.chosen
        return self.session.desk(row.address) if isinstance(row, DeskRow | DecisionRow) else None

    def sight(self) -> Sight:
        """What the operator sees and may do here."""
        row = self.grid.chosen
        return Sight(
            self.session.info,
            self.session.frame.snapshot,
            self.selected_desk(),
            self.place,
            can_open=isinstance(row, DeskRow | DecisionRow | LiquidationRow),
        )

    def on_resize(self) -> None:
        """Chooses the layout for the new width."""
        self._arrange()

    def _arrange(self) -> None:
        narrow = self.size.width < _NARROW
        self.set_class(narrow, "-narrow")
        self.set_class(self._zoomed, "-zoomed")
        focus = self.grids.index(self.grid)
        for number, grid in enumerate(self.grids):
            if self._zoomed:
                grid.display = number == focus
            else:
                grid.display = not narrow or number in (0, self._under)
        self.call_after_refresh(self.draw_frame, fresh=True)

    def on_grid_moved(self) -> None:
        """The keys may mean something else on another row."""
        self.draw_bars()

    def action_pane(self, number: int) -> None:
        """1 to 4"""
        grid = self.grids[number]
        if number:
            self._under = number
        grid.display = True
        grid.focus()
        # Focus arrives as a message; the layout must follow it, not precede it.
        self.call_later(self._arrange)

    def action_step(self, step: int) -> None:
        """tab, shift+tab"""
        self.action_pane((self.grids.index(self.grid) + step) % len(self.grids))

    def action_zoom(self) -> None:
        """z"""
        self._zoomed = not self._zoomed
        self._arrange()

    def action_filter(self) -> None:
        """/"""
        self.grid.edit_filter()

    def action_sort(self) -> None:
        """s"""
        self.grid.next_sort()

    def action_move(self, where: str) -> None:
        """Arrows, j and k, pages, g and G"""
        grid = self.grid
        end = len(grid.rows)
        steps = {"down": 1, "up": -1, "page_down": grid.page, "page_up": -grid.page, "first": -end, "last": end}
        grid.move(steps[where])

    def action_open(self) -> None:
        """enter"""
        row = self.grid.chosen
        if isinstance(row, LiquidationRow):
            self.app.push_screen(PositionPage(self.session, row))
        elif desk := self.selected_desk():
            self.app.push_screen(DeskPage(self.session, desk))

    def action_cancel(self) -> None:
        """esc"""
        if not self.session.cancel() and not self.grid.clear_filter() and self._zoomed:
            self.action_zoom()
