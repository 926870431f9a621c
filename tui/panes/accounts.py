"""The accounts pane: the desks' money on its way from fees through desks to buybacks."""

from rich.cells import cell_len

from engine.desk_rows import FundRow
from engine.snapshot import Snapshot
from tui import format as fmt
from tui.filters import wads
from tui.table import Column, Table
from tui.tones import Line, Span, Tone

DIFFERENCE = "difference"
_MEANING = {
    "fees": "earned so far, before the split",
    "pum": "buys back the protocol's token",
    "diem": "pays for intelligence",
    "creator": "creator legs, buy back tokens",
    "pending": "waits to be deployed",
    "reserve": "kept back until a liquidation",
    "in flight": "in orders without an answer",
    "deployed": "stands in positions, at cost",
    "realised": "back from positions, buys back",
    "buying": "in buybacks without an answer",
    "bought back": "spent on buybacks so far",
    "burned": "spent on the protocol's token",
    DIFFERENCE: "counted, but not attributed",
}
"""What becomes of the money in an account."""


def _meaning(row: FundRow) -> str:
    return _MEANING.get(row.name, "")


def amount(row: FundRow, width: int) -> Span:
    """The sum; a difference is trouble in either direction."""
    if row.name != DIFFERENCE or not row.amount:
        return fmt.money(row.amount, width), Tone.TEXT
    return "!" + fmt.signed(row.amount, width - 1), Tone.ALARM


def largest(row: FundRow, width: int) -> str:
    """The tokens that hold most of it, as many as fit whole: a cut amount would be a wrong one."""
    text = ""
    for address, token, held in row.largest:
        longer = f"{text}{', ' if text else ''}{fmt.token(token, address)} {fmt.money(held)}"
        if cell_len(longer) > width:
            break
        text = longer
    return text


TABLE: Table[FundRow] = Table(
    columns=(
        Column("account", 11, lambda row, _: (row.name, Tone.TEXT), 9, left=True, order=lambda row: row.name),
        Column("USDC", 14, amount, 8, order=lambda row: row.amount, falling=True),
        Column(
            "what it is", 31, lambda row, _: (_meaning(row), Tone.DIM), 6, left=True, order=lambda row: _meaning(row)
        ),
        Column("most of it", 20, lambda row, width: (largest(row, width), Tone.DIM), 5, left=True, grow=True),
    ),
    key=lambda row: row.name,
    haystack=lambda row: " ".join((row.name, _meaning(row), *(token for _, token, _ in row.largest))),
    empty="no money yet: enrol a token whose fees can be claimed, or start the demo",
    fields={
        "account": lambda row: row.name,
        "token": lambda row: " ".join(f"{token} {address}" for address, token, _ in row.largest),
    },
    numbers={"usdc": wads(lambda row: row.amount)},
)


def rows(snapshot: Snapshot) -> tuple[FundRow, ...]:
    """What the pane shows, in the order the money goes."""
    return snapshot.flow.accounts


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called."""
    return (("Funds", Tone.STRONG), ("  fees to desks to buybacks, USDC", Tone.DIM))
