"""One run of an engine, which may be told to end at any moment: before it is ready it is broken off, then it stops."""

import asyncio
from collections.abc import Callable

from engine.engine import Engine


class Unbegun(Exception):
    """It was told to end before it was ready: nothing has been worked on."""


class Life:
    """For one loop. `end` may be called before `run`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._begun = False

    @property
    def ending(self) -> bool:
        """Whether it was told to. From any thread."""
        return self._stop.is_set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Raises what `Engine.run` raises, and Unbegun."""
        self._task = asyncio.current_task()

        def begun() -> None:
            self._begun = True
            ready()

        if self.ending:
            raise Unbegun
        try:
            await self._engine.run(begun, self._stop)
        except asyncio.CancelledError:
            if self._stop.is_set() and not self._begun:
                raise Unbegun from None
            raise

    def end(self) -> None:
        """On the loop."""
        if not self.ending and not self._begun and self._task is not None:
            self._task.cancel()
        self._stop.set()
