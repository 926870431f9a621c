"""The clock of the screen: it pulls the newest snapshot and says whether there is anything to draw."""

from collections.abc import Callable

from engine.port import Port
from tui.event_log import EventLog


class Frame:
    """The snapshot on the screen, and the engine's time carried on between snapshots."""

    def __init__(self, port: Port, clock_ms: Callable[[], int]) -> None:
        self._port = port
        self._clock_ms = clock_ms
        self.snapshot = port.latest()
        """What the operator sees; commands say so with its `seq`."""
        self._pulled_at_ms = clock_ms()
        self.log = EventLog()
        """What happened, over all desks."""
        self.log.take(port.events(0))
        self.dropped = 0
        """Events that left the engine's ring before this screen could have read them."""

    def pull(self) -> bool:
        """Takes the newest snapshot; False if it is the one already shown."""
        newest = self._port.latest()
        if newest is self.snapshot:
            return False
        self.snapshot = newest
        self._pulled_at_ms = self._clock_ms()
        page = self._port.events(self.log.last)
        self.dropped += page.dropped
        self.log.take(page)
        return True

    def silent_ms(self) -> int:
        """How long the engine has not published anything."""
        return max(self._clock_ms() - self._pulled_at_ms, 0)

    def now_ms(self) -> int:
        """The engine's clock now: its last word plus what has passed here since."""
        return self.snapshot.status.now_ms + max(self._clock_ms() - self._pulled_at_ms, 0)
