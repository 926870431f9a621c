"""Headless: the engine in the main thread, log lines on stderr, and a summary for stdout at the end."""

import asyncio
import signal

from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.engine import Engine, Options
from engine.notify import Notify
from engine.summary import Summary


async def run(options: Options, seconds: float | None) -> Summary:
    """Runs until `seconds` are over, SIGINT or SIGTERM. Raises what `Engine.run` raises."""
    engine = Engine(options, SystemClock(), Chronicle())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)  # a lost terminal must not end a background run

    notify = Notify()
    alive = asyncio.create_task(notify.keep_saying(), name="watchdog")

    def ready() -> None:
        notify.say("READY=1")
        if seconds is not None:
            loop.call_later(seconds, stop.set)

    try:
        await engine.run(ready, stop)
    finally:
        notify.say("STOPPING=1")
        alive.cancel()
    return engine.summary
