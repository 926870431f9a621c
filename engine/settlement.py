"""The single writer: command -> decide -> journal -> evolve -> publish; no effect is seen before it is durable.

Commands that arrive while a transaction is being written are decided together and committed in the next one. Reads
go through the same queue, so they only ever meet committed facts.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from engine import codec, world
from engine.clock import Clock
from engine.replay import fold
from engine.vitals import Durations
from engine.world import Command, Fact, World
from store.chain import Mark
from store.errors import StoreError
from store.journal import Journal
from venue.exchange import machine
from venue.exchange.commands import Rejection
from venue.exchange.state import Exchange

T = TypeVar("T")
BATCH = 256
"""Most commands in one transaction: bounds how long the first of them waits."""


HUNG_S = 5.0
"""A commit that lasts so long waits for a disk that does not answer."""
HOLD_S = 30.0
"""For so long after one, or after a jump of the clock, nothing is begun: what was known before is as old, and is first
seen anew."""


class StoreFailed(StoreError):
    """The journal could not be written; the engine must stop, because memory is ahead of the disk."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A committed fact with its journal number."""

    seq: int
    at_ms: int
    fact: Fact


@dataclass(frozen=True, slots=True)
class Start:
    """Where a recovery begins instead of at nothing: what the entries up to a place were folded into."""

    mark: Mark
    at_ms: int
    """When the last of them was written."""
    world: World
    """Handed over: it is folded into."""


Publish = Callable[[World, Sequence[Recorded]], None]
"""Is shown the world and what was just folded into it; must not keep references into the world."""


@dataclass(slots=True)
class _Request:
    command: Command
    answer: asyncio.Future[tuple[Fact, ...] | Rejection]


@dataclass(slots=True)
class _Read:
    look: Callable[[World], Any]
    answer: asyncio.Future[Any]


class Settlement:
    """Owns the world and its journal. `run` must be running for `submit` and `read` to be answered."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._journal = journal
        journal.answered = self._disk_answered
        self._clock = clock
        self._publish = publish
        self._world = World()
        self._queue: deque[_Request | _Read] = deque()
        """As long as those who ask are many: each loop and each command (`engine/once.py`) asks one thing at a time.
        Who gives up while the disk hangs leaves the question."""
        self._waiting = asyncio.Event()
        self._failure: StoreFailed | None = None
        self._last_ms = 0
        self._commit_began_s: float | None = None
        self._answered_s = float("-inf")
        self._hung: tuple[float, float] | None = None
        """How long the newest commit lasted that hung, and when it ended."""
        self.commits = Durations()
        self.facts = 0
        """Made durable since the start."""

    @property
    def waiting(self) -> int:
        """Commands and reads in the queue."""
        return len(self._queue)

    @property
    def committing_s(self) -> float:
        """How long the commit in progress has lasted, 0.0 when there is none. From any thread."""
        began_s = self._commit_began_s  # read once: the writer may end it meanwhile
        return 0.0 if began_s is None else max(self._clock.monotonic() - began_s, 0.0)

    def why_not(self) -> str:
        """Why nothing is begun just now, or nothing."""
        if self._hung is None or self._clock.monotonic() - self._hung[1] >= HOLD_S:
            return ""
        return f"the disk did not answer for {self._hung[0]:.0f} s: nothing is opened for a while"

    @property
    def seq(self) -> int:
        """Number of the newest committed fact."""
        return self._journal.seq

    async def recover(self, replayed: Publish = lambda _world, _recorded: None, start: Start | None = None) -> int:
        """Folds the journal, all of it or what is behind `start`, and returns how many facts it holds; `replayed` is
        shown each that is folded, by itself.

        Raises Damaged when it cannot be trusted.
        """
        if start:
            self._world, self._last_ms = start.world, start.at_ms
        async for entry in self._journal.replay(start.mark if start else None):
            fact = fold(self._world, entry)
            self._last_ms = entry.at_ms
            replayed(self._world, (Recorded(entry.seq, entry.at_ms, fact),))
        return self._journal.seq

    async def submit(self, command: Command) -> tuple[Fact, ...] | Rejection:
        """The committed facts of a command, or its rejection. Cancelling the caller cancels neither.

        Raises StoreFailed when the journal cannot be written any more.
        """
        request = _Request(command, asyncio.get_running_loop().create_future())
        return await self._ask(request, request.answer)

    async def read(self, look: Callable[[World], T]) -> T:
        """What `look` sees in the committed world; it must not keep references into it."""
        request = _Read(look, asyncio.get_running_loop().create_future())
        return await self._ask(request, request.answer)

    async def _ask(self, request: _Request | _Read, answer: asyncio.Future[T]) -> T:
        if self._failure:
            raise self._failure
        self._queue.append(request)
        self._waiting.set()
        return await answer  # who gives up takes only the answer with them: the queue keeps what was asked

    async def run(self) -> None:
        """The writer's loop. Raises StoreFailed, after failing every waiter, when a transaction cannot be written."""
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            try:
                while self._queue:
                    await self._settle()
            except Exception as error:  # disk or bug: memory may be ahead of the journal, so this is the end
                said = StoreFailed("STORE_FAILED", f"the journal cannot be written: {error}")
                self._failure = error if isinstance(error, StoreFailed) else said
                self._fail_waiters(self._failure)
                raise self._failure from (None if self._failure is error else error)

    async def _settle(self) -> None:
        """Decides up to a batch of commands, commits their facts, answers them; a read ends the batch."""
        at_ms = self._last_ms = max(self._clock.now_ms(), self._last_ms)
        seq = self._journal.seq
        recorded: list[Recorded] = []
        rows: list[tuple[str, str]] = []
        answers: list[tuple[_Request, tuple[Fact, ...] | Rejection]] = []
        try:
            while self._queue and len(answers) < BATCH and isinstance(request := self._queue[0], _Request):
                self._queue.popleft()
                decided = self._decide(request)
                if decided is None:
                    continue
                answer, encoded = decided
                answers.append((request, answer))
                rows += encoded
                for fact in () if isinstance(answer, Rejection) else answer:
                    seq += 1
                    world.evolve(self._world, fact, seq, at_ms)
                    recorded.append(Recorded(seq, at_ms, fact))
            if recorded:
                await self._commit(rows, at_ms)
                self._publish(self._world, recorded)
        except BaseException:
            self._queue.extendleft(request for request, _ in reversed(answers))
            raise
        for request, answer in answers:
            if not request.answer.done():
                request.answer.set_result(answer)
        while self._queue and isinstance(read := self._queue[0], _Read):
            self._queue.popleft()
            _answer_read(read, self._world)

    async def _commit(self, rows: Sequence[tuple[str, str]], at_ms: int) -> None:
        self._commit_began_s = began_s = self._clock.monotonic()
        try:
            await self._journal.append(rows, at_ms)
        except Exception:  # a writer that is cancelled leaves its commit in progress
            self._commit_began_s = None
            raise
        if self._answered_s - began_s >= HUNG_S:
            self._hung = self._answered_s - began_s, self._answered_s
        self.commits.took(self._clock.monotonic() - began_s)
        self.facts += len(rows)

    def _disk_answered(self) -> None:
        """On the journal's thread: where the loop hears of it late, the disk is not to blame."""
        self._answered_s, self._commit_began_s = self._clock.monotonic(), None

    def _decide(self, request: _Request) -> tuple[tuple[Fact, ...] | Rejection, list[tuple[str, str]]] | None:
        """The answer and its journal rows; None when the command is at fault, which nothing has been folded of yet."""
        try:
            answer = world.decide(self._world, request.command)
            return answer, [] if isinstance(answer, Rejection) else [codec.encode(fact) for fact in answer]
        except Exception as error:  # the fault is the command's alone
            _fail(request, error)
            return None

    def _fail_waiters(self, failure: StoreFailed) -> None:
        while self._queue:
            _fail(self._queue.popleft(), failure)


def _fail(waiter: _Request | _Read, error: Exception) -> None:
    if not waiter.answer.done():
        waiter.answer.set_exception(error)
        waiter.answer.exception()  # a caller that has gone away is no unretrieved exception


def _answer_read(read: _Read, state: World) -> None:
    if read.answer.done():
        return
    try:
        read.answer.set_result(read.look(state))
    except Exception as error:  # the reader's fault must not stop the writer
        read.answer.set_exception(error)


class ExchangeDoor:
    """The settlement as the embedded exchange's venue adapter knows it."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def submit(self, command: machine.Command) -> tuple[Fact, ...] | Rejection:
        return await self._settlement.submit(command)

    async def read(self, look: Callable[[Exchange], T]) -> T:
        return await self._settlement.read(lambda world: look(world.exchange))
