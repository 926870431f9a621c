"""The pages behind a row of the second screen: one request, one pool."""

from engine.exchange_rows import PoolRow, RequestRow
from tui.detail import Page
from tui.exchange_figures import pool_lines, request_lines
from tui.key_line import bindings
from tui.reasons import Place
from tui.session import Session


class WidePage(Page):
    """Figures only, over the whole width: keys, addresses and reasons are long."""

    DEFAULT_CSS = """
    WidePage #page #figures { width: 1fr; }
    WidePage #page #words { display: none; }
    """


class RequestPage(WidePage):
    """Everything about one request, followed while the engine shows it."""

    BINDINGS = bindings(Place.REQUEST)
    place = Place.REQUEST

    def __init__(self, session: Session, row: RequestRow) -> None:
        super().__init__(session)
        self._row = row

    def selected_request(self) -> RequestRow:
        """The request as it is now, or as it was last seen."""
        self._row = self.session.request(self._row.key) or self._row
        return self._row

    def draw_body(self) -> None:
        """Every field."""
        row = self.selected_request()
        gone = self.session.request(row.key) is None
        now_ms = self.session.frame.snapshot.status.now_ms
        self._figures.draw(request_lines(row, now_ms, self._figures.size.width, gone))


class PoolPage(WidePage):
    """All figures of one pool."""

    BINDINGS = bindings(Place.POOL)
    place = Place.POOL

    def __init__(self, session: Session, row: PoolRow) -> None:
        super().__init__(session)
        self._row = row

    def selected_pool(self) -> PoolRow:
        """The pool as it is now, or as it was last seen."""
        pools = self.session.frame.snapshot.pools
        self._row = next((row for row in pools if row.symbol == self._row.symbol), self._row)
        return self._row

    def draw_body(self) -> None:
        """Every figure."""
        self._figures.draw(pool_lines(self.selected_pool(), self._figures.size.width))
