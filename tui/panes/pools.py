"""The pools pane: one row per pool market. USD where a figure has no token, and `?` where a price is missing."""

from collections.abc import Callable

from engine.exchange_rows import PoolRow, Wad
from engine.snapshot import Snapshot
from tui import format as fmt
from tui.filters import Number, share, wads
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


def _money(name: str, width: int, keep: int, figure: Callable[[PoolRow], Wad | None]) -> Column[PoolRow]:
    return Column(name, width, lambda row, w: (fmt.money(figure(row), w), Tone.TEXT), keep, order=figure, falling=True)


def _tokens(
    name: str, width: int, keep: int, figure: Callable[[PoolRow], Wad], tone: Tone = Tone.TEXT
) -> Column[PoolRow]:
    return Column(name, width, lambda row, w: (fmt.amount(figure(row), w), tone), keep, order=figure, falling=True)


def _price(row: PoolRow, width: int) -> Span:
    return fmt.price(row.token_price, width), Tone.TEXT


def _pnl(row: PoolRow, width: int) -> Span:
    return fmt.signed(row.traders_pnl, width), gain_or_loss(row.traders_pnl)


TABLE: Table[PoolRow] = Table(
    columns=(
        Column("pool", 11, lambda row, _: (name(row), Tone.TEXT), 20, left=True, order=name),
        Column("tokens", 9, lambda row, _: (tokens(row), Tone.DIM), 11, left=True, order=tokens),
        _money("value", 10, 19, lambda row: row.value),
        Column("token", 7, _price, 18, order=lambda row: row.token_price, falling=True),
        _tokens("supply", 9, 17, lambda row: row.supply),
        _tokens("long liq", 8, 12, lambda row: row.long_amount),
        _tokens("short liq", 9, 12, lambda row: row.short_amount),
        _tokens("imp long", 8, 5, lambda row: row.impact_long, Tone.DIM),
        _tokens("imp short", 9, 5, lambda row: row.impact_short, Tone.DIM),
        _tokens("imp pos", 8, 6, lambda row: row.impact_position, Tone.DIM),
        _tokens("fee long", 8, 7, lambda row: row.fees_long, Tone.DIM),
        _tokens("fee short", 9, 7, lambda row: row.fees_short, Tone.DIM),
        _money("long oi", 8, 16, lambda row: row.long_oi),
        _money("short oi", 8, 15, lambda row: row.short_oi),
        Column("pnl", 9, _pnl, 14, order=lambda row: row.traders_pnl, falling=True),
        Column("rsvd", 4, lambda row, _: reserved(row), 13, order=lambda row: row.reserved, falling=True),
        Column(
            "pos",
            4,
            lambda row, _: (fmt.count(row.positions), Tone.TEXT),
            10,
            order=lambda row: row.positions,
            falling=True,
        ),
    ),
    key=lambda row: row.symbol,
    haystack=lambda row: f"{name(row)} {tokens(row)} {row.index} {'' if row.priced else 'no price'}",
    empty="no pool yet: the configuration lists the pools of the exchange",
    aside=lambda row: None if row.priced else ("? no price", Tone.WARN),
    across=lambda row: ("value", "token"),
    dimmed=lambda row: not row.enabled,
    fields={"pool": name, "token": tokens},
    numbers={
        "value": wads(lambda row: row.value),
        "token": wads(lambda row: row.token_price),
        "supply": wads(lambda row: row.supply),
        "longliq": wads(lambda row: row.long_amount),
        "shortliq": wads(lambda row: row.short_amount),
        "longoi": wads(lambda row: row.long_oi),
        "shortoi": wads(lambda row: row.short_oi),
        "pnl": wads(lambda row: row.traders_pnl),
        "rsvd": share(lambda row: row.reserved),
        "pos": Number(lambda row: row.positions),
    },
)


def rows(snapshot: Snapshot) -> tuple[PoolRow, ...]:
    """What the pane shows."""
    return snapshot.pools


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called, and the units of what is in it."""
    units = "USD; supply, liquidity, impact pools and fees in tokens"
    return (("Pools ", Tone.STRONG), (fmt.count(len(snapshot.pools)), Tone.TEXT), (f"  {units}", Tone.DIM))
