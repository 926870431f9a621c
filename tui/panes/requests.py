"""The requests pane: what waits for a keeper, oldest first, and below it what has ended, newest first."""

from dataclasses import dataclass

from engine.exchange_rows import RequestRow, RequestState
from engine.snapshot import Snapshot
from tui import format as fmt
from tui.filters import Number, wads
from tui.table import Column, Table
from tui.tones import Line, Span, Tone

_WAITING = (RequestState.PENDING, RequestState.FROZEN)
_SIGNS = {
    RequestState.PENDING: "○",
    RequestState.FROZEN: "!",
    RequestState.EXECUTED: "●",
    RequestState.CANCELLED: "×",
}
_ROOMY = range(96, 100_000)
"""Wide enough for what was put in and for what became of it."""
_WIDE = range(150, 100_000)
"""Wide enough for the keeper in a column of its own."""
_KEY = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """A request and when it is looked at."""

    row: RequestRow
    when: str
    """How long it has waited, or at what time it ended: what has ended does not age, and costs nothing to show."""


def waiting(row: RequestRow) -> bool:
    """Whether a keeper may still execute it."""
    return row.state in _WAITING


def when(row: RequestRow, now_ms: int) -> str:
    """How long it has waited, or when it ended."""
    return fmt.waited(now_ms, row.at_ms) if waiting(row) else fmt.clock(row.at_ms)


def state(row: RequestRow) -> Span:
    """A sign and a word."""
    return f"{_SIGNS[row.state]} {row.state.value}", Tone.WARN if row.state is RequestState.FROZEN else Tone.TEXT


def short_key(row: RequestRow) -> str:
    """Enough of the key to tell two requests apart."""
    return fmt.clean(row.key).removeprefix("0x")[:_KEY]


def account(row: RequestRow) -> str:
    """Whose request it is; `sim` where nobody's."""
    return f"{'sim ' if row.simulated else ''}{row.account}"


def name(row: RequestRow) -> str:
    """The request as everything on the screen calls it."""
    return f"{fmt.clean(row.kind)} {short_key(row)}"


def reason(row: RequestRow) -> Span:
    """Why it ended or waits, and how often our keepers have tried."""
    tries = "" if not row.attempts else "1 try: " if row.attempts == 1 else f"{fmt.count(row.attempts)} tries: "
    text = f"{tries}{row.reason}" if waiting(row) else row.reason
    return text, Tone.WARN if row.state is RequestState.FROZEN else Tone.TEXT


def _outcome(row: RequestRow) -> Span:
    """Who executed it, else why it is where it is."""
    return (f"by {row.keeper}", Tone.DIM) if row.state is RequestState.EXECUTED else reason(row)


def _gist(row: RequestRow) -> Span:
    """What was put in, unless there is a reason that matters more."""
    return reason(row) if row.reason and row.state is not RequestState.PENDING else (row.amount, Tone.TEXT)


def _size(row: RequestRow, width: int) -> Span:
    return ("" if row.size is None else fmt.money(row.size, width)), Tone.TEXT


def _trigger(row: RequestRow, width: int) -> Span:
    return ("" if row.trigger is None else fmt.price(row.trigger, width)), Tone.TEXT


def _side(row: RequestRow) -> Span:
    return "" if row.side is None else row.side.value.upper(), Tone.TEXT


TABLE: Table[Seen] = Table(
    columns=(
        Column("state", 11, lambda seen, _: state(seen.row), 20, left=True, order=lambda seen: seen.row.state.value),
        Column("age, end", 8, lambda seen, _: (seen.when, Tone.DIM), 18, order=lambda seen: seen.row.at_ms),
        Column("kind", 16, lambda seen, _: (seen.row.kind, Tone.TEXT), 19, left=True, order=lambda seen: seen.row.kind),
        Column(
            "market", 9, lambda seen, _: (seen.row.market, Tone.TEXT), 17, left=True, order=lambda seen: seen.row.market
        ),
        Column("side", 5, lambda seen, _: _side(seen.row), 14, left=True, order=lambda seen: seen.row.side),
        Column(
            "amount, or why not",
            28,
            lambda seen, _: _gist(seen.row),
            16,
            left=True,
            grow=True,
            widths=range(_ROOMY.start),
        ),
        Column("amount", 27, lambda seen, _: (seen.row.amount, Tone.TEXT), 16, left=True, widths=_ROOMY),
        Column(
            "size USD",
            10,
            lambda seen, width: _size(seen.row, width),
            13,
            order=lambda seen: seen.row.size,
            falling=True,
        ),
        Column(
            "trigger",
            10,
            lambda seen, width: _trigger(seen.row, width),
            12,
            order=lambda seen: seen.row.trigger,
            falling=True,
        ),
        Column(
            "keeper",
            10,
            lambda seen, _: (seen.row.keeper, Tone.DIM),
            11,
            left=True,
            widths=_WIDE,
            order=lambda seen: seen.row.keeper or None,
        ),
        Column(
            "fee",
            8,
            lambda seen, width: (fmt.amount(seen.row.fee, width), Tone.DIM),
            8,
            order=lambda seen: seen.row.fee,
            falling=True,
        ),
        Column(
            "outcome",
            17,
            lambda seen, _: _outcome(seen.row),
            15,
            True,
            True,
            lambda seen: _outcome(seen.row)[0] or None,
            widths=range(_ROOMY.start, _WIDE.start),
        ),
        Column(
            "reason",
            17,
            lambda seen, _: reason(seen.row),
            15,
            True,
            True,
            lambda seen: seen.row.reason or None,
            widths=_WIDE,
        ),
        Column(
            "key", _KEY, lambda seen, _: (short_key(seen.row), Tone.DIM), 10, left=True, order=lambda seen: seen.row.key
        ),
        Column("account", 12, lambda seen, _: (account(seen.row), Tone.DIM), 9, True, order=lambda s: account(s.row)),
    ),
    key=lambda seen: seen.row.key,
    haystack=lambda seen: " ".join(
        (
            *(seen.row.state, seen.row.kind, seen.row.market, seen.row.side or "", seen.row.amount, seen.row.keeper),
            *(seen.row.key, account(seen.row), seen.row.reason),
        )
    ),
    empty="no request yet: n creates a deposit, a withdrawal or an order",
    dimmed=lambda seen: not waiting(seen.row),
    fields={
        "kind": lambda seen: seen.row.kind,
        "market": lambda seen: seen.row.market,
        "state": lambda seen: seen.row.state,
        "account": lambda seen: account(seen.row),
        "keeper": lambda seen: seen.row.keeper,
        "reason": lambda seen: seen.row.reason,
        "side": lambda seen: seen.row.side or "",
    },
    numbers={
        "size": wads(lambda seen: seen.row.size),
        "trigger": wads(lambda seen: seen.row.trigger),
        "fee": wads(lambda seen: seen.row.fee),
        "tries": Number(lambda seen: seen.row.attempts),
    },
)


def rows(snapshot: Snapshot) -> tuple[Seen, ...]:
    """What the pane shows."""
    now_ms = snapshot.status.now_ms
    return tuple(Seen(row, when(row, now_ms)) for row in snapshot.requests)


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called, how many requests wait or have ended, and for how long the oldest has waited."""
    counts = snapshot.request_counts
    oldest = "" if counts.oldest_ms is None else f"; oldest {fmt.waited(snapshot.status.now_ms, counts.oldest_ms)}"
    return (
        ("Requests", Tone.STRONG),
        (f" {fmt.count(counts.pending)} pending, ", Tone.TEXT),
        (f"{fmt.count(counts.frozen)} frozen", Tone.WARN if counts.frozen else Tone.TEXT),
        (f", {fmt.count(counts.executed)} executed, {fmt.count(counts.cancelled)} cancelled{oldest}", Tone.TEXT),
    )
