"""Venues that answer late and lose answers, and that note whoever sends what was not intended, or sends it twice."""

import asyncio
import random
from collections.abc import Callable

from engine.fees import Earned, FeeSource
from tests.venue.perp.reference import ReferenceVenue
from tests.venue.perp.reference_book import Faults, Rules
from venue.exchange.fixed import WAD
from venue.perp import CloseOrder, Filled, OpenOrder, OrderOutcome, PositionRef, ReduceOrder, Usdc, Waiting
from venue.swap import SwapDeclined, SwapOrder, SwapOutcome, Swapped, SwapUnsettled

FAULTS = Faults(lost_before=0.08, lost_after=0.08, declined=0.08, blind=0.03, close_only=0.03, slowest=4)
RULES = Rules(max_interest=4_000 * 10**6, carry_ppb=20_000, expiry_acts=6)
TOKENS_PER_USDC = 10**14


class SlowVenue(ReferenceVenue):
    """The reference venue, some moments away."""

    def __init__(self, rng: random.Random, prices: dict[str, int], sent: Callable[[str, str], None]) -> None:
        super().__init__(rng, prices, RULES, FAULTS)
        self._sent = sent

    async def open(self, order: OpenOrder) -> OrderOutcome:
        return await self._far(order)

    async def reduce(self, order: ReduceOrder) -> OrderOutcome:
        return await self._far(order)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        return await self._far(order)

    async def _far(self, order: OpenOrder | ReduceOrder | CloseOrder) -> OrderOutcome:
        await self._trip()
        self._sent(order.account, order.order_id)
        answer = self._send(order)
        await self._trip()
        return answer

    async def outcome(self, order_id: str) -> OrderOutcome:
        await self._trip()
        return await super().outcome(order_id)

    async def _trip(self) -> None:
        for _ in range(self._rng.choice((0, 0, 0, 2))):
            await asyncio.sleep(0)

    def answer(self, order_id: str) -> OrderOutcome | None:
        """What has truly become of an order; None: nothing, it never arrived."""
        return self._known(order_id)

    def standing(self) -> set[PositionRef]:
        """The positions that are truly open."""
        return set(self._open)

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self.faults = Faults()
        self.blind_until.clear()
        self.closed_until.clear()
        self._unsure_until.clear()


class SlowSwap:
    """Buys at one price; answers get lost, quotes are missing, and the price slips under the least accepted."""

    name = "reference"

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.trouble = 0.12
        self.spent: Usdc = 0
        self.done: dict[str, SwapOutcome] = {}
        self._unsure: dict[str, int] = {}

    async def quote(self, token: str, amount: Usdc) -> int | None:
        return None if self._rng.random() < self.trouble else amount * TOKENS_PER_USDC

    async def most(self, token: str) -> int | None:
        return None

    async def swap_usdc_for_token(self, order: SwapOrder) -> SwapOutcome:
        await asyncio.sleep(0)
        lost = self._rng.random()
        if lost < self.trouble:
            return self._unsettled(order.order_id)
        if self._rng.random() < self.trouble:
            self.done[order.order_id] = SwapDeclined(order.order_id, "TOO_LITTLE", "slipped")
        else:
            self.spent += order.amount
            self.done[order.order_id] = Swapped(order.order_id, order.amount * TOKENS_PER_USDC, order.burn)
        return self._unsettled(order.order_id) if lost < 2 * self.trouble else self.done[order.order_id]

    def _unsettled(self, order_id: str) -> SwapUnsettled:
        self._unsure[order_id] = self._rng.randint(0, 2)
        return SwapUnsettled(order_id)

    async def outcome(self, order_id: str) -> SwapOutcome:
        await asyncio.sleep(0)
        left = self._unsure.get(order_id, 0)
        if left and self.trouble:
            self._unsure[order_id] = left - 1
            return SwapUnsettled(order_id)
        return self.done.get(order_id) or SwapDeclined(order_id, "NEVER_SENT", "no such swap has arrived")


class LuckyFees:
    """Fees of random size; what was claimed and not booked is reported again, as the contract says."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._claimed: dict[str, list[Earned]] = {}

    async def claim_pooled_fees(self, last: dict[str, str]) -> tuple[Earned, ...]:
        found: list[Earned] = []
        for address, ref in last.items():
            claimed = self._claimed.setdefault(address, [])
            if self._rng.random() < 0.3:
                claimed.append(Earned(address, f"{len(claimed):09d}", self._rng.randint(1, 120 * 10**6)))
            found += [each for each in claimed if each.ref > ref]
        return tuple(found)


class SeenFees:
    """A source that says when it is asked."""

    def __init__(self, source: FeeSource, asked: Callable[[str], None]) -> None:
        self._source = source
        self._asked = asked

    async def claim_pooled_fees(self, last: dict[str, str]) -> tuple[Earned, ...]:
        self._asked("fees are claimed")
        return await self._source.claim_pooled_fees(last)


def is_taken(answer: OrderOutcome | None) -> bool:
    """Whether the venue holds, or has spent, what an order that adds brings."""
    return isinstance(answer, Filled | Waiting)


def start_price(market: str) -> int:
    """Where a market's day begins."""
    return {"ETH": 2_000, "BTC": 60_000}[market] * WAD
