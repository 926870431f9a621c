"""Where the palette can go besides actions: desks, markets and themes by name."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui.detail import DeskPage
from tui.market_page import MarketPage
from tui.palette import Hit
from tui.panes.desks import name, position

if TYPE_CHECKING:
    from tui.app import PerpdeskApp


def destinations(app: "PerpdeskApp", themes: Iterable[str]) -> Iterator[Hit]:
    """As they are at this moment."""
    session = app.session
    for desk in session.frame.snapshot.desks:
        what = position(desk) or desk.phase.value
        yield Hit(f"desk {name(desk)}", what, partial(_push, app, DeskPage, session, desk))
    for market in session.frame.snapshot.markets:
        yield Hit(f"market {market.symbol}", market.health.value, partial(_push, app, MarketPage, session, market))
    for theme in themes:
        yield Hit(f"theme {theme}", "", partial(app.use_theme, theme))


def _push(app: "PerpdeskApp", page: type, *of: object) -> None:
    app.push_screen(page(*of))
