"""When the terminal rings: an alarm has appeared that was not there before, while nobody may be looking."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from engine.commands import alarm_key
from tui.format import clean

EVERY_S = 10.0
"""It rings no more often; what appears in between is told together."""
_MOST = 160
"""Characters of a notification."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What has been noticed so far; times are seconds of a clock that never goes back."""

    known: frozenset[str] | None = None
    """Keys of the alarms that stood at the last look; None before the first."""
    owed: tuple[str, ...] = ()
    """Appeared since it last rang."""
    rung_at: float | None = None


def noticed(was: Standing, alarms: Iterable[str], now: float) -> tuple[Standing, tuple[str, ...]]:
    """What has been noticed with these alarms, and those to ring for now, oldest first.

    What stands at the first look was there before the operator, who sees it. What is gone or acknowledged before it
    could ring is not rung for.
    """
    standing = {alarm_key(alarm): alarm for alarm in alarms}
    known = frozenset(standing)
    if was.known is None:
        return Standing(known), ()
    owed = tuple(alarm for alarm in was.owed if alarm_key(alarm) in known)
    owed += tuple(alarm for key, alarm in standing.items() if key not in was.known)
    if not owed or (was.rung_at is not None and now - was.rung_at < EVERY_S):
        return replace(was, known=known, owed=owed), ()
    return Standing(known, (), now), owed


def bytes_for(alarms: tuple[str, ...], *, bell: bool, desktop: bool, tmux: bool) -> str:
    """What a terminal is sent for these alarms: BEL, and a notification (OSC 9) for those that show them.

    Inside tmux the notification is wrapped, so that it reaches the terminal outside (where tmux allows it).
    """
    if not alarms:
        return ""
    more = f" (and {len(alarms) - 1} more)" if len(alarms) > 1 else ""
    text = f"perpdesk{more}: {clean(alarms[0])}"
    told = f"\x1b]9;{text if len(text) <= _MOST else text[: _MOST - 1] + '…'}\x07"
    if tmux:
        told = "\x1bPtmux;" + told.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return ("\x07" if bell else "") + (told if desktop else "")


class Bells:
    """Rings through `write`, if the operator wants to hear of alarms at all."""

    def __init__(self, write: Callable[[str], None], *, bell: bool, desktop: bool, tmux: bool) -> None:
        self._write = write
        self._bell = bell
        self._desktop = desktop
        self._tmux = tmux
        self._standing = Standing()

    def look(self, alarms: Iterable[str], now: float) -> None:
        """Looks at the alarms that nobody has acknowledged, at a time in seconds."""
        self._standing, fresh = noticed(self._standing, alarms, now)
        sent = bytes_for(fresh, bell=self._bell, desktop=self._desktop, tmux=self._tmux)
        if sent:
            self._write(sent)
