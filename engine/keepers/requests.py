"""The request keeper: executes what waits at a price no older than the request, and earns the execution fee.

Several may run: the exchange executes a request once, who comes too late has raced. A request that fails waits longer
before each next attempt and never holds up the others: all attempts of a pass are under way at once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from engine.clock import Clock
from engine.keepers.notes import Notes
from engine.keepers.tally import Tally
from engine.requests.prices import PriceSource
from engine.settlement import Settlement, StoreFailed
from engine.world import World
from venue.exchange.commands import Refused, Rejection
from venue.exchange.draft import Draft
from venue.exchange.pool.trigger import trigger_met
from venue.exchange.pool.units import Prices, TokenPrice
from venue.exchange.reasons import Reason
from venue.exchange.requests.cancel import MISSING, to_sweep
from venue.exchange.requests.commands import ExecuteRequest, SweepRequest
from venue.exchange.requests.facts import OrderFrozen, RequestCancelled
from venue.exchange.requests.on_pool import execute, tokens_needed
from venue.exchange.requests.request import Kind, OrderRequest, OrderType, Request, kind_of
from venue.exchange.state import Exchange

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
MOST_ATTEMPTS = 4_096
"""Attempts per pass, successful or not; the oldest requests come first, failed ones are on their pause by then."""


@dataclass(frozen=True, slots=True)
class _Job:
    kind: Kind
    key: str
    sweep: bool
    tokens: tuple[str, ...]
    why: str = ""
    """Why it is revoked, if it is."""


class RequestKeeper:
    """One keeper account. `special` ones also try frozen orders and limit swaps."""

    def __init__(
        self,
        settlement: Settlement,
        prices: PriceSource,
        clock: Clock,
        account: str,
        notes: Notes[str],
        *,
        special: bool = False,
        revoked: Callable[[World, Request], str] = lambda _world, _request: "",
    ) -> None:
        self._settlement = settlement
        self._prices = prices
        self._clock = clock
        self._account = account
        self._notes = notes
        self._special = special
        self._revoked = revoked
        self.tally = Tally()

    async def pass_once(self) -> str:
        """Attempts everything that is ready."""
        now_ms = self._clock.now_ms()
        jobs = await self._settlement.read(lambda world: self._jobs(world, now_ms))
        await asyncio.gather(*(self._attempt(job, now_ms) for job in jobs))
        return str(self.tally)

    async def attempt(self, kind: Kind, key: str) -> tuple[object, ...] | Rejection:
        """One attempt, whatever the notes say; the exchange's own answer."""
        now_ms = self._clock.now_ms()
        tokens = await self._settlement.read(lambda world: _tokens(world.exchange, key))
        command = ExecuteRequest(kind, key, self._account, self._prices.of(tokens), now_ms)
        return await self._settlement.submit(command)

    def _jobs(self, world: World, now_ms: int) -> list[_Job]:
        exchange = world.exchange
        pending = exchange.requests.pending
        self._notes.forget_all_but(pending)
        prices: dict[str, TokenPrice | None] = {}
        jobs: list[_Job] = []
        oldest_ms = now_ms
        for key, request in pending.items():
            if len(jobs) == MOST_ATTEMPTS:
                break
            note = self._notes.get(key)
            if note is not None and note.holds(now_ms, request.updated_ms):
                self.tally.skipped("pause")
                continue
            try:
                job = self._job(world, request, prices, now_ms)
            except Exception as error:  # one request's fault is nobody else's
                self._fault(key, error, now_ms)
                continue
            self.tally.checked += 1
            if job is not None:
                jobs.append(job)
                oldest_ms = min(oldest_ms, request.updated_ms)
        self.tally.ready = len(jobs)
        self.tally.oldest_ms = now_ms - oldest_ms if jobs else None
        return jobs

    def _job(self, world: World, request: Request, prices: dict[str, TokenPrice | None], now_ms: int) -> _Job | None:
        exchange = world.exchange
        if why := self._revoked(world, request):
            return _Job(kind_of(request), request.key, True, (), why)
        if to_sweep(exchange, request, now_ms):
            return _Job(kind_of(request), request.key, True, ())
        if self._mine(request) and self._ready(exchange, request, prices, now_ms):
            return _Job(kind_of(request), request.key, False, _tokens(exchange, request.key))
        return None

    def _mine(self, request: Request) -> bool:
        if not isinstance(request, OrderRequest):
            return not self._special
        return self._special == (request.frozen or request.type is OrderType.LIMIT_SWAP)

    def _ready(self, exchange: Exchange, request: Request, prices: dict[str, TokenPrice | None], now_ms: int) -> bool:
        """Whether an attempt has a chance: a look that saves the exchange thousands of refusals per pass."""
        order = request if isinstance(request, OrderRequest) else None
        if order and order.valid_from_ms > now_ms:
            return False
        if order and order.market in exchange.markets:
            mark = exchange.markets[order.market].mark
            return _triggered(order, mark, mark)
        for token in _tokens(exchange, request.key):
            if token not in prices:
                prices[token] = self._prices.one(token)
            price = prices[token]
            if price is None or price.timestamp_ms < request.updated_ms:
                return False
        if order and order.type is OrderType.LIMIT_SWAP:
            return _enough(exchange, order, self._prices.of(_tokens(exchange, order.key)), now_ms)
        if order and order.market:
            index = prices[exchange.pools[order.market].index]
            return index is not None and _triggered(order, index.min, index.max)
        return True

    async def _attempt(self, job: _Job, now_ms: int) -> None:
        try:
            command = (
                SweepRequest(job.kind, job.key, self._account, now_ms, job.why)
                if job.sweep
                else ExecuteRequest(job.kind, job.key, self._account, self._prices.of(job.tokens), now_ms)
            )
            answer = await self._settlement.submit(command)
        except StoreFailed:
            raise
        except Exception as error:  # one request's fault is nobody else's
            self._fault(job.key, error, now_ms)
            return
        self._count(job, answer, now_ms)

    def _fault(self, key: str, error: Exception, now_ms: int) -> None:
        log.error("request failed", key=key, error=repr(error)[:200])
        self._notes.failed(key, f"perpdesk failed at it: {type(error).__name__}", now_ms)
        self.tally.acted("failed")

    def _count(self, job: _Job, answer: tuple[object, ...] | Rejection, now_ms: int) -> None:
        if isinstance(answer, Rejection):
            if answer.code in MISSING:
                self.tally.acted("raced")
                return
            self.tally.acted("left")
            self._notes.failed(job.key, f"{answer.code} {answer.detail}".strip(), now_ms)
            return
        first = answer[0]
        if isinstance(first, RequestCancelled):
            self.tally.acted("swept" if job.sweep else "cancelled")
        else:
            self.tally.acted("frozen" if isinstance(first, OrderFrozen) else "done")


def _tokens(exchange: Exchange, key: str) -> tuple[str, ...]:
    request = exchange.requests.pending.get(key)
    if request is None or (isinstance(request, OrderRequest) and request.market in exchange.markets):
        return ()
    return tokens_needed(exchange, request)


def _enough(exchange: Exchange, order: OrderRequest, prices: tuple[TokenPrice, ...], now_ms: int) -> bool:
    """Whether a limit swap would bring what it asks for by now; it waits for that as others do for a trigger."""
    try:
        execute(Draft(exchange, now_ms), order, Prices(prices))
    except Refused as refused:
        return refused.rejection.code is not Reason.MIN_SWAP_OUTPUT
    return True


def _triggered(order: OrderRequest, low: int, high: int) -> bool:
    trigger = order.trigger_price
    return trigger is None or trigger_met(order.type, order.is_long, low, high, trigger)
