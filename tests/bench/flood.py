"""An engine under a flood of prices, beside the same engine on a feed that trickles as a real one does.

A whole engine with desks, their positions, exchange and keepers; the feed is a server in a process of its own. A task
on the engine's loop sleeps 10 ms and notes how late it wakes and how old the newest price is. FLOOD_SECONDS=10 is a
short form; memory is compared from the tenth second on, or from a third of the way.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from engine import logs
from engine.config import Settings
from engine.engine import Options
from engine.runtime import Runtime
from engine.sections import Pyth
from tests.bench.desks import staged
from tests.bench.flood_server import base
from tests.bench.report import report
from venue.pyth import PriceBook

FLOOD, TRICKLE = 10_000, 54
"""Updates a second; a real Hermes sends each of the feeds some four times."""
DESKS = 50
WATCHED = "ETH"
TICK_S = 0.01
SETTLING_S = 10.0


@dataclass(slots=True)
class Figures:
    """Milliseconds the loop was late and the newest price was old, at every tick; and what came of the feed."""

    late: list[float] = field(default_factory=list)
    old: list[float] = field(default_factory=list)
    accepted_per_s: float = 0.0
    grown_mib: float = 0.0

    def p99(self, of: list[float]) -> float:
        return sorted(of)[int(len(of) * 0.99)]


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is, and what its prices count from."""

    url: str
    start_ms: int


def flood() -> None:
    """Lag of the loop, age of the newest price, growth of memory and updates accepted."""
    seconds = float(os.environ.get("FLOOD_SECONDS", "60"))
    calm, ours = _measured(TRICKLE, seconds), _measured(FLOOD, seconds)
    case, baseline = f"{FLOOD:,} updates/s for {seconds:g} s", f"{TRICKLE} updates/s"
    report("feed.flood.lag", f"p99, {case}", ours.p99(ours.late), "ms", baseline, calm.p99(calm.late))
    report("feed.flood.lag", f"largest, {case}", max(ours.late), "ms", baseline, max(calm.late))
    report("feed.flood.age", f"p99 of the newest price, {case}", ours.p99(ours.old), "ms", baseline, calm.p99(calm.old))
    report("feed.flood.memory", case, ours.grown_mib, "MiB", baseline, calm.grown_mib)
    report("feed.flood.accepted", case, ours.accepted_per_s, "updates/s", "sent", FLOOD)


def _measured(rate: int, seconds: float) -> Figures:
    with tempfile.TemporaryDirectory() as folder, serving(rate) as server:
        logs.setup(Path(folder) / "log")
        asyncio.run(staged(Path(folder), DESKS))
        runtime = Runtime(Options(Settings(pyth=Pyth(url=server.url)), Path(folder)))
        runtime.start()
        try:
            return asyncio.run_coroutine_threadsafe(_watched(runtime, server, seconds), _loop(runtime)).result()
        finally:
            runtime.stop()
            logs.close()


def _loop(runtime: Runtime) -> asyncio.AbstractEventLoop:
    loop = runtime._loop
    assert loop is not None
    return loop


async def _watched(runtime: Runtime, server: Server, seconds: float) -> Figures:
    """On the engine's own loop."""
    book, figures = runtime._engine.parts.feed.book, Figures()
    settling = min(SETTLING_S, seconds / 3)
    await _ticks(figures, book, server, settling)
    before, accepted, began = psutil.Process().memory_info().rss, book.accepted, time.perf_counter()
    await _ticks(figures, book, server, seconds - settling)
    figures.accepted_per_s = (book.accepted - accepted) / (time.perf_counter() - began)
    figures.grown_mib = (psutil.Process().memory_info().rss - before) / (1 << 20)
    if book.refused:
        raise AssertionError(f"sound prices were refused: {dict(book.refused)}")
    return figures


async def _ticks(figures: Figures, book: PriceBook, server: Server, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        await asyncio.sleep(TICK_S)
        figures.late.append((time.perf_counter() - began - TICK_S) * 1000)
        now_ms = _now_ms()
        price = book.view(WATCHED, now_ms).price
        if price is not None:
            figures.old.append(now_ms - server.start_ms - (price.mantissa - base(WATCHED)))


@contextmanager
def serving(rate: int) -> Iterator[Server]:
    """A server of `rate` updates a second for as long as the context lasts."""
    command = [sys.executable, "-m", "tests.bench.flood_server", str(rate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url, start_ms = process.stdout.readline().split()
            yield Server(url, int(start_ms))
        finally:
            process.stdin.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
