"""The keepers pane: every loop of the engine, what is wrong first; what is broken never looks like what waits."""

from dataclasses import dataclass, replace

from engine.keeper_rows import KeeperHealth, KeeperRow
from engine.snapshot import Event, Snapshot
from tui import format as fmt
from tui.filters import Number
from tui.table import Column, Table
from tui.tones import Line, Span, Tone

_WORST = (KeeperHealth.STOPPED, KeeperHealth.FAILING, KeeperHealth.LATE, KeeperHealth.OK)
_NOW_MS = 5_000
_SIGNS = {KeeperHealth.STOPPED: "■", KeeperHealth.FAILING: "×", KeeperHealth.LATE: "!", KeeperHealth.OK: "●"}
_TONES = {KeeperHealth.STOPPED: Tone.ALARM, KeeperHealth.FAILING: Tone.LOSS, KeeperHealth.LATE: Tone.WARN}
_SOURCES = {
    "desks": "manager",
    "profits": "guard",
    "risk": "guard",
    "buybacks": "buyback",
    "creator buybacks": "buyback",
}
"""Who an event names in place of the loop."""
_KINDS = {
    "fees": ("fees", ""),
    "wallet": ("wallet", ""),
    "markets": ("market", ""),
    "liquidator": ("liquidation", "position #"),
    "pools": ("liquidation", "pool position"),
}
"""Kind and first words of the events that name nobody."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A keeper, and how long ago its last pass was."""

    row: KeeperRow
    when: str


def state(row: KeeperRow) -> Span:
    """A sign and a word."""
    if row.health is KeeperHealth.OK and not row.passes:
        return "○ running", Tone.TEXT
    return f"{_SIGNS[row.health]} {row.health.value}", _TONES.get(row.health, Tone.TEXT)


def detail(row: KeeperRow) -> Span:
    """What its last pass came to, or why there is nothing to tell."""
    if row.health is KeeperHealth.STOPPED:
        return "the engine has stopped: nothing is kept, start it again", Tone.ALARM
    if row.health is KeeperHealth.LATE:
        return f"a pass is overdue; the last one: {row.detail or 'nothing to do'}", Tone.WARN
    if row.health is KeeperHealth.FAILING:
        return f"{row.detail or 'failed'}, it is tried again", Tone.LOSS
    if not row.passes:
        return row.detail or "no pass has ended yet: it runs on, or has just begun", Tone.DIM
    return row.detail or "nothing to do", Tone.DIM


TABLE: Table[Seen] = Table(
    columns=(
        Column(
            "keeper", 18, lambda seen, _: (seen.row.name, Tone.TEXT), 9, left=True, order=lambda seen: seen.row.name
        ),
        Column(
            "state", 12, lambda seen, _: state(seen.row), 8, left=True, order=lambda seen: _WORST.index(seen.row.health)
        ),
        Column("last pass", 9, lambda seen, _: (seen.when, Tone.TEXT), 7, order=lambda seen: seen.row.last_ms),
        Column(
            "passes",
            9,
            lambda seen, _: (fmt.count(seen.row.passes), Tone.DIM),
            5,
            order=lambda seen: seen.row.passes,
            falling=True,
        ),
        Column("what it came to", 20, lambda seen, _: detail(seen.row), 6, left=True, grow=True),
    ),
    key=lambda seen: seen.row.name,
    haystack=lambda seen: f"{seen.row.name} {seen.row.health} {detail(seen.row)[0]}",
    empty="no keeper runs: the engine has not begun (see `perpdesk status`), or this is a replay, which knows of none",
    fields={"keeper": lambda seen: seen.row.name, "state": lambda seen: seen.row.health},
    numbers={"passes": Number(lambda seen: seen.row.passes)},
)


def rows(snapshot: Snapshot) -> tuple[Seen, ...]:
    """What the pane shows: the worst first, else in the engine's order."""
    now_ms = snapshot.status.now_ms
    keepers: tuple[KeeperRow, ...] = snapshot.keepers
    if snapshot.status.keepers is KeeperHealth.STOPPED:
        # The last picture of an engine that ended still holds what its loops said of themselves.
        keepers = tuple(replace(row, health=KeeperHealth.STOPPED) for row in keepers)
    return tuple(Seen(row, _when(row, now_ms)) for row in sorted(keepers, key=lambda row: _WORST.index(row.health)))


def _when(row: KeeperRow, now_ms: int) -> str:
    if row.last_ms is None:
        return "never"
    # Most run every second or so: what is in time need not be counted on the screen.
    return "now" if now_ms - row.last_ms < _NOW_MS else fmt.waited(now_ms, row.last_ms)


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called, and how many are in which state."""
    counts = {health: sum(seen.row.health is health for seen in rows(snapshot)) for health in _WORST}
    words: list[Span] = []
    for health, count in counts.items():
        if count:
            words += [
                (", " if words else " ", Tone.TEXT),
                (f"{fmt.count(count)} {health.value}", _TONES.get(health, Tone.TEXT)),
            ]
    return (("Keepers", Tone.STRONG), *words)


def did(name: str, event: Event) -> bool:
    """Whether an event is the doing of the keeper of this name."""
    if event.source and event.source in (name, _SOURCES.get(name)):
        return True
    if name in _KINDS:
        kind, begin = _KINDS[name]
        return event.kind == kind and event.text.startswith(begin)
    words = f" by {name}"
    return event.text.endswith(words) or f"{words}:" in event.text
