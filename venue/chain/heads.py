"""The newest blocks, one after another, whichever way they come and whatever the chain takes back.

Only what enough endpoints agree on counts. A WebSocket is one node's word, and no more than a hint to look; polling is
the way that always works, and what catches up after every loss.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

from venue.chain.answers import Head
from venue.chain.endpoints import Endpoints
from venue.chain.rpc import RpcCode, RpcError
from venue.chain.stall import Pulse

EVERY_S: Final = 1.0
MEMORY: Final = 256
"""Blocks that are remembered, and the most that are fetched to fill a hole."""
BEHIND: Final = 10
"""So often the newest block must lie before all that is remembered until that is given up as wrong."""
HINT_S: Final = 0.25
"""Hints that come faster are taken together."""
MAX_BACKOFF_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Reorg:
    """The last `depth` blocks are off the chain; those of the new branch follow, from `ancestor` + 1."""

    depth: int
    ancestor: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Blocks after `last` and before `next` were missed for good: whoever follows logs must ask for them."""

    last: int
    next: int


Event = Head | Reorg | Gap


class WsLost(Exception):
    """The subscription has ended; one line."""


Connect = Callable[[], AsyncGenerator[Head | None, None]]
"""Subscribes, and gives what is announced until it raises WsLost; None: there may be a new block."""


class Blocks(Protocol):
    """Where blocks can be asked for. Raises RpcError."""

    async def newest(self) -> Head | None: ...

    async def by_hash(self, block_hash: str) -> Head | None: ...


class EndpointBlocks:
    """Blocks as enough endpoints have them."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    async def newest(self) -> Head | None:
        return (await self._endpoints.quorum(lambda rpc, newest: rpc.head(newest))).value

    async def by_hash(self, block_hash: str) -> Head | None:
        return (await self._endpoints.quorum(lambda rpc, _: rpc.head_by_hash(block_hash))).value


class Branch:
    """The newest blocks of the chain as we know it."""

    def __init__(self, by_hash: Callable[[str], Awaitable[Head | None]]) -> None:
        self._by_hash = by_hash
        self._known: dict[str, Head] = {}
        self._tip: Head | None = None
        self._behind = 0
        """How often in a row the newest block was older than all that is known."""

    @property
    def tip(self) -> Head | None:
        return self._tip

    async def follow(self, head: Head) -> tuple[Event, ...]:
        """What the newest block means, holes filled; nothing when it is no news, or not yet explained.

        Raises RpcError, and then it has not happened.
        """
        if self._tip is None:
            return self._extend((), [head])
        oldest = next(iter(self._known.values())).number
        if head.hash in self._known or head.number < oldest:
            return self._no_news(head, oldest)
        self._behind = 0
        if head.number - self._tip.number > MEMORY:
            return self._start_over(head)
        branch = [head]
        while branch[-1].parent_hash not in self._known:
            if branch[-1].number <= oldest:
                return self._start_over(head)
            parent = await self._by_hash(branch[-1].parent_hash)
            if parent is None:
                return ()
            if parent.number != branch[-1].number - 1:
                raise RpcError(RpcCode.MALFORMED, "a parent that is not one block older")
            branch.append(parent)
        ancestor = self._known[branch[-1].parent_hash]
        if branch[-1].number != ancestor.number + 1:
            raise RpcError(RpcCode.MALFORMED, "a block that is not one newer than its parent")
        depth = self._tip.number - ancestor.number
        if depth:
            self._known = {each.hash: each for each in self._known.values() if each.number <= ancestor.number}
        return self._extend((Reorg(depth, ancestor.number),) if depth else (), branch[::-1])

    def _no_news(self, head: Head, oldest: int) -> tuple[Event, ...]:
        """Said before, or far behind; who stays there for long is right, and what is known never was."""
        self._behind = self._behind + 1 if head.number < oldest else 0
        return self._start_over(head) if self._behind == BEHIND else ()

    def _extend(self, before: tuple[Event, ...], branch: list[Head]) -> tuple[Event, ...]:
        self._known |= {head.hash: head for head in branch}
        while len(self._known) > MEMORY:
            del self._known[next(iter(self._known))]
        self._tip = branch[-1]
        return (*before, *branch)

    def _start_over(self, head: Head) -> tuple[Event, ...]:
        last = self._tip.number if self._tip else head.number
        self._known, self._behind = {}, 0
        return self._extend((Gap(min(last, head.number - 1), head.number),), [head])


class Heads:
    """New blocks of the chain, without holes. `connect` is a subscription, where there is one; without, they are polled
    each `every_s`."""

    def __init__(
        self,
        blocks: Blocks,
        connect: Connect | None = None,
        *,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._blocks = blocks
        self._connect = connect
        self._every_s = every_s
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._branch = Branch(blocks.by_hash)
        self._pulse = Pulse(clock())
        self._lost = 0
        self._polled_s = 0.0
        self.last_error = ""
        """Why the newest attempt to learn of blocks failed; empty while they come."""

    @property
    def tip(self) -> Head | None:
        """The newest block."""
        return self._branch.tip

    @property
    def pulse(self) -> Pulse:
        """The last sign of life of the chain."""
        return self._pulse

    async def events(self) -> AsyncGenerator[Event, None]:
        """Blocks in the order of the chain, for one reader, for ever. Errors only delay them."""
        connect_at_s = self._clock()
        while True:
            for event in await self._poll():
                yield event
            if self._connect is None or self._clock() < connect_at_s:
                await self._sleep(self._every_s)
                continue
            try:
                async with aclosing(self._connect()) as announced:
                    async for head in announced:
                        for event in await self._hinted(head):
                            yield event
            except WsLost as lost:
                self.last_error = str(lost)
            self._lost += 1
            connect_at_s = self._clock() + min(2.0**self._lost, MAX_BACKOFF_S) * (0.5 + self._jitter())

    async def _hinted(self, head: Head | None) -> tuple[Event, ...]:
        """Looks because somebody says that there is a block; once more if it is not there for enough others yet."""
        await self._sleep(max(0.0, self._polled_s + HINT_S - self._clock()))
        events = await self._poll()
        if head is not None and (self.tip is None or self.tip.number < head.number):
            await self._sleep(self._every_s)
            events += await self._poll()
        if events:
            self._lost = 0
        return events

    async def _poll(self) -> tuple[Event, ...]:
        try:
            head = await self._blocks.newest()
            events = await self._branch.follow(head) if head else ()
        except RpcError as error:
            self.last_error = f"{error.code}: {error}"
            return ()
        finally:
            self._polled_s = self._clock()
        for event in events:
            if isinstance(event, Gap) and event.next <= self._pulse.number:
                self._pulse = self._pulse.again()
            if isinstance(event, Head):
                self._pulse, self.last_error = self._pulse.after(event, self._clock()), ""
        return events
