"""Structured log lines, to stderr when headless, to a file when a terminal is being painted.

A line is handed to a thread of its own and written there: whoever reads the other end may stop reading or go away, and
the engine must notice neither. When lines come faster than they can be written, the newest are dropped and counted.
"""

import logging
import os
import queue
import threading
from pathlib import Path

import structlog

from engine import faults
from engine.text import clean

WAITING_LINES = 10_000
CLOSE_SECONDS = 1.0


class _Background:
    """A file for structlog that never blocks and never raises."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        """No lock: a finalizer may fail, and say so, in the middle of another line."""
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        if self._lines.qsize() < WAITING_LINES:
            self._lines.put(text)
        else:
            self._dropped += 1

    def close(self) -> None:
        """Waits a moment for what is still to be written."""
        self._lines.put(None)
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (text := self._lines.get()) is not None:
            if self._dropped:
                text += f"{self._dropped} log lines dropped\n"
                self._dropped = 0
            try:
                os.write(self._fd, text.encode("utf-8", "replace"))
            except OSError:
                return  # nobody reads any more


class _Lines:
    """A logger of structlog's that takes no lock, unlike its own."""

    def __init__(self, file: _Background) -> None:
        self._file = file

    def msg(self, line: str) -> None:
        self._file.write(line + "\n")

    debug = info = warning = error = critical = msg


class _Libraries(logging.Handler):
    """What libraries warn of, as lines of ours: by themselves they write to stderr, across a painted screen."""

    def emit(self, record: logging.LogRecord) -> None:
        said = clean(record.getMessage())
        structlog.get_logger().warning("library", logger=record.name, said=said, exc_info=record.exc_info or None)


_libraries = _Libraries(logging.WARNING)
_current: _Background | None = None


def setup(file: Path | None = None) -> None:
    """One line per event from here on. A painted terminal must be given a file: a stray line would tear the screen.

    Raises OSError when the file cannot be opened.
    """
    global _current
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600) if file else 2
    close()
    _current = background = _Background(fd)
    logging.getLogger().addHandler(_libraries)  # once, however often
    faults.install()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Lines(background),
        cache_logger_on_first_use=False,
    )


def close() -> None:
    """Gives the last lines a moment to be written."""
    if _current is not None:
        _current.close()


def log_failure(error: BaseException) -> None:
    """The traceback of what should not have happened, without the values of variables."""
    structlog.get_logger().error("internal error", exc_info=error)
