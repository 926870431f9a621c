"""Buybacks: what is queued for a token buys it (seed avantis-venue, "Buybacks"); the protocol's own is burned."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import structlog

from engine.desks import commands
from engine.desks.money import queued
from engine.desks.terms import in_usdc
from engine.sections import Buybacks
from engine.settlement import Settlement, StoreFailed
from engine.world import World
from venue.exchange.commands import Rejection
from venue.exchange.fixed import PPM
from venue.perp import Usdc
from venue.swap import PROTOCOL_TOKEN, SwapDeclined, SwapOrder, SwapUnsettled, SwapVenue

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class BuybackEngine:
    """Every swap is a journaled intent first; one without an answer is asked after, never sent again."""

    def __init__(
        self,
        settlement: Settlement,
        venue: SwapVenue,
        settings: Buybacks,
        hold: Callable[[], str] = lambda: "",
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._settlement = settlement
        self._venue = venue
        self._settings = settings
        self._hold = hold
        self._new_id = new_id
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By token: an order on its way is asked after by nobody, who would be told that it was never sent."""

    async def ask_after(self) -> str:
        """Settles what a crash or a lost answer left open, between the cycles."""
        open_ = await self._settlement.read(_unanswered)
        settled = failed = 0
        for token in open_:
            if self._locks[token].locked():
                continue
            try:
                async with self._locks[token]:
                    order_id, _ = await self._settlement.read(partial(_standing, token=token))
                    settled += bool(order_id) and await self._settled(token, order_id)
            except StoreFailed:
                raise
            except Exception as error:  # one token's fault does not hold up the others
                failed += 1
                log.error("buyback not asked after", token=token or "protocol", error=repr(error))
        return f"{len(open_)} unanswered, {settled} settled" + (f", {failed} failed" if failed else "")

    async def _settled(self, token: str, order_id: str) -> bool:
        """Whether an order without an answer has one now."""
        outcome = await self._venue.outcome(order_id)
        await self._settlement.submit(commands.RecordSwap(token, outcome))
        return not isinstance(outcome, SwapUnsettled)

    async def run_buyback_cycle(self) -> str:
        """The protocol's leg."""
        return await self._cycle((PROTOCOL_TOKEN,), self._settings.protocol_min_usdc)

    async def run_creator_buyback_cycle(self) -> str:
        """Every token's own leg, with what its positions paid back."""
        tokens = await self._settlement.read(lambda world: tuple(world.house.desks))
        return await self._cycle(tokens, self._settings.creator_min_usdc)

    async def _cycle(self, tokens: tuple[str, ...], least: Decimal) -> str:
        bought = failed = 0
        for token in tokens:
            try:
                async with self._locks[token]:
                    bought += await self._one(token, in_usdc(least))
            except StoreFailed:
                raise
            except Exception as error:  # one token's fault does not hold up the others
                failed += 1
                log.error("buyback failed", token=token or "protocol", error=repr(error))
        return f"{bought} of {len(tokens)} bought back" + (f", {failed} failed" if failed else "")

    async def _one(self, token: str, least: Usdc) -> bool:
        order_id, amount = await self._settlement.read(lambda world: _standing(world, token))
        if order_id:
            await self._settled(token, order_id)
            return False
        if self._hold():
            return False
        most = await self._venue.most(token) if amount >= least else None
        amount = min(amount, in_usdc(self._settings.max_usdc), amount if most is None else most)
        if amount < least:
            return False
        quote = await self._venue.quote(token, amount)
        floor = quote * (PPM - int(self._settings.slippage_pct * PPM)) // PPM if quote else 0
        if floor <= 0:
            log.info("no quote for a buyback", token=token or "protocol")
            return False
        return await self._buy(SwapOrder(self._new_id(), token, amount, floor, burn=token == PROTOCOL_TOKEN))

    async def _buy(self, order: SwapOrder) -> bool:
        if self._hold():  # since the quote was asked for
            return False
        intent = commands.IntendBuyback(order.token, order.order_id, order.amount, order.least)
        answer = await self._settlement.submit(intent)
        if isinstance(answer, Rejection):
            log.info("buyback not intended", token=order.token, code=answer.code)
            return False
        if why := self._hold():  # it took long to write it down, or the machine slept: the floor is of another price
            await self._settlement.submit(commands.RecordSwap(order.token, SwapDeclined(order.order_id, "HELD", why)))
            return False
        outcome = await self._venue.swap_usdc_for_token(order)
        await self._settlement.submit(commands.RecordSwap(order.token, outcome))
        return not isinstance(outcome, SwapUnsettled)


def _unanswered(world: World) -> tuple[str, ...]:
    return tuple(token for token, buyback in world.house.buybacks.items() if buyback.order is not None)


def _standing(world: World, token: str) -> tuple[str, Usdc]:
    """The buyback without an answer, if any, and what is queued."""
    buyback = world.house.buybacks.get(token)
    order = buyback.order if buyback else None
    return order.order_id if order else "", queued(world.house, token)
