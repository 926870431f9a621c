"""The first screen: desks, markets, the agent's decisions and liquidations side by side."""

from engine.snapshot import DecisionRow, DeskRow, LiquidationRow, MarketRow
from tui.board import NARROW, Board
from tui.detail import DeskPage, PositionPage
from tui.key_line import bindings
from tui.market_page import MarketPage
from tui.panes import OVERVIEW
from tui.reasons import Place
from tui.splits import Axis, Edge, Shape

_WIDE = 250
"""Cells in which three panes go side by side, and every column of the first two has room."""
_X, _Y = Axis.X, Axis.Y
_STACK = Shape(
    {_Y: ("stack.y", "")},
    {"stack.y": 50},
    {_Y: {0: Edge("stack.y")} | {pane: Edge("stack.y", False) for pane in (1, 2, 3)}},
)
_TWO = Shape(
    {_X: ("two.x", ""), _Y: ("two.y", "")},
    {"two.x": 50, "two.y": 50},
    {
        _X: {pane: Edge("two.x", pane in (0, 2)) for pane in range(4)},
        _Y: {pane: Edge("two.y", pane in (0, 1)) for pane in range(4)},
    },
)
_THREE = Shape(
    {_X: ("three.x", "", "three.z"), _Y: ("three.y", "")},
    {"three.x": 33, "three.z": 27, "three.y": 50},
    {
        _X: {0: Edge("three.x"), 2: Edge("three.z")} | {pane: Edge("three.z", False) for pane in (1, 3)},
        _Y: {1: Edge("three.y"), 3: Edge("three.y", False)},
    },
)


class Overview(Board):
    """Two panes by two. Where there is room, desks and decisions stand in columns of their own, as long as the screen;
    where there is little, desks above one of the others.
    """

    DEFAULT_CSS = """
    Overview #panes {
        layout: grid; grid-size: 2 2; grid-columns: 1fr 1fr; grid-rows: 1fr 1fr; grid-gutter: 0 1; height: 1fr;
    }
    Overview.-wide #panes { grid-size: 3 2; }
    Overview.-wide #desks, Overview.-wide #agent { row-span: 2; }
    Overview.-narrow #panes { grid-size: 1 2; grid-columns: 1fr; }
    Overview.-zoomed #panes { grid-size: 1 1; grid-columns: 1fr; grid-rows: 1fr; }
    """
    BINDINGS = bindings(Place.OVERVIEW)
    place = Place.OVERVIEW
    panes = OVERVIEW
    first = 0

    def shape(self) -> Shape:
        """By the width of the terminal."""
        width = self.app.size.width
        return _STACK if width < NARROW else _TWO if width < _WIDE else _THREE

    def _arrange(self) -> None:
        self.set_class(self.shape() is _THREE and not self._zoomed, "-wide")
        super()._arrange()

    def selected_desk(self) -> DeskRow | None:
        """Only what is highlighted counts as selected."""
        row = self.grid.chosen
        return self.session.desk(row.address) if isinstance(row, DeskRow | DecisionRow) else None

    def can_open(self) -> bool:
        """Every row has a page; a decision the one of its desk."""
        return isinstance(self.grid.chosen, DeskRow | DecisionRow | MarketRow | LiquidationRow)

    def action_open(self) -> None:
        """enter"""
        row = self.grid.chosen
        if isinstance(row, LiquidationRow):
            self.app.push_screen(PositionPage(self.session, row))
        elif isinstance(row, MarketRow):
            self.app.push_screen(MarketPage(self.session, row))
        elif desk := self.selected_desk():
            self.app.push_screen(DeskPage(self.session, desk))
