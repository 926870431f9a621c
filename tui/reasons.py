"""Why an action cannot be done now: one function per condition, None where nothing stands against it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from engine.exchange_rows import RequestRow, RequestState
from engine.port import Info
from engine.snapshot import DeskPhase, DeskRow, Snapshot


class Place(Enum):
    """Where the operator is."""

    OVERVIEW = "overview"
    EXCHANGE = "exchange"
    AGENT_LOG = "log"
    FUNDS = "funds"
    KEEPERS = "keepers"
    DETAIL = "detail"
    """The page of a desk."""
    POSITION = "position"
    """The page of a position of the liquidation queue."""
    MARKET = "market"
    """The page of a market."""
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
    replaying: bool = False
    """What is shown is past."""
    browser: bool = False
    """It is shown in a browser, which has no files of this machine."""


Why = Callable[[Sight], str | None]
CANCEL_AFTER_SECONDS = 300
"""When a deposit, a withdrawal or a market order may be taken back; limit and stop orders may at any time."""


def always(_: Sight) -> None:
    """Nothing stands against it, ever."""
    return


def commanding(why: Why) -> Why:
    """Neither the past nor an engine that is only looked at can be commanded."""

    def asked(sight: Sight) -> str | None:
        if sight.replaying:
            return "replay: what is past cannot be commanded"
        return "observer: may only look" if sight.info.role != "operator" else why(sight)

    return asked


def replaying(sight: Sight) -> str | None:
    """The keys of a tape mean something only with a tape."""
    return None if sight.replaying else "only in perpdesk replay"


def no_browser(sight: Sight) -> str | None:
    """A file of this machine is of no use to who looks at it from a browser."""
    return "in a browser: use perpdesk desks --json" if sight.browser else None


def desk(sight: Sight) -> str | None:
    """A desk must be chosen."""
    return "no desk selected" if sight.desk is None else None


def arming(sight: Sight) -> str | None:
    """Only a run with real money that has not been confirmed waits for it."""
    if sight.snapshot.status.observing:
        return "this run only looks"
    if sight.snapshot.status.armed:
        return "no real money" if sight.snapshot.status.mode != "LIVE" else "confirmed already"
    return None


def desks_to_halt(sight: Sight) -> str | None:
    """At least one desk that is not halted."""
    if not sight.snapshot.desks:
        return "no desks"
    return None if any(row.halted_by is None for row in sight.snapshot.desks) else "all halted"


def desks_to_close(sight: Sight) -> str | None:
    """At least one desk whose position can be closed."""
    return None if any(closable(row) is None for row in sight.snapshot.desks) else "no position to close"


_WAITS = {
    DeskPhase.OPENING: "its opening has no answer yet",
    DeskPhase.INCREASING: "its increase has no answer yet",
    DeskPhase.REDUCING: "already reducing",
    DeskPhase.CLOSING: "already closing",
    DeskPhase.UNKNOWN: "outcome of the last order unknown",
}
"""Phases in which an order is on its way; a desk has one at a time."""


def closable(row: DeskRow) -> str | None:
    """Why a desk cannot be closed or reduced: it needs a position, a price, and no order on its way."""
    if row.phase in _WAITS:
        return _WAITS[row.phase]
    if row.side is None:
        return "no position"
    return "no exit price" if row.exit is None else None


def no_close(sight: Sight) -> str | None:
    """The same of the chosen desk."""
    return "no desk selected" if sight.desk is None else closable(sight.desk)


def waiting(sight: Sight) -> str | None:
    """A request that has not ended must be chosen."""
    request = sight.request
    if request is None:
        return "no request selected"
    ended = request.state in (RequestState.EXECUTED, RequestState.CANCELLED)
    return f"already {request.state.value}" if ended else None


def cancellable(sight: Sight) -> str | None:
    """Also old enough to be taken back."""
    why = waiting(sight)
    if why is None and sight.request is not None and not sight.request.may_cancel:
        return f"may be cancelled {CANCEL_AFTER_SECONDS} s after creation"
    return why


def market(sight: Sight) -> str | None:
    """Something to trade on."""
    if sight.snapshot.pools or any(row.mark is not None for row in sight.snapshot.markets):
        return None
    return "no pool and no market"


def page(sight: Sight) -> str | None:
    """The row must have a page."""
    return None if sight.can_open else "nothing to open here"
