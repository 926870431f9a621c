"""The engine's life on one asyncio loop: recover, be ready, work, stop."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog

from engine.assembly import Parts, assemble
from engine.chronicle import Chronicle
from engine.clock import Clock
from engine.config import Settings
from engine.demo.stage import Demo, set_stage
from engine.desks.commands import EnrollToken
from engine.settlement import Settlement
from engine.snapshot import Snapshot
from engine.summary import Summary, summarise
from engine.text import clean_name
from engine.world import World
from store.errors import WrongState
from store.journal import Journal
from store.lease import Lease

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: with which settings, on which directory, and as which demo, if one."""

    settings: Settings
    directory: Path
    demo: Demo | None = None


class Engine:
    """Everything that runs while perpdesk runs. Other threads may read `snapshot` and `chronicle`, nothing else."""

    settlement: Settlement
    parts: Parts
    snapshot: Snapshot
    summary: Summary
    """What the run came to; there when `run` has returned."""

    def __init__(self, options: Options, clock: Clock, chronicle: Chronicle) -> None:
        self._options = options
        self._clock = clock
        self.chronicle = chronicle

    async def run(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Recovers, calls `ready` once there is a snapshot, works until `stop`.

        Raises StoreError or PortTaken before `ready`, StoreFailed when the disk refuses later on.
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(Lease(self._options.directory))
            journal = await Journal.open(self._options.directory)
            stack.push_async_callback(journal.close)
            self.settlement = Settlement(journal, self._clock, self.chronicle.record)
            facts = await self.settlement.recover(lambda item: self.chronicle.record((item,), replayed=True))
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

    async def _work(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        settings, demo, seed = self._options.settings, self._options.demo, 0
        async with AsyncExitStack() as stack:
            if demo:
                stage = await set_stage(demo, settings, self.settlement, self._clock)
                stack.push_async_callback(stage.simulator.stop)
                settings, seed = stage.settings, stage.seed
            elif await self.settlement.read(lambda world: world.house.simulation):
                raise WrongState("A_DEMO", "the state directory belongs to `perpdesk demo`; name another --state")
            self.parts = assemble(settings, demo, seed, self.settlement, self._clock, self._publish)
            stack.push_async_callback(self.parts.feed.close)
            for token in settings.desks.tokens:
                await self.settlement.submit(EnrollToken(token.address.lower(), clean_name(token.name)))
            await self._publish()
            ready()
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(worker.run(), name=worker.name) for worker in self.parts.workers]
                running.append(tasks.create_task(self._run_later(), name="later"))
                await stop.wait()
                for task in running:
                    task.cancel()
            await self._publish()

    async def _run_later(self) -> None:
        await self.parts.warm_up()
        async with asyncio.TaskGroup() as tasks:
            for worker in self.parts.later_workers:
                tasks.create_task(worker.run(), name=worker.name)

    async def _publish(self) -> str:
        positions = await self.parts.venue.positions()
        keepers = tuple(worker.row() for worker in self.parts.all_workers())
        now_ms = self._clock.now_ms()
        self.snapshot = await self.settlement.read(
            lambda world: self.parts.view.build(world, positions, keepers, self.settlement.seq, now_ms)
        )
        return f"fact {self.snapshot.seq:,}"

    def _summarise(self, world: World) -> Summary:
        return summarise(world, self.parts.feed.book.accepted, self.settlement.seq)


def _cause(error: BaseException) -> BaseException:
    """The first real failure inside nested groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
