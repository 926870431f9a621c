"""The second screen: what waits for a keeper, and the pools it waits for."""

from engine.exchange_rows import PoolRow, RequestRow
from tui.board import Board
from tui.exchange_pages import PoolPage, RequestPage
from tui.key_line import bindings
from tui.panes import EXCHANGE, OVERVIEW
from tui.panes.requests import Seen
from tui.reasons import Place
from tui.splits import Axis, Edge, Shape

_SHAPE = Shape(
    {Axis.Y: ("exchange.y", "")},
    {"exchange.y": 67},
    {Axis.Y: {0: Edge("exchange.y"), 1: Edge("exchange.y", False)}},
)


class Exchange(Board):
    """Requests above pools, each as wide as the terminal: both have many columns."""

    DEFAULT_CSS = """
    Exchange #panes { layout: grid; grid-size: 1 2; grid-rows: 2fr 1fr; height: 1fr; }
    Exchange.-zoomed #panes { grid-size: 1 1; grid-rows: 1fr; }
    """
    BINDINGS = bindings(Place.EXCHANGE)
    place = Place.EXCHANGE
    panes = EXCHANGE
    first = len(OVERVIEW)

    def shape(self) -> Shape:
        """One way to divide it, whatever its size."""
        return _SHAPE

    def selected_request(self) -> RequestRow | None:
        """Only what is highlighted counts as selected."""
        seen = self.grid.chosen
        return seen.row if isinstance(seen, Seen) else None

    def selected_pool(self) -> PoolRow | None:
        """The pool a new request is for, unless the operator chooses another."""
        row = self.grid.chosen
        return row if isinstance(row, PoolRow) else None

    def can_open(self) -> bool:
        """Every row has a page."""
        return self.grid.chosen is not None

    def action_open(self) -> None:
        """enter"""
        if request := self.selected_request():
            self.app.push_screen(RequestPage(self.session, request))
        elif pool := self.selected_pool():
            self.app.push_screen(PoolPage(self.session, pool))
