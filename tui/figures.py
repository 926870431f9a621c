"""What the lines of detail pages are made of: figures with their names, prices on an axis; and a position's page."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.exchange_rows import Side, Wad
from engine.snapshot import LiquidationRow, MarketRow
from tui import format as fmt
from tui.panes import liquidations
from tui.panes.desks import side
from tui.tones import Line, Span, Tone

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


@dataclass(frozen=True, slots=True)
class Pin:
    """A price on an axis, as one letter."""

    letter: str
    price: Wad | None
    tone: Tone = Tone.TEXT


def price_axis(pins: Sequence[Pin], width: int) -> Line:
    """Prices on one line, growing to the right; where two share a cell the later one is seen. One that is not known is
    left out, and without two there is no axis."""
    known = [(pin, pin.price) for pin in pins if pin.price is not None]
    if len(known) < 2:
        return ((" no price axis: a price is unknown", Tone.DIM),)
    low, high = min(price for _, price in known), max(price for _, price in known)
    cells: list[Span] = [("─", Tone.DIM)] * max(width, 3)
    for pin, price in known:
        cells[round((price - low) / max(high - low, 1) * (len(cells) - 1))] = (pin.letter, pin.tone)
    return ((" ", Tone.TEXT), *cells)


def trigger(mark: Wad | None, move: float | None, side: Side | None) -> Wad | None:
    """The price that liquidates: mark, moved against the position by this share of it."""
    if mark is None or move is None or side is None:
        return None
    distance = round(mark * move)
    return mark - distance if side is Side.LONG else mark + distance


def position_lines(row: LiquidationRow, market: MarketRow | None, gone: bool, width: int = 58) -> list[Line]:
    """One position of the liquidation queue in figures."""
    bar, tone = liquidations.loss(row, width - _LABEL - 9)
    state = "no longer in the queue" if gone else row.state.value
    mark = None if market is None else market.mark
    end = trigger(mark, max(row.move, 0.0), row.side)
    pins = (Pin("E", row.entry), Pin("M", mark, Tone.STRONG), Pin("L", end, Tone.LOSS))
    return [
        title(f"Position {liquidations.number(row)}  {state}", width),
        _BLANK,
        ((f" {side(row.side)} {fmt.clean(row.market)} {fmt.leverage(row.leverage)}", Tone.STRONG),),
        figure("owner", "", remark=fmt.clean(row.owner) + (" (simulated)" if row.simulated else "")),
        figure("notional", fmt.money(row.notional)),
        figure("entry", fmt.price(row.entry)),
        figure("mark", fmt.price(mark)),
        figure("liquidation", fmt.price(end), Tone.WARN if end is None else Tone.TEXT, "price that liquidates it"),
        figure("trigger", liquidations.move(row), remark="move of the price until then"),
        figure("keeper fee", fmt.money(row.fee)),
        _BLANK,
        price_axis(pins, width - 2),
        ((" E entry, M mark, L liquidation", Tone.DIM),),
        _BLANK,
        ((" " + fmt.fit("loss", _LABEL), Tone.DIM), (f" {bar}", tone)),
        figure("", "", remark="of the allowed loss"),
    ]
