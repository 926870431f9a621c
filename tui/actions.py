"""Every action of the operator, once: key bindings, the key line and the help page are generated from this list."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from textual.binding import Binding, BindingType

from engine.exchange_rows import RequestRow, RequestState
from engine.port import Info
from engine.snapshot import DeskPhase, DeskRow, Snapshot
from tui.bar import Piece, shorten
from tui.grid import FILTER_KEY
from tui.tones import Line, Tone


class Place(Enum):
    """Where the operator is."""

    OVERVIEW = "overview"
    EXCHANGE = "exchange"
    AGENT_LOG = "log"
    FUNDS = "funds"
    DETAIL = "detail"
    """The page of a desk or a position."""
    REQUEST = "request"
    """The page of a request."""
    POOL = "pool"
    """The page of a pool."""


@dataclass(frozen=True)
class Sight:
    """What the operator sees and may do: all an action needs to say whether it can be done."""

    info: Info
    snapshot: Snapshot
    desk: DeskRow | None
    place: Place = Place.OVERVIEW
    can_open: bool = False
    """The row under the cursor has a page of its own."""
    request: RequestRow | None = None


Why = Callable[[Sight], str | None]


def _always(_: Sight) -> None:
    return None


def _commanding(why: Why) -> Why:
    """An observer may only look."""
    return lambda sight: "observer: may only look" if sight.info.role != "operator" else why(sight)


def _needs_desk(sight: Sight) -> str | None:
    return "no desk selected" if sight.desk is None else None


def _needs_arming(sight: Sight) -> str | None:
    if sight.snapshot.status.observing:
        return "this run only looks"
    if sight.snapshot.status.armed:
        return "no real money" if sight.snapshot.status.mode != "LIVE" else "confirmed already"
    return None


def _needs_desks(sight: Sight) -> str | None:
    if not sight.snapshot.desks:
        return "no desks"
    return None if any(desk.halted_by is None for desk in sight.snapshot.desks) else "all halted"


_WAITS = {
    DeskPhase.OPENING: "its opening has no answer yet",
    DeskPhase.INCREASING: "its increase has no answer yet",
    DeskPhase.REDUCING: "already reducing",
    DeskPhase.CLOSING: "already closing",
    DeskPhase.UNKNOWN: "outcome of the last order unknown",
}
"""Phases in which an order is on its way; a desk has one at a time."""


def _why_no_close(sight: Sight) -> str | None:
    """Also why it cannot be reduced: both need a position, a price, and no order on its way."""
    desk = sight.desk
    if desk is None:
        return "no desk selected"
    if desk.phase in _WAITS:
        return _WAITS[desk.phase]
    if desk.side is None:
        return "no position"
    return "no exit price" if desk.exit is None else None


def _needs_waiting(sight: Sight) -> str | None:
    request = sight.request
    if request is None:
        return "no request selected"
    ended = request.state in (RequestState.EXECUTED, RequestState.CANCELLED)
    return f"already {request.state.value}" if ended else None


def _why_no_cancel(sight: Sight) -> str | None:
    why = _needs_waiting(sight)
    if why is None and sight.request is not None and not sight.request.may_cancel:
        return f"may be cancelled {CANCEL_AFTER_SECONDS} s after creation"
    return why


def _needs_market(sight: Sight) -> str | None:
    if sight.snapshot.pools or any(market.mark is not None for market in sight.snapshot.markets):
        return None
    return "no pool and no market"


def _needs_page(sight: Sight) -> str | None:
    return None if sight.can_open else "nothing to open here"


def _quarantine_label(sight: Sight) -> str:
    return "release" if sight.desk is not None and sight.desk.quarantine else "quarantine"


def _halt_label(sight: Sight) -> str:
    return "resume" if sight.desk is not None and sight.desk.halted_by is not None else "halt"


@dataclass(frozen=True)
class Action:
    """One thing an operator can do."""

    id: str
    keys: str
    """Comma separated, as Textual names them; the first is the one shown."""
    label: str | Callable[[Sight], str]
    help: str
    why_disabled: Why = _always
    danger: bool = False
    keep: int | None = None
    """Priority on the key line; None keeps it off the line."""
    places: tuple[Place, ...] = tuple(Place)
    on_line: tuple[Place, ...] = tuple(Place)
    """Where the key line has it, of the places where it works."""

    def name(self, sight: Sight) -> str:
        """The label for what the operator sees."""
        return self.label if isinstance(self.label, str) else self.label(sight)

    @property
    def shown(self) -> str:
        """Its keys, as printed on a keyboard."""
        return " ".join(_PRINTED.get(key, key) for key in self.keys.split(",") if not key.startswith("ctrl+"))


_PRINTED = {"slash": "/", "question_mark": "?", "escape": "esc", "pagedown": "pgdn", "pageup": "pgup"}
_DESKS = (Place.OVERVIEW, Place.DETAIL)
_BOARDS = (Place.OVERVIEW, Place.EXCHANGE, Place.AGENT_LOG, Place.FUNDS)
_PAGES_OF_ROWS = (Place.DETAIL, Place.REQUEST, Place.POOL)
_REQUESTS = (Place.EXCHANGE, Place.REQUEST)
_EXCHANGE = (Place.EXCHANGE, Place.REQUEST, Place.POOL)
_LATER = (Place.EXCHANGE, Place.AGENT_LOG, Place.FUNDS)
CANCEL_AFTER_SECONDS = 300
"""When a deposit, a withdrawal or a market order may be taken back; limit and stop orders may at any time."""

_ARM = "live: confirm that desks may open with real money: asks"
_HALT = "halt the selected desk at once, or lift its halt"
_CLOSE = "close the whole position of the desk: asks"
_NEW = "create a deposit, withdrawal, order or swap: asks"
_REDUCE = "close a part of the position of the desk: asks"
_QUARANTINE = "set the desk aside: asks; or give it back at once"
_REQUEST = "cancel the selected request: asks; or execute it now"
_FILTER = "only rows with these words; token:pepe is for a field"
_LOOK = "sort this pane; zoom it, or give the room back"
_PANES = "desks markets agent queue requests pools log funds wallets"
_STEP = "next pane, previous pane"
_ROWS = "row down, row up"
_PAGES = "page down, page up"
_ENDS = "first row, last row"
_ESCAPE = "cancel what counts down; clear the filter; go back"

ACTIONS = (
    Action("arm", "A", "arm", _ARM, _commanding(_needs_arming), True, places=_BOARDS),
    Action("halt", "h", _halt_label, _HALT, _commanding(_needs_desk), keep=90, places=_DESKS),
    Action("halt_all", "H", "halt all", "halt every desk: once arms, twice fires", _commanding(_needs_desks), True, 85),
    Action("close_desk", "c", "close", _CLOSE, _commanding(_why_no_close), True, 80, places=_DESKS),
    Action("reduce_desk", "v", "reduce", _REDUCE, _commanding(_why_no_close), True, 45, places=_DESKS),
    Action("quarantine", "u", _quarantine_label, _QUARANTINE, _commanding(_needs_desk), keep=22, places=_DESKS),
    Action("new_request", "n", "new", _NEW, _commanding(_needs_market), keep=68, places=_EXCHANGE),
    Action("cancel_request", "x", "cancel", _REQUEST, _commanding(_why_no_cancel), keep=66, places=_REQUESTS),
    Action("retry_request", "t", "retry", _REQUEST, _commanding(_needs_waiting), keep=64, places=_REQUESTS),
    Action("open", "enter", "detail", "open the page of the selected row", _needs_page, keep=70, places=_BOARDS),
    Action("filter", FILTER_KEY, "filter", _FILTER, keep=50, places=_BOARDS),
    Action("sort", "s", "sort", _LOOK, keep=40, places=_BOARDS),
    Action("zoom", "z", "zoom", _LOOK, keep=30, places=_BOARDS),
    Action("step(1)", "tab", "next pane", _STEP, keep=20, places=_BOARDS),
    Action("step(-1)", "shift+tab", "previous pane", _STEP, places=_BOARDS),
    Action("pane(0)", "1", "desks", _PANES, keep=25, on_line=_LATER),
    Action("pane(1)", "2", "markets", _PANES),
    Action("pane(2)", "3", "agent", _PANES),
    Action("pane(3)", "4", "liquidations", _PANES),
    Action("pane(4)", "5", "requests", _PANES, keep=25, on_line=(Place.OVERVIEW,)),
    Action("pane(5)", "6", "pools", _PANES),
    Action("pane(6)", "7", "log", _PANES, keep=12, on_line=(Place.OVERVIEW,)),
    Action("pane(7)", "8", "funds", _PANES, keep=11, on_line=(Place.OVERVIEW,)),
    Action("pane(9)", "9", "wallets", _PANES),
    Action("move('down')", "down,j", "down", _ROWS, places=_BOARDS),
    Action("move('up')", "up,k", "up", _ROWS, places=_BOARDS),
    Action("move('page_down')", "pagedown,ctrl+d", "page down", _PAGES, places=_BOARDS),
    Action("move('page_up')", "pageup,ctrl+u", "page up", _PAGES, places=_BOARDS),
    Action("move('first')", "g,home", "first", _ENDS, places=_BOARDS),
    Action("move('last')", "G,end", "last", _ENDS, places=_BOARDS),
    Action("cancel", "escape", "cancel", _ESCAPE, places=_BOARDS),
    Action("back", "escape", "back", _ESCAPE, keep=75, places=_PAGES_OF_ROWS),
    Action("alarms", "a", "alarms", "all alarms, spelled out"),
    Action("help", "question_mark", "help", "show this page", keep=88),
    Action("leave", "q,ctrl+q,ctrl+c", "quit", "stop the engine and quit: once asks, twice does", keep=78),
)
BY_ID = {action.id: action for action in ACTIONS}


def bindings(place: Place) -> list[BindingType]:
    """The key bindings of a screen."""
    return [
        Binding(action.keys, f'operate("{action.id}")', action.help, show=False)
        for action in ACTIONS
        if place in action.places
    ]


def key_line(sight: Sight, width: int) -> Line:
    """What can be done now, and for what cannot: why."""
    pieces: list[Piece] = []
    for action in ACTIONS:
        if action.keep is None or sight.place not in action.places or sight.place not in action.on_line:
            continue
        key = action.shown.split()[0]
        why = action.why_disabled(sight)
        if why is None:
            pieces.append(Piece(action.keep, ((key, Tone.STRONG), (f" {action.name(sight)}", Tone.TEXT))))
        else:
            pieces.append(Piece(action.keep - 60, ((f"{key} {action.name(sight)} ({why})", Tone.DIM),)))
    return ((" ", Tone.TEXT), *shorten(pieces, width - 2))


def help_lines() -> list[tuple[str, str, bool]]:
    """Keys, help and danger; actions with one help text share a line."""
    shared: dict[str, tuple[list[str], bool]] = {}
    for action in ACTIONS:
        keys, _ = shared.setdefault(action.help, ([], action.danger))
        keys += [key for key in action.shown.split() if key not in keys]
    return [(" ".join(keys), text, danger) for text, (keys, danger) in shared.items()]
