"""`python -m tests.proof.soaking SECONDS DIR`: a whole engine under the flood of prices, with an attached screen on a
terminal that takes nothing, an operator who goes on giving commands, and what comes of it as one JSON object.
"""

import asyncio
import gc
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from engine import logs
from engine.commands import NoteDesk
from engine.config import Settings
from engine.engine import Options
from engine.runtime import Runtime
from engine.sections import Pyth
from tests.bench.desks import staged
from tests.bench.flood import DESKS, FLOOD, TICK_S, serving
from tests.terminal.pty_app import PtyApp

COMMAND_S = 0.25
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Soaked:
    """Milliseconds the engine's loop was late, MiB and descriptors it took on, and what became of the rest."""

    p99_ms: float
    most_ms: float
    grown_mib: float
    descriptors: int
    commands: int
    dropped: int
    accepted_per_s: float
    refused: int


def soak(seconds: float, folder: Path) -> Soaked:
    """A third of the time, ten seconds at most, is for warming up. Raises AssertionError for a screen that is gone."""
    with serving(FLOOD) as server:
        logs.setup(folder / "log")
        asyncio.run(staged(folder, DESKS))
        runtime = Runtime(Options(Settings(pyth=Pyth(url=server.url)), folder))
        runtime.start()
        screen = PtyApp("attach", "--state", str(folder), module="tui.cli", XDG_CONFIG_HOME=str(folder / "home"))
        try:
            screen.wait_for(f"Desks {DESKS}")
            screen.stop_reading()
            loop = runtime._loop
            assert loop is not None
            found = asyncio.run_coroutine_threadsafe(_watched(runtime, seconds), loop).result()
            assert screen.child.isalive(), "the screen has ended"
            return found
        finally:
            screen.end()
            runtime.stop()
            logs.close()


async def _watched(runtime: Runtime, seconds: float) -> Soaked:
    warm = min(10.0, seconds / 3)
    late: list[float] = []
    book = runtime._engine.parts.feed.book
    operator = asyncio.create_task(_operator(runtime))
    await _ticks(late, warm)
    gc.collect()
    process, late, accepted, began = psutil.Process(), [], book.accepted, time.monotonic()
    before, open_before = process.memory_info().rss, psutil.Process().num_fds()
    await _ticks(late, seconds - warm)
    gc.collect()
    grown, opened = process.memory_info().rss - before, psutil.Process().num_fds() - open_before
    rate = (book.accepted - accepted) / (time.monotonic() - began)
    operator.cancel()
    sent, dropped = await operator
    late.sort()
    p99, refused = late[int(len(late) * 0.99)], sum(book.refused.values())
    return Soaked(p99, late[-1], grown / MIB, opened, sent, dropped, rate, refused)


async def _ticks(late: list[float], seconds: float) -> None:
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        await asyncio.sleep(TICK_S)
        late.append((time.monotonic() - began - TICK_S) * 1000)


async def _operator(runtime: Runtime) -> tuple[int, int]:
    """Leaves notes until cancelled; how many, and how many of them were not taken."""
    sent = dropped = 0
    try:
        while True:
            sent += 1
            picture = runtime.latest()
            address = picture.desks[sent % len(picture.desks)].address
            until, meant = time.time_ns() // 10**6 + 10_000, f"soak-{sent}"
            note = NoteDesk(
                id=meant, who="soak", seen_seq=picture.seq, expires_at_ms=until, address=address, text=meant
            )
            receipt = await runtime._engine.parts.operator.execute(note)
            dropped += not receipt.ok
            await asyncio.sleep(COMMAND_S)
    except asyncio.CancelledError:
        return sent, dropped


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(soak(float(sys.argv[1]), Path(sys.argv[2])))) + "\n")
