"""What the lines of all detail pages are made of: figures with their names; and the page of a position."""

from engine.snapshot import LiquidationRow, MarketRow
from tui import format as fmt
from tui.panes import liquidations
from tui.panes.desks import side
from tui.tones import Line, Tone

_LABEL = 13
_FIGURE = 14
_BLANK: Line = ()


def title(text: str, width: int) -> Line:
    """A heading with a rule to the end of the line."""
    return ((f" {fmt.clean(text)} ", Tone.STRONG), ("─" * max(width - len(text) - 4, 0), Tone.DIM))


def figure(label: str, text: str, tone: Tone = Tone.TEXT, remark: str = "") -> Line:
    """A name, a figure in its column, and what explains it."""
    return (
        (" " + fmt.fit(label, _LABEL), Tone.DIM),
        (fmt.fit(text, _FIGURE, right=True), tone),
        (f"  {remark}", Tone.DIM),
    )


def named(label: str, text: str, tone: Tone = Tone.TEXT) -> Line:
    """A name and words."""
    return ((f" {fmt.fit(label, _LABEL)} ", Tone.DIM), (fmt.clean(text), tone))


def position_lines(row: LiquidationRow, market: MarketRow | None, gone: bool) -> list[Line]:
    """One position of the liquidation queue in figures."""
    bar, tone = liquidations.loss(row, 36)
    state = "no longer in the queue" if gone else row.state.value
    return [
        title(f"Position {liquidations.number(row)}  {state}", 58),
        _BLANK,
        ((f" {side(row.side)} {fmt.clean(row.market)} {fmt.leverage(row.leverage)}", Tone.STRONG),),
        figure("owner", "", remark=fmt.clean(row.owner) + (" (simulated)" if row.simulated else "")),
        figure("notional", fmt.money(row.notional)),
        figure("mark", fmt.price(None if market is None else market.mark)),
        figure("trigger", liquidations.move(row), remark="move of the price until liquidation"),
        figure("keeper fee", fmt.money(row.fee)),
        ((" " + fmt.fit("loss", _LABEL), Tone.DIM), (f" {bar}", tone)),
        figure("", "", remark="share of the allowed loss; 100% is now"),
    ]
