"""The markets pane: one row per price feed, and the venue's market on it where there is one."""

from engine.snapshot import FeedHealth, MarketRow, Snapshot
from tui import format as fmt
from tui.filters import Number, share, wads
from tui.table import Column, Table
from tui.tones import Line, Span, Tone, gain_or_loss

_WIDE_CONF = 0.002
_BAR = 5
_BELIEVED = (FeedHealth.LIVE, FeedHealth.SLOW)


def _index(row: MarketRow, width: int) -> Span:
    return fmt.price(row.index, width), Tone.TEXT if row.health in _BELIEVED else Tone.DIM


def _conf(row: MarketRow, width: int) -> Span:
    wide = bool(row.conf and row.index and row.conf > row.index * _WIDE_CONF)
    return fmt.spread(row.conf, row.index, width), Tone.WARN if wide else Tone.DIM


def _move(row: MarketRow, width: int) -> Span:
    """The move of a price that can be believed, else why it cannot."""
    if row.health is FeedHealth.NONE:
        return "no price", Tone.WARN
    if row.health in (FeedHealth.STALE, FeedHealth.LOST):
        return f"{row.health.value} {fmt.age(row.age_ms)}", Tone.WARN
    if row.health not in _BELIEVED:
        return row.health.value, Tone.WARN
    return fmt.percent(row.change, 2, sign=True), gain_or_loss(row.change)


def _believed_move(row: MarketRow) -> float | None:
    return row.change if row.health in _BELIEVED else None


def _both_sides(row: MarketRow) -> int | None:
    return None if row.long_oi is None or row.short_oi is None else row.long_oi + row.short_oi


def _venue(text: str, row: MarketRow, tone: Tone = Tone.TEXT) -> Span:
    """A figure of the venue's market: blank, not unknown, where the venue has none."""
    return ("", Tone.DIM) if row.depth is None else (text, tone)


def _interest(row: MarketRow, width: int) -> Span:
    if row.long_oi is None or row.short_oi is None:
        return _venue(fmt.UNKNOWN, row)
    most = max(row.long_oi, row.short_oi, 1)
    longs, shorts = fmt.gauge(row.long_oi / most, _BAR), fmt.gauge_left(row.short_oi / most, _BAR)
    return _venue(f"{longs} {shorts}", row)


TABLE: Table[MarketRow] = Table(
    columns=(
        Column("market", 8, lambda row, _: (row.symbol, Tone.TEXT), 9, left=True, order=lambda row: row.symbol),
        Column("index", 10, _index, 8, order=lambda row: row.index, falling=True),
        Column("conf", 8, _conf, 3, order=lambda row: row.conf, falling=True),
        Column("move", 9, _move, 7, order=_believed_move, falling=True),
        Column(
            "mark",
            10,
            lambda row, width: _venue(fmt.price(row.mark, width), row),
            5,
            order=lambda row: row.mark,
            falling=True,
        ),
        Column(
            "basis",
            6,
            lambda row, _: _venue(fmt.basis_points(row.basis), row),
            4,
            order=lambda row: row.basis,
            falling=True,
        ),
        Column(
            "carry/h",
            8,
            lambda row, _: _venue(fmt.percent(row.carry_per_hour, 3, True), row),
            6,
            order=lambda row: row.carry_per_hour,
            falling=True,
        ),
        Column("long  short", 11, _interest, 2, left=True, order=_both_sides, falling=True),
        Column(
            "fee",
            6,
            lambda row, _: _venue(fmt.percent(row.open_fee, 2), row, Tone.DIM),
            0,
            order=lambda row: row.open_fee,
            falling=True,
        ),
        Column(
            "depth",
            10,
            lambda row, width: _venue(fmt.money(row.depth, width), row, Tone.DIM),
            1,
            order=lambda row: row.depth,
            falling=True,
        ),
    ),
    key=lambda row: row.symbol,
    haystack=lambda row: f"{row.symbol} {row.health}",
    empty="no price feed: waiting for the first price",
    fields={"market": lambda row: row.symbol, "health": lambda row: row.health},
    numbers={
        "index": wads(lambda row: row.index),
        "conf": wads(lambda row: row.conf),
        "move": share(_believed_move),
        "mark": wads(lambda row: row.mark),
        "basis": Number(lambda row: None if row.basis is None else row.basis * 10_000, "bp"),
        "carry": share(lambda row: row.carry_per_hour),
        "long": wads(lambda row: row.long_oi),
        "short": wads(lambda row: row.short_oi),
        "fee": share(lambda row: row.open_fee),
        "depth": wads(lambda row: row.depth),
    },
)


def rows(snapshot: Snapshot) -> tuple[MarketRow, ...]:
    """What the pane shows."""
    return snapshot.markets


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called."""
    return (("Markets ", Tone.STRONG), (fmt.count(len(snapshot.markets)), Tone.TEXT))
