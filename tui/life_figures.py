"""What was decided for a desk beside what was seen, and its life as a timeline."""

from collections.abc import Iterable

from engine.desk_rows import PlanRow, SeenMarket
from engine.snapshot import DecisionRow, Event
from tui import format as fmt
from tui.figures import title
from tui.panes import agent_log
from tui.panes.desks import side
from tui.panes.log import kind
from tui.table import Column, Table, row_line
from tui.tones import Line, Tone

_BLANK: Line = ()
_ROOMY = 50
"""Below this width an event takes two lines."""
_FEWEST_SEEN = 3

SEEN: Table[SeenMarket] = Table(
    columns=(
        Column("market", 7, lambda row, _: (row.market, Tone.TEXT), 9, left=True),
        Column("index", 10, lambda row, width: (fmt.price(row.index, width), Tone.TEXT), 7),
        Column("move", 7, lambda row, _: (fmt.percent(row.momentum, 2, True), Tone.TEXT), 8),
        Column("vol", 6, lambda row, _: (fmt.percent(row.volatility, 2), Tone.TEXT), 5),
        Column("max", 5, lambda row, _: (fmt.leverage(row.max_leverage), Tone.DIM), 4),
    ),
    key=lambda row: row.market,
    haystack=lambda row: row.market,
    empty="",
)


def _wrapped(text: str, width: int, most: int, tone: Tone) -> list[Line]:
    return [((" " + part, tone),) for part in fmt.wrap(text, width - 2, most)]


def plan_lines(plan: PlanRow, width: int, height: int) -> list[Line]:
    """Verdict and reasons, then the markets as they were seen; of these as many as leave room for the timeline."""
    verdict = ("ALLOW", Tone.TEXT) if plan.allow else ("NO ENTRY", Tone.DIM)
    lines = [
        title("Last plan", width),
        ((f" {fmt.clock(plan.at_ms)}  ", Tone.DIM), verdict, (f"  by {fmt.clean(plan.source)}", Tone.DIM)),
    ]
    if plan.market:
        lines += _wrapped(target(plan), width, 2, Tone.STRONG)
    lines += _wrapped(plan.reason or "no reason given", width, 4, Tone.TEXT)
    if plan.degraded:
        lines += _wrapped(f"! degraded: {plan.degraded}", width, 2, Tone.WARN)
    lines += _wrapped(_saw(plan), width, 2, Tone.DIM)
    most = max((height - len(lines)) // 2 - 2, _FEWEST_SEEN)
    return [*lines, *_seen(plan, width, most), _BLANK]


def target(plan: PlanRow) -> str:
    """`LONG ETH 20x, wanted 75x, capped`"""
    words = f"{side(plan.side)} {fmt.clean(plan.market)} {fmt.leverage(plan.leverage)}"
    if plan.asked_leverage <= 0 or plan.asked_leverage == plan.leverage:
        return words
    capped = ", capped" if plan.asked_leverage > plan.leverage else ""
    return f"{words}, wanted {fmt.leverage(plan.asked_leverage)}{capped}"


def _saw(plan: PlanRow) -> str:
    session = "in session" if plan.in_session else "out of session"
    return f"saw {fmt.money(plan.pending)} pending, {session}, moves over {fmt.age(plan.lookback_ms)}"


def _seen(plan: PlanRow, width: int, most: int) -> list[Line]:
    """The chosen market first, whatever else there is room for."""
    if not plan.seen:
        return [((" no market was seen", Tone.WARN),)]
    fitting = SEEN.fitting(width)
    names = "".join(fmt.fit(column.name, cells, not column.left) + " " for column, cells in fitting)
    rows = sorted(plan.seen, key=lambda row: row.market != plan.market)
    lines: list[Line] = [((f"  {names}", Tone.DIM),)]
    lines += [row_line(SEEN, row, fitting, "→ " if row.market == plan.market else "  ") for row in rows[:most]]
    if len(rows) > most:
        lines.append(((f"  and {fmt.count(len(rows) - most)} more", Tone.DIM),))
    return lines


def decision_lines(decision: DecisionRow | None, width: int) -> list[Line]:
    """The last decision, with its whole text."""
    lines = [title("Last decision", width)]
    if decision is None:
        return [*lines, ((" none yet", Tone.DIM),), _BLANK]
    word, tone = agent_log.outcome(decision)
    lines.append(
        (
            (f" {fmt.clock(decision.at_ms)}  ", Tone.DIM),
            (word, tone),
            (f"  by {fmt.clean(decision.source)}", Tone.DIM),
        )
    )
    return [*lines, *_wrapped(decision.text, width, 4, Tone.TEXT), _BLANK]


def timeline_lines(events: Iterable[Event], dropped: int, width: int, room: int) -> list[Line]:
    """What happened, newest on top; it says what is no longer held in the last line."""
    lines = [title("What happened", width)]
    last: list[Line] = []
    if dropped:
        last.append(((f" {fmt.count(dropped)} earlier events are no longer held", Tone.WARN),))
    for event in sorted(events, key=lambda event: -event.number):
        drawn = _event(event, width)
        if len(lines) + len(drawn) + len(last) > room:
            break
        lines += drawn
    if len(lines) == 1:
        lines.append(((" nothing yet", Tone.DIM),))
    return lines + last


def _event(event: Event, width: int) -> list[Line]:
    word, tone = kind(event)
    tone = Tone.STRONG if tone is Tone.TEXT else tone
    time = (f" {fmt.clock(event.at_ms)}  ", Tone.DIM)
    source, text = fmt.clean(event.source), fmt.clean(event.text)
    if width < _ROOMY:
        told = fmt.wrap(text, width - 4, 2)
        return [
            (time, (fmt.fit(word, 10) + " ", tone), (source, Tone.DIM)),
            *(((f"   {part}", Tone.TEXT),) for part in told),
        ]
    return [(time, (fmt.fit(word, 12) + " ", tone), (fmt.fit(source, 9) + " ", Tone.DIM), (text, Tone.TEXT))]
