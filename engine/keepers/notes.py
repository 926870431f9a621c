"""What keepers remember of attempts that failed: why, and when to try again."""

from collections.abc import Container, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

PAUSE_FLOOR_MS = 500
PAUSE_CEILING_MS = 60_000
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Note:
    """What the last attempt at something that still waits came to."""

    reason: str
    attempts: int
    at_ms: int
    not_before_ms: int

    def holds(self, now_ms: int, changed_ms: int = 0) -> bool:
        """Whether it is still on its pause; a change of what it is about, made since, ends it."""
        return self.not_before_ms > now_ms and self.at_ms >= changed_ms


class Notes(Generic[K]):
    """Notes by what they are about; forgotten with it."""

    def __init__(self) -> None:
        self._by_key: dict[K, Note] = {}

    def get(self, key: K) -> Note | None:
        """The last note; None while nothing has failed."""
        return self._by_key.get(key)

    def failed(self, key: K, reason: str, now_ms: int) -> None:
        """Lengthens the pause: it doubles with every failure, up to a minute."""
        tries = 1 + (self._by_key[key].attempts if key in self._by_key else 0)
        pause = min(PAUSE_CEILING_MS, PAUSE_FLOOR_MS << min(tries, 20))
        self._by_key[key] = Note(reason, tries, now_ms, now_ms + pause)

    def forget_all_but(self, waiting: Container[K]) -> None:
        """What no longer waits needs no note."""
        for key in [key for key in self._by_key if key not in waiting]:
            del self._by_key[key]
