"""The pools pane: one row per pool market. USD where a figure has no token, and `?` where a price is missing."""

from collections.abc import Callable

from engine.exchange_rows import PoolRow, Wad
from engine.snapshot import Snapshot
from tui import format as fmt
from tui.table import Column, Table
from tui.tones import Line, Span, Tone, gain_or_loss

_RESERVED_MUCH = 0.8


def name(row: PoolRow) -> str:
    """The pool, and `off` where nothing can be created in it."""
    return row.symbol if row.enabled else f"{row.symbol} off"


def tokens(row: PoolRow) -> str:
    """`WETH/USDC`"""
    return f"{row.long}/{row.short}"


def reserved(row: PoolRow) -> Span:
    """The share of the liquidity that cannot leave, in warning tone where little is left."""
    much = row.reserved is not None and row.reserved >= _RESERVED_MUCH
    return f"{'!' if much else ''}{fmt.percent(row.reserved, 0)}", Tone.WARN if much else Tone.TEXT


def _money(figure: Callable[[PoolRow], Wad | None]) -> Callable[[PoolRow, int], Span]:
    return lambda row, width: (fmt.money(figure(row), width), Tone.TEXT)


def _tokens(figure: Callable[[PoolRow], Wad], tone: Tone = Tone.TEXT) -> Callable[[PoolRow, int], Span]:
    return lambda row, width: (fmt.amount(figure(row), width), tone)


def _less(value: Wad | None) -> tuple[bool, Wad]:
    """Largest first, unknown last."""
    return value is None, -(value or 0)


TABLE: Table[PoolRow] = Table(
    columns=(
        Column("pool", 11, lambda row, _: (name(row), Tone.TEXT), 20, left=True, order=name),
        Column("tokens", 9, lambda row, _: (tokens(row), Tone.DIM), 11, left=True),
        Column("value", 10, _money(lambda row: row.value), 19, order=lambda row: _less(row.value)),
        Column("token", 7, lambda row, width: (fmt.price(row.token_price, width), Tone.TEXT), 18),
        Column("supply", 9, _tokens(lambda row: row.supply), 17),
        Column("long liq", 8, _tokens(lambda row: row.long_amount), 12),
        Column("short liq", 9, _tokens(lambda row: row.short_amount), 12),
        Column("imp long", 8, _tokens(lambda row: row.impact_long, Tone.DIM), 5),
        Column("imp short", 9, _tokens(lambda row: row.impact_short, Tone.DIM), 5),
        Column("imp pos", 8, _tokens(lambda row: row.impact_position, Tone.DIM), 6),
        Column("fee long", 8, _tokens(lambda row: row.fees_long, Tone.DIM), 7),
        Column("fee short", 9, _tokens(lambda row: row.fees_short, Tone.DIM), 7),
        Column("long oi", 8, _money(lambda row: row.long_oi), 16, order=lambda row: -row.long_oi),
        Column("short oi", 8, _money(lambda row: row.short_oi), 15),
        Column(
            "pnl",
            9,
            lambda row, w: (fmt.signed(row.traders_pnl, w), gain_or_loss(row.traders_pnl)),
            14,
            order=lambda row: _less(row.traders_pnl),
        ),
        Column("rsvd", 4, lambda row, _: reserved(row), 13, order=lambda row: -(row.reserved or 0)),
        Column("pos", 4, lambda row, _: (fmt.count(row.positions), Tone.TEXT), 10),
    ),
    key=lambda row: row.symbol,
    haystack=lambda row: f"{name(row)} {tokens(row)} {row.index} {'' if row.priced else 'no price'}",
    empty="no pool yet: the configuration lists the pools of the exchange",
    aside=lambda row: None if row.priced else ("? no price", Tone.WARN),
    across=lambda row: ("value", "token"),
    dimmed=lambda row: not row.enabled,
    fields={"pool": name, "token": tokens},
)


def rows(snapshot: Snapshot) -> tuple[PoolRow, ...]:
    """What the pane shows."""
    return snapshot.pools


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called, and the units of what is in it."""
    units = "USD; supply, liquidity, impact pools and fees in tokens"
    return (("Pools ", Tone.STRONG), (fmt.count(len(snapshot.pools)), Tone.TEXT), (f"  {units}", Tone.DIM))
