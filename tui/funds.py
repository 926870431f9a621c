"""The fourth screen: where the money is, from fees to buybacks."""

from collections.abc import Iterable

from textual.containers import Container
from textual.widget import Widget

from engine.desk_rows import BuybackRow
from engine.snapshot import DeskRow
from tui.board import Board
from tui.detail import DeskPage
from tui.funds_figures import funds_lines
from tui.key_line import bindings
from tui.lines import Lines
from tui.panes import EXCHANGE, FUNDS, LOG, OVERVIEW
from tui.reasons import Place
from tui.session import Session


class Funds(Board):
    """Accounts above buybacks and wallets, and between them what was counted and what the caps leave."""

    DEFAULT_CSS = """
    Funds #panes { height: 1fr; }
    Funds #accounts { height: 3fr; max-height: 15; }
    Funds #sums { height: 5; }
    Funds #buybacks { height: 2fr; }
    Funds #wallets { height: 1fr; max-height: 12; }
    Funds.-narrow #wallets, Funds.-zoomed #wallets { height: 2fr; max-height: 100%; }
    Funds.-zoomed #sums { display: none; }
    Funds.-zoomed #accounts { max-height: 100%; }
    """
    BINDINGS = bindings(Place.FUNDS)
    place = Place.FUNDS
    panes = FUNDS
    first = len(OVERVIEW + EXCHANGE + LOG)

    def __init__(self, session: Session, pane: int = 0) -> None:
        super().__init__(session, pane)
        self._sums = Lines(session.palette, id="sums")

    def body(self) -> Iterable[Widget]:
        """Accounts, sums, buybacks, wallets."""
        accounts, buybacks, wallets = self.grids
        yield Container(accounts, self._sums, buybacks, wallets, id="panes")

    def draw_body(self) -> None:
        """All four."""
        self._sums.draw(funds_lines(self.session.frame.snapshot.flow))
        super().draw_body()

    def _desk(self) -> DeskRow | None:
        row = self.grid.chosen
        return self.session.desk(row.address) if isinstance(row, BuybackRow) and row.address else None

    def can_open(self) -> bool:
        """A buyback of a token that has a desk."""
        return self._desk() is not None

    def action_open(self) -> None:
        """enter"""
        if desk := self._desk():
            self.app.push_screen(DeskPage(self.session, desk))
