"""Callbacks: in-process hooks that are told what became of a request, after commit (seed avitus-two-step, 2.g).

A hook gets words, never the state; it may be slow, raise or hang, and nothing that was decided changes.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from engine.settlement import Recorded
from venue.exchange.requests.facts import Executed, OrderFrozen, Receipt, RequestCancelled

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
UNITS_PER_SECOND = 1_000_000
"""How long a hook may take for the work its request has paid for."""
QUEUE = 1_000


@dataclass(frozen=True, slots=True)
class Told:
    """What a hook is told."""

    key: str
    event: str
    """`executed`, `cancelled` or `frozen`."""
    keeper: str
    reason: str
    at_ms: int


Hook = Callable[[Told], Awaitable[None]]


async def log_hook(told: Told) -> None:
    """The hook everybody has: one line in the log."""
    log.info("request " + told.event, key=told.key, keeper=told.keeper, reason=told.reason)


class Hooks:
    """The registered hooks and the calls that wait for them; the oldest calls are dropped when nobody keeps up."""

    def __init__(self) -> None:
        self._hooks: dict[str, Hook] = {"log": log_hook}
        self._waiting: deque[tuple[Receipt, Told]] = deque(maxlen=QUEUE)
        self.called = self.failed = 0

    def register(self, name: str, hook: Hook) -> None:
        """Makes a hook known by the name that requests give."""
        self._hooks[name] = hook

    def published(self, recorded: Sequence[Recorded]) -> None:
        """Takes committed facts; calls nothing yet."""
        for item in recorded:
            fact = item.fact
            if not isinstance(fact, Executed | RequestCancelled | OrderFrozen) or not fact.receipt.callback:
                continue
            receipt = fact.receipt
            reason = "" if isinstance(fact, Executed) else f"{fact.reason} {fact.detail}".strip()
            event = "executed"
            if not isinstance(fact, Executed):
                event = "frozen" if isinstance(fact, OrderFrozen) else "cancelled"
            self._waiting.append((receipt, Told(receipt.key, event, receipt.keeper, reason, receipt.at_ms)))

    async def pass_once(self) -> str:
        """Calls the hooks that are due, one after the other."""
        while self._waiting:
            await self._call(*self._waiting.popleft())
        return f"{self.called} called, {self.failed} failed"

    async def _call(self, receipt: Receipt, told: Told) -> None:
        hook = self._hooks.get(receipt.callback)
        try:
            if hook is None:
                raise LookupError(f"no hook {receipt.callback!r}")
            self.called += 1
            async with asyncio.timeout(receipt.callback_units / UNITS_PER_SECOND):
                await hook(told)
        except Exception as error:  # whatever it raises is its own affair
            self.failed += 1
            log.warning("callback failed", key=told.key, hook=receipt.callback, error=repr(error)[:200])
