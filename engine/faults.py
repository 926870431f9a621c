"""Faults that nobody waits for: in a thread, in a finalizer, in a task or a callback of the loop.

They end in the log and as an alarm of the engine; by themselves they would be a traceback across the operator's screen.
Only the kind of fault and its place are written: its words may hold what no log should.
"""

import asyncio
import itertools
import sys
import threading
import traceback
from types import TracebackType

import structlog

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
ALARM = "a fault nobody was waiting for: the log has it"
DEEP = 8
"""Calls that are told of a fault."""
_number = itertools.count(1)
_newest = 0
_of_finalizers = sys.unraisablehook
_of_threads = threading.excepthook


def install() -> None:
    """For this process, once, however often. Hooks that somebody else has set are called as well.

    They may be called anywhere, in the middle of a log line too: what they do must not wait for a lock.
    """
    global _of_finalizers, _of_threads
    if sys.unraisablehook is not _unraisable:
        _of_finalizers, sys.unraisablehook = sys.unraisablehook, _unraisable
    if threading.excepthook is not _of_thread:
        _of_threads, threading.excepthook = threading.excepthook, _of_thread


def seen() -> int:
    """How many there have been in this process; from any thread."""
    return _newest


def of_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """The exception handler of a loop."""
    what = "in a callback" if "handle" in context else str(context.get("message"))  # or it would name its arguments
    error = context.get("exception")
    _note(what, type(error), error.__traceback__ if isinstance(error, BaseException) else None)


def _unraisable(found: "sys.UnraisableHookArgs") -> None:
    _note(found.err_msg or "in a finalizer", found.exc_type, found.exc_traceback)
    if _of_finalizers is not sys.__unraisablehook__:
        _of_finalizers(found)


def _of_thread(found: threading.ExceptHookArgs) -> None:
    name = found.thread.name if found.thread else "?"
    _note(f"in thread {name}", found.exc_type, found.exc_traceback)
    if _of_threads is not threading.__excepthook__:
        _of_threads(found)


def _note(what: str, kind: type, trace: TracebackType | None) -> None:
    global _newest
    _newest = next(_number)
    calls = [(frame.f_code, line) for frame, line in traceback.walk_tb(trace)][-DEEP:]
    at = " < ".join(f"{code.co_name} ({code.co_filename}:{line})" for code, line in reversed(calls))
    log.error("unhandled", what=what, error=kind.__name__, at=at)
