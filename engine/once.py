"""Commands under way: each is begun once, some at a time, and answered whatever happens, a stop included."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace

from engine.commands import CloseDesk, CloseDesks, Command, Receipt, ReduceDesk, leads_out
from engine.desks.commands import Code

REMEMBERED = 1_000
"""Commands whose receipt is kept for a repetition; the oldest that are answered are forgotten."""
MOST_RUNNING = 256
"""Commands at once, as many as one transaction takes; the next is refused. Ways out are neither counted nor refused:
the doors let in a bounded number of them."""
GRACE_S = 1.0
"""For so long a stop waits for commands that have begun."""
CUT_OFF = "the engine stopped while this was under way: look at what became of it after the next start"


class Once:
    """The commands of one engine. `seq` is the newest fact, for receipts of what was not begun."""

    def __init__(self, execute: Callable[[Command], Awaitable[Receipt]], seq: Callable[[], int]) -> None:
        self._execute = execute
        self._seq = seq
        self._asked: OrderedDict[tuple[str, str], tuple[Command, asyncio.Task[Receipt]]] = OrderedDict()
        self._running: dict[asyncio.Task[Receipt], bool] = {}
        """And whether each counts against `MOST_RUNNING`."""
        self.stopping = False

    async def answer(self, command: Command) -> Receipt:
        """The receipt; the same command again, even while it runs, gets the same one and has no second effect.

        Cancelling the caller does not cancel what was asked for. An id belongs to who used it first, and to what for.
        """
        key = (command.who, command.id)
        known = self._asked.get(key)
        if known is not None and not _meant_the_same(known[0], command):
            return self._refused(command, Code.ID_REUSED, "this id was used for another command")
        if known is None:
            if refused := self._no_room(command):
                return refused
            self._forget()
            known = self._asked[key] = (command, self._begun(command))
        return await asyncio.shield(known[1])

    async def aclose(self) -> None:
        """Nothing is begun any more, and what runs is answered: with STOPPING where it does not end in time."""
        self.stopping = True
        if not self._running:
            return
        _, late = await asyncio.wait([*self._running], timeout=GRACE_S)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _no_room(self, command: Command) -> Receipt | None:
        """Why it is not begun; the same id may be used again."""
        if self.stopping:
            return self._refused(command, Code.STOPPING, "the engine is stopping: nothing was begun")
        if sum(self._running.values()) >= MOST_RUNNING and not leads_out(command):
            return self._refused(
                command, Code.BUSY, f"{MOST_RUNNING} commands are under way: nothing was begun, ask again"
            )
        return None

    def _refused(self, command: Command, code: Code, text: str) -> Receipt:
        return Receipt(command.id, False, code, text, self._seq())

    def _begun(self, command: Command) -> asyncio.Task[Receipt]:
        task = asyncio.create_task(self._to_the_end(command), name=f"command {type(command).__name__}")
        self._running[task] = not leads_out(command)
        task.add_done_callback(self._running.pop)
        return task

    async def _to_the_end(self, command: Command) -> Receipt:
        try:
            return await self._execute(command)
        except asyncio.CancelledError:  # whoever asked has to be told
            if self.stopping:
                return self._refused(command, Code.STOPPING, CUT_OFF)
            return self._refused(command, Code.INTERNAL, "perpdesk failed at this command: what it needs was cancelled")

    def _forget(self) -> None:
        """Drops the oldest answered commands beyond what is remembered."""
        for key, (_, task) in list(self._asked.items())[: max(0, len(self._asked) + 1 - REMEMBERED)]:
            if task.done():
                del self._asked[key]


def _meant_the_same(first: Command, again: Command) -> bool:
    """Whether a repetition asks for the same; when it was meant and what was seen by then may differ."""
    return type(first) is type(again) and _said(first) == _said(
        replace(again, expires_at_ms=first.expires_at_ms, seen_seq=first.seen_seq)
    )


def _said(command: Command) -> Command:
    """The command without what was quoted at its moment: whoever repeats it has been quoted something else."""
    match command:
        case CloseDesk() | ReduceDesk():
            return replace(command, worst_price=0)
        case CloseDesks():
            return replace(command, leaves=())
    return command
