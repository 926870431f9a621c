"""What an attached screen costs on the line: fifty desks, twenty-four markets, fifty price updates a second."""

import asyncio
import contextlib
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from engine import wire
from engine.attached import Attached
from engine.control import listening
from engine.plain import plain
from engine.where import control_path
from tests.bench.report import report
from tests.terminal.scripted_app import Ticker, live_port

SECONDS = 10.0
SCREEN = frozenset(
    ("desks", "markets", "request_counts", "agent", "decisions", "liquidations", "queue")  # of the overview
)


class Counted:
    """Carries a connection on, and counts what the engine says."""

    def __init__(self, engine: Path) -> None:
        self._engine = engine
        self.bytes = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_unix_connection(str(self._engine))
        await asyncio.gather(self._carry(reader, outer, 0), self._carry(inner, writer, 1))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: int) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.bytes += counts * len(data)
                writer.write(data)
                await writer.drain()
        writer.close()


def attach() -> None:
    """Bytes a second from the engine to a screen, beside whole pictures at the same pace."""
    for case, hertz in (("local 4 Hz", 4), ("ssh 2 Hz", 2), ("low-bandwidth 1 Hz", 1)):
        with tempfile.TemporaryDirectory() as folder:
            sent, whole = asyncio.run(_measured(Path(folder), hertz))
            report("attach.bytes", case, sent, "B/s", "whole pictures", whole)


async def _measured(folder: Path, hertz: int) -> tuple[float, float]:
    inside, outside = folder / "in", folder / "out"
    for each in (inside, outside):
        each.mkdir(mode=0o700)
    port = live_port()
    Ticker(port).start()
    async with listening(port, inside, print), _relay(inside, outside) as counted:
        screen = Attached(outside, observe=False, every_s=1 / hertz)
        await asyncio.to_thread(screen.start)
        screen.want(SCREEN)
        await asyncio.sleep(3)
        before, began = counted.bytes, time.monotonic()
        await asyncio.sleep(SECONDS)
        sent = (counted.bytes - before) / (time.monotonic() - began)
        await asyncio.to_thread(screen.stop)
    return sent, len(wire.dumps(plain(port.latest()))) * hertz


@asynccontextmanager
async def _relay(inside: Path, outside: Path) -> AsyncIterator[Counted]:
    counted = Counted(control_path(inside))
    server = await asyncio.start_unix_server(counted, path=str(control_path(outside)))
    control_path(outside).chmod(0o600)
    async with server:
        yield counted


if __name__ == "__main__":
    threading.current_thread().name = "bench"
    attach()
