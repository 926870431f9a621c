"""Several endpoints of one chain, none of them trusted alone.

Reads go to the best one and fail over. What decides about money is asked of all and believed when most agree. Each
endpoint proves that it is on our chain before it is asked anything, and again after every failure. Each host is asked
no more often than its budget allows; what is urgent has a share of it that nothing else touches, and goes to hosts that
pause or rest as well, where there are no others.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast

from venue.chain.answers import Sent
from venue.chain.bucket import Bucket, Budget, is_urgent
from venue.chain.health import MAX_PAUSE_S, PAUSE_S, Health, Phase, Row, reference
from venue.chain.reverts import Revert
from venue.chain.rpc import Rpc, RpcCode, RpcError

ATTEMPTS: Final = 3
READ_WITHIN_S: Final = 5.0
BACKOFF_S: Final = 0.1
STRAGGLE_S: Final = 1.0
"""How long a decision waits for those who are slower than enough others."""
_USABLE: Final = (Phase.HEALTHY, Phase.UNCHECKED, Phase.LAGGING)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Agreed(Generic[T]):
    """An answer that most endpoints gave."""

    value: T
    block: int
    """As of which it was asked."""
    voices: int
    """How many gave it."""
    endpoints: int
    """How many there are; 1: nobody could contradict."""

    @property
    def alone(self) -> bool:
        return self.endpoints == 1


class Disagreement(RpcError):
    """Too few endpoints say the same: money waits."""

    def __init__(self, text: str) -> None:
        super().__init__(RpcCode.DISAGREEMENT, text)


@dataclass(frozen=True, slots=True)
class _Voice(Generic[T]):
    value: T
    revert: Revert | None = None


@dataclass(eq=False, slots=True)
class _Endpoint:
    rpc: Rpc
    health: Health
    bucket: Bucket
    """Its host's."""
    queued: int = 0
    """Questions that wait for their turn."""


class Endpoints:
    """The way to the chain `chain_id`. Raises RpcError throughout. What `ask` does is one question."""

    def __init__(
        self,
        rpcs: Sequence[Rpc],
        chain_id: int,
        *,
        budget: Budget | None = None,
        within_s: float = READ_WITHIN_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if not rpcs:
            raise ValueError("at least one endpoint")
        buckets = {rpc.host: Bucket(budget or Budget()) for rpc in rpcs}
        self._all = [_Endpoint(rpc, Health(), buckets[rpc.host]) for rpc in rpcs]
        self._chain_id = chain_id
        self._within_s = within_s
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter

    def rows(self) -> tuple[Row, ...]:
        """Every endpoint as it is now, in the order given."""
        return tuple(self._row(endpoint) for endpoint in self._all)

    async def aclose(self) -> None:
        """Closes idle connections."""
        for endpoint in self._all:
            await endpoint.rpc.aclose()

    async def read(self, ask: Callable[[Rpc], Awaitable[T]]) -> T:
        """The answer of the best endpoint that has one, after at most 3 attempts and `within_s`.

        A revert is an answer and is raised at once.
        """
        try:
            async with asyncio.timeout(self._within_s):
                return await self._first(ask)
        except TimeoutError:
            raise RpcError(RpcCode.TOO_SLOW, f"no endpoint answered within {self._within_s:g} s") from None

    async def send_raw(self, raw: bytes) -> Sent:
        """Sends signed bytes to the best endpoint, once: whether to send them again is not decided here."""
        return await self._ask(self._next([]), lambda rpc: rpc.send_raw(raw))

    async def refresh(self) -> None:
        """Asks every usable endpoint for its newest block, and draws the consequences. Raises nothing."""
        usable = [each for each in self._all if self._phase(each) in _USABLE]
        blocks = await self._side_by_side(usable, lambda rpc: rpc.block_number())
        top = reference([block.value for block in blocks.values() if block.revert is None])
        for endpoint, block in blocks.items():
            if top is not None:
                endpoint.health.block, endpoint.health.lag = block.value, top - block.value

    async def quorum(self, ask: Callable[[Rpc, int], Awaitable[T]]) -> Agreed[T]:
        """What most endpoints answer as of one block: 2 of 3, both of two, the only one there is.

        Raises Disagreement when too few are in reach, close enough, or say the same; a revert that most agree on is
        raised as it is.
        """
        await self.refresh()
        sound = [each for each in self._all if self._phase(each) is Phase.HEALTHY and each.health.block is not None]
        if len(sound) < self._needed:
            raise Disagreement(f"{self._of(len(sound))} endpoints can be asked: {self._needed} are needed")
        block = sorted((each.health.block or 0 for each in sound), reverse=True)[self._needed - 1]
        asked = [each for each in sound if (each.health.block or 0) >= block]
        voices = await self._side_by_side(asked, lambda rpc: ask(rpc, block))
        found = list(voices.values())
        most = max(found, key=found.count, default=None)
        if most is None or found.count(most) < self._needed:
            count = found.count(most) if most else 0
            raise Disagreement(f"{self._of(count)} endpoints agree as of block {block}: {self._needed} are needed")
        for endpoint, voice in voices.items():
            if voice != most:
                endpoint.health.last_error = f"contradicted the others as of block {block}"
        if most.revert:
            raise RpcError(RpcCode.REVERTED, most.revert.reason, revert=most.revert)
        return Agreed(most.value, block, found.count(most), len(self._all))

    @property
    def _needed(self) -> int:
        return len(self._all) // 2 + 1

    def _of(self, count: int) -> str:
        return f"{count} of {len(self._all)}"

    async def _first(self, ask: Callable[[Rpc], Awaitable[T]]) -> T:
        tried: list[_Endpoint] = []
        while True:
            endpoint = self._next(tried)
            try:
                return await self._ask(endpoint, ask)
            except RpcError as error:
                tried.append(endpoint)
                if error.code is RpcCode.REVERTED or len(tried) == ATTEMPTS:
                    raise
                following = self._best(tried)
                if following is None or (following in tried and error.code is RpcCode.REFUSED):
                    raise
                if following in tried:
                    await self._sleep(BACKOFF_S * 2 ** len(tried) * (0.5 + self._jitter()))

    async def _side_by_side(
        self, endpoints: Sequence[_Endpoint], ask: Callable[[Rpc], Awaitable[T]]
    ) -> dict[_Endpoint, _Voice[T]]:
        """The answers that arrive, errors left out; once enough are here the others get `STRAGGLE_S` more."""
        tasks = {asyncio.create_task(self._voice(each, ask)): each for each in endpoints}
        waiting, heard = set(tasks), dict[_Endpoint, _Voice[T]]()
        try:
            while waiting:
                enough = len(heard) >= self._needed
                wait_for = asyncio.ALL_COMPLETED if enough else asyncio.FIRST_COMPLETED
                done, waiting = await asyncio.wait(
                    waiting, timeout=STRAGGLE_S if enough else None, return_when=wait_for
                )
                heard |= {tasks[task]: voice for task in done if (voice := task.result()) is not None}
                if enough:
                    break
        finally:
            for task in waiting:
                task.cancel()
        for each in (tasks[task] for task in waiting):
            if not each.queued:
                self._failed(each, RpcError(RpcCode.TOO_SLOW, "later than the others"))
        return heard

    async def _voice(self, endpoint: _Endpoint, ask: Callable[[Rpc], Awaitable[T]]) -> _Voice[T] | None:
        try:
            return _Voice(await self._ask(endpoint, ask))
        except RpcError as error:
            return _Voice(cast(T, None), error.revert) if error.revert else None

    async def _ask(self, endpoint: _Endpoint, ask: Callable[[Rpc], Awaitable[T]]) -> T:
        if not endpoint.health.checked:
            await self._turn(endpoint)
        await self._turn(endpoint)
        try:
            if not endpoint.health.checked:
                await self._check(endpoint.rpc)
                endpoint.health.checked = True
            started = self._clock()
            answer = await ask(endpoint.rpc)
        except RpcError as error:
            self._failed(endpoint, error)
            raise
        endpoint.health.succeeded(self._clock() - started)
        return answer

    async def _turn(self, endpoint: _Endpoint) -> None:
        """Waits until the host may be asked once more. Raises RpcError when that would take too long."""
        until, urgent = self._clock() + self._within_s, is_urgent()
        endpoint.queued += 1
        try:
            while wait := endpoint.bucket.take(now := self._clock(), urgent):
                if now + wait > until:
                    text = "it has been asked as often as it may be"
                    raise RpcError(RpcCode.RATE_LIMITED, text, sent=False, retry_after_s=wait)
                await self._sleep(wait)
        finally:
            endpoint.queued -= 1

    async def _check(self, rpc: Rpc) -> None:
        try:
            if (found := await rpc.chain_id()) != self._chain_id:
                raise RpcError(RpcCode.WRONG_CHAIN, f"chain id {found}: expected {self._chain_id}")
        except RpcError as error:
            error.sent = False  # what was to be asked next has not been
            raise

    def _failed(self, endpoint: _Endpoint, error: RpcError) -> None:
        endpoint.health.failed(error, self._clock())
        if error.code is RpcCode.RATE_LIMITED:
            pause = min(error.retry_after_s or PAUSE_S * (0.5 + self._jitter()), MAX_PAUSE_S)
            endpoint.bucket.pause(self._clock(), pause)

    def _phase(self, endpoint: _Endpoint, urgent: bool | None = None) -> Phase:
        urgent = is_urgent() if urgent is None else urgent
        return endpoint.health.phase(self._clock(), endpoint.bucket.paused_until_s, urgent)

    def _best(self, tried: Sequence[_Endpoint]) -> _Endpoint | None:
        """Those not tried yet first."""
        usable = [each for each in self._all if self._phase(each) in _USABLE]
        return min(usable, key=lambda each: (tried.count(each), *self._rank(each)), default=None)

    def _next(self, tried: Sequence[_Endpoint]) -> _Endpoint:
        """The best one. Raises RpcError when none can be asked now."""
        if best := self._best(tried):
            return best
        pauses = [each.bucket.paused_until_s for each in self._all if self._phase(each) is Phase.PAUSED]
        if pauses:
            wait = min(pauses) - self._clock()
            raise RpcError(RpcCode.RATE_LIMITED, "every endpoint is paused", sent=False, retry_after_s=wait)
        raise RpcError(RpcCode.NO_ENDPOINT, "no endpoint can be asked", sent=False)

    def _rank(self, endpoint: _Endpoint) -> tuple[bool, bool, float, int, float]:
        health = endpoint.health
        disturbed = self._phase(endpoint, urgent=False) in (Phase.PAUSED, Phase.RESTING)
        lagging = self._phase(endpoint) is Phase.LAGGING
        wait = endpoint.bucket.wait(self._clock(), is_urgent())
        return disturbed, lagging, wait, health.failures, health.latency_s or 0.0

    def _row(self, endpoint: _Endpoint) -> Row:
        health = endpoint.health
        took = None if health.latency_s is None else round(health.latency_s * 1000)
        phase = self._phase(endpoint, urgent=False)
        return Row(endpoint.rpc.host, phase, health.block, health.lag, took, health.last_error)
