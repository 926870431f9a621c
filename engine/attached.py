"""A running engine from another process, for as long as somebody looks: a Port over its control socket.

Pictures are pulled as changes, at the pace of the screen, over one connection; commands go over another, so that none
waits behind a picture. A link that breaks is made again, and begins with a whole picture; until then the last one stays
and says so. A thread of its own keeps the link, so that no screen ever waits for it.
"""

import asyncio
import concurrent.futures
import threading
import time
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from engine import wire
from engine.commands import Command, Receipt
from engine.delta import Mismatch, patch
from engine.exchange_rows import MarketPoint
from engine.keeper_rows import KeeperHealth
from engine.port import EVERYTHING, Info
from engine.remote import BadAnswer, NoAnswer, RemoteError, RemotePort
from engine.snapshot import Event, EventPage, FeedHealth, Snapshot
from engine.thin import picture
from engine.who import local_info

RING = 5_000
FIRST_EVENTS = 200
SHORTEST_S, LONGEST_S = 0.5, 5.0
"""Between two attempts to make the link again."""
ANSWER_S = 10.0
_KINDS = {field.name: get_type_hints(Snapshot)[field.name] for field in fields(Snapshot)}


class Attached:
    """The `Port` of a front end that runs elsewhere. `every_s` is the time between two pictures."""

    def __init__(self, directory: Path, *, observe: bool, every_s: float) -> None:
        self._directory = directory
        self._observe = observe
        self._every_s = every_s
        self._want: frozenset[str] = EVERYTHING
        self._events: deque[Event] = deque(maxlen=RING)
        self._lag_ms: int | None = None
        self._first: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._main, name="attached", daemon=True)
        self._task: asyncio.Task[None] | None = None
        self._info: Info
        self._snapshot: Snapshot

    def start(self) -> None:
        """Returns with the first picture. Raises RemoteError when there is no engine to attach to."""
        self._thread.start()
        self._first.result()

    def stop(self) -> None:
        """Lets go of the engine, which runs on."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(lambda: self._task.cancel() if self._task else None)
        self._thread.join(ANSWER_S)

    def want(self, names: Collection[str]) -> None:
        """Fields of the snapshot that are on the screen; the others are not kept up."""
        self._want = frozenset(names) & EVERYTHING

    def info(self) -> Info:
        return self._info

    def latest(self) -> Snapshot:
        return self._snapshot

    def lag_ms(self) -> int | None:
        """How long the newest picture took to arrive."""
        return self._lag_ms

    def events(self, since: int) -> EventPage:
        held = tuple(self._events)
        oldest = held[0].number if held else since + 1
        return EventPage(
            tuple(event for event in held if event.number > since), max(0, oldest - 1 - since) if since else 0
        )

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        """Over a connection of its own. Raises RemoteError."""
        asked = asyncio.run_coroutine_threadsafe(self._market_history(market, since_ms), self._loop)
        return await asyncio.wrap_future(asked)

    async def _market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        async with await RemotePort.connect(self._directory, ANSWER_S, observe=self._observe, thin=True) as port:
            return await port.market_history(market, since_ms)

    async def submit(self, command: Command) -> Receipt:
        """Over a connection of its own. Raises RemoteError."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._submit(command), self._loop))

    async def _submit(self, command: Command) -> Receipt:
        async with await RemotePort.connect(self._directory, ANSWER_S, observe=self._observe) as port:
            return await port.submit(command)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._task = self._loop.create_task(self._keep())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            if not self._first.done():
                self._first.set_exception(error)
        finally:
            self._loop.run_until_complete(self._ended())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _ended(self) -> None:
        """Questions over connections of their own that nobody waits for any more."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _keep(self) -> None:
        wait_s = SHORTEST_S
        while True:
            try:
                await self._follow()
            except RemoteError as error:
                if not self._first.done():
                    raise
                self._lost(str(error))
                wait_s = min(2 * wait_s, LONGEST_S) if not isinstance(error, NoAnswer) else SHORTEST_S
            await asyncio.sleep(wait_s)

    async def _follow(self) -> None:
        async with await RemotePort.connect(self._directory, ANSWER_S, observe=self._observe, thin=True) as port:
            self._info = replace(await port.info(), attached=True)
            if self._info.version != (ours := local_info().version):
                raise BadAnswer(f"the engine is perpdesk {self._info.version}, this is {ours}: attach with the same")
            raw: dict[str, Any] = {}
            read: dict[str, Any] = {}
            while True:
                began = time.monotonic()
                change = await port.changes(self._want, whole=not raw)
                self._lag_ms = round((time.monotonic() - began) * 1000)
                if change is not None:
                    raw, read = _applied(raw, read, change)
                    await self._take(port, picture(read))
                await asyncio.sleep(max(0.0, self._every_s - (time.monotonic() - began)))

    async def _take(self, port: RemotePort, snapshot: Snapshot) -> None:
        last = self._events[-1].number if self._events else 0
        page = await port.events(last, FIRST_EVENTS if not last else None)
        self._events.extend(page.events)
        self._snapshot = snapshot
        if not self._first.done():
            self._first.set_result(None)

    def _lost(self, why: str) -> None:
        alarm = f"no link to the engine, what is shown is old: {why}"
        status = self._snapshot.status
        alarms = (alarm, *(text for text in status.alarms if not text.startswith("no link to the engine")))
        now = replace(status, alarms=alarms, feed=FeedHealth.UNKNOWN, feed_age_ms=None, keepers=KeeperHealth.UNKNOWN)
        self._snapshot = replace(self._snapshot, status=replace(now, keepers_text=""))
        self._lag_ms = None


def _applied(raw: dict[str, Any], read: dict[str, Any], change: Any) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401
    """The next picture, plain and read; what did not change is not read again. Raises BadAnswer."""
    try:
        new: Any = patch(raw, change)
        if not isinstance(new, dict) or new.keys() != EVERYTHING:
            raise Mismatch("the picture is not whole")
        kept = {name: read[name] for name, value in new.items() if name in read and raw.get(name) is value}
        fresh = {name: wire.read_field(_KINDS[name], new[name], name) for name in new.keys() - kept.keys()}
    except (Mismatch, wire.Unreadable) as error:
        raise BadAnswer(f"the engine's picture cannot be read: {error}") from None
    return new, kept | fresh
