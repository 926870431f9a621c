"""What happened, held for the screen: a ring of its own, because the engine's may turn over between two looks."""

from collections import deque

from engine.snapshot import Event, EventPage

ROOM = 5_000


class EventLog:
    """The newest events, and how many there were before them."""

    def __init__(self, room: int = ROOM) -> None:
        self._ring: deque[Event] = deque(maxlen=room)
        self._rows: tuple[Event, ...] = ()
        self.last = 0
        """Number of the newest event taken."""
        self.dropped = 0
        """Events no longer held: they left the engine's ring before they were read, or this one since."""

    @property
    def rows(self) -> tuple[Event, ...]:
        """Newest first; the very same rows again while nothing came."""
        return self._rows

    def take(self, page: EventPage) -> None:
        """Adds what followed the newest event so far."""
        before = len(self._ring)
        self._ring.extend(page.events)
        self.dropped += page.dropped + before + len(page.events) - len(self._ring)
        if page.events:
            self.last = page.events[-1].number
            self._rows = tuple(reversed(self._ring))
        else:
            self.last += page.dropped
