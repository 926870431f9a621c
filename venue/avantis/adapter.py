"""Avantis as a `PerpVenue`: what desks ask for, in the venue's words, and its answers in theirs.

Prices leave perpdesk only after two oracles agree on them: the venue's executable price and our own Pyth price.
"""

from collections.abc import Callable
from dataclasses import replace

from eth_typing import ChecksumAddress

from venue.avantis.catalogue import Catalogue, Catalogues
from venue.avantis.claims import Marks, PositionWatch, told
from venue.avantis.direct import Done, Ending, NoEffect, Route, RouteCode, Unclear, UnderWay
from venue.avantis.hosts import Api
from venue.avantis.pair import Pair
from venue.avantis.positions import Held
from venue.avantis.prices import check_deviation, fetch_price, fetch_spread
from venue.avantis.translate import Prepared, Unfit, filled, prepared, quoted, refuse_worse, spread_ask, viewed
from venue.avantis.units import TO_WAD
from venue.avantis.wire import AvantisCode, AvantisError
from venue.chain.bucket import urgently
from venue.perp import (
    Capabilities,
    CloseOrder,
    Declined,
    Ended,
    MarketTerms,
    OpenOrder,
    Order,
    OrderOutcome,
    PerpPosition,
    PositionRef,
    Quote,
    ReduceOrder,
    Resized,
    Unsettled,
    Waiting,
)

MAX_POSITIONS = 40
KNOWN_MS = 60_000
"""Older than that, what was known of positions is not acted on."""


class AvantisVenue:
    """The `PerpVenue` over the venue's servers, the chain, and a route for orders."""

    name = "avantis"
    capabilities = Capabilities(reduces=True, worst_price=True, max_positions=MAX_POSITIONS, gas=True)

    def __init__(
        self,
        wallet: ChecksumAddress,
        symbols: tuple[str, ...],
        api: Api,
        catalogues: Catalogues,
        route: Route,
        watch: PositionWatch,
        marks: Marks,
        slippage: int,
        now_ms: Callable[[], int],
        why_not: Callable[[], str] = lambda: "",
        *,
        gas: bool = True,
        why_stay: Callable[[], str] = lambda: "",
    ) -> None:
        """`why_not` bars what adds risk, `why_stay` even what a rule would leave; a person may always leave."""
        self.capabilities = replace(self.capabilities, gas=gas)
        self._wallet = wallet
        self._symbols = symbols
        self._api = api
        self._catalogues = catalogues
        self._route = route
        self._watch = watch
        self._marks = marks
        self._slippage = slippage
        self._now_ms = now_ms
        self._why_not = why_not
        self._why_stay = why_stay
        self._last: Catalogue | None = None
        self._seen: dict[str, Pair] = {}  # as last listed: what is not listed any more can still be left
        self.unclear: dict[str, str] = {}
        """Why orders have no outcome, where only a person can find out."""

    async def markets(self) -> dict[str, MarketTerms]:
        """Empty while nobody knows what may be traded."""
        try:
            catalogue = await self._catalogue()
        except AvantisError:
            return {}
        return {symbol: pair.terms() for symbol in self._symbols if (pair := _listed(catalogue, symbol))}

    async def quote(self, order: Order) -> Quote | Declined:
        """At the executable price and the spread for its size; the fee is that of a taker."""
        ready = await self._ready(order)
        return ready if isinstance(ready, Declined) else await self._priced(order, ready)

    async def open(self, order: OpenOrder) -> OrderOutcome:
        return await self._send(order)

    async def reduce(self, order: ReduceOrder) -> OrderOutcome:
        """The share is of the collateral that stands now."""
        with urgently():
            return await self._send(order)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        with urgently():
            return await self._send(order)

    async def outcome(self, order_id: str) -> OrderOutcome:
        return await self._outcome(order_id, await self._route.ending(order_id))

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        """As of the last look; profit is unknown once that is too old."""
        unknown = "" if self._knows() else "positions were not seen lately"
        return {
            ref: viewed(claim.account, ref, held, _listed(self._last, ref.market), self._marks(ref.market), unknown)
            for ref, (claim, held) in self._watch.known.held.items()
        }

    async def ended(self, ref: PositionRef) -> Ended | None:
        """Gone by the chain and by one of the venue's servers. The venue pays nothing at a liquidation; what came back
        for another reason shows as a difference of the wallet."""
        if not self._knows():
            return None
        if changed := self._watch.known.resized.get(ref):
            raise Resized(told(*changed))
        return Ended(ref, 0) if ref in self._watch.known.gone else None

    def unseen(self) -> str:
        """Why it is not known what stands, or nothing: whole looks are asked for, whatever they have found."""
        if not self._watch.whole_ms:
            return "nobody has seen them yet"
        age_ms = self._now_ms() - self._watch.whole_ms
        return f"not seen whole for {age_ms // 1000} s" if age_ms > KNOWN_MS else ""

    async def _send(self, order: Order) -> OrderOutcome:
        before = await self._route.ending(order.order_id)
        if not _never_sent(before):
            return await self._outcome(order.order_id, before)
        ready = await self._ready(order)
        if isinstance(ready, Declined):
            return ready
        # Without a spread nobody opens; it may be left without one, unless the price has a bound.
        if isinstance(order, OpenOrder) or order.worst_price is not None:
            priced = await self._priced(order, ready)
            if isinstance(priced, Declined):
                return priced
        nothing = await self._route.send(order.order_id, ready.asked)
        ending = await self._route.ending(order.order_id)
        # What is refused may have been sent meanwhile, by somebody who asked for the same order: that is no decline.
        if nothing and _never_sent(ending):
            return Declined(order.order_id, nothing.code, nothing.detail)
        return await self._outcome(order.order_id, ending)

    async def _priced(self, order: Order, ready: Prepared) -> Quote | Declined:
        try:
            spread = await fetch_spread(self._api, spread_ask(ready, self._wallet))
            quote = quoted(ready, spread.percent)
            refuse_worse(order, quote.price, ready.is_long)
        except Unfit as unfit:
            return Declined(order.order_id, unfit.code, unfit.detail)
        except AvantisError as error:
            return Declined(order.order_id, error.code, error.text)
        return quote

    async def _ready(self, order: Order) -> Prepared | Declined:
        try:
            if isinstance(order, OpenOrder):
                if why := self._why_not():
                    return Declined(order.order_id, "NOT_TRUSTED", why)
                catalogue = await self._catalogue()
                pair, ref = catalogue.pair(order.market), order.increase
                if ref is None:
                    self._check_count(pair, catalogue.max_trades)
                price = await self._price(pair)
            else:
                if order.by_rule and (why := self._why_stay()):
                    return Declined(order.order_id, "HALTED", why)
                # A position can be left on an old catalogue, and with our own oracle down.
                pair, ref = await self._leavable(order.ref.market), order.ref
                price = await self._price(pair, leaving=True)
            return prepared(order, pair, price, self._held(order, ref), self._wallet, self._slippage)
        except Unfit as unfit:
            return Declined(order.order_id, unfit.code, unfit.detail)
        except AvantisError as error:
            return Declined(order.order_id, error.code, error.text)

    async def _catalogue(self) -> Catalogue:
        self._last = await self._catalogues.newest()
        self._seen |= self._last.pairs
        return self._last

    async def _leavable(self, symbol: str) -> Pair:
        catalogue = self._last or await self._catalogue()
        return next((pair for pair in self._seen.values() if pair.symbol == symbol), None) or catalogue.pair(symbol)

    def _knows(self) -> bool:
        return self._now_ms() - self._watch.known.at_ms <= KNOWN_MS

    def _held(self, order: Order, ref: PositionRef | None) -> Held | None:
        """The account's own position; one wallet holds those of all desks. One that is not as our orders left it is for
        a person to close, and for nobody to trade."""
        if ref is None or not self._knows():
            return None
        known = self._watch.known
        found = known.held.get(ref)
        if found is None and isinstance(order, CloseOrder) and not order.by_rule:
            found = known.resized.get(ref)
        mine = found and found[0].account == order.account and found[1].is_long == ref.is_long
        return found[1] if found and mine else None

    def _check_count(self, pair: Pair, most: int) -> None:
        """Raises Unfit when the wallet has no slot left; those of strangers count as well."""
        known = self._watch.known
        slots = {(ref.pair_index, ref.trade_index) for ref in (*known.held, *known.doubts)}
        slots |= {orphan.held.slot for orphan in known.orphans}
        if sum(slot[0] == pair.index for slot in slots) >= most:
            raise Unfit("TOO_MANY", f"{pair.symbol}: the venue holds at most {most} positions of a wallet")

    async def _price(self, pair: Pair, *, leaving: bool = False) -> int:
        """The executable price, once our own oracle agrees. Raises AvantisError."""
        mark = self._marks(pair.symbol)
        if mark is None and not leaving:
            raise AvantisError(AvantisCode.NO_PRICE, f"{pair.symbol}: our own price is not believed now")
        price = (await fetch_price(self._api, pair.index, self._now_ms)).price
        if mark is not None:
            check_deviation(price, mark // TO_WAD, pair.max_open_deviation)
        return price

    async def _outcome(self, order_id: str, ending: Ending) -> OrderOutcome:
        self.unclear.pop(order_id, None)
        match ending:
            case NoEffect(code, detail):
                return Declined(order_id, code, detail)
            case UnderWay():
                return Waiting(order_id)
            case Unclear(why, stuck):
                if stuck:
                    self.unclear[order_id] = why
                return Unsettled(order_id)
            case Done():
                pair = await self._pair(ending.asked.pair_index)
                return filled(order_id, pair, ending) if pair else Unsettled(order_id)

    async def _pair(self, pair_index: int) -> Pair | None:
        """By its index; None while there is no catalogue to say it."""
        try:
            if not self._seen:
                await self._catalogue()
        except AvantisError:
            return None
        return next((pair for pair in self._seen.values() if pair.index == pair_index), None)


def _never_sent(ending: Ending) -> bool:
    return isinstance(ending, NoEffect) and ending.code == RouteCode.NEVER_SENT


def _listed(catalogue: Catalogue | None, symbol: str) -> Pair | None:
    try:
        return catalogue.pair(symbol) if catalogue else None
    except AvantisError:
        return None
