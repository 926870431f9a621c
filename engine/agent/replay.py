"""What the signal engine would have decided on recorded prices, and what came of it.

The live functions decide (`Window`, `evaluate_entry`, `rank`) on prices that the live checks let through. Everything
is worked off in the order of time and a decision sees only what arrived before it, so there is no looking ahead.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product

from engine.agent.outcomes import Extremes, Outcome, Tally, Trace, outcome
from engine.agent.recording import Tick
from engine.agent.signals import Entry, Reading, Window, evaluate_entry, rank
from engine.sections import Signal
from venue.exchange.fixed import WAD
from venue.pyth import FEEDS, Price, PriceBook, PricePolicy, RefusalCode

COST = 0.0011
"""Of the notional, round trip: 0.045 % taker fee and 0.01 % spread, each paid on the way in and on the way out."""
_NEVER = 2**63
_POLICY = PricePolicy()


@dataclass(frozen=True, slots=True)
class Terms:
    """How to replay: every time is above zero. `markets` in the order in which the agent is asked about them."""

    signal: Signal
    markets: tuple[str, ...]
    alternatives: tuple[Signal, ...] = ()
    """Parameters to compare; the configured ones are always among them."""
    sample_ms: int = 55_000
    every_ms: int = 390_000
    horizon_ms: int = 3_600_000
    cost: float = COST
    max_age_s: int = _POLICY.trade_age_s
    """An older price is stale: nothing is decided on it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer of the configured engine: `market` is the strongest candidate, entered when `allow` says so.

    `momentum` and `volatility` are None without a reading, `price` (USD) without a tradable price; `outcome` is None
    without an entry, or when the price after the horizon is unknown.
    """

    at_ms: int
    market: str
    is_long: bool
    allow: bool
    momentum: float | None
    volatility: float | None
    price: float | None
    reason: str
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What one set of parameters would have done. Figures over the `judged` entries; None when there are none."""

    signal: Signal
    configured: bool
    entries: int
    longs: int
    shorts: int
    judged: int
    mean: float | None
    gained: float | None
    worst: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that came out. `first_ms` and `last_ms` (unix ms) are None when no price of the markets counted."""

    decisions: tuple[Decision, ...]
    rows: tuple[Row, ...]
    traces: Mapping[str, Sequence[tuple[int, float]]]
    accepted: int
    refused: Mapping[RefusalCode, int]
    first_ms: int | None
    last_ms: int | None


@dataclass(frozen=True, slots=True)
class _Held:
    """Entries of one moment, waiting for their horizon: by market and side, the parameters that made them."""

    at_ms: int
    prices: dict[str, float]
    bets: dict[tuple[str, bool], list[int]] = field(default_factory=dict)


def grid(
    signal: Signal, momentums: Sequence[Decimal], volatilities: Sequence[Decimal], lookbacks_ms: Sequence[int]
) -> tuple[Signal, ...]:
    """Every combination, the other settings as in `signal`. Raises pydantic's ValidationError for one out of bounds."""
    common = signal.model_dump()
    return tuple(
        Signal.model_validate(
            common | {"momentum_lookback_ms": lookback, "entry_momentum_pct": momentum, "max_volatility_pct": limit}
        )
        for lookback, momentum, limit in product(lookbacks_ms, momentums, volatilities)
    )


def replay(ticks: Iterable[Tick], terms: Terms) -> Result:
    """Runs through a recording. What `ticks` raises comes through."""
    running = Replay(terms)
    for tick in ticks:
        running.take(tick)
    return running.finish()


class Replay:
    """One run over a recording. Holds the windows, the decisions and a bounded trace, not the prices."""

    def __init__(self, terms: Terms) -> None:
        oldest = max(terms.max_age_s, _POLICY.display_age_s)
        self.book = PriceBook(FEEDS, replace(_POLICY, trade_age_s=terms.max_age_s, display_age_s=oldest))
        self._terms = terms
        self._quiet_ms = oldest * 1000
        self._signals = tuple(dict.fromkeys((terms.signal, *terms.alternatives)))
        self._lookbacks = tuple(dict.fromkeys(signal.momentum_lookback_ms for signal in self._signals))
        self._windows = {(ms, market): Window(ms) for ms in self._lookbacks for market in terms.markets}
        self._extremes = {market: Extremes(terms.horizon_ms) for market in terms.markets}
        self._traces = {market: Trace() for market in terms.markets}
        self._tallies = [Tally() for _ in self._signals]
        self._held: deque[_Held] = deque()
        self._decisions: list[Decision] = []
        self._outcomes: dict[int, Outcome] = {}
        self._sample_at = self._ask_at = _NEVER
        self._first_ms: int | None = None
        self._last_ms = 0
        self._now_ms = 0

    def take(self, tick: Tick) -> None:
        """The next update, after everything that was due before it."""
        self._advance(tick.at_ms)
        self._now_ms = tick.at_ms
        answer = self.book.apply(tick.item, tick.at_ms)
        if not isinstance(answer, Price) or answer.symbol not in self._extremes:
            return
        if self._first_ms is None:
            self._first_ms = self._sample_at = tick.at_ms
            self._ask_at = tick.at_ms + self._terms.every_ms
        self._last_ms = tick.at_ms
        if self.book.tradable(answer.symbol, tick.at_ms) is not None:
            self._extremes[answer.symbol].add(tick.at_ms, answer.wad / WAD)

    def finish(self) -> Result:
        """What is due by the last update, and the figures. To be called once."""
        self._advance(self._now_ms + 1)
        decisions = tuple(
            replace(each, outcome=self._outcomes.get(each.at_ms)) if each.allow else each for each in self._decisions
        )
        traces = {market: tuple(trace.points) for market, trace in self._traces.items()}
        rows = tuple(self._row(number) for number in self._in_order())
        last_ms = None if self._first_ms is None else self._last_ms
        return Result(decisions, rows, traces, self.book.accepted, dict(self.book.refused), self._first_ms, last_ms)

    def _advance(self, until_ms: int) -> None:
        """Everything due before `until_ms`. Where the recording itself has a gap, nobody is asked."""
        quiet_from = self._last_ms + self._quiet_ms
        self._work(min(until_ms, quiet_from + 1))
        if quiet_from < until_ms and self._first_ms is not None:
            self._sample_at = _on_grid(self._sample_at, until_ms, self._terms.sample_ms)
            self._ask_at = _on_grid(self._ask_at, until_ms, self._terms.every_ms)
            self._work(until_ms)

    def _work(self, until_ms: int) -> None:
        while (at_ms := min(self._sample_at, self._ask_at, self._settle_at())) < until_ms:
            if at_ms == self._sample_at:
                self._sample(at_ms)
                self._sample_at += self._terms.sample_ms
            if at_ms == self._settle_at():
                self._settle(at_ms)
            if at_ms == self._ask_at:
                self._ask(at_ms)
                self._ask_at += self._terms.every_ms

    def _settle_at(self) -> int:
        return self._held[0].at_ms + self._terms.horizon_ms if self._held else _NEVER

    def _price(self, market: str, now_ms: int) -> float | None:
        price = self.book.tradable(market, now_ms)
        return None if price is None else price.wad / WAD

    def _sample(self, now_ms: int) -> None:
        """One pass of the price sampler."""
        for market, trace in self._traces.items():
            price = self._price(market, now_ms)
            if price is not None:
                trace.add(now_ms, price)
                for lookback in self._lookbacks:
                    self._windows[lookback, market].add(now_ms, price)

    def _ask(self, now_ms: int) -> None:
        """Every set of parameters at once; the first one is the configured."""
        known = {market: self._price(market, now_ms) for market in self._terms.markets}
        prices = {market: price for market, price in known.items() if price is not None}
        readings = {
            (lookback, market): window.reading(market, now_ms) if market in prices else None
            for (lookback, market), window in self._windows.items()
        }
        held = _Held(now_ms, prices)
        for number, signal in enumerate(self._signals):
            best = self._choose(signal, prices, readings, now_ms)
            if best.allow:
                self._tallies[number].enter(best.is_long)
                held.bets.setdefault((best.market, best.is_long), []).append(number)
            if number == 0:
                reading = readings[signal.momentum_lookback_ms, best.market]
                self._decisions.append(_decision(now_ms, best, reading, prices.get(best.market)))
        if held.bets:
            self._held.append(held)

    def _choose(
        self,
        signal: Signal,
        prices: Mapping[str, float],
        readings: Mapping[tuple[int, str], Reading | None],
        now_ms: int,
    ) -> Entry:
        """As the live agent: no entry without a tradable price, otherwise the strongest."""
        entries = []
        for market in self._terms.markets:
            if market in prices:
                reading = readings[signal.momentum_lookback_ms, market]
                entries.append(evaluate_entry(market, reading, signal, now_ms))
            else:
                state = self.book.view(market, now_ms).state
                why = f"{market}: no tradable price, the feed is {state}"
                entries.append(Entry(market, False, True, 0.0, why))
        return rank(entries)[0]

    def _settle(self, now_ms: int) -> None:
        """The horizon of the oldest entries: without a tradable price nobody knows what came of them."""
        held = self._held.popleft()
        for (market, is_long), numbers in held.bets.items():
            left = self._price(market, now_ms)
            if left is None:
                continue
            entered = held.prices[market]
            found = outcome(is_long, entered, left, self._extremes[market].since(held.at_ms, entered), self._terms.cost)
            for number in numbers:
                self._tallies[number].judge(found)
            if 0 in numbers:
                self._outcomes[held.at_ms] = found

    def _in_order(self) -> list[int]:
        def key(number: int) -> tuple[int, Decimal, Decimal]:
            signal = self._signals[number]
            return signal.momentum_lookback_ms, signal.entry_momentum_pct, signal.max_volatility_pct

        return sorted(range(len(self._signals)), key=key)

    def _row(self, number: int) -> Row:
        tally, judged = self._tallies[number], self._tallies[number].judged
        return Row(
            signal=self._signals[number],
            configured=number == 0,
            entries=tally.longs + tally.shorts,
            longs=tally.longs,
            shorts=tally.shorts,
            judged=judged,
            mean=tally.total / judged if judged else None,
            gained=tally.gained / judged if judged else None,
            worst=tally.worst if judged else None,
        )


def _on_grid(at_ms: int, not_before_ms: int, step_ms: int) -> int:
    """The first moment of the grid through `at_ms` that is not before another."""
    return at_ms + max(0, -((at_ms - not_before_ms) // step_ms)) * step_ms


def _decision(now_ms: int, best: Entry, reading: Reading | None, price: float | None) -> Decision:
    momentum, volatility = (reading.momentum, reading.volatility) if reading else (None, None)
    return Decision(now_ms, best.market, best.is_long, best.allow, momentum, volatility, price, best.reason)
