"""`decide_desk_entry`: whether a desk with money and no position opens one, and which (seed desk-agent).

Venice is asked first where it is set up, then the signal engine. No fault in either ever raises risk: "full degen"
(long the first market at the highest leverage, no filter) happens only when the operator switched the filter off and
has not set Venice up; with Venice set up and failing, the desk waits.
"""

from dataclasses import replace

from engine.agent.plan import MarketSight, NoPlan, NoPlanCode, Plan, Sight, Tier
from engine.agent.signals import Entry, evaluate_entry, in_session, rank
from engine.feed import Feed
from engine.sections import Signal
from venue.exchange.fixed import PPM


class Signals:
    """The signal engine as a tier. It never fails; without a signal it declines."""

    name = "signal"

    def __init__(self, feed: Feed, signal: Signal) -> None:
        self._feed = feed
        self._signal = signal

    async def plan(self, sight: Sight) -> Plan:
        """The strongest allowed entry, or a refusal with the strongest candidate's numbers."""
        best = rank([self._judge(seen.market, sight.at_ms) for seen in sight.markets])[0]
        cap = next(seen.max_leverage for seen in sight.markets if seen.market == best.market)
        allow = best.allow and cap >= 1
        return Plan(self.name, allow, best.market if allow else "", best.is_long, cap if allow else 0, best.reason)

    def _judge(self, market: str, now_ms: int) -> Entry:
        price = self._feed.book.tradable(market, now_ms)
        reading = self._feed.windows[market].reading(market, now_ms) if price else None
        if price is None:
            state = self._feed.book.view(market, now_ms).state
            return Entry(market, False, True, 0.0, f"{market}: no tradable price, the feed is {state}")
        return evaluate_entry(market, reading, self._signal, now_ms)


class Agent:
    """Asks the tiers in their order. `first` is Venice, or None where it is not set up."""

    def __init__(self, feed: Feed, markets: tuple[str, ...], signal: Signal, first: Tier | None = None) -> None:
        self._feed = feed
        self._markets = markets
        self._signal = signal
        self._signals = Signals(feed, signal)
        self._first = first

    def look(self, request_id: str, now_ms: int, pending: int, caps: dict[str, int]) -> Sight:
        """Everything an agent is told. `caps` are the markets that may be opened, with their highest leverage."""
        markets = tuple(self._seen(market, now_ms, caps[market]) for market in self._markets if market in caps)
        return Sight(request_id, now_ms, pending, self._signal.momentum_lookback_ms, in_session(now_ms), markets)

    def _seen(self, market: str, now_ms: int, cap: int) -> MarketSight:
        price = self._feed.book.tradable(market, now_ms)
        reading = self._feed.windows[market].reading(market, now_ms) if price else None
        return MarketSight(
            market=market,
            index=price.wad if price else None,
            momentum=round(reading.momentum * PPM) if reading else None,
            volatility=round(reading.volatility * PPM) if reading else None,
            max_leverage=cap,
        )

    def tradable(self, market: str, now_ms: int) -> bool:
        """Whether money may move on a market's price now."""
        return self._feed.book.tradable(market, now_ms) is not None

    async def decide_desk_entry(self, sight: Sight) -> Plan:
        """The first answer there is; `degraded` says what kept a better tier from giving one."""
        if not sight.markets:
            return self._no(self._signals.name, f"the venue opens none of {', '.join(self._markets)}")
        degraded = ""
        if self._first is not None:
            try:
                return _believed(await self._first.plan(sight), sight)
            except NoPlan as none:
                degraded = f"{self._first.name} {none}"
        if self._signal.enabled:
            return replace(await self._signals.plan(sight), degraded=degraded)
        if self._first is not None:
            text = "the entry filter is off and the agent does not answer: a fault opens nothing"
            return replace(self._no("none", text), degraded=degraded)
        return self._degen(sight)

    def _degen(self, sight: Sight) -> Plan:
        seen = sight.markets[0]
        if seen.index is None or seen.max_leverage < 1:
            return self._no("degen", f"{seen.market}: no tradable price")
        reason = "the operator switched the entry filter off"
        return Plan("degen", True, seen.market, True, seen.max_leverage, reason)

    @staticmethod
    def _no(source: str, reason: str) -> Plan:
        return Plan(source, False, "", True, 0, reason)


def _believed(plan: Plan, sight: Sight) -> Plan:
    """A tier may be wrong, but in whole numbers and on what was offered: what is no number slips through every
    comparison. Raises NoPlan."""
    if {type(plan.leverage), type(plan.asked_leverage)} != {int}:
        raise NoPlan(NoPlanCode.BAD_ANSWER, "leverage: expected a whole number")
    if plan.allow and plan.market not in [each.market for each in sight.markets]:
        raise NoPlan(NoPlanCode.BAD_ANSWER, "market: not one of those offered")
    return plan
