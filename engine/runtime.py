"""The engine on a thread of its own, and the Port that a front end in the same process holds.

A stalled terminal, a crashed widget or a lost SSH line blocks or ends the main thread; this one goes on.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace

from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.commands import Command, Receipt
from engine.desks.commands import Code
from engine.engine import Engine, Options
from engine.exchange_rows import MarketPoint
from engine.keeper_rows import KeeperHealth
from engine.life import Life, Unbegun
from engine.port import Info
from engine.snapshot import EventPage, Snapshot
from engine.who import local_info

STOP_SECONDS = 10.0


class Runtime:
    """Starts and stops the engine thread. It is its own `Port`."""

    def __init__(self, options: Options) -> None:
        self._chronicle = Chronicle()
        self._engine = Engine(options, SystemClock(), self._chronicle)
        self._life = Life(self._engine)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = threading.Lock()
        """Between a loop that has just begun and a stop that has just come."""
        self._ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._main, name="engine", daemon=True)
        self._info = local_info()
        self.failure: BaseException | None = None
        """What ended the engine, when it was not asked to stop."""

    def start(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Returns when there is a first snapshot. Raises what kept the engine from starting; Unbegun is a stop.

        `meanwhile` is done here while the engine recovers and waits for its disk and its first prices.
        """
        self._thread.start()
        meanwhile()
        self._ready.result()

    def stop(self) -> bool:
        """Stops in order and waits, at most `STOP_SECONDS`; whether it has stopped. Everything acknowledged is durable
        whether or not this is called. What was not ready yet is broken off."""
        with self._asked:
            if self._loop is None:
                self._life.end()
            else:
                with suppress(RuntimeError):  # it has ended by itself
                    self._loop.call_soon_threadsafe(self._life.end)
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)
        return not self._thread.is_alive()

    def why_not_stopped(self) -> str:
        """What keeps it from stopping, if it is known."""
        return self._engine.disk.why()

    @property
    def thread(self) -> int | None:
        """The engine's; None before `start`."""
        return self._thread.ident

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # the thread's end is reported, whatever it was
            self.failure = None if isinstance(error, Unbegun) else error
            if not self._ready.done():
                self._ready.set_exception(error)
            else:
                self._engine.snapshot = _stopped(self._engine.snapshot, error)

    async def _run(self) -> None:
        with self._asked:
            self._loop = asyncio.get_running_loop()
        await self._life.run(lambda: self._ready.set_result(None))

    def info(self) -> Info:
        return self._info

    def latest(self) -> Snapshot:
        return self._engine.snapshot

    def events(self, since: int) -> EventPage:
        return self._chronicle.since(since)

    def want(self, names: Collection[str]) -> None:
        """Everything is at hand."""

    def lag_ms(self) -> int | None:
        return None

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        """From memory, without the engine's loop."""
        return self._engine.history.since(market, since_ms)

    async def submit(self, command: Command) -> Receipt:
        """Runs on the caller's loop; the engine's loop does the work."""
        loop = self._loop
        if loop is None or not self._thread.is_alive() or self._life.ending:
            text = "the engine has stopped" if self.failure is None else f"the engine has failed: {self.failure}"
            return Receipt(command.id, False, Code.STOPPING, text, self._engine.snapshot.seq)
        work = asyncio.run_coroutine_threadsafe(self._engine.parts.operator.execute(command), loop)
        return await asyncio.wrap_future(work)


def _stopped(last: Snapshot, error: BaseException) -> Snapshot:
    """The last picture, saying that it is the last."""
    alarm = f"the engine has stopped: {error}"
    status = replace(
        last.status, alarms=(alarm, *last.status.alarms), keepers=KeeperHealth.STOPPED, keepers_text="engine stopped"
    )
    return replace(last, status=status)
