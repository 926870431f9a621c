"""What becomes of the engine when the terminal above it is gone."""

import asyncio
import signal
import threading
import time
from typing import Literal
from uuid import uuid4

import structlog

from engine.commands import HaltAll
from engine.runtime import Runtime
from tui.terminal import EXIT_HANGUP, EXIT_TERMINATED

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
LOOK_S = 1.0
MEANT_FOR_MS = 10_000
OnHangup = Literal["detach", "halt", "exit"]


def after_hangup(runtime: Runtime, what: OnHangup) -> int:
    """Leaves at once, or goes on without a screen until a signal or a failure ends it; returns the exit status.

    `halt` halts every desk first: nobody may be watching any more.
    """
    if what == "exit":
        return EXIT_HANGUP
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    if what == "halt":
        log.warning("terminal hung up", halted=asyncio.run(_halted(runtime)))
    log.info("terminal hung up, the engine goes on", attach="perpdesk attach")
    while runtime.failure is None and not stop.wait(LOOK_S):
        pass
    return EXIT_TERMINATED


async def _halted(runtime: Runtime) -> str:
    """What became of it. One that waits for the disk is done when that answers, and a signal must not wait for it."""
    try:
        async with asyncio.timeout(MEANT_FOR_MS / 1000):
            return (await runtime.submit(_halt_all(runtime))).text
    except TimeoutError:
        return "no answer yet"


def _halt_all(runtime: Runtime) -> HaltAll:
    until = time.time_ns() // 10**6 + MEANT_FOR_MS
    who = f"{runtime.info().operator}, hung up"
    return HaltAll(id=uuid4().hex, who=who, seen_seq=0, expires_at_ms=until)
