"""What must be settled with the terminal before Textual is imported, and after it is gone.

Textual reads its environment when it is imported, so nothing in here may import it.
"""

import os
import select
import sys
from collections.abc import Mapping, MutableMapping
from typing import Protocol

EXIT_HANGUP = 129
EXIT_TERMINATED = 143

RESTORE = "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[0m"
"""Everything Textual may have switched on, off: written after a crash."""

_KEPT = frozenset({"TEXTUAL_COLOR_SYSTEM"})
_HEADLESS = "add --headless to run without a screen"


class Stream(Protocol):
    """What is asked of stdin and stdout."""

    def isatty(self) -> bool: ...


def why_not(stdin: Stream, stdout: Stream, environ: Mapping[str, str]) -> str | None:
    """None if a screen can be shown here, else one line that says why not and what works."""
    for name, stream in (("stdin", stdin), ("stdout", stdout)):
        if not stream.isatty():
            return f"{name} is not a terminal; {_HEADLESS}"
    if environ.get("TERM", "") in ("", "dumb"):
        return f"TERM={environ.get('TERM', '')!r} cannot show a screen; {_HEADLESS}"
    return None


def prepare(environ: MutableMapping[str, str]) -> None:
    """Makes Textual start as this program means it to; call it before anything imports Textual.

    Inherited TEXTUAL_* variables could press keys, swap the driver or write logs, so all but the colour tier go.
    """
    for name in [name for name in environ if name.startswith("TEXTUAL") and name not in _KEPT]:
        del environ[name]
    for name in ("COLUMNS", "LINES"):
        environ.pop(name, None)  # the terminal knows its own size, and it may change
    environ["TEXTUAL_ANIMATIONS"] = "none"
    if environ.get("SSH_CONNECTION") and not environ.get("NO_COLOR"):
        environ.setdefault("TEXTUAL_COLOR_SYSTEM", _ssh_tier(environ))
    if not environ.get("NO_COLOR"):
        # Set but empty means "colour" to the convention; Textual asks only whether it is set.
        environ.pop("NO_COLOR", None)


def _ssh_tier(environ: Mapping[str, str]) -> str:
    return "256" if "256color" in environ.get("TERM", "") or "COLORTERM" in environ else "standard"


def hung_up(fd: int) -> bool:
    """True once the other end of the terminal is gone; reading it would spin for ever."""
    poller = select.poll()
    poller.register(fd, 0)
    return any(mask & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, mask in poller.poll(0))


def let_go() -> None:
    """Points the standard streams at nothing, so that no later write can fail on a dead terminal or wait for a slow
    one. Errors that go elsewhere still get there."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2) if os.path.sameopenfile(1, 2) else (0, 1):
        os.dup2(null, fd)
    if null > 2:
        os.close(null)


def restore() -> None:
    """Gives the operator a usable terminal back after a crash."""
    stream = sys.__stdout__
    if stream is not None and stream.isatty():
        stream.write(RESTORE)
        stream.flush()
