"""Structured log lines, to stderr when headless, to a file when a terminal is being painted."""

import logging
import sys
from pathlib import Path
from typing import TextIO

import structlog


def log_failure(error: BaseException) -> None:
    """The traceback of what should not have happened, without the values of variables."""
    structlog.get_logger().error("internal error", exc_info=error)


def setup(file: Path | None = None) -> None:
    """One line per event. A painted terminal must be given a file: a stray line would tear the screen."""
    target: TextIO = file.open("a", encoding="utf-8", buffering=1) if file else sys.stderr
    renderer = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
