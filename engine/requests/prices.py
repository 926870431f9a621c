"""Index prices as the pool market takes them: a range per token, no wider and no older than the book accepts."""

from collections.abc import Iterable
from typing import Protocol

from engine.clock import Clock
from engine.feed import Feed
from venue.exchange.pool.units import TokenPrice
from venue.exchange.tokens import TOKENS, priced


class PriceSource(Protocol):
    """Where prices of tokens come from."""

    def one(self, name: str) -> TokenPrice | None: ...

    def of(self, tokens: Iterable[str]) -> tuple[TokenPrice, ...]: ...


class IndexPrices:
    """Reads the price book; a token whose feed may not be traded on has no price."""

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock

    def of(self, tokens: Iterable[str]) -> tuple[TokenPrice, ...]:
        """The prices there are, for the tokens that have one."""
        found = (self.one(token) for token in tokens)
        return tuple(price for price in found if price is not None)

    def one(self, name: str) -> TokenPrice | None:
        """The price of a token now, if money may move on it."""
        token = TOKENS.get(name)
        if token is None or token.feed not in self._feed.windows:
            return None
        price = self._feed.book.tradable(token.feed, self._clock.now_ms())
        if price is None:
            return None
        return priced(token, price.wad, price.conf_wad, price.publish_time * 1000)
