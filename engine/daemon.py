"""Headless: the engine in the main thread, log lines on stderr, and a summary for stdout at the end."""

import asyncio
import signal
from contextlib import suppress
from dataclasses import replace

import structlog

from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.disk import Disk
from engine.engine import Engine, Options
from engine.life import Life, Unbegun
from engine.notify import Notify
from engine.stopping import Stopping
from engine.summary import Summary

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Signalled(Exception):
    """A signal came before the engine was ready. `status` is what a shell says of a program that dies of it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def run(options: Options, seconds: float | None) -> Summary:
    """Runs until `seconds` are over, SIGINT or SIGTERM, and ends the process when that takes too long; a second signal
    ends it at once. Raises what `Engine.run` raises, and Signalled."""
    return asyncio.run(_run(options, seconds))


async def _run(options: Options, seconds: float | None) -> Summary:
    loop, disk, notify, signals = asyncio.get_running_loop(), Disk(), Notify(), list[int]()

    def signalled(number: int) -> None:
        signals.append(number)
        with suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(life.end)
        log.info("stopping", by=signal.Signals(number).name)

    stopping = Stopping(disk.why, signalled)
    engine = Engine(replace(options, leaving=stopping.begin), SystemClock(), Chronicle(), disk)
    life = Life(engine)
    stopping.by_signals()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a lost terminal must not end a background run
    alive = asyncio.create_task(notify.keep_saying(disk), name="watchdog")

    def over() -> None:
        stopping.begin()
        life.end()

    def ready() -> None:
        notify.say("READY=1")
        if seconds is not None:
            loop.call_later(seconds, over)

    try:
        await life.run(ready)
    except Unbegun:
        raise Signalled(signals[0]) from None
    finally:
        stopping.begin()
        notify.say("STOPPING=1")
        alive.cancel()
        await asyncio.wait((alive,))
    return engine.summary
