"""The liquidations pane: positions near their end, nearest first as the engine orders them."""

from engine.snapshot import LiquidationRow, QueueState, Snapshot
from tui import format as fmt
from tui.filters import Number, share, wads
from tui.table import Column, Table
from tui.tones import Line, Span, Tone

_TONES = {QueueState.READY: Tone.LOSS, QueueState.NEAR: Tone.WARN, QueueState.WATCH: Tone.DIM}
_PERCENT = 5


def number(row: LiquidationRow) -> str:
    """The position as everything on the screen calls it."""
    return f"#{fmt.count(row.position_id)}"


def identity(row: LiquidationRow) -> str:
    """A live venue numbers the positions of every market and wallet from nought."""
    return f"{row.position_id} {row.market} {row.owner}"


def loss(row: LiquidationRow, width: int) -> Span:
    """The share of the allowed loss that is gone, as a bar and a figure."""
    bar = fmt.gauge(row.loss_share, width - _PERCENT - 1)
    return f"{bar} {fmt.percent(row.loss_share, 0):>{_PERCENT}}", _TONES[row.state]


def move(row: LiquidationRow) -> str:
    """How far the price is from triggering it."""
    return "now" if row.move <= 0 else fmt.percent(row.move, 2)


def owner(row: LiquidationRow) -> str:
    """Whose position it is; `sim` where nobody's."""
    return f"{'sim ' if row.simulated else ''}{row.owner}"


TABLE: Table[LiquidationRow] = Table(
    columns=(
        Column("position", 9, lambda row, _: (number(row), Tone.TEXT), 9, left=True, order=lambda row: row.position_id),
        Column("market", 6, lambda row, _: (row.market, Tone.TEXT), 5, left=True, order=lambda row: row.market),
        Column("side", 5, lambda row, _: (row.side.value.upper(), Tone.TEXT), 6, left=True, order=lambda row: row.side),
        Column(
            "notional",
            11,
            lambda row, w: (fmt.money(row.notional, w), Tone.TEXT),
            3,
            order=lambda row: row.notional,
            falling=True,
        ),
        Column(
            "lev",
            4,
            lambda row, _: (fmt.leverage(row.leverage), Tone.DIM),
            1,
            order=lambda row: row.leverage,
            falling=True,
        ),
        Column("loss of allowed", 17, loss, 7, left=True, order=lambda row: row.loss_share, falling=True),
        Column("price", 6, lambda row, _: (move(row), Tone.TEXT), 4, order=lambda row: row.move),
        Column(
            "fee",
            7,
            lambda row, width: (fmt.money(row.fee, width), Tone.DIM),
            2,
            order=lambda row: row.fee,
            falling=True,
        ),
        Column(
            "state", 5, lambda row, _: (row.state.value, _TONES[row.state]), 8, left=True, order=lambda row: row.state
        ),
        Column("owner", 14, lambda row, _: (owner(row), Tone.DIM), 0, left=True, order=owner),
    ),
    key=identity,
    haystack=lambda row: f"{row.position_id} {row.market} {row.side} {row.state} {owner(row)}",
    empty="no position is near its end",
    fields={
        "market": lambda row: row.market,
        "side": lambda row: row.side,
        "state": lambda row: row.state,
        "owner": owner,
    },
    numbers={
        "notional": wads(lambda row: row.notional),
        "lev": Number(lambda row: row.leverage, "x"),
        "loss": share(lambda row: row.loss_share),
        "price": share(lambda row: row.move),
        "fee": wads(lambda row: row.fee),
    },
)


def rows(snapshot: Snapshot) -> tuple[LiquidationRow, ...]:
    """What the pane shows."""
    return snapshot.liquidations


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called, and how many positions stand behind its rows."""
    queue = snapshot.queue
    more = "+" if queue.near == len(snapshot.liquidations) < queue.watched else ""
    late: Line = ((f", {fmt.count(queue.overdue)} overdue", Tone.ALARM),) if queue.overdue else ()
    return (
        ("Liquidations", Tone.STRONG),
        (": ", Tone.TEXT),
        (f"{fmt.count(queue.ready)} ready", Tone.LOSS if queue.ready else Tone.TEXT),
        *late,
        (", ", Tone.TEXT),
        (f"{fmt.count(queue.near)}{more} near", Tone.WARN if queue.near else Tone.TEXT),
        (f", {fmt.count(queue.watched)} watched", Tone.TEXT),
    )
