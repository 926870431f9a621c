"""The desks pane: one row per token, its position or what it waits for."""

from engine.exchange_rows import Side
from engine.snapshot import DeskPhase, DeskRow, Snapshot
from tui import format as fmt
from tui.filters import Number, share, wads
from tui.table import Column, Table
from tui.tones import Line, Span, Tone, gain_or_loss

_LIQ_NEAR = 0.02
_TROUBLE = (DeskPhase.UNKNOWN, DeskPhase.QUARANTINED)
_WAITING = (DeskPhase.IDLE, DeskPhase.DECIDING, DeskPhase.CLOSED)


def name(row: DeskRow) -> str:
    """The token as everything on the screen calls it."""
    return fmt.token(row.token, row.address)


def side(side: Side | None) -> str:
    """`LONG`, `SHORT`, or dots where there is no position."""
    return "·····" if side is None else side.value.upper()


def position(row: DeskRow) -> str:
    """The position in a few words, empty without one."""
    if row.side is None:
        return ""
    return f"{side(row.side)} {fmt.leverage(row.leverage)} {fmt.money(row.collateral)}"


def halt_words(row: DeskRow) -> str:
    """Who halted the desk and when, empty if nobody did."""
    if row.halted_by is None:
        return ""
    when = "" if row.halted_at_ms is None else " " + fmt.clock(row.halted_at_ms)[:5]
    return f"HALTED by {fmt.clean(row.halted_by)}{when}"


def _set_aside(row: DeskRow) -> str:
    """That the desk is quarantined and why, empty if it is not."""
    return f"QUARANTINED  {fmt.clean(row.quarantine)}" if row.quarantine else ""


def _aside(row: DeskRow) -> Span | None:
    """An open desk speaks in figures; every other one in words."""
    if row.quarantine:
        return "  ".join(filter(None, (_set_aside(row), position(row)))), Tone.WARN
    if row.halted_by is not None:
        return "  ".join(filter(None, (halt_words(row), position(row)))), Tone.DIM
    if row.phase is DeskPhase.OPEN and row.side is not None:
        return None
    words = "  ".join(filter(None, (fmt.clean(row.note), position(row))))
    if row.phase in _TROUBLE:
        return f"{row.phase.value.upper()}  {words}", Tone.WARN
    if row.phase in _WAITING:
        waiting = "pending " if row.pending and row.phase is DeskPhase.IDLE else f"{row.phase.value}  "
        return waiting + words, Tone.DIM
    return f"{row.phase.value}  {words}", Tone.TEXT


def _across(row: DeskRow) -> tuple[str, ...]:
    """Words leave pnl and distance alone, where there are such figures."""
    figures = ("side", "lev", "collateral", "entry", "mark")
    return figures if row.side is not None else (*figures, "pnl", "liq")


def _pnl(row: DeskRow, width: int) -> Span:
    if row.side is None:
        return "", Tone.DIM
    return fmt.signed(row.pnl, width), gain_or_loss(row.pnl)


def _liq(row: DeskRow, width: int) -> Span:
    if row.side is None:
        return "", Tone.DIM
    near = row.liq_move is not None and row.liq_move < _LIQ_NEAR
    text = fmt.percent(row.liq_move)
    return f"!{text}" if near and len(text) < width else text, Tone.WARN if near else Tone.TEXT


TABLE: Table[DeskRow] = Table(
    columns=(
        Column(
            "token",
            14,
            lambda row, _: (name(row), Tone.TEXT),
            9,
            left=True,
            order=lambda row: f"{row.token.casefold()} {row.address}",
        ),
        Column("side", 5, lambda row, _: (side(row.side), Tone.TEXT), 6, left=True, order=lambda row: row.side),
        Column(
            "lev",
            4,
            lambda row, _: (fmt.leverage(row.leverage), Tone.TEXT),
            4,
            order=lambda row: row.leverage,
            falling=True,
        ),
        Column(
            "collateral",
            10,
            lambda row, width: (fmt.money(row.collateral, width), Tone.TEXT),
            3,
            order=lambda row: row.collateral,
            falling=True,
        ),
        Column(
            "entry",
            10,
            lambda row, width: (fmt.price(row.entry, width), Tone.DIM),
            2,
            order=lambda row: row.entry,
            falling=True,
        ),
        Column(
            "mark",
            10,
            lambda row, width: (fmt.price(row.mark, width), Tone.TEXT),
            5,
            order=lambda row: row.mark,
            falling=True,
        ),
        Column("pnl", 10, _pnl, 8, order=lambda row: row.pnl),
        Column("liq", 6, _liq, 7, order=lambda row: row.liq_move),
    ),
    key=lambda row: row.address,
    haystack=lambda row: " ".join(
        (
            row.token,
            row.address,
            row.market or "",
            row.side or "",
            row.phase,
            row.note,
            _set_aside(row),
            halt_words(row),
        )
    ),
    empty="no desk yet: enrol a token, or start the demo",
    aside=_aside,
    across=_across,
    dimmed=lambda row: row.halted_by is not None and not row.quarantine,
    fields={
        "token": lambda row: f"{row.token} {row.address}",
        "market": lambda row: row.market or "",
        "side": lambda row: row.side or "",
        "phase": lambda row: row.phase,
    },
    numbers={
        "lev": Number(lambda row: row.leverage, "x"),
        "collateral": wads(lambda row: row.collateral),
        "entry": wads(lambda row: row.entry),
        "mark": wads(lambda row: row.mark),
        "pnl": wads(lambda row: row.pnl),
        "liq": share(lambda row: row.liq_move),
        "notional": wads(lambda row: row.notional),
        "pending": wads(lambda row: row.pending),
    },
)


def rows(snapshot: Snapshot) -> tuple[DeskRow, ...]:
    """What the pane shows."""
    return snapshot.desks


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called."""
    return (("Desks ", Tone.STRONG), (fmt.count(len(snapshot.desks)), Tone.TEXT))
