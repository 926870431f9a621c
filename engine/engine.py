"""The engine's life on one asyncio loop: recover, be ready, work, stop."""

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from engine import faults
from engine.alerts.rules import on_screen
from engine.assembly import Parts, assemble
from engine.belonging import belongs, locked_away
from engine.chronicle import Chronicle
from engine.clock import Clock
from engine.config import Settings
from engine.control import listening
from engine.core import Core
from engine.demo.stage import Demo, set_stage
from engine.desks.commands import EnrollToken, Halt
from engine.desks.facts import REGISTRY
from engine.disk import Disk, DiskLoop
from engine.exchange_loops import RETRY_KEEPER, request_keepers
from engine.history import History
from engine.indexing.indexer import Indexer
from engine.inside import Inside
from engine.keeper_rows import Vitals
from engine.labels import is_looked_at
from engine.liquidations.book import LiquidationBook
from engine.markets import found_exchange
from engine.pulse import Pulse, Watchdog
from engine.requests.hooks import Hooks
from engine.settlement import Publish, Recorded, Settlement, StoreFailed
from engine.snapshot import Snapshot
from engine.stills.maker import ENOUGH, StillMaker
from engine.stills.world import begin
from engine.summary import Summary, summarise
from engine.tokens import enrolled_tokens
from engine.vitals import Durations
from engine.watched import Watched
from engine.world import World
from store.journal import Journal
from store.lease import Lease, others_in
from venue.exchange.state import Exchange

if TYPE_CHECKING:
    from engine.live.places import Live

TOLD_EVERY = 1_000
"""Facts between two words on how far a recovery is."""
log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: with which settings, on which directory, and as which demo, if one."""

    settings: Settings
    directory: Path
    demo: Demo | None = None
    live: "Live | None" = None
    """With it, the money is real."""
    progress: Callable[[int, int], None] = lambda done, of: None
    """Told now and then how many facts of how many have been recovered; from the engine's thread."""
    leaving: Callable[[], None] = lambda: None
    """Told when everything is being closed, whatever the reason; from the engine's thread."""


class Engine:
    """Everything that runs while perpdesk runs. Other threads may read `snapshot`, `chronicle` and `history`,
    nothing else."""

    settlement: Settlement
    parts: Parts
    _book: LiquidationBook
    _watched: Watched
    _index: Indexer
    _stills: StillMaker
    _built: Snapshot
    """The newest picture as the world makes it."""
    snapshot: Snapshot
    summary: Summary
    """What the run came to; there when `run` has returned."""

    def __init__(self, options: Options, clock: Clock, chronicle: Chronicle, disk: Disk | None = None) -> None:
        self._options = options
        self.disk = disk or Disk()
        self._alarms: tuple[str, ...] = ()
        self._faults = faults.seen()
        self._clock = clock
        self.chronicle = chronicle
        self.hooks = Hooks()
        self.history = History()
        self.pulse = Pulse(clock)

    async def run(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Recovers, calls `ready` once there is a snapshot, works until `stop`.

        Raises StoreError or PortTaken before `ready`, StoreFailed when the disk refuses later on.
        """
        faults.install()
        asyncio.get_running_loop().set_exception_handler(faults.of_loop)
        async with AsyncExitStack() as stack:
            stack.enter_context(Lease(self._options.directory))
            if seen := others_in(self._options.directory):
                log.warning("state directory", why=seen)
            journal = await Journal.open(self._options.directory)
            stack.push_async_callback(journal.close)
            self._index = self._indexer(journal)
            stack.push_async_callback(self._index.close)
            stack.callback(self._options.leaving)
            await self._index.open()
            self.settlement = Settlement(journal, self._clock, self._record)
            self.disk.below(self.settlement)
            newest = await journal.newest()
            start = begin(self._options.directory, self.chronicle)
            if start:
                self._options.progress(start.mark.seq, newest)
            facts = await self.settlement.recover(self._recovered(newest), start)
            begun = start.mark.seq if start else 0
            self._stills = StillMaker(self._options.directory, lambda: self.settlement.seq, begun, self._clock)
            if facts >= ENOUGH:
                gc.freeze()  # or every full collection looks through all of it, and no loop moves meanwhile
            log.info("recovered", facts=facts, state=str(self._options.directory))
            try:
                async with asyncio.TaskGroup() as tasks:
                    writer = tasks.create_task(self.settlement.run(), name="settlement")
                    await self._work(ready, stop)
                    self.summary = await self.settlement.read(self._summarise)
                    writer.cancel()
            except ExceptionGroup as group:
                raise _cause(group) from None
            log.info("stopped", facts=self.settlement.seq)

    def _indexer(self, journal: Journal) -> Indexer:
        def due(exchange: Exchange) -> list[int]:
            return [each.position_id for each in self._book.all_due(exchange)]

        return Indexer(self._options.directory, self._options.settings.index, self._clock, journal.hash_at, due)

    def _serve_metrics(self, stack: AsyncExitStack) -> None:
        port = self._options.settings.metrics.port
        if not port:
            return
        from engine.metrics import serve  # its library is loaded by who has asked for it

        try:
            stack.callback(serve(port, lambda: self.snapshot, self._timings))
        except OSError as error:
            self._alarm(f"metrics: port {port}: {error.strerror or error}")

    def _timings(self) -> Iterator[tuple[str, Mapping[str, str], Durations]]:
        yield "commit", {}, self.settlement.commits
        yield "loop_lag", {}, self.pulse.lags
        for worker in self.parts.all_workers():
            yield "pass", {"keeper": worker.name}, worker.durations

    def _recovered(self, newest: int) -> Publish:
        def told(world: World, recorded: Sequence[Recorded]) -> None:
            self._index.follow(world, recorded)
            self.chronicle.record(recorded, replayed=True)
            seq = recorded[-1].seq
            if seq % TOLD_EVERY == 0 or seq == newest:
                self._options.progress(seq, newest)

        return told

    async def _work(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        settings, demo, seed = self._options.settings, self._options.demo, 0
        self._book = await self.settlement.read(lambda world: LiquidationBook(world.exchange))
        self._watched = await self.settlement.read(lambda world: Watched(world.exchange, is_looked_at))
        await self._index.begin(self.settlement)
        async with AsyncExitStack() as stack:
            if demo:
                stage = await set_stage(demo, settings, self.settlement, self._clock)
                stack.push_async_callback(stage.simulator.stop)
                settings, seed = stage.settings, stage.seed
            live = self._options.live
            if wrong := await self.settlement.read(lambda world: belongs(world, demo is not None, live is not None)):
                raise wrong
            if live and (wrong := await self.settlement.read(lambda world: locked_away(world, live.wallets))):
                raise wrong
            enrolled = await enrolled_tokens(settings.desks)
            known = await self.settlement.read(lambda world: frozenset(world.house.desks))
            tokens = known | {token.address for token in enrolled}
            core = Core(
                settlement=self.settlement,
                clock=self._clock,
                pulse=self.pulse,
                publish=self._publish,
                hooks=self.hooks,
                book=self._book,
                watched=self._watched,
                stills=self._stills,
            )
            self.parts = assemble(settings, demo, seed, core, live, tokens)
            disk = DiskLoop(self.disk, self._show, self.parts.alerts.put).worker(self._clock, seed)
            self.parts = replace(self.parts, workers=(*self.parts.workers, *self._index.workers(seed), disk))
            stack.push_async_callback(self.parts.close)
            if live is None:
                keepers = {**request_keepers(settings), RETRY_KEEPER: True}
                await found_exchange(self.settlement, settings.exchange, keepers)
            for token in () if live and live.arming.observing else enrolled:
                terms = (token.underlying, token.is_long, token.leverage or 0)
                await self.settlement.submit(EnrollToken(token.address, token.name, *terms))
                if token.paused:
                    await self.settlement.submit(Halt(token.address, REGISTRY, ""))
            await self._publish()
            self._serve_metrics(stack)
            await stack.enter_async_context(listening(Inside(self), self._options.directory, self._alarm))
            stack.push_async_callback(self.parts.operator.aclose)  # also where a fault ends the run: all are answered
            if self._alarms:
                await self._publish()
            ready()
            with Watchdog(self.pulse, self.disk):
                async with asyncio.TaskGroup() as tasks:
                    running = [tasks.create_task(worker.run(), name=worker.name) for worker in self.parts.workers]
                    running.append(tasks.create_task(self._run_later(), name="later"))
                    await stop.wait()
                    await self.parts.operator.aclose()
                    for task in running:
                        task.cancel()
            try:
                await self._publish()
            except Exception as error:  # the last picture is a courtesy: what was asked to stop has stopped
                log.warning("no last picture", error=repr(error)[:200])
            await self._index.flush()

    async def _run_later(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._remember(), name="past")
            try:
                await self.parts.warm_up()
            except StoreFailed:
                raise
            except Exception as error:  # the loops do the same again, and say so when it fails there
                log.error("warm-up failed", error=repr(error)[:200])
            for worker in self.parts.later_workers:
                tasks.create_task(worker.run(), name=worker.name)

    async def _remember(self) -> None:
        """What guards positions does not wait for it: the index is on the disk too, and may be busy checking itself."""
        self.history.restore(await self._index.past())

    def _record(self, world: World, recorded: Sequence[Recorded]) -> None:
        self._index.follow(world, recorded)
        for item in recorded:
            self._book.follow(world.exchange, item.fact)
            self._watched.follow(world.exchange, item.fact)
        self.chronicle.record(recorded)
        self.hooks.published(recorded)

    async def _publish(self) -> str:
        if faults.seen() > self._faults:
            self._alarm(faults.ALARM)
        positions = await self.parts.venue.positions()
        keepers = tuple(worker.row() for worker in self.parts.all_workers())
        now_ms = self._clock.now_ms()
        self._built = await self.settlement.read(
            lambda world: self.parts.view.build(world, positions, keepers, self.settlement.seq, now_ms)
        )
        self._show()
        self.history.take(self.snapshot)
        self._index.take(self.snapshot)
        self.parts.alerts.look(self.snapshot)
        return f"fact {self.snapshot.seq:,}"

    def _show(self) -> None:
        """The newest picture, with every alarm that stands now."""
        built = self._built
        shown = on_screen(built, self.parts.alerts.watch.near)
        alarms = (*self.disk.alarms(), *built.status.alarms, *shown, *self._alarms)
        fresh, known = self.parts.acks.split(alarms)
        status = replace(built.status, alarms=fresh, acknowledged=known)
        self.snapshot = replace(built, status=status, vitals=self._vitals())

    def _vitals(self) -> Vitals:
        writer = self.settlement
        return Vitals(
            writer.waiting, writer.facts, writer.commits.spread(), self.pulse.lags.spread(), self.pulse.stalls
        )

    def _alarm(self, text: str) -> None:
        if text not in self._alarms:
            self._alarms = (*self._alarms, text)

    def _summarise(self, world: World) -> Summary:
        return summarise(world, self.parts.feed.book.accepted, self.settlement.seq)


def _cause(error: BaseException) -> BaseException:
    """The first real failure inside nested groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
