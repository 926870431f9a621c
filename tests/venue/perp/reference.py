"""A small independent `PerpVenue` in memory, written from the contract alone, whose answers can be lost and delayed.

Positions are priced by an oracle the test sets, orders are created and then filled by `act()`. Everything that can go
wrong is drawn from the `random.Random` it is given, so the same seed gives the same story.
"""

import random
from dataclasses import dataclass

from tests.venue.perp.reference_book import SCALE, WAD, Faults, Rules, Standing, fee, is_lost, payout, view
from venue.perp import (
    WHOLE,
    CloseOrder,
    Declined,
    Ended,
    Filled,
    MarketTerms,
    OpenOrder,
    Order,
    OrderOutcome,
    PerpPosition,
    PositionRef,
    Quote,
    ReduceOrder,
    Unsettled,
    Usdc,
    Waiting,
)


class _No(Exception):
    """Why an order cannot be filled: (code, detail)."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an order would do now: `change` joins a position (an open, an increase) or leaves it."""

    quote: Quote
    change: Standing


@dataclass(frozen=True, slots=True)
class _Sent:
    order: Order
    due: int
    """The act that fills it at the earliest."""
    expires: int


class ReferenceVenue:
    """See the module. `prices` is the oracle: set it, then `act()`."""

    name = "reference"

    def __init__(
        self, rng: random.Random, prices: dict[str, int], rules: Rules | None = None, faults: Faults | None = None
    ) -> None:
        self.rules = rules or Rules()
        self.faults = faults or Faults()
        self.capabilities = self.rules.capabilities
        self.prices = prices
        self.wallet: Usdc = 0
        """What it has paid less what it has taken; money of orders that wait counts as taken."""
        self.acts = 0
        self.blind_until: dict[str, int] = {}
        """By market, the act from which its price is known again."""
        self.closed_until: dict[str, int] = {}
        """By market, the act from which positions on it can be opened again."""
        self._rng = rng
        self._index = 0
        self._next = 1
        self._waiting: dict[str, _Sent] = {}
        self._outcomes: dict[str, Filled | Declined] = {}
        self._unsure_until: dict[str, int] = {}
        self._open: dict[PositionRef, Standing] = {}
        self.endings: dict[PositionRef, Ended] = {}

    async def markets(self) -> dict[str, MarketTerms]:
        rules = self.rules
        return {
            symbol: MarketTerms(
                symbol,
                rules.max_leverage,
                rules.min_notional,
                self._room(symbol, True),
                self._room(symbol, False),
                self.closed_until.get(symbol, 0) <= self.acts,
            )
            for symbol in self.prices
        }

    async def quote(self, order: Order) -> Quote | Declined:
        try:
            return self._plan(order).quote
        except _No as no:
            return Declined(order.order_id, *no.args)

    async def open(self, order: OpenOrder) -> OrderOutcome:
        return self._send(order)

    async def reduce(self, order: ReduceOrder) -> OrderOutcome:
        return self._send(order)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        return self._send(order)

    async def outcome(self, order_id: str) -> OrderOutcome:
        if self._unsure_until.get(order_id, 0) > self.acts:
            return Unsettled(order_id)
        return self._known(order_id) or Declined(order_id, "NEVER_SENT", "no such order has arrived")

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        return {ref: view(each, self._price(ref.market), self._index, self.rules) for ref, each in self._open.items()}

    async def ended(self, ref: PositionRef) -> Ended | None:
        return self.endings.get(ref)

    def act(self) -> None:
        """One step of the venue: carry, what goes wrong, liquidations, then the orders that are due, oldest first."""
        self.acts += 1
        self._index += self.rules.carry_ppb
        for symbol in self.prices:
            if self._chance(self.faults.blind):
                self.blind_until[symbol] = self.acts + self._some_acts()
            if self._chance(self.faults.close_only):
                self.closed_until[symbol] = self.acts + self._some_acts()
        for position in list(self._open.values()):
            self._liquidate_if_lost(position)
        for sent in [each for each in self._waiting.values() if each.due <= self.acts]:
            self._try(sent)

    def _liquidate_if_lost(self, position: Standing) -> None:
        price = self._price(position.ref.market)
        if price is None:
            return
        profit = position.profit(price, self._index, self.rules)
        if is_lost(position, profit, self.rules):
            left = payout(position, profit)
            del self._open[position.ref]
            self.endings[position.ref] = Ended(position.ref, left)
            self.wallet += left

    def _send(self, order: Order) -> OrderOutcome:
        known = self._known(order.order_id)
        if known is not None:
            return known
        if self._chance(self.faults.lost_before):
            return self._lost(order)
        try:
            self._plan(order)
        except _No as no:
            self._outcomes[order.order_id] = Declined(order.order_id, *no.args)
        else:
            due = self.acts + self._some_acts()
            self._waiting[order.order_id] = _Sent(order, due, self.acts + self.rules.expiry_acts)
            self.wallet -= order.collateral if isinstance(order, OpenOrder) else 0
        if self._chance(self.faults.lost_after):
            return self._lost(order)
        return self._known(order.order_id) or Waiting(order.order_id)

    def _lost(self, order: Order) -> Unsettled:
        self._unsure_until[order.order_id] = self.acts + self._some_acts()
        return Unsettled(order.order_id)

    def _known(self, order_id: str) -> OrderOutcome | None:
        return Waiting(order_id) if order_id in self._waiting else self._outcomes.get(order_id)

    def _try(self, sent: _Sent) -> None:
        """Fills the order or gives it back; without a price it goes on waiting until it expires."""
        order = sent.order
        market = order.market if isinstance(order, OpenOrder) else order.ref.market
        expired = sent.expires <= self.acts
        if self._price(market) is None and not expired:
            return
        del self._waiting[order.order_id]
        try:
            if expired:
                raise _No("EXPIRED", "the venue could not act in time")
            if self._chance(self.faults.declined):
                raise _No("GIVEN_BACK", "the venue gave the order back")
            self._outcomes[order.order_id] = self._fill(order, self._plan(order))
        except _No as no:
            self._outcomes[order.order_id] = Declined(order.order_id, *no.args)
            self.wallet += order.collateral if isinstance(order, OpenOrder) else 0

    def _fill(self, order: Order, plan: _Plan) -> Filled:
        quote, change = plan.quote, plan.change
        match order:
            case OpenOrder(increase=None):
                self._open[change.ref] = change
                self._next += 1
            case OpenOrder():
                self._open[change.ref].add(change)
            case ReduceOrder():
                self._open[change.ref].add(change, -1)
            case CloseOrder():
                del self._open[change.ref]
        self.wallet += quote.payout
        return Filled(order.order_id, change.ref, quote.price, quote.notional, quote.fee, quote.payout)

    def _plan(self, order: Order) -> _Plan:
        """Raises _No for what cannot be filled now."""
        if isinstance(order, OpenOrder):
            return self._plan_open(order)
        if isinstance(order, CloseOrder):
            return self._plan_leave(order, WHOLE)
        if not self.capabilities.reduces:
            raise _No("UNSUPPORTED", "positions are closed whole")
        if not 0 < order.share < WHOLE:
            raise _No("BAD_SHARE", f"share {order.share} is no part")
        return self._plan_leave(order, order.share)

    def _plan_open(self, order: OpenOrder) -> _Plan:
        notional = order.collateral * order.leverage // WAD
        cost = fee(notional, self.rules)
        self._check_terms(order, notional, cost)
        if order.increase is not None:
            ref = self._own(order.account, order.increase).ref
            if (ref.market, ref.is_long) != (order.market, order.is_long):
                raise _No("NO_POSITION", "the position is on another market or side")
        else:
            self._check_count(order)
            ref = PositionRef(order.market, order.is_long, list(self.prices).index(order.market), self._next)
        price = self._known_price(order.market)
        size = notional * SCALE // price
        joins = Standing(ref, order.account, order.collateral - cost, notional, size, notional * self._index)
        return _Plan(Quote(price, price, notional, cost), joins)

    def _check_terms(self, order: OpenOrder, notional: Usdc, cost: Usdc) -> None:
        if order.market not in self.prices:
            raise _No("NO_MARKET", f"no market {order.market}")
        if self.closed_until.get(order.market, 0) > self.acts:
            raise _No("CLOSED", f"{order.market} can only be left")
        if not WAD <= order.leverage <= self.rules.max_leverage:
            raise _No("BAD_LEVERAGE", "leverage is outside the limits")
        if notional < self.rules.min_notional or order.collateral <= cost:
            raise _No("BELOW_MIN_NOTIONAL", "too little")
        room = self._room(order.market, order.is_long)
        if room is not None and notional > room:
            raise _No("NO_ROOM", "too much is open already")

    def _check_count(self, order: OpenOrder) -> None:
        most = self.capabilities.max_positions
        held = [
            each for each in self._open.values() if (each.account, each.ref.market) == (order.account, order.market)
        ]
        if most is not None and len(held) >= most:
            raise _No("TOO_MANY", f"at most {most} positions per market")

    def _plan_leave(self, order: CloseOrder | ReduceOrder, share: int) -> _Plan:
        if order.worst_price is not None and not self.capabilities.worst_price:
            raise _No("UNSUPPORTED", "orders carry no worst price")
        position = self._own(order.account, order.ref)
        price = self._known_price(order.ref.market)
        if _is_worse(price, order.worst_price, order.ref.is_long):
            raise _No("WORSE", "the price is worse than the order accepts")
        leaves = position.part(share)
        if not leaves.size or not leaves.collateral:
            raise _No("BAD_SHARE", "the share is too small")
        profit = leaves.profit(price, self._index, self.rules)
        back = payout(leaves, profit)
        return _Plan(Quote(price, price, leaves.value(price), profit.closing_fee, back), leaves)

    def _own(self, account: str, ref: PositionRef) -> Standing:
        position = self._open.get(ref)
        if position is None or position.account != account:
            raise _No("NO_POSITION", f"{account} has no such position")
        return position

    def _known_price(self, market: str) -> int:
        price = self._price(market)
        if price is None:
            raise _No("NO_PRICE", f"nobody can tell the price of {market}")
        return price

    def _price(self, market: str) -> int | None:
        return None if self.blind_until.get(market, 0) > self.acts else self.prices[market]

    def _room(self, market: str, is_long: bool) -> Usdc | None:
        if self.rules.max_interest is None:
            return None
        sides = (each for ref, each in self._open.items() if (ref.market, ref.is_long) == (market, is_long))
        return max(0, self.rules.max_interest - sum(each.notional for each in sides))

    def _chance(self, chance: float) -> bool:
        return chance > 0 and self._rng.random() < chance

    def _some_acts(self) -> int:
        return self._rng.randint(1, self.faults.slowest) if self.faults.slowest > 1 else 1


def _is_worse(price: int, worst: int | None, is_long: bool) -> bool:
    """Whether leaving at the price is worse than accepted: a long sells, a short buys."""
    if worst is None:
        return False
    return price < worst if is_long else price > worst
