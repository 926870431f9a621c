"""`decide_desk_entry`: whether a desk with money and no position opens one, and which (seed desk-agent).

Only the signal tier stands so far; no fault in it ever raises risk: without a signal there is no entry. "Full degen"
(long the first market, no filter) happens only when the operator switched the filter off.
"""

from collections.abc import Container
from dataclasses import dataclass

from engine.agent.signals import Entry, evaluate_entry, rank
from engine.config import Signal
from engine.feed import Feed


@dataclass(frozen=True, slots=True)
class Plan:
    """The agent's answer; `market` and `is_long` mean something only when it allows."""

    source: str
    allow: bool
    market: str
    is_long: bool
    reason: str


class Agent:
    """Asks the signal engine about each of the markets it may choose from."""

    name = "signal"

    def __init__(self, feed: Feed, markets: tuple[str, ...], signal: Signal) -> None:
        self._feed = feed
        self._markets = markets
        self._signal = signal

    async def decide_desk_entry(self, now_ms: int, listed: Container[str]) -> Plan:
        """The strongest allowed entry on a listed market, or a refusal with the strongest candidate's numbers."""
        markets = [market for market in self._markets if market in listed]
        if not markets:
            return Plan(self.name, False, "", True, f"the venue lists none of {', '.join(self._markets)}")
        if not self._signal.enabled:
            market = markets[0]
            tradable = self._feed.book.tradable(market, now_ms) is not None
            return Plan("degen", tradable, market, True, "the operator switched the entry filter off")
        best = rank([self._judge(market, now_ms) for market in markets])[0]
        return Plan(self.name, best.allow, best.market if best.allow else "", best.is_long, best.reason)

    def _judge(self, market: str, now_ms: int) -> Entry:
        price = self._feed.book.tradable(market, now_ms)
        reading = self._feed.windows[market].reading(market, now_ms) if price else None
        if price is None:
            state = self._feed.book.view(market, now_ms).state
            return Entry(market, False, True, 0.0, f"{market}: no tradable price, the feed is {state}")
        return evaluate_entry(market, reading, self._signal, now_ms)
