"""The buybacks pane: what waits to buy back each token, and what has been bought."""

from engine.desk_rows import BuybackRow
from engine.snapshot import Snapshot
from tui import format as fmt
from tui.filters import Number, wads
from tui.table import Column, Table
from tui.tones import Line, Span, Tone

_TONES = {"waiting": Tone.DIM, "buying": Tone.TEXT}


def name(row: BuybackRow) -> str:
    """The token as everything on the screen calls it; the protocol's own has no desk."""
    return fmt.token(row.token, row.address) if row.address else fmt.fit(row.token, fmt.NAME_CELLS).rstrip()


def state(row: BuybackRow) -> Span:
    """What it does, or why the last one was refused."""
    burned = "" if row.address else "; burned"
    return row.state + burned, _TONES.get(row.state, Tone.WARN)


def _last(row: BuybackRow) -> Span:
    return ("never" if row.last_ms is None else fmt.moment(row.last_ms)), Tone.DIM


TABLE: Table[BuybackRow] = Table(
    columns=(
        Column(
            "token", 14, lambda row, _: (name(row), Tone.TEXT), 9, left=True, order=lambda row: row.token.casefold()
        ),
        Column(
            "queued",
            10,
            lambda row, w: (fmt.money(row.queued, w), Tone.TEXT),
            8,
            order=lambda row: row.queued,
            falling=True,
        ),
        Column(
            "least",
            9,
            lambda row, width: (fmt.money(row.least, width), Tone.DIM),
            5,
            order=lambda row: row.least,
            falling=True,
        ),
        Column(
            "spent",
            11,
            lambda row, w: (fmt.money(row.spent, w), Tone.TEXT),
            7,
            order=lambda row: row.spent,
            falling=True,
        ),
        Column(
            "bought",
            11,
            lambda row, width: (fmt.amount(row.bought, width), Tone.TEXT),
            4,
            order=lambda row: row.bought,
            falling=True,
        ),
        Column(
            "count", 6, lambda row, _: (fmt.count(row.count), Tone.DIM), 3, order=lambda row: row.count, falling=True
        ),
        Column("last", 11, lambda row, _: _last(row), 2, left=True, order=lambda row: row.last_ms, falling=True),
        Column("state", 17, lambda row, _: state(row), 6, left=True, grow=True, order=lambda row: row.state),
    ),
    key=lambda row: row.address,
    haystack=lambda row: f"{row.token} {row.address} {row.state}",
    empty="no buyback yet: closing a desk's position, c on its row, queues what it pays back",
    fields={"token": lambda row: f"{row.token} {row.address}", "state": lambda row: row.state},
    numbers={
        "queued": wads(lambda row: row.queued),
        "least": wads(lambda row: row.least),
        "spent": wads(lambda row: row.spent),
        "bought": wads(lambda row: row.bought),
        "count": Number(lambda row: row.count),
    },
)


def rows(snapshot: Snapshot) -> tuple[BuybackRow, ...]:
    """What the pane shows."""
    return snapshot.flow.buybacks


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called, and the units of what is in it."""
    number = fmt.count(len(snapshot.flow.buybacks))
    return (("Buybacks ", Tone.STRONG), (number, Tone.TEXT), ("  USDC; bought in tokens", Tone.DIM))
