"""What a page knows of the past of one market: asked for once, then only what has come since."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.exchange_rows import MarketPoint
from engine.port import Port
from tui.format import clean, clock

EVERY_MS = 5_000
"""The engine takes a point so often."""
RETRY_MS = 1_000
"""The engine is not asked more often than that."""
_MINUTE_MS = 60_000
SPANS = ((15 * _MINUTE_MS, "15 min"), (60 * _MINUTE_MS, "1 h"), (360 * _MINUTE_MS, "6 h"), (1_440 * _MINUTE_MS, "24 h"))
"""How much of the past a chart may show."""
_STEPS = tuple(_MINUTE_MS * minutes for minutes in (2, 5, 15, 60, 360))
MOST = 5_000
"""Points held; with more the page begins anew, and older ones come in a wider pace."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, in words as well."""

    first_ms: int
    last_ms: int
    words: str


def window(points: Sequence[MarketPoint], span: int) -> Window:
    """The last of the span of this number. Of a past that is shorter as much as there is, and since when: it grows in
    steps, so that a new point moves little."""
    span_ms, words = SPANS[span]
    if not points:
        return Window(0, span_ms, words)
    last_ms = points[-1].at_ms
    reach = last_ms - points[0].at_ms
    if reach < span_ms - 2 * _MINUTE_MS:
        words = f"{words} since {clock(points[0].at_ms)}"
    return Window(last_ms - min(span_ms, next((step for step in _STEPS if reach <= step), span_ms)), last_ms, words)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a market's past, to be drawn."""

    points: tuple[MarketPoint, ...]
    trouble: str
    answered: bool


class Track:
    """Points of a market, oldest first. `trouble` says why the newest could not be read, or is empty."""

    def __init__(self, port: Port, market: str) -> None:
        self._port = port
        self.market = market
        self.points: tuple[MarketPoint, ...] = ()
        self.answered = False
        """Whether the engine has said anything yet."""
        self.trouble = ""
        self._since_ms = 0
        self._asked_ms: int | None = None
        self._asked_span = 0
        self._asking = False

    def state(self) -> Known:
        """All of it at this moment."""
        return Known(self.points, self.trouble, self.answered)

    def claim(self, now_ms: int, since_ms: int) -> bool:
        """Whether there must be more to see than is held, of the time from `since_ms` to `now_ms`; who is told so has
        to `ask`, and nobody else is told so meanwhile."""
        if self._asking or not self._due(now_ms, since_ms):
            return False
        self._asking, self._asked_ms, self._asked_span = True, now_ms, now_ms - since_ms
        return True

    def _due(self, now_ms: int, since_ms: int) -> bool:
        wider = since_ms < self._since_ms
        if self._asked_ms is None or (wider and now_ms - since_ms != self._asked_span):
            return True
        if abs(now_ms - self._asked_ms) < RETRY_MS:
            return False
        return wider or not self.points or self.points[-1].at_ms // EVERY_MS != now_ms // EVERY_MS

    async def ask(self, now_ms: int, since_ms: int) -> bool:
        """Reads what is missing; True if there is anything new to show. Never raises: what went wrong is `trouble`."""
        held = self.points
        whole = not held or since_ms < self._since_ms or now_ms < held[-1].at_ms or len(held) > MOST
        before = (self.answered, self.trouble)
        try:
            newer = await self._port.market_history(self.market, since_ms if whole else held[-1].at_ms + 1)
        except Exception as error:  # whatever went wrong, the page goes on with what it has
            self.trouble = clean(str(error) or type(error).__name__)
            return (self.answered, self.trouble) != before
        finally:
            self._asking = False
        self.points = newer if whole else (*held, *newer)
        self._since_ms = since_ms if whole else self._since_ms
        self.answered, self.trouble = True, ""
        return self.points != held or (self.answered, self.trouble) != before
