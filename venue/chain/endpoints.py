"""Several endpoints of one chain, none of them trusted alone.

Reads go to the best one and fail over. What decides about money is asked of all and believed when most agree, and
what is signed goes to all. Each endpoint proves that it is on our chain before it is asked anything, and again after
every failure. Each host is asked no more often than its budget allows; what is urgent has a share of it that nothing
else touches, and goes to hosts that pause or rest as well.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, TypeVar, cast

from venue.chain.answers import Sent
from venue.chain.bucket import Bucket, Budget, is_urgent
from venue.chain.endpoint import Endpoint
from venue.chain.health import PAUSE_S, Health, Phase, Row, reference
from venue.chain.rpc import Rpc, RpcCode, RpcError
from venue.chain.voices import Agreed as Agreed
from venue.chain.voices import Disagreement as Disagreement
from venue.chain.voices import Voice, best, too_few
from venue.net.shared import Shared

ATTEMPTS: Final = 3
READ_WITHIN_S: Final = 5.0
BACKOFF_S: Final = 0.1
STRAGGLE_S: Final = 1.0
"""How long a decision waits for those who are slower than enough others."""
SHARED_S: Final = 0.25
"""Who wants the newest blocks while they are being asked for, and not for longer, gets the same answer."""
SLACK: Final = 2
"""Blocks that a question goes back when it is asked again: somebody ahead may have named one that few have yet."""
_USABLE: Final = (Phase.HEALTHY, Phase.UNCHECKED, Phase.LAGGING)
_ABLE: Final = (Phase.HEALTHY, Phase.UNCHECKED)
T = TypeVar("T")


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
        self._all = [Endpoint(rpc, Health(), buckets[rpc.host]) for rpc in rpcs]
        self._chain_id = chain_id
        self._within_s = within_s
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._refreshing = {urgent: Shared(self._refresh, SHARED_S, clock) for urgent in (False, True)}
        self._voices: set[asyncio.Task[object]] = set()

    def rows(self) -> tuple[Row, ...]:
        """Every endpoint as it is now, in the order given."""
        return tuple(endpoint.row(self._clock()) for endpoint in self._all)

    async def aclose(self) -> None:
        """Gives up what is asked, and closes connections."""
        for refreshing in self._refreshing.values():
            await refreshing.aclose()
        for task in self._voices:
            task.cancel()
        await asyncio.gather(*self._voices, return_exceptions=True)
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
        """Sends signed bytes to all who can be asked, once, as any of them may drop what it accepts. The best answer
        counts; whether to send them again is not decided here."""
        errors: list[RpcError] = []
        heard = await self._side_by_side(self._usable(), lambda rpc: rpc.send_raw(raw), errors)
        if sent := [voice.value for voice in heard.values() if voice.revert is None]:
            return best(sent)
        raise max(errors, key=lambda error: error.sent)

    async def answers(self, ask: Callable[[Rpc], Awaitable[T]]) -> list[T]:
        """What all say who can be asked, for what is chosen so that one lie does no harm; a revert that most agree on
        is raised."""
        return await self._again(lambda _: self._answers(ask))

    async def refresh(self) -> None:
        """Asks every usable endpoint for its newest block, and draws the consequences. Raises nothing.

        What is urgent never waits for an answer to what is not.
        """
        await self._refreshing[is_urgent()].answer()

    async def quorum(self, ask: Callable[[Rpc, int], Awaitable[T]]) -> Agreed[T]:
        """What most endpoints answer as of one block: 2 of 3, both of two, the only one there is.

        Raises Disagreement when too few are in reach, close enough, or say the same; a revert that most agree on is
        raised as it is.
        """
        return await self._again(lambda attempt: self._agree(ask, SLACK if attempt > 1 else 0))

    async def _again(self, attempt: Callable[[int], Awaitable[T]]) -> T:
        """Whatever needs several voices, up to 3 times while enough can be asked: one answer may have been lost."""
        until_s, number = self._clock() + self._within_s, 1
        while True:
            try:
                return await attempt(number)
            except Disagreement:
                now_s = self._clock()
                able = [each for each in self._all if each.phase(now_s, urgent=False) in _ABLE]
                if len(able) < self._needed or number == ATTEMPTS or now_s >= until_s:
                    raise
            await self._sleep(BACKOFF_S * 2**number * (0.5 + self._jitter()))
            number += 1

    async def _agree(self, ask: Callable[[Rpc, int], Awaitable[T]], slack: int) -> Agreed[T]:
        await self.refresh()
        sound = [each for each in self._all if self._phase(each) is Phase.HEALTHY and each.health.block is not None]
        if len(sound) < self._needed:
            raise self._too_few(f"{len(sound)} of {len(self._all)} endpoints can be asked", self._all, sound)
        blocks = sorted((each.block for each in sound), reverse=True)
        newest = blocks[self._needed - 1]
        block = max(blocks[-1], newest - slack)
        asked = [each for each in sound if each.block >= block]
        voices = await self._side_by_side(asked, lambda rpc: ask(rpc, block))
        found = list(voices.values())
        most = max(found, key=found.count, default=None)
        if most is None or found.count(most) < self._needed:
            count = found.count(most) if most else 0
            raise self._too_few(f"{count} of {len(self._all)} endpoints agree as of block {block}", asked, voices)
        for endpoint, voice in voices.items():
            if voice != most:
                endpoint.health.last_error = f"contradicted the others as of block {block}"
        if most.revert:
            raise RpcError(RpcCode.REVERTED, most.revert.reason, revert=most.revert)
        return Agreed(most.value, block, found.count(most), len(self._all))

    async def _answers(self, ask: Callable[[Rpc], Awaitable[T]]) -> list[T]:
        asked = self._usable()
        heard = await self._side_by_side(asked, ask)
        reverts = [voice.revert for voice in heard.values() if voice.revert]
        if len(reverts) >= self._needed:
            raise RpcError(RpcCode.REVERTED, reverts[0].reason, revert=reverts[0])
        if values := [voice.value for voice in heard.values() if voice.revert is None]:
            return values
        raise self._too_few(f"{len(reverts)} of {len(self._all)} endpoints answer", asked, heard)

    def _too_few(self, text: str, asked: Sequence[Endpoint], counted: Collection[Endpoint]) -> Disagreement:
        return too_few(text, self._needed, asked, counted, self._clock())

    async def _refresh(self) -> None:
        usable = [each for each in self._all if self._phase(each) in _USABLE]
        blocks = await self._side_by_side(usable, lambda rpc: rpc.block_number())
        top = reference([block.value for block in blocks.values() if block.revert is None])
        for endpoint, block in blocks.items():
            if top is not None and block.revert is None:
                endpoint.health.block, endpoint.health.lag = block.value, top - block.value

    def _usable(self) -> list[Endpoint]:
        """All who can be asked now. Raises RpcError when there are none."""
        self._next([])
        return [each for each in self._all if self._phase(each) in _USABLE]

    @property
    def _needed(self) -> int:
        return len(self._all) // 2 + 1

    async def _first(self, ask: Callable[[Rpc], Awaitable[T]]) -> T:
        tried: list[Endpoint] = []
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
        self,
        endpoints: Sequence[Endpoint],
        ask: Callable[[Rpc], Awaitable[T]],
        errors: list[RpcError] | None = None,
    ) -> dict[Endpoint, Voice[T]]:
        """The answers that arrive, errors left out; once enough are here the others get `STRAGGLE_S` more."""
        missed: list[RpcError] = [] if errors is None else errors
        tasks = {asyncio.create_task(self._voice(each, ask, missed)): each for each in endpoints}
        self._voices |= tasks.keys()
        for task in tasks:
            task.add_done_callback(self._voices.discard)
        waiting, heard = set(tasks), dict[Endpoint, Voice[T]]()
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
                task.cancel()  # nobody waits until it has gone, but `aclose`
        for each in (tasks[task] for task in waiting):
            if not each.queued:
                self._failed(each, RpcError(RpcCode.TOO_SLOW, "later than the others"))
        return heard

    async def _voice(
        self, endpoint: Endpoint, ask: Callable[[Rpc], Awaitable[T]], errors: list[RpcError]
    ) -> Voice[T] | None:
        try:
            return Voice(await self._ask(endpoint, ask))
        except RpcError as error:
            errors.append(error)
            return Voice(cast(T, None), error.revert) if error.revert else None

    async def _ask(self, endpoint: Endpoint, ask: Callable[[Rpc], Awaitable[T]]) -> T:
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

    async def _turn(self, endpoint: Endpoint) -> None:
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

    def _failed(self, endpoint: Endpoint, error: RpcError) -> None:
        endpoint.failed(error, self._clock(), PAUSE_S * (0.5 + self._jitter()))

    def _phase(self, endpoint: Endpoint) -> Phase:
        return endpoint.phase(self._clock(), is_urgent())

    def _best(self, tried: Sequence[Endpoint]) -> Endpoint | None:
        """Those not tried yet first."""
        usable = [each for each in self._all if self._phase(each) in _USABLE]
        return min(usable, key=lambda each: (tried.count(each), *each.rank(self._clock(), is_urgent())), default=None)

    def _next(self, tried: Sequence[Endpoint]) -> Endpoint:
        """The best one. Raises RpcError when none can be asked now."""
        if best := self._best(tried):
            return best
        pauses = [each.bucket.paused_until_s for each in self._all if self._phase(each) is Phase.PAUSED]
        if pauses:
            wait = min(pauses) - self._clock()
            raise RpcError(RpcCode.RATE_LIMITED, "every endpoint is paused", sent=False, retry_after_s=wait)
        raise RpcError(RpcCode.NO_ENDPOINT, "no endpoint can be asked", sent=False)
