"""The engine on a thread of its own, and the Port that a front end in the same process holds.

A stalled terminal, a crashed widget or a lost SSH line blocks or ends the main thread; this one goes on.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Collection
from dataclasses import replace

from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.commands import Command, Receipt
from engine.desks.commands import Code
from engine.engine import Engine, Options
from engine.exchange_rows import MarketPoint
from engine.port import Info
from engine.snapshot import EventPage, KeeperHealth, Snapshot
from engine.who import local_info

STOP_SECONDS = 10.0


class Runtime:
    """Starts and stops the engine thread. It is its own `Port`."""

    def __init__(self, options: Options) -> None:
        self._chronicle = Chronicle()
        self._engine = Engine(options, SystemClock(), self._chronicle)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._main, name="engine", daemon=True)
        self._info = local_info()
        self.failure: BaseException | None = None
        """What ended the engine, when it was not asked to stop."""

    def start(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Returns when there is a first snapshot. Raises what kept the engine from starting.

        `meanwhile` is done here while the engine recovers and waits for its disk and its first prices.
        """
        self._thread.start()
        meanwhile()
        self._ready.result()

    def stop(self) -> None:
        """Stops in order and waits; everything acknowledged is durable whether or not this is called."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_SECONDS)

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # the thread's end is reported, whatever it was
            self.failure = error
            if not self._ready.done():
                self._ready.set_exception(error)
            else:
                self._engine.snapshot = _stopped(self._engine.snapshot, error)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._engine.run(lambda: self._ready.set_result(None), self._stop)

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
        if loop is None or not self._thread.is_alive() or self._stop.is_set():
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
