"""The agent pane: the latest decision per desk, newest on top, replaced in place."""

from operator import attrgetter

from engine.snapshot import DecisionRow, Outcome, Snapshot
from tui import format as fmt
from tui.agent_figures import agent_heading
from tui.table import Column, Table
from tui.tones import Line, Span, Tone

_TONES = {
    Outcome.NONE: Tone.DIM,
    Outcome.DEFER: Tone.DIM,
    Outcome.LIQUIDATED: Tone.LOSS,
    Outcome.REFUSED: Tone.WARN,
    Outcome.HALT: Tone.WARN,
    Outcome.WARN: Tone.WARN,
    Outcome.QUARANTINE: Tone.WARN,
}


def name(row: DecisionRow) -> str:
    """The token as everything on the screen calls it."""
    return fmt.token(row.token, row.address)


def outcome(row: DecisionRow) -> Span:
    """The decision in one word."""
    return row.outcome.value.upper(), _TONES.get(row.outcome, Tone.TEXT)


TABLE: Table[DecisionRow] = Table(
    columns=(
        Column(
            "time",
            8,
            lambda row, _: (fmt.clock(row.at_ms), Tone.DIM),
            5,
            left=True,
            order=lambda row: row.at_ms,
            falling=True,
        ),
        Column(
            "token",
            14,
            lambda row, _: (name(row), Tone.TEXT),
            9,
            left=True,
            order=lambda row: f"{row.token.casefold()} {row.address}",
        ),
        Column("source", 8, lambda row, _: (row.source, Tone.DIM), 4, left=True, order=lambda row: row.source),
        Column("decision", 10, lambda row, _: outcome(row), 8, left=True, order=lambda row: row.outcome.value),
        Column("why", 29, lambda row, _: (row.text, Tone.TEXT), 7, True, True, lambda row: row.text.casefold()),
    ),
    key=lambda row: row.address,
    haystack=lambda row: f"{row.token} {row.address} {row.source} {row.outcome} {row.text}",
    empty="no decision yet: the agent speaks when a desk has something to deploy",
    fields={
        "token": lambda row: f"{row.token} {row.address}",
        "source": lambda row: row.source,
        "kind": lambda row: row.outcome,
    },
)


def rows(snapshot: Snapshot) -> tuple[DecisionRow, ...]:
    """What the pane shows."""
    return tuple(sorted(snapshot.decisions, key=attrgetter("at_ms", "seq"), reverse=True))


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called."""
    return agent_heading(snapshot.agent)
