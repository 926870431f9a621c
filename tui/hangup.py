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
from engine.stopping import Stopping
from tui import terminal
from tui.ending import status_of

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
LOOK_S = 1.0
MEANT_FOR_MS = 10_000
OnHangup = Literal["detach", "halt", "exit"]


def after_hangup(runtime: Runtime, what: OnHangup, stopping: Stopping) -> int:
    """Leaves at once, or goes on without a screen until a signal or a failure ends it; returns the exit status.

    `halt` halts every desk first: nobody may be watching any more. A stop waits for no answer to that.
    """
    signals, stop = list[int](), threading.Event()

    def signalled(number: int) -> None:
        signals.append(number)
        stop.set()
        log.info("stopping", by=signal.Signals(number).name)

    stopping.stop = signalled
    if what == "exit" or stopping.begun:
        return terminal.EXIT_HANGUP
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stopping.by_signals()
    terminal.let_go()  # it may still be there, and somebody else's
    if what == "halt":
        threading.Thread(target=_halt, args=(runtime,), name="halt", daemon=True).start()
    log.info("terminal hung up, the engine goes on", attach="perpdesk attach")
    while runtime.failure is None and not stop.wait(LOOK_S):
        pass
    return status_of(signals[0]) if signals else terminal.EXIT_HANGUP


def _halt(runtime: Runtime) -> None:
    log.warning("terminal hung up", halted=asyncio.run(_halted(runtime)))


async def _halted(runtime: Runtime) -> str:
    """What became of it. One that waits for the disk is done when that answers."""
    try:
        async with asyncio.timeout(MEANT_FOR_MS / 1000):
            return (await runtime.submit(_halt_all(runtime))).text
    except TimeoutError:
        return "no answer yet"


def _halt_all(runtime: Runtime) -> HaltAll:
    until = time.time_ns() // 10**6 + MEANT_FOR_MS
    who = f"{runtime.info().operator}, hung up"
    return HaltAll(id=uuid4().hex, who=who, seen_seq=0, expires_at_ms=until)
