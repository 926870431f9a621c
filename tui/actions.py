"""Every action of the operator, once: bindings, key line, help, palette, key map and verbs are made of this list."""

from collections.abc import Callable
from dataclasses import dataclass

from tui import reasons
from tui.reasons import Place, Sight, Why, commanding


@dataclass(frozen=True)
class Action:
    """One thing an operator can do."""

    id: str
    """Stable: the name by which a key map speaks of it."""
    keys: str
    """Comma separated, as Textual names them; the first is the one shown."""
    label: str | Callable[[Sight], str]
    help: str
    """Actions with one text share a line of the help page."""
    why_disabled: Why = reasons.always
    danger: bool = False
    keep: int | None = None
    """Priority on the key line; None keeps it off the line."""
    places: tuple[Place, ...] = tuple(Place)
    on_line: tuple[Place, ...] = tuple(Place)
    """Where the key line has it, of the places where it works."""
    run: str = ""
    """What a screen is asked to do; `<id>()` by default."""
    verb: str = ""
    """What does the same from a shell: `perpdesk <verb>`."""

    def name(self, sight: Sight) -> str:
        """The label for what the operator sees."""
        return self.label if isinstance(self.label, str) else self.label(sight)

    @property
    def call(self) -> str:
        """The method of the screen, with its arguments, as Textual writes it."""
        return self.run or f"{self.id}()"


def _quarantine_label(sight: Sight) -> str:
    return "release" if sight.desk is not None and sight.desk.quarantine else "quarantine"


def _halt_label(sight: Sight) -> str:
    return "resume" if sight.desk is not None and sight.desk.halted_by is not None else "halt"


_DESKS = (Place.OVERVIEW, Place.DETAIL)
_BOARDS = (Place.OVERVIEW, Place.EXCHANGE, Place.AGENT_LOG, Place.FUNDS, Place.KEEPERS)
_PAGES_OF_ROWS = (Place.DETAIL, Place.POSITION, Place.MARKET, Place.REQUEST, Place.POOL)
_REQUESTS = (Place.EXCHANGE, Place.REQUEST)
_EXCHANGE = (Place.EXCHANGE, Place.REQUEST, Place.POOL)
_LATER = (Place.EXCHANGE, Place.AGENT_LOG, Place.FUNDS, Place.KEEPERS)
_CHARTS = (Place.MARKET,)

_ARM = "live: confirm that desks may open with real money: asks"
_HALT = "halt the selected desk at once, or lift its halt"
_CLOSE = "close the whole position of the desk: asks"
_CLOSE_ALL = "close the positions of all desks: asks for a typed word"
_NEW = "create a deposit, withdrawal, order or swap: asks"
_REDUCE = "close a part of the position of the desk: asks"
_QUARANTINE = "set the desk aside: asks; or give it back at once"
_NOTE = "write a note on the desk, for whoever looks next"
_REQUEST = "cancel the selected request: asks; or execute it now"
_FILTER = "only rows like these: eth side:short lev>20 -halted"
_SORT = "sort by the next column; the other way round"
_LOOK = "choose columns; zoom the pane, or give the room back"
_SIZE = "make the pane narrower, wider, lower, higher"
_PANES = "desks markets agent queue requests pools log funds wallets keepers"
_STEP = "next pane, previous pane"
_ROWS = "row down, row up"
_PAGES = "page down, page up"
_ENDS = "first row, last row"
_ESCAPE = "cancel what counts down; clear the filter; go back"
_EXPORT = "write the rows of this pane, as filtered and sorted, to a file"
_ALARMS = "all alarms, spelled out; there enter acknowledges one"
_LEAVE = "stop the engine and quit: asks; elsewhere it runs on"
_PALETTE = "find an action, a desk, a market or a theme by its name"
_SPAN = "charts: a longer span of time; the next chart"
_TAPE = "replay: play, pause; an entry, a minute, an hour; the speed"

ACTIONS = (
    Action("arm", "A", "arm", _ARM, commanding(reasons.arming), True, places=_BOARDS),
    Action("halt", "h", _halt_label, _HALT, commanding(reasons.desk), keep=90, places=_DESKS, verb="halt"),
    Action(
        *("halt_all", "H", "halt all", "halt every desk: once arms, twice fires"),
        *(commanding(reasons.desks_to_halt), True, 85),
        verb="halt --all",
    ),
    Action("close_desk", "c", "close", _CLOSE, commanding(reasons.no_close), True, 80, places=_DESKS, verb="close"),
    Action("close_all", "C", "close all", _CLOSE_ALL, commanding(reasons.desks_to_close), True, verb="close --all"),
    Action(
        *("reduce_desk", "v", "reduce", _REDUCE, commanding(reasons.no_close), True, 45, _DESKS),
        verb="close --share",
    ),
    Action(
        *("quarantine", "u", _quarantine_label, _QUARANTINE, commanding(reasons.desk)),
        keep=22,
        places=_DESKS,
        verb="quarantine",
    ),
    Action("note", "N", "note", _NOTE, commanding(reasons.desk), keep=18, places=_DESKS, verb="note"),
    Action("new_request", "n", "new", _NEW, commanding(reasons.market), keep=68, places=_EXCHANGE, verb="request"),
    Action(
        *("cancel_request", "x", "cancel", _REQUEST, commanding(reasons.cancellable)),
        keep=66,
        places=_REQUESTS,
        verb="request cancel",
    ),
    Action(
        *("retry_request", "t", "retry", _REQUEST, commanding(reasons.waiting)),
        keep=64,
        places=_REQUESTS,
        verb="request retry",
    ),
    Action("open", "enter", "detail", "open the page of the selected row", reasons.page, keep=70, places=_BOARDS),
    Action("span", "l", "span", _SPAN, keep=60, places=_CHARTS),
    Action("chart", "tab", "next chart", _SPAN, keep=55, places=_CHARTS),
    Action("filter", "slash", "filter", _FILTER, keep=50, places=_BOARDS),
    Action("sort", "s", "sort", _SORT, keep=40, places=_BOARDS),
    Action("sort_back", "S", "sort the other way", _SORT, places=_BOARDS),
    Action("columns", "f", "columns", _LOOK, places=_BOARDS),
    Action("zoom", "z", "zoom", _LOOK, keep=30, places=_BOARDS),
    Action("narrower", "less_than_sign", "narrower", _SIZE, places=_BOARDS, run="resize_pane('x', -1)"),
    Action("wider", "greater_than_sign", "wider", _SIZE, places=_BOARDS, run="resize_pane('x', 1)"),
    Action("lower", "minus", "lower", _SIZE, places=_BOARDS, run="resize_pane('y', -1)"),
    Action("higher", "plus", "higher", _SIZE, places=_BOARDS, run="resize_pane('y', 1)"),
    Action("next_pane", "tab", "next pane", _STEP, keep=20, places=_BOARDS, run="step(1)"),
    Action("previous_pane", "shift+tab", "previous pane", _STEP, places=_BOARDS, run="step(-1)"),
    Action("desks", "1", "desks", _PANES, keep=25, on_line=_LATER, run="pane(0)", verb="desks"),
    Action("markets", "2", "markets", _PANES, run="pane(1)", verb="markets"),
    Action("agent", "3", "agent", _PANES, run="pane(2)"),
    Action("liquidations", "4", "liquidations", _PANES, run="pane(3)", verb="queue"),
    Action("requests", "5", "requests", _PANES, keep=25, on_line=(Place.OVERVIEW,), run="pane(4)", verb="requests"),
    Action("pools", "6", "pools", _PANES, run="pane(5)", verb="pools"),
    Action("log", "7", "log", _PANES, keep=12, on_line=(Place.OVERVIEW,), run="pane(6)", verb="log"),
    Action("funds", "8", "funds", _PANES, keep=11, on_line=(Place.OVERVIEW,), run="pane(7)"),
    Action("wallets", "9", "wallets", _PANES, run="pane(9)"),
    Action("keepers", "0", "keepers", _PANES, run="pane(10)", verb="status"),
    Action("row_down", "down,j", "down", _ROWS, places=_BOARDS, run="move('down')"),
    Action("row_up", "up,k", "up", _ROWS, places=_BOARDS, run="move('up')"),
    Action("page_down", "pagedown,ctrl+d", "page down", _PAGES, places=_BOARDS, run="move('page_down')"),
    Action("page_up", "pageup,ctrl+u", "page up", _PAGES, places=_BOARDS, run="move('page_up')"),
    Action("first_row", "g,home", "first", _ENDS, places=_BOARDS, run="move('first')"),
    Action("last_row", "G,end", "last", _ENDS, places=_BOARDS, run="move('last')"),
    Action("cancel", "escape", "cancel", _ESCAPE, places=_BOARDS),
    Action("back", "escape", "back", _ESCAPE, keep=75, places=_PAGES_OF_ROWS),
    Action("tape_play", "space", "play or pause", _TAPE, reasons.replaying, run="tape('play')"),
    Action("tape_back", "left", "entry back", _TAPE, reasons.replaying, run="tape('back')"),
    Action("tape_on", "right", "entry on", _TAPE, reasons.replaying, run="tape('on')"),
    Action(
        "tape_minute_back", "left_square_bracket", "minute back", _TAPE, reasons.replaying, run="tape('minute_back')"
    ),
    Action("tape_minute_on", "right_square_bracket", "minute on", _TAPE, reasons.replaying, run="tape('minute_on')"),
    Action("tape_hour_back", "left_curly_bracket", "hour back", _TAPE, reasons.replaying, run="tape('hour_back')"),
    Action("tape_hour_on", "right_curly_bracket", "hour on", _TAPE, reasons.replaying, run="tape('hour_on')"),
    Action("tape_slower", "comma", "slower", _TAPE, reasons.replaying, run="tape('slower')"),
    Action("tape_faster", "full_stop", "faster", _TAPE, reasons.replaying, run="tape('faster')"),
    Action("export", "e", "export", _EXPORT, reasons.no_browser, places=_BOARDS),
    Action("alarms", "a", "alarms", _ALARMS),
    Action("acknowledge", "enter", "acknowledge", _ALARMS, commanding(reasons.always), places=(), verb="ack"),
    Action("palette", "colon,ctrl+p", "find", _PALETTE, keep=15),
    Action("help", "question_mark", "help", "show this page", keep=88),
    Action("leave", "q,ctrl+q,ctrl+c", "quit", _LEAVE, keep=78),
)
BY_ID = {action.id: action for action in ACTIONS}
BY_VERB = {action.verb: action for action in ACTIONS if action.verb}
