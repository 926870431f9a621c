"""One question for many who want the same answer."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The question was given up by who asks it."""


class Shared(Generic[T]):
    """Asks while nobody else does; who comes meanwhile gets the same answer, or what the question raised.

    `joined_s`: who comes later than that asks anew, beside the question that runs. Who gives up takes only the answer
    with them. The owner calls `aclose`.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[T]],
        joined_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._joined_s = joined_s
        self._clock = clock
        self._newest: tuple[float, asyncio.Task[T]] | None = None
        self._running: set[asyncio.Task[T]] = set()

    @property
    def asking(self) -> bool:
        """Whether somebody waits already."""
        return any(not task.done() for task in self._running)

    async def answer(self) -> T:
        """The next answer. Raises what the question raises, and Closed."""
        now_s = self._clock()
        since_s, task = self._newest or (-math.inf, None)
        if task is None or task.done() or now_s - since_s >= self._joined_s:
            task = asyncio.create_task(self._asked())
            self._newest = now_s, task
            self._running.add(task)
            task.add_done_callback(self._answered)
        await asyncio.wait((task,))
        if task.cancelled():
            raise Closed
        return task.result()

    async def aclose(self) -> None:
        """Gives up what is asked, and waits until it has ended."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _asked(self) -> T:
        return await self._ask()

    def _answered(self, task: asyncio.Task[T]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited may have gone away
