"""Alarms an operator has seen and goes on with: they stay visible, but no longer ask for anybody.

What is acknowledged is an alarm that stands now. Once it has ended it is forgotten, so that the same trouble coming
back is news; and so it is after a restart.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

_COUNTS = re.compile(r"(?<![\w·#])[0-9][0-9,.]*(?![\w·])")
"""Numbers that stand alone: an alarm that counts minutes is the same alarm a minute later."""


def sameness(text: str) -> str:
    """What two tellings of one alarm have in common."""
    return _COUNTS.sub("#", text)


@dataclass(slots=True)
class Acks:
    """Who has acknowledged what, and which alarms stood when they were last looked at."""

    _by: dict[str, str] = field(default_factory=dict)
    _standing: frozenset[str] = frozenset()

    def split(self, alarms: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The alarms nobody has acknowledged, and the others with who did."""
        every = tuple(alarms)
        self._standing = frozenset(map(sameness, every))
        self._by = {alarm: who for alarm, who in self._by.items() if alarm in self._standing}
        fresh = tuple(alarm for alarm in every if sameness(alarm) not in self._by)
        seen = tuple(f"{alarm} ({self._by[sameness(alarm)]})" for alarm in every if sameness(alarm) in self._by)
        return fresh, seen

    def stands(self, alarm: str) -> bool:
        """Whether there is such an alarm to acknowledge."""
        return sameness(alarm) in self._standing

    def take(self, alarm: str, who: str, at_ms: int) -> None:
        """From now on it is acknowledged, for as long as it stands."""
        self._by[sameness(alarm)] = f"{who} {datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M}"
