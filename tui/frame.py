"""The clock of the screen: it pulls the newest snapshot and says whether there is anything to draw.

What is past (`Info.past`) may go back, and then its events do; its clock goes on only with its pictures.
"""

from collections.abc import Callable

from engine.port import Port
from tui.event_log import EventLog


class Frame:
    """The snapshot on the screen, and the engine's time carried on between snapshots."""

    def __init__(self, port: Port, clock_ms: Callable[[], int]) -> None:
        self._port = port
        self._clock_ms = clock_ms
        self._is_past = port.info().past
        self.snapshot = port.latest()
        """What the operator sees; commands say so with its `seq`."""
        self._pulled_at_ms = clock_ms()
        self.log = self._whole_log()
        """What happened, over all desks."""
        self.leaps = 0
        """How often the log was read anew, because what it held is later than what is shown."""
        self.dropped = 0
        """Events that left the engine's ring before this screen could have read them."""

    def pull(self) -> bool:
        """Takes the newest snapshot; False if it is the one already shown."""
        newest = self._port.latest()
        if newest is self.snapshot:
            return False
        went_back = newest.seq < self.snapshot.seq
        if newest.status.now_ms != self.snapshot.status.now_ms:
            # A picture of the same moment says something about the link, and nothing about the engine.
            self._pulled_at_ms = self._clock_ms()
        self.snapshot = newest
        page = self._port.events(self.log.last)
        if self._is_past and (went_back or page.dropped):
            self.log = self._whole_log()  # nothing was lost, it is only earlier or further than the log reaches
            self.leaps += 1
            return True
        self.dropped += page.dropped
        self.log.take(page)
        return True

    def _whole_log(self) -> EventLog:
        log = EventLog()
        log.take(self._port.events(0))
        return log

    def silent_ms(self) -> int:
        """How long the engine has not published anything; the past is never silent."""
        return 0 if self._is_past else max(self._clock_ms() - self._pulled_at_ms, 0)

    def now_ms(self) -> int:
        """The engine's clock now: its last word plus what has passed here since."""
        passed_ms = 0 if self._is_past else max(self._clock_ms() - self._pulled_at_ms, 0)
        return self.snapshot.status.now_ms + passed_ms
