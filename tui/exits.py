"""What the exit status of `perpdesk` means."""

from enum import IntEnum


class Exit(IntEnum):
    """After sysexits, where they have a word for it."""

    OK = 0
    USAGE = 64
    DATA = 65
    DAMAGED = 66
    UNAVAILABLE = 69
    SOFTWARE = 70
    STORE = 74
    LOCKED = 75
    UNANSWERED = 76
    NOT_YOURS = 77
    CONFIG = 78
    REFUSED = 79
    NO_KEY = 80
    UNFIT = 81
    INTERRUPTED = 130
    """What a shell says of SIGINT too, which ends a program that has not begun."""
    UNREAD = 141
    """What a shell says of SIGPIPE too, which ends other programs whose output nobody reads."""


OF_ERRORS = {
    "engine.config.ConfigError": Exit.CONFIG,
    "venue.exchange.scenario.config.ScenarioError": Exit.DATA,
    "engine.agent.recording.RecordingError": Exit.DATA,
    "store.errors.Locked": Exit.LOCKED,
    "store.errors.Damaged": Exit.DAMAGED,
    "store.errors.WrongState": Exit.CONFIG,
    "store.errors.StoreError": Exit.STORE,
    "engine.settlement.StoreFailed": Exit.STORE,
    "engine.taken.PortTaken": Exit.UNAVAILABLE,
    "engine.remote.NoEngine": Exit.UNAVAILABLE,
    "engine.remote.NoAnswer": Exit.UNANSWERED,
    "engine.remote.BadAnswer": Exit.UNANSWERED,
    "engine.remote.Busy": Exit.REFUSED,
    "engine.remote.NotYours": Exit.NOT_YOURS,
    "tui.verbs.Refused": Exit.REFUSED,
    "venue.chain.passwords.KeystoreError": Exit.NO_KEY,
    "tui.live.shared.OutOfReach": Exit.UNAVAILABLE,
    "tui.live.shared.NotKnown": Exit.UNANSWERED,
}
"""By name, so that nobody loads what raises them to look one up."""


def status_of(error: BaseException) -> Exit | None:
    """The status of a refusal that is one line, by the nearest of its classes; None for a fault of perpdesk's own."""
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    return next((OF_ERRORS[name] for name in names if name in OF_ERRORS), None)
