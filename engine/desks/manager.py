"""`manage_one_desk`: the seed's flow chart (desk-agent, "Decision flow"); every order is a journaled intent first."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import structlog

from engine.agent.decide import Agent
from engine.clock import Clock
from engine.config import Risk
from engine.desks import commands
from engine.desks.state import Desk, deployed, pending
from engine.settlement import Settlement, StoreFailed
from engine.snapshot import DeskPhase
from venue.exchange.commands import Rejection
from venue.exchange.fixed import WAD, wad
from venue.exchange.ledger import Ledger
from venue.perp import (
    CloseOrder,
    MarketTerms,
    OpenOrder,
    OrderOutcome,
    PerpVenue,
    PositionRef,
    Unsettled,
    Usdc,
    Waiting,
)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
USDC = 10**6


@dataclass(frozen=True, slots=True)
class DeskView:
    """What the manager needs of a desk, copied out of the committed world."""

    address: str
    phase: DeskPhase
    halted: bool
    pending: Usdc
    deployed: Usdc
    ref: PositionRef | None
    open_order: str
    """Id of the order without an answer, or empty."""


def in_usdc(amount: Decimal) -> Usdc:
    """A configured amount in 1e-6, digits below that cut off."""
    return int(amount * USDC)


def leverage_for(risk: Risk, avantis_max: int, terms: MarketTerms) -> int:
    """min(RISK.leverage, AVANTIS_MAX_LEVERAGE, the venue's cap), in 1e-18 (seed desk-agent, "Leverage")."""
    return min(wad(risk.leverage), avantis_max * WAD, terms.max_leverage)


class DeskManager:
    """Moves every desk one step per pass. The only caller of the venue."""

    def __init__(
        self,
        settlement: Settlement,
        venue: PerpVenue,
        agent: Agent,
        risk: Risk,
        avantis_max_leverage: int,
        clock: Clock,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._settlement = settlement
        self._venue = venue
        self._agent = agent
        self._risk = risk
        self._avantis_max = avantis_max_leverage
        self._clock = clock
        self._new_id = new_id
        self._locks: dict[str, asyncio.Lock] = {}
        self._terms: dict[str, MarketTerms] = {}

    async def manage_all(self) -> str:
        """One pass over all desks. One desk's fault is logged and does not hold up the others."""
        self._terms = await self._venue.markets()
        addresses = await self._settlement.read(lambda world: tuple(world.house.desks))
        moved = failed = 0
        for address in addresses:
            try:
                moved += await self.manage_one_desk(address)
            except StoreFailed:
                raise
            except Exception as error:
                failed += 1
                log.error("desk pass failed", desk=address, error=repr(error))
        return f"{len(addresses)} desks, {moved} moved" + (f", {failed} failed" if failed else "")

    async def manage_one_desk(self, address: str) -> bool:
        """Halted, waiting, growing, or asking the agent; whether anything was sent to the venue."""
        async with self._lock(address):
            view = await self._view(address)
            if view.open_order:
                view = await self._resume_order(view)
            elif view.ref and await self._ended(view):
                view = await self._view(address)
            if view.open_order or view.halted or view.pending <= 0:
                return False
            return await (self._grow(view) if view.ref else self._enter(view))

    async def close_desk(self, address: str, worst_price: int, who: str, seen_seq: int) -> OrderOutcome | Rejection:
        """Closes the desk's whole position, whatever loop is at work on the desk."""
        async with self._lock(address):
            intent = commands.IntendClose(address, self._new_id(), worst_price, who, seen_seq)
            answer = await self._settlement.submit(intent)
            if isinstance(answer, Rejection):
                return answer
            view = await self._view(address)
            return await self._send_close(view, worst_price)

    async def outcome(self, order_id: str) -> OrderOutcome:
        """What the venue says became of an order."""
        return await self._venue.outcome(order_id)

    def deployable(self, view: DeskView, leverage: int) -> Usdc:
        """What of the pending USDC may go to the venue now; 0 while that is below the minimum."""
        amount = min(view.pending, in_usdc(self._risk.max_position_usdc) - view.deployed)
        return amount if amount >= self.min_deploy(leverage) else 0

    @property
    def knows_markets(self) -> bool:
        """Whether the venue has said what may be traded."""
        return bool(self._terms)

    def at_cap(self, deployed_now: Usdc) -> bool:
        """Whether what RISK.maxPositionUsdc still allows is less than the smallest deploy."""
        return in_usdc(self._risk.max_position_usdc) - deployed_now < self.min_deploy(self.leverage())

    def min_deploy(self, leverage: int) -> Usdc:
        """Smallest collateral that reaches both RISK.minDeployUsdc and the venue's minimum notional, rounded up."""
        smallest = max((terms.min_notional for terms in self._terms.values()), default=0)
        return max(in_usdc(self._risk.min_deploy_usdc), -(-smallest * WAD // leverage))

    def leverage(self, market: str = "") -> int:
        """Leverage in force on a market, or the least over all markets."""
        chosen = [terms for terms in self._terms.values() if market in ("", terms.symbol)]
        if not chosen:
            return wad(self._risk.leverage)
        return min(leverage_for(self._risk, self._avantis_max, terms) for terms in chosen)

    async def _enter(self, view: DeskView) -> bool:
        amount = self.deployable(view, self.leverage())
        if not amount:
            return False
        plan = await self._agent.decide_desk_entry(self._clock.now_ms(), self._terms)
        leverage = self.leverage(plan.market) if plan.allow else 0
        await self._settlement.submit(
            commands.RecordDecision(
                view.address, plan.source, plan.allow, plan.market, plan.is_long, leverage, plan.reason
            )
        )
        if not plan.allow:
            return False
        return await self._send_open(view, plan.market, plan.is_long, leverage, amount)

    async def _grow(self, view: DeskView) -> bool:
        ref = view.ref
        assert ref is not None  # noqa: S101 - the caller has looked
        leverage = self.leverage(ref.market)
        amount = self.deployable(view, leverage)
        if not amount:
            return False
        return await self._send_open(view, ref.market, ref.is_long, leverage, amount)

    async def _send_open(self, view: DeskView, market: str, is_long: bool, leverage: int, amount: Usdc) -> bool:
        order_id = self._new_id()
        intent = commands.IntendOpen(view.address, order_id, market, is_long, leverage, amount)
        answer = await self._settlement.submit(intent)
        if isinstance(answer, Rejection):
            log.info("open not intended", desk=view.address, code=answer.code, reason=answer.detail)
            return False
        order = OpenOrder(order_id, view.address, market, is_long, amount, leverage, increase=view.ref)
        await self._record(view.address, await self._venue.open(order))
        return True

    async def _send_close(self, view: DeskView, worst_price: int | None) -> OrderOutcome:
        assert view.ref is not None  # noqa: S101 - an intent to close exists only for a position
        outcome = await self._venue.close(CloseOrder(view.open_order, view.address, view.ref, worst_price))
        await self._record(view.address, outcome)
        return outcome

    async def _resume_order(self, view: DeskView) -> DeskView:
        """Settles an order a crash or a lost answer left open: ask what became of it, never send it again."""
        outcome = await self._venue.outcome(view.open_order)
        if isinstance(outcome, Unsettled | Waiting):
            return view
        await self._record(view.address, outcome)
        return await self._view(view.address)

    async def _ended(self, view: DeskView) -> bool:
        """Whether the venue says for certain that the desk's position is gone; then that is recorded."""
        assert view.ref is not None  # noqa: S101 - the caller has looked
        ended = await self._venue.ended(view.ref)
        if ended is None:
            return False
        await self._settlement.submit(commands.RecordEnd(view.address, ended))
        return True

    async def watch(self) -> str:
        """Settles orders that the venue has acted on, and finds positions that were liquidated, between passes."""
        busy = await self._settlement.read(
            lambda world: tuple(desk.address for desk in world.house.desks.values() if desk.ref or desk.order)
        )
        settled = gone = 0
        for address in busy:
            async with self._lock(address):
                view = await self._view(address)
                if view.open_order:
                    view = await self._resume_order(view)
                    settled += not view.open_order
                if view.ref and not view.open_order:
                    gone += await self._ended(view)
        return f"{len(busy)} desks with positions or orders, {settled} settled, {gone} gone"

    async def _record(self, address: str, outcome: OrderOutcome) -> None:
        if isinstance(outcome, Waiting):
            return
        await self._settlement.submit(commands.RecordOutcome(address, outcome))

    async def _view(self, address: str) -> DeskView:
        return await self._settlement.read(lambda world: _view_of(world.house.desks[address], world.house.ledger))

    def _lock(self, address: str) -> asyncio.Lock:
        return self._locks.setdefault(address, asyncio.Lock())


def _view_of(desk: Desk, ledger: Ledger) -> DeskView:
    return DeskView(
        address=desk.address,
        phase=desk.phase,
        halted=desk.halted,
        pending=ledger[pending(desk.address)],
        deployed=ledger[deployed(desk.address)],
        ref=desk.ref,
        open_order=desk.order.order_id if desk.order else "",
    )
