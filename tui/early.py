"""Signals of a program that has not begun: it goes without a word, and a run without a screen outlives its terminal.

Nothing but the standard library is loaded here, because it comes before everything that takes long to load.
"""

import signal
import sys


def guard() -> None:
    """SIGINT ends the process as SIGTERM does, instead of an exception wherever something is being loaded; SIGHUP does
    nothing to `--headless`. What whoever started us has had ignored stays ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if "--headless" in sys.argv[1:]:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def begun() -> None:
    """From here on SIGINT is a KeyboardInterrupt: there may be something to put in order."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def over() -> None:
    """Everything is in order, and only the interpreter is left to end: as before it began."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
