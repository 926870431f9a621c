"""The latest price of every feed and how far it may be trusted. Nothing older: memory never grows with traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from venue.pyth.price import (
    FEEDS,
    Feed,
    Jump,
    Price,
    PricePolicy,
    Refusal,
    RefusalCode,
    confirm,
    is_jump,
    is_wide,
    jump_refusal,
    read,
)
from venue.pyth.wire import WireItem

_SUSPICIOUS = frozenset({RefusalCode.EXPONENT_CHANGED, RefusalCode.NOT_POSITIVE})


class FeedState(StrEnum):
    """How far a feed may be trusted. Only LIVE and SLOW may be traded on."""

    LIVE = "live"
    SLOW = "slow"
    STALE = "stale"
    LOST = "lost"
    WIDE = "wide"
    QUARANTINED = "quarantined"
    NONE = "none"


_TRADABLE = frozenset({FeedState.LIVE, FeedState.SLOW})


@dataclass(frozen=True, slots=True)
class PriceView:
    """A feed at one moment. `price` is None when unknown or LOST; `age_ms` counts from its publish time."""

    price: Price | None
    state: FeedState
    age_ms: int | None


@dataclass(slots=True)
class _Track:
    latest: Price | None = None
    # The last narrow price. Jumps are measured from it, or a wide tick could carry a narrow one to any level.
    anchor: Price | None = None
    jump: Jump | None = None
    quarantine: int = 0


class PriceBook:
    """Latest-value memory over a fixed set of feeds. One writer; any call is a handful of comparisons.

    Raises `ValueError` when two feeds share an id or a symbol.
    """

    def __init__(self, feeds: Mapping[str, Feed] = FEEDS, policy: PricePolicy | None = None) -> None:
        self.policy = policy or PricePolicy()
        self.accepted = 0
        self.refused: Counter[RefusalCode] = Counter()
        self._by_id = {feed.id: feed for feed in feeds.values()}
        self._tracks = {feed.symbol: _Track() for feed in feeds.values()}
        if not len(self._by_id) == len(self._tracks) == len(feeds):
            raise ValueError("two feeds share an id or a symbol")

    def apply(self, item: WireItem, received_ms: int) -> Price | Refusal:
        """Take one update that arrived at `received_ms` (unix ms). A refused one leaves the price as it was."""
        feed = self._by_id.get(item.id)
        if feed is None:
            return self._refuse(Refusal(RefusalCode.UNKNOWN_FEED, item.id))
        track = self._tracks[feed.symbol]
        price = read(feed, track.latest, item, received_ms, self.policy)
        if isinstance(price, Refusal):
            if price.code in _SUSPICIOUS:
                track.quarantine = self.policy.quarantine_updates
            return self._refuse(price)
        if track.anchor is not None and is_jump(track.anchor, price, self.policy):
            track.jump = confirm(track.jump, price, self.policy)
            if track.jump.agreed < self.policy.jump_confirmations:
                return self._refuse(jump_refusal(track.anchor, price))
        self._accept(track, price)
        return price

    def view(self, symbol: str, now_ms: int) -> PriceView:
        """What is known of `symbol` at `now_ms` (unix ms). Raises `KeyError` for a symbol not in the book."""
        track = self._tracks[symbol]
        if track.latest is None:
            state = FeedState.QUARANTINED if track.quarantine else FeedState.NONE
            return PriceView(None, state, None)
        age_ms = now_ms - track.latest.publish_time * 1000
        state = self._state(track, track.latest, age_ms)
        return PriceView(None if state is FeedState.LOST else track.latest, state, max(age_ms, 0))

    def tradable(self, symbol: str, now_ms: int) -> Price | None:
        """The price of `symbol` if money may move on it at `now_ms` (unix ms). Raises `KeyError` like `view`."""
        view = self.view(symbol, now_ms)
        return view.price if view.state in _TRADABLE else None

    def _refuse(self, refusal: Refusal) -> Refusal:
        self.refused[refusal.code] += 1
        return refusal

    def _accept(self, track: _Track, price: Price) -> None:
        self.accepted += 1
        track.latest = price
        track.jump = None
        track.quarantine = max(0, track.quarantine - 1)
        if not is_wide(price, self.policy):
            track.anchor = price

    def _state(self, track: _Track, latest: Price, age_ms: int) -> FeedState:
        policy = self.policy
        if age_ms > policy.display_age_s * 1000:
            return FeedState.LOST
        if age_ms > policy.trade_age_s * 1000:
            return FeedState.STALE
        # A price ahead of the clock means the clock stepped back: its age is unknown until they meet again.
        if track.quarantine or track.jump or age_ms < -policy.max_future_s * 1000:
            return FeedState.QUARANTINED
        if is_wide(latest, policy):
            return FeedState.WIDE
        return FeedState.SLOW if age_ms > policy.warn_age_s * 1000 else FeedState.LIVE
