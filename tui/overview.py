"""The first screen: desks, markets, the agent's decisions and liquidations side by side."""

from engine.snapshot import DecisionRow, DeskRow, LiquidationRow
from tui.actions import Place, bindings
from tui.board import Board
from tui.detail import DeskPage, PositionPage
from tui.panes import OVERVIEW


class Overview(Board):
    """Two panes by two."""

    DEFAULT_CSS = """
    Overview #panes {
        layout: grid; grid-size: 2 2; grid-columns: 1fr 1fr; grid-rows: 1fr 1fr; grid-gutter: 0 1; height: 1fr;
    }
    Overview.-narrow #panes { grid-size: 1 2; grid-columns: 1fr; }
    Overview.-zoomed #panes { grid-size: 1 1; grid-columns: 1fr; grid-rows: 1fr; }
    """
    BINDINGS = bindings(Place.OVERVIEW)
    place = Place.OVERVIEW
    panes = OVERVIEW
    first = 0

    def selected_desk(self) -> DeskRow | None:
        """Only what is highlighted counts as selected."""
        row = self.grid.chosen
        return self.session.desk(row.address) if isinstance(row, DeskRow | DecisionRow) else None

    def can_open(self) -> bool:
        """Markets have no page."""
        return isinstance(self.grid.chosen, DeskRow | DecisionRow | LiquidationRow)

    def action_open(self) -> None:
        """enter"""
        row = self.grid.chosen
        if isinstance(row, LiquidationRow):
            self.app.push_screen(PositionPage(self.session, row))
        elif desk := self.selected_desk():
            self.app.push_screen(DeskPage(self.session, desk))
