"""One browser tab: a `perpdesk attach` in a process of its own, that ends with the tab.

The packets are those of Textual's web driver: a letter (D is data, M is a JSON object), four bytes of length, the rest.
"""

import asyncio
import json
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from engine.text import clean

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
_PRELUDE = b"__GANGLION__\n"
_MOST_BYTES = 4 * 1024 * 1024
"""Of one packet; a whole screen is a hundredth of it."""
_MOST_WORDS = 4096
"""Bytes kept of what the process says on stderr."""
_LAST_WORDS_S = 1.0
END_S = 3.0
"""Before a process that does not end is told so more clearly."""


class Tab:
    """A running process; made by `opened`."""

    def __init__(self, process: Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("a tab speaks through pipes")
        self._process = process
        self._in, self._out, self._err = process.stdin, process.stdout, process.stderr
        self._words = b""
        self._ending: asyncio.Task[None] | None = None
        self._hearing = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        while data := await self._err.read(_MOST_WORDS):
            self._words = (self._words + data)[-_MOST_WORDS:]

    async def packets(self) -> AsyncIterator[bytes]:
        """What is to be painted, until the process has no more to say."""
        with suppress(asyncio.IncompleteReadError, ValueError):
            if await self._out.readline() != _PRELUDE:
                return
            while True:
                kind = await self._out.readexactly(1)
                size = int.from_bytes(await self._out.readexactly(4), "big")
                if size > _MOST_BYTES:
                    return
                payload = await self._out.readexactly(size)
                if kind == b"D":
                    yield payload

    async def type(self, keys: str) -> None:
        """Keys, as a terminal sends them."""
        await self._tell(b"D", keys.encode("utf-8", "replace"))

    async def say(self, **words: str | int) -> None:
        """What is no key: `type` is resize (with width and height in cells), focus, blur or quit."""
        await self._tell(b"M", json.dumps(words).encode())

    async def _tell(self, kind: bytes, payload: bytes) -> None:
        with suppress(ConnectionError):
            self._in.write(kind + len(payload).to_bytes(4, "big") + payload)
            await self._in.drain()

    async def last_words(self) -> str:
        """Why it ended, or empty if it was asked to; one line."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._process.wait()
                await asyncio.shield(self._hearing)
        if self._process.returncode == 0:
            return ""
        words = self._words.decode("utf-8", "replace")
        log.warning("screen ended", status=self._process.returncode, words=words)
        found = [line for line in words.splitlines() if line.startswith("perpdesk: ")]
        return clean(found[-1]) if found else f"the screen ended with status {self._process.returncode}"

    def end(self) -> "asyncio.Task[None]":
        """Begins to end the process, whatever it does; done when there is none any more."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        return self._ending

    async def _end(self) -> None:
        await self._tell_end()
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                with suppress(ProcessLookupError):
                    self._process.send_signal(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(END_S):
                    await self._process.wait()
                    break
        self._hearing.cancel()
        with suppress(asyncio.CancelledError):
            await self._hearing

    async def _tell_end(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self.say(type="quit")
        self._in.close()


class Tabs:
    """Those that are open: each runs `command` with `environ` and nothing else."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = command
        self._environ = environ
        self._open: set[Tab] = set()

    @asynccontextmanager
    async def opened(self, *more: str) -> AsyncIterator[Tab]:
        """A tab whose process, with `more` arguments, has ended when the context is left."""
        process = await asyncio.create_subprocess_exec(
            *self._command, *more, env=self._environ, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        tab = Tab(process)
        self._open.add(tab)
        try:
            yield tab
        finally:
            ending = tab.end()
            ending.add_done_callback(lambda _: self._open.discard(tab))
            await asyncio.shield(ending)  # whoever waits may be cancelled; then `end` waits

    async def end(self) -> None:
        """Ends all of them, and returns when no process is left; also those whose handlers were cancelled."""
        endings = [tab.end() for tab in self._open]
        if endings:
            _, late = await asyncio.wait(endings, timeout=5 * END_S)
            if late:
                log.warning("processes left behind", number=len(late))
