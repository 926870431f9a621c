"""Index prices for the engine: the Hermes client, the checked book, and the sample windows that signals read."""

from collections.abc import Iterable, Mapping

import structlog

from engine.agent.signals import Window
from engine.clock import Clock
from engine.sections import Pyth
from engine.snapshot import FeedHealth
from venue.exchange.fixed import WAD
from venue.pyth import FEEDS, FeedState, HermesError, LinkPhase, Price, PriceBook, WireItem, check
from venue.pyth import Feed as PythFeed
from venue.pyth.hermes import HermesClient

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
BACKFILL_SAMPLES = 8
"""Few, because a real Hermes answers only some ten requests in ten seconds."""


class Feed:
    """Owns the connection. `book` answers what a price is worth now, `windows` what it did over the lookback."""

    def __init__(self, pyth: Pyth, clock: Clock, lookback_ms: int, feeds: Mapping[str, PythFeed] = FEEDS) -> None:
        self.book = PriceBook(feeds)
        self.windows = {symbol: Window(lookback_ms) for symbol in feeds}
        self._clock = clock
        self._lookback_ms = lookback_ms
        self._symbols = tuple(feeds)
        self.client = HermesClient(pyth.url, pyth.key, feeds, self._on_item, clock.now_ms, transport=pyth.transport)

    def _on_item(self, item: WireItem, received_ms: int) -> None:
        self.book.apply(item, received_ms)

    async def run(self) -> str:
        """Keeps the connection until cancelled."""
        await self.client.run()

    async def close(self) -> None:
        """Closes idle connections."""
        await self.client.aclose()

    async def prime(self) -> None:
        """Fetches the latest prices, and fills the windows from history so that signals need not wait a lookback.

        A server without history leaves them to fill by themselves.
        """
        try:
            for item in await self.client.latest(self._symbols):
                self._on_item(item, self._clock.now_ms())
            await self._backfill()
        except HermesError as error:
            log.warning("no prices at start", reason=error.reason)

    async def _backfill(self) -> None:
        now_s = self._clock.now_ms() // 1000
        step = max(1, self._lookback_ms // 1000 // BACKFILL_SAMPLES)
        symbols = {FEEDS[symbol].id: symbol for symbol in self._symbols}
        for at in range(now_s - self._lookback_ms // 1000, now_s, step):
            for item in await self.client.at(at, self._symbols):
                symbol = symbols[item.id]
                price = check(FEEDS[symbol], None, item, at * 1000, self.book.policy)
                if isinstance(price, Price):
                    self.windows[symbol].add(price.publish_time * 1000, price.wad / WAD)

    async def sample(self) -> str:
        """One pass of the price sampler: every tradable price goes into its window."""
        now_ms = self._clock.now_ms()
        taken = 0
        for symbol, window in self.windows.items():
            price = self.book.tradable(symbol, now_ms)
            if price is not None:
                window.add(now_ms, price.wad / WAD)
                taken += 1
        return f"{taken} of {len(self.windows)} feeds tradable"

    def health(self, symbols: Iterable[str], now_ms: int) -> tuple[FeedHealth, int | None, str]:
        """The worst of `symbols` with its age, and why the link is down when it is."""
        views = [self.book.view(symbol, now_ms) for symbol in symbols]
        worst = max(views, key=lambda view: _BADNESS.index(view.state))
        link = self.client.state
        text = "" if link.phase is LinkPhase.LIVE else link.reason
        return FeedHealth(worst.state), worst.age_ms, text


_BADNESS = (
    FeedState.LIVE,
    FeedState.SLOW,
    FeedState.WIDE,
    FeedState.STALE,
    FeedState.LOST,
    FeedState.QUARANTINED,
    FeedState.NONE,
)
