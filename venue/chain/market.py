"""What the chain costs now, asked once for all who send within a second."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from venue.chain.answers import Head
from venue.chain.bucket import is_urgent
from venue.chain.call import Wei
from venue.chain.fees import Fees, suggested
from venue.net.shared import Shared

SHARED_MS: Final = 1_000
"""Half a block: nothing that is decided by it depends on one block more or less."""


class Node(Protocol):
    """The chain, as it is asked here. Everything it raises is an `RpcError`."""

    async def head(self) -> Head: ...

    async def max_priority_fee(self) -> Wei: ...


@dataclass(frozen=True, slots=True)
class Market:
    """The chain now, and what it costs to get in."""

    head: int
    base_fee: Wei
    fees: Fees


class Markets:
    """The market, with fees up to `fee_cap` and `mark` on top of every tip.

    Raises what the node raises, to all who wait for the same answer.
    """

    def __init__(self, node: Node, fee_cap: Wei, now_ms: Callable[[], int], mark: Wei = 0) -> None:
        self._node = node
        self._fee_cap = fee_cap
        self._mark = mark
        self._now_ms = now_ms
        self._last: tuple[int, Market] | None = None
        self._asking = {urgent: Shared(self.fresh) for urgent in (False, True)}

    async def fresh(self) -> Market:
        """As of now."""
        asked_ms = self._now_ms()
        head = await self._node.head()
        tip = await self._node.max_priority_fee()
        found = Market(head.number, head.base_fee, suggested(head.base_fee, tip, self._fee_cap, self._mark))
        self._last = asked_ms, found
        return found

    async def recent(self) -> Market:
        """At most a second old. What is urgent never waits for an answer to what is not."""
        if self._last and 0 <= self._now_ms() - self._last[0] < SHARED_MS:
            return self._last[1]
        return await self._asking[is_urgent()].answer()

    async def aclose(self) -> None:
        """Gives up what is asked."""
        for asking in self._asking.values():
            await asking.aclose()
