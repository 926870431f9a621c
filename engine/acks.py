"""Alarms an operator has seen and goes on with: they stay visible, but no longer ask for anybody.

What is acknowledged is an alarm that stands now. Once it has ended it is forgotten, so that the same trouble coming
back is news; and so it is after a restart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.commands import alarm_key


@dataclass(slots=True)
class Acks:
    """Who has acknowledged what, and which alarms stood when they were last looked at; all by `alarm_key`."""

    _by: dict[str, str] = field(default_factory=dict)
    _standing: Mapping[str, str] = field(default_factory=dict)

    def split(self, alarms: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The alarms nobody has acknowledged, and the others with who did."""
        self._standing = {alarm_key(alarm): alarm for alarm in alarms}
        self._by = {key: who for key, who in self._by.items() if key in self._standing}
        fresh = tuple(alarm for key, alarm in self._standing.items() if key not in self._by)
        known = tuple(f"{alarm} ({self._by[key]})" for key, alarm in self._standing.items() if key in self._by)
        return fresh, known

    def text(self, key: str) -> str | None:
        """The alarm as it stands now; None where there is none to acknowledge."""
        return self._standing.get(key)

    def known_by(self, key: str) -> str:
        """Who has acknowledged it, and when; empty when nobody has."""
        return self._by.get(key, "")

    def take(self, key: str, who: str, at_ms: int) -> None:
        """From now on it is acknowledged, for as long as it stands."""
        self._by[key] = f"{who} {datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M}"
