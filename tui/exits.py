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
