"""The line on top of every screen: the whole engine at a glance, shortened by priority."""

from engine.exchange_rows import RequestCounts
from engine.keeper_rows import KeeperHealth
from engine.snapshot import FeedHealth, Status
from tui.agent_figures import DEGEN
from tui.bar import GAP, Piece, cells, shorten
from tui.format import UNKNOWN, age, clean, clock, count
from tui.tones import Line, Span, Tone

_SIMULATED = "simulated"
"""That something is invented stays on the line however narrow it is; what is invented, where there is room."""
LATE_MS = 1_000
"""A picture that was so long on its way is shown as late."""
SILENT_MS = 3_000
"""An engine that has published nothing for so long is shown as silent: what is on the screen may be old."""
_CALM = (FeedHealth.LIVE, FeedHealth.SLOW)


_NO_REQUESTS = RequestCounts(0, 0, 0, 0, None)


def status_line(
    status: Status,
    now_ms: int,
    width: int,
    silent_ms: int = 0,
    dropped: int = 0,
    requests: RequestCounts = _NO_REQUESTS,
    degen: bool = False,
    lag_ms: int | None = None,
) -> Line:
    """Mode left, clock right, and what has room between them; `silent_ms`: since when the engine says nothing."""
    badge: Line = ((f" {clean(status.mode)} ", Tone.LIVE if status.mode == "LIVE" else Tone.BADGE),)
    if degen:
        # Beside the mode and never shortened away: without the filter every reading of the screen changes.
        badge = (*badge, (" ", Tone.TEXT), (DEGEN, Tone.ALARM))
    if status.observing:
        badge = (*badge, (" ", Tone.TEXT), ("OBSERVING", Tone.WARN))
    elif not status.armed:
        badge = (*badge, (" ", Tone.TEXT), ("NOT ARMED", Tone.ALARM))
    time: Line = ((clock(now_ms) + "Z ", Tone.TEXT),)
    head: Line = ((" ", Tone.TEXT), *badge, (GAP, Tone.TEXT))
    room = width - cells(head) - cells(time) - 1
    pieces = [
        piece
        for piece in (*_pieces(status), _requests(requests), _link(lag_ms), *_trouble(silent_ms, dropped))
        if piece.spans
    ]
    middle = shorten(pieces, room)
    if status.simulated and not any(text.startswith(_SIMULATED) for text, _ in middle):
        middle = shorten([Piece(92, ((_SIMULATED, Tone.WARN),)), *pieces], room)
    blank = " " * max(room - cells(middle) + 1, 0)
    return (*head, *middle, (blank, Tone.TEXT), *time)


def _pieces(status: Status) -> list[Piece]:
    return [
        Piece(40, ((clean(status.venue), Tone.TEXT),)),
        Piece(57, (("block ", Tone.DIM), (UNKNOWN if status.block is None else count(status.block), Tone.TEXT))),
        Piece(80, _feed(status)),
        Piece(35, (("agent ", Tone.DIM), (clean(status.agent), Tone.TEXT))),
        Piece(60, _keepers(status)),
        Piece(50, _number(status.desks_open, "open", Tone.TEXT)),
        Piece(85, _number(status.desks_halted, "halted", Tone.WARN)),
        Piece(45, _number(status.desks_waiting, "waiting", Tone.TEXT)),
        Piece(95, _alarms(status)),
        Piece(20, _number(status.liquidations, "liquidations", Tone.TEXT)),
        Piece(55, ((f"time x{status.time_factor}", Tone.TEXT),) if status.time_factor != 1 else ()),
        Piece(48, ((f"{_SIMULATED}: {clean(status.simulated)}", Tone.DIM),) if status.simulated else ()),
    ]


def _requests(counts: RequestCounts) -> Piece:
    """How many requests wait, where there is room; that some are frozen is said in a word as well."""
    waiting = counts.pending + counts.frozen
    if not waiting:
        return Piece(19, ())
    frozen = f", {count(counts.frozen)} frozen" if counts.frozen else ""
    tone = Tone.WARN if counts.frozen else Tone.TEXT
    return Piece(19, (("req ", Tone.DIM), (f"{count(waiting)}{frozen}", tone)))


def _link(lag_ms: int | None) -> Piece:
    """Where the engine runs elsewhere: how long a picture is on its way."""
    if lag_ms is None:
        return Piece(52, ())
    return Piece(52, (("link ", Tone.DIM), (f"{lag_ms} ms", Tone.WARN if lag_ms > LATE_MS else Tone.TEXT)))


def _trouble(silent_ms: int, dropped: int) -> list[Piece]:
    silent = silent_ms >= SILENT_MS
    return [
        Piece(98, ((f" engine silent {age(silent_ms)} ", Tone.ALARM),) if silent else ()),
        Piece(75, ((f"{count(dropped)} events dropped", Tone.WARN),) if dropped else ()),
    ]


def _number(value: int, word: str, tone: Tone) -> Line:
    """A count; nought is dim, so that the eye passes over it."""
    return ((f"{count(value)} ", tone if value else Tone.DIM), (word, tone if value else Tone.DIM))


def _feed(status: Status) -> Line:
    if status.feed in _CALM and not status.feed_text:
        slow: Span = (" slow", Tone.WARN) if status.feed is FeedHealth.SLOW else ("", Tone.TEXT)
        return (("pyth ", Tone.DIM), (f"{age(status.feed_age_ms):>4}", Tone.TEXT), slow)
    words = f"{status.feed.value} {age(status.feed_age_ms)}"
    return (("pyth ", Tone.DIM), (f"{words} {clean(status.feed_text)}".rstrip(), Tone.WARN))


def _keepers(status: Status) -> Line:
    if status.keepers is KeeperHealth.OK:
        return (("keepers ", Tone.DIM), ("ok", Tone.TEXT))
    words = f"{status.keepers.value} {clean(status.keepers_text)}".rstrip()
    return (("keepers ", Tone.DIM), (words, Tone.WARN))


def _alarms(status: Status) -> Line:
    number = len(status.alarms)
    asking: Line = ((f" {number} {'alarm' if number == 1 else 'alarms'} ", Tone.ALARM),) if number else ()
    known = len(status.acknowledged)
    return (*asking, (f"{' ' if asking else ''}{known} acknowledged", Tone.DIM)) if known else asking
