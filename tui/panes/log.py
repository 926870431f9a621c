"""The log pane: everything that happened, newest on top, over all desks."""

from engine.snapshot import Event
from tui import format as fmt
from tui.event_log import EventLog
from tui.table import Column, Table
from tui.tones import Line, Span, Tone

_WARN = frozenset(("declined", "fault", "halt", "quarantine", "quarantined", "unknown", "warn", "refused"))
_LOSS = frozenset(("liquidation", "liquidated"))


def name(row: Event) -> str:
    """The token as everything on the screen calls it; empty for what concerns no desk."""
    return fmt.token(row.token or fmt.UNKNOWN, row.address) if row.address else ""


def kind(row: Event) -> Span:
    """What kind of thing happened."""
    return row.kind, Tone.LOSS if row.kind in _LOSS else Tone.WARN if row.kind in _WARN else Tone.TEXT


TABLE: Table[Event] = Table(
    columns=(
        Column(
            "time",
            8,
            lambda row, _: (fmt.clock(row.at_ms), Tone.DIM),
            8,
            left=True,
            order=lambda row: row.number,
            falling=True,
        ),
        Column(
            "token",
            14,
            lambda row, _: (name(row), Tone.TEXT),
            7,
            left=True,
            order=lambda row: f"{row.token.casefold()} {row.address}" if row.address else None,
        ),
        Column("source", 8, lambda row, _: (row.source, Tone.DIM), 5, left=True, order=lambda row: row.source),
        Column("kind", 11, lambda row, _: kind(row), 6, left=True, order=lambda row: row.kind),
        Column("text", 20, lambda row, _: (row.text, Tone.TEXT), 9, True, True, lambda row: row.text.casefold()),
    ),
    key=lambda row: str(row.number),
    haystack=lambda row: f"{row.token} {row.address} {row.source} {row.kind} {row.text}",
    empty="nothing has happened yet: enrol a token, or start the demo",
    fields={
        "token": lambda row: f"{row.token} {row.address}",
        "source": lambda row: row.source,
        "kind": lambda row: row.kind,
        "text": lambda row: row.text,
    },
)


def heading(log: EventLog) -> Line:
    """What the pane is called, how many lines it holds and how many it no longer does."""
    held = f"{fmt.count(len(log.rows))} lines"
    dropped = f", {fmt.count(log.dropped)} earlier ones dropped" if log.dropped else ""
    return (("Log ", Tone.STRONG), (held, Tone.TEXT), (dropped, Tone.WARN))
