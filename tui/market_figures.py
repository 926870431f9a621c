"""One market: its figures, its past as charts, and what the curve would ask for a position now."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite

from engine.exchange_rows import MarketPoint, Side, Wad
from engine.snapshot import FeedHealth, MarketRow
from tui import format as fmt
from tui.chart import BAND, Chart, Range, Sign, Trace
from tui.figures import title
from tui.tones import Line, Tone, gain_or_loss
from tui.track import Window, window

SIZES = tuple(size * fmt.WAD for size in (1_000, 10_000, 100_000, 1_000_000))
"""Notional (USD) of the positions that are quoted."""
CURVE_LINES = 13
"""Of `curve_lines`, at most."""
_LABEL, _FIGURE, _COLUMN = 11, 13, 40
_BAR = 10
_COMPACT = 16
"""Below this height the figures stand in two columns."""
_NO_MARKET = "the venue has no market on this feed"
_BELIEVED = (FeedHealth.LIVE, FeedHealth.SLOW)


def market_lines(row: MarketRow, width: int, height: int) -> list[Line]:
    """The figures of now; in two columns where there is little height."""
    head: list[Line] = [title(f"{row.symbol}  {row.health.value}", width)]
    figures = [
        _cell("index", fmt.price(row.index, _FIGURE), f"{fmt.spread(row.conf, row.index, 12)} {_share(row)}"),
        _age(row),
        _cell("signal move", fmt.percent(row.change, 2, True), "", gain_or_loss(row.change)),
        *_venue(row),
    ]
    if height >= _COMPACT:
        return [*head, *figures]
    half = (len(figures) + 1) // 2
    right = [*figures[half:], *[()] * (len(figures) % 2)]
    return head + [_beside(left, other) for left, other in zip(figures[:half], right, strict=True)]


def listed(row: MarketRow) -> bool:
    """Whether the venue has a market on this feed, as far as is known."""
    return row.mark is not None or row.long_oi is not None or row.depth is not None


def _venue(row: MarketRow) -> list[Line]:
    if not listed(row):
        return [((" " + _NO_MARKET, Tone.DIM),)]
    rate = row.carry_per_hour
    pays = "" if not rate else "longs pay" if rate > 0 else "shorts pay"
    return [
        _cell("mark", fmt.price(row.mark, _FIGURE), ""),
        _cell("basis", fmt.basis_points(row.basis), "from index"),
        _cell("carry/h", fmt.percent(rate, 4, True), pays),
        _cell("long OI", fmt.money(row.long_oi, _FIGURE), _bar(row.long_oi, row)),
        _cell("short OI", fmt.money(row.short_oi, _FIGURE), _bar(row.short_oi, row)),
        _cell("imbalance", fmt.percent(imbalance(row), 1, True), _heavier(row)),
        _cell("open fee", fmt.percent(row.open_fee, 3), "of notional"),
        _cell("depth", "no curve" if row.depth is None else fmt.money(row.depth, _FIGURE), _reserve(row)),
    ]


def _age(row: MarketRow) -> Line:
    """How old the price is, and whether money may move on it."""
    tone = Tone.TEXT if row.health in _BELIEVED else Tone.WARN
    return _cell("age", fmt.age(row.age_ms), "traded on" if row.tradable else "not traded on", tone)


def _share(row: MarketRow) -> str:
    return fmt.basis_points(row.conf / row.index).lstrip("+") if row.conf is not None and row.index else ""


def _bar(side: Wad | None, row: MarketRow) -> str:
    most = max(row.long_oi or 0, row.short_oi or 0, 1)
    return "" if side is None else fmt.gauge(side / most, _BAR)


def imbalance(row: MarketRow) -> float | None:
    """Longs less shorts as a share of both; None is unknown or nothing open."""
    if row.long_oi is None or row.short_oi is None or not row.long_oi + row.short_oi:
        return None
    return (row.long_oi - row.short_oi) / (row.long_oi + row.short_oi)


def _heavier(row: MarketRow) -> str:
    share = imbalance(row)
    return "" if not share else "more longs" if share > 0 else "more shorts"


def _reserve(row: MarketRow) -> str:
    return "" if row.depth is None else "quote reserve"


def _cell(label: str, text: str, remark: str, tone: Tone = Tone.TEXT) -> Line:
    return (
        (" " + fmt.fit(label, _LABEL), Tone.DIM),
        (fmt.fit(text, _FIGURE, right=True), tone),
        ("  " + remark, Tone.DIM),
    )


def _beside(left: Line, right: Line) -> Line:
    *figure, (remark, tone) = left
    room = _COLUMN - sum(len(text) for text, _ in figure)
    return (*figure, (fmt.fit(remark, room - 1) + " ", tone), *right)


def filled(mark: Wad, depth: Wad, side: Side, size: Wad) -> Wad | None:
    """The average price of opening a position of `size` (USD, 1e-18) on a curve of base x quote; None where the curve
    does not hold so much."""
    if side is Side.LONG:
        return mark * (depth + size) // depth
    return mark * (depth - size) // depth if size < depth else None


def cost(mark: Wad, average: Wad, size: Wad, open_fee: float) -> Wad:
    """What opening loses against mark (1e-18 USD): the distance of the average price, and the open fee."""
    return size * abs(average - mark) // average + round(size * open_fee)


def curve_lines(row: MarketRow, width: int) -> list[Line]:
    """What a position of some sizes would cost now, one side under the other."""
    lines = [title("To open now", width)]
    if row.mark is None:
        return [*lines, ((" " + _NO_MARKET, Tone.DIM),)]
    if row.depth is None or row.open_fee is None:
        words = "no curve: this venue fills at its own price, whatever the size"
        return [*lines, *(((" " + part, Tone.DIM),) for part in fmt.wrap(words, width - 2, 2))]
    for side in (Side.LONG, Side.SHORT):
        names = f" {fmt.fit(side.value.upper(), 10)} {'average':>12} {'cost USD':>11} {'cost':>8}"
        lines.append(((names, Tone.DIM),))
        lines += [_quote(row.mark, row.depth, row.open_fee, side, size) for size in SIZES]
    fee = f" cost: from mark, and the open fee {fmt.percent(row.open_fee, 3)}"
    return [*lines, ((fee, Tone.DIM),), ((" what moves mark too far may be refused", Tone.DIM),)]


def _quote(mark: Wad, depth: Wad, open_fee: float, side: Side, size: Wad) -> Line:
    name = fmt.fit(fmt.count(size // fmt.WAD), 10, right=True)
    average = filled(mark, depth, side, size)
    if average is None or average <= 0:
        return ((f" {name} ", Tone.TEXT), ("more than the curve holds", Tone.WARN))
    loses = cost(mark, average, size, open_fee)
    figures = (fmt.price(average, 12), fmt.money(loses, 11), fmt.percent(loses / size, 2))
    return ((f" {name} {figures[0]:>12} {figures[1]:>11} {figures[2]:>8}", Tone.TEXT),)


def charts(points: Sequence[MarketPoint], span: int, *, listed: bool) -> tuple[Chart, Chart, Chart]:
    """Price, open interest and carry over the span of this number. `listed`: the venue has a market on this feed."""
    shown = window(points, span)
    few = "the engine has kept no price yet: it takes a point every 5 s"
    none = "nothing is known of it yet" if listed else _NO_MARKET

    def chart(name: str, label: Callable[[float], str], *traces: Trace) -> Chart:
        return Chart(name, shown.first_ms, shown.last_ms, label, traces, remark=shown.words, nothing=none)

    return (
        price_chart(points, shown, few),
        chart("Open interest", _usd, _trace("long", points, _long), _trace("short", points, _short, "x")),
        replace(chart("Carry/h", _rate, _trace("carry", points, _carry)), zero=True),
    )


def price_chart(
    points: Sequence[MarketPoint],
    shown: Window,
    nothing: str,
    *,
    name: str = "Price",
    signs: Sequence[Sign] = (),
    legend: str = f"{BAND} confidence",
) -> Chart:
    """The index with its confidence, and the venue's mark where there is one."""
    traces = [_trace("index", points, _index)]
    if any(point.mark is not None for point in points):
        traces.append(_trace("mark", points, _mark, "+"))
    return Chart(
        title=name,
        first_ms=shown.first_ms,
        last_ms=shown.last_ms,
        label=usd_price,
        traces=tuple(traces),
        band=[_confidence(point) for point in points],
        signs=signs,
        legend=legend,
        remark=shown.words,
        nothing=nothing,
    )


def _confidence(point: MarketPoint) -> Range:
    if point.index is None or point.conf is None:
        return (point.at_ms, None, None)
    return (point.at_ms, (point.index - point.conf) / fmt.WAD, (point.index + point.conf) / fmt.WAD)


def _trace(
    name: str, points: Sequence[MarketPoint], of: Callable[[MarketPoint], float | None], marker: str = ""
) -> Trace:
    return Trace(name, [(point.at_ms, of(point)) for point in points], marker)


def _whole(amount: Wad | None) -> float | None:
    return None if amount is None else amount / fmt.WAD


def _index(point: MarketPoint) -> float | None:
    return _whole(point.index)


def _mark(point: MarketPoint) -> float | None:
    return _whole(point.mark)


def _long(point: MarketPoint) -> float | None:
    return _whole(point.long_oi)


def _short(point: MarketPoint) -> float | None:
    return _whole(point.short_oi)


def _carry(point: MarketPoint) -> float | None:
    rate = point.carry_per_hour
    return rate if rate is not None and isfinite(rate) else None


def usd_price(value: float) -> str:
    """A price (USD) as its axis has it."""
    return fmt.price(round(value * fmt.WAD))


def _usd(value: float) -> str:
    return fmt.count(round(value))


def _rate(value: float) -> str:
    return fmt.percent(value, 4, True)
