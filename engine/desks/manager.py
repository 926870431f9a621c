"""`manage_one_desk`: the seed's flow chart (desk-agent, "Decision flow"); every order is a journaled intent first."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from engine.agent.decide import Agent
from engine.agent.plan import Plan
from engine.clock import Clock
from engine.desks import commands
from engine.desks.accounts import deployed, pending
from engine.desks.commands import Code
from engine.desks.courier import Courier
from engine.desks.facts import Deferred
from engine.desks.orders import room
from engine.desks.state import Desk, House
from engine.desks.terms import Terms
from engine.settlement import Settlement, StoreFailed
from engine.snapshot import DeskPhase
from engine.text import money
from venue.exchange.commands import Rejection
from venue.exchange.fixed import WAD
from venue.perp import Declined, OpenOrder, PerpVenue, PositionRef, Usdc

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
FAULTS_BEFORE_QUARANTINE = 3
WAIT_MS = 900_000
"""How long a deferral holds when nothing else changes."""
_CAPS = (Code.CAP_DESK, Code.CAP_MARKET, Code.CAP_WALLET, Code.CAP_DAY)
NOTHING_WILL_DO = 2**62
"""More USDC than there is: a deferral that more money does not end."""


@dataclass(frozen=True, slots=True)
class DeskView:
    """What the manager needs of a desk, copied out of the committed world."""

    address: str
    wallet: str
    phase: DeskPhase
    halted: bool
    quarantined: bool
    pending: Usdc
    deployed: Usdc
    ref: PositionRef | None
    open_order: str
    """Id of the order without an answer, or empty."""
    deferred: Deferred | None
    opened_at_ms: int


def view_of(house: House, desk: Desk) -> DeskView:
    """A desk as the manager sees it."""
    return DeskView(
        address=desk.address,
        wallet=desk.wallet,
        phase=desk.phase,
        halted=desk.halted,
        quarantined=bool(desk.quarantine),
        pending=house.ledger[pending(desk.address)],
        deployed=house.ledger[deployed(desk.address)],
        ref=desk.ref,
        open_order=desk.order.order_id if desk.order else "",
        deferred=desk.deferred,
        opened_at_ms=desk.opened_at_ms,
    )


class DeskManager:
    """Moves every desk one step per pass."""

    def __init__(
        self,
        settlement: Settlement,
        venue: PerpVenue,
        agent: Agent,
        terms: Terms,
        clock: Clock,
        gas_low: Callable[[str], str] = lambda _: "",
        hold: Callable[[], str] = lambda: "",
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._settlement = settlement
        self._venue = venue
        self._agent = agent
        self._terms = terms
        self._clock = clock
        self._gas_low = gas_low
        self._hold = hold
        self._new_id = new_id
        self.courier = Courier(settlement, venue, new_id)
        self._faults: dict[str, int] = {}

    async def manage_all(self) -> str:
        """One pass over all desks at once: no desk waits for another's agent, and one desk's fault stops no other."""
        self._terms.learn(await self._venue.markets())
        views = await self._settlement.read(
            lambda world: [view_of(world.house, desk) for desk in world.house.desks.values()]
        )
        busy = [view.address for view in views if self._has_work(view)]
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self._guarded(address)) for address in busy]
        except ExceptionGroup as group:  # StoreFailed is all that gets out, and callers wait for it by itself
            raise group.exceptions[0] from group
        moved = sum(task.result() is True for task in running)
        failed = sum(task.result() is None for task in running)
        return f"{len(views)} desks, {moved} moved" + (f", {failed} failed" if failed else "")

    def _has_work(self, view: DeskView) -> bool:
        return not view.quarantined and (bool(view.open_order or view.ref) or self._may_enter(view))

    def _may_enter(self, view: DeskView) -> bool:
        """Also a desk that a crash left asking: it is told that nobody is asked any more."""
        enough = view.pending >= self._terms.min_deploy(self._terms.leverage())
        return not view.halted and (enough or view.phase is DeskPhase.DECIDING)

    async def _guarded(self, address: str) -> bool | None:
        try:
            moved = await self.manage_one_desk(address)
        except StoreFailed:
            raise
        except Exception as error:
            log.error("desk pass failed", desk=address, error=repr(error))
            self._faults[address] = self._faults.get(address, 0) + 1
            if self._faults[address] >= FAULTS_BEFORE_QUARANTINE:
                await self._set_aside(address, f"failed {FAULTS_BEFORE_QUARANTINE} times: {type(error).__name__}")
            return None
        self._faults.pop(address, None)
        return moved

    async def _set_aside(self, address: str, why: str) -> None:
        self._faults.pop(address, None)
        await self._settlement.submit(commands.Quarantine(address, why, "manager"))

    async def manage_one_desk(self, address: str) -> bool:
        """Halted, waiting, growing, or asking the agent; whether anything was sent to the venue."""
        async with self.courier.lock(address):
            view = await self._view(address)
            if view.quarantined:
                return False
            if view.open_order:
                await self.courier.settle(address, view.open_order)
                view = await self._view(address)
            elif view.ref and await self.courier.ended(address, view.ref):
                view = await self._view(address)
            if view.open_order or view.halted:
                return False
            return await (self._grow(view, view.ref) if view.ref else self._enter(view))

    async def _grow(self, view: DeskView, ref: PositionRef) -> bool:
        leverage = self._terms.leverage(ref.market)
        amount = self._terms.deployable(view.pending, view.deployed, leverage, ref.market)
        if not amount:
            return False
        if not self._agent.tradable(ref.market, self._clock.now_ms()):
            return await self._defer(view, "NO_PRICE", f"{ref.market} has no tradable price")
        return await self._send_open(view, ref.market, ref.is_long, leverage, amount)

    async def _held(self, view: DeskView) -> bool:
        """Whether nothing may be opened for now, which is said."""
        if why := self._hold():
            await self._defer(view, Code.NOT_ARMED, why)
        elif why := self._gas_low(view.wallet):
            await self._defer(view, "LOW_GAS", why)
        return bool(why)

    async def _enter(self, view: DeskView) -> bool:
        if not self._terms.deployable(view.pending, view.deployed, self._terms.leverage()):
            if view.phase is DeskPhase.DECIDING:
                needed = self._terms.min_deploy(self._terms.leverage())
                return await self._defer(view, "BELOW_MIN_NOTIONAL", f"{money(needed)} USDC are needed to open")
            return False
        if self._waits(view) or await self._capped(view):
            return False
        if await self._held(view):
            return False
        again = view.opened_at_ms + self._terms.caps.open_interval_ms
        if view.opened_at_ms and self._clock.now_ms() < again:
            reason = f"a desk opens at most once in {self._terms.risk.open_interval_s} s"
            return await self._defer(view, Code.TOO_SOON, reason, again - self._clock.now_ms(), NOTHING_WILL_DO)
        plan = await self._ask(view)
        if plan is None or not plan.allow:
            return False
        if not self._agent.tradable(plan.market, self._clock.now_ms()):
            return await self._defer(view, "NO_PRICE", f"{plan.market} has no tradable price any more")
        leverage = min(plan.leverage * WAD, self._terms.leverage(plan.market))  # whatever a tier says
        amount = self._terms.deployable(view.pending, view.deployed, leverage, plan.market)
        if not amount:
            needed = self._terms.min_deploy(leverage, plan.market)
            reason = f"{money(view.pending)} x {plan.leverage} is below the min notional; {money(needed)} USDC needed"
            return await self._defer(view, "BELOW_MIN_NOTIONAL", reason, WAIT_MS, needed)
        return await self._send_open(view, plan.market, plan.is_long, leverage, amount)

    async def _capped(self, view: DeskView) -> bool:
        """Whether the caps leave too little on every market, so that no agent need be asked."""
        rooms = [await self._room(view, market) for market in self._terms.opening()]
        needed = self._terms.min_deploy(self._terms.leverage())
        if not rooms or max(rooms) >= needed:
            return False
        text = f"the exposure caps leave {money(max(rooms))} USDC; {money(needed)} needed"
        await self._defer(view, "CAPS", text)
        return True

    async def _room(self, view: DeskView, market: str) -> Usdc:
        """What the caps leave on a market now."""
        now_ms = self._clock.now_ms()
        return await self._settlement.read(
            lambda world: room(world.house, view.address, market, self._terms.caps, now_ms)
        )

    def _waits(self, view: DeskView) -> bool:
        """Whether what held the desk up the last time still does, so that nobody is asked again for nothing."""
        told = view.deferred
        return told is not None and self._clock.now_ms() < told.until_ms and view.pending < told.needs

    async def _ask(self, view: DeskView) -> Plan | None:
        sight = self._agent.look(self._new_id(), self._clock.now_ms(), view.pending, self._terms.opening())
        if isinstance(await self._settlement.submit(commands.AskDecision(view.address, sight)), Rejection):
            return None
        plan = await self._agent.decide_desk_entry(sight)
        word = commands.RecordDecision(
            address=view.address,
            source=plan.source,
            opens=plan.allow,
            market=plan.market,
            is_long=plan.is_long,
            leverage=plan.leverage * WAD,
            reason=plan.reason,
            asked_leverage=plan.asked_leverage,
            degraded=plan.degraded,
        )
        answer = await self._settlement.submit(word)
        return None if isinstance(answer, Rejection) else plan

    async def _send_open(self, view: DeskView, market: str, is_long: bool, leverage: int, amount: Usdc) -> bool:
        if await self._held(view):  # an agent takes its time, and the world goes on meanwhile
            return False
        venue_room = self._terms.room(market, is_long, leverage)
        caps_room = await self._room(view, market)
        if caps_room < self._terms.min_deploy(leverage, market):
            text = f"the exposure caps leave {money(caps_room)} USDC on {market}"
            return await self._defer(view, "CAPS", text)
        amount = min(amount, caps_room)
        if venue_room is not None and venue_room < amount:
            amount = venue_room
        if amount < self._terms.min_deploy(leverage, market):
            reason = f"{market} takes no more of that side at the venue now"
            return await self._defer(view, "NO_ROOM", reason, WAIT_MS, NOTHING_WILL_DO)
        order_id = self._new_id()
        intent = commands.IntendOpen(
            view.address, order_id, market, is_long, leverage, amount, self._clock.now_ms(), self._terms.caps
        )
        answer = await self._settlement.submit(intent)
        if isinstance(answer, Rejection):
            return await self._held_back(view, answer)
        if why := await self._changed(view.address, market):
            await self.courier.record(view.address, Declined(order_id, "HELD", why))
            return False
        order = OpenOrder(order_id, view.address, market, is_long, amount, leverage, increase=view.ref)
        await self.courier.record(view.address, await self._venue.open(order))
        return True

    async def _changed(self, address: str, market: str) -> str:
        """Why what is journaled is not sent after all: writing it down may have taken long, or the machine have slept.
        Whoever has halted the desk by now was told so."""
        halted = await self._settlement.read(lambda world: world.house.desks[address].halted_by)
        if halted:
            return f"halted by {halted}"
        if why := self._hold():
            return why
        return "" if self._agent.tradable(market, self._clock.now_ms()) else f"{market} has no tradable price any more"

    async def _held_back(self, view: DeskView, answer: Rejection) -> bool:
        log.info("open not intended", desk=view.address, code=answer.code, reason=answer.detail)
        if answer.code in (Code.HALTED, Code.QUARANTINED, Code.ORDER_PENDING):
            return False
        if answer.code in _CAPS:  # another desk was faster; whether room is left is looked at in each pass
            return await self._defer(view, answer.code, answer.detail)
        return await self._defer(view, answer.code, answer.detail, WAIT_MS, NOTHING_WILL_DO)

    async def _defer(self, view: DeskView, code: str, reason: str, wait_ms: int = 0, needs: Usdc = 0) -> bool:
        """The money stays pending; never a move."""
        until = self._clock.now_ms() + wait_ms if wait_ms else 0
        await self._settlement.submit(commands.Defer(view.address, code, reason, until, needs))
        return False

    async def watch(self) -> str:
        """Settles orders that the venue has acted on, and finds positions that were liquidated, between passes."""
        return await self.courier.watch()

    async def _view(self, address: str) -> DeskView:
        return await self._settlement.read(lambda world: view_of(world.house, world.house.desks[address]))
