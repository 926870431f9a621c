"""Structured log lines, to stderr when headless, to a file when a terminal is being painted."""

import logging
import sys
from pathlib import Path
from typing import TextIO

import structlog


def setup(file: Path | None = None) -> None:
    """One line per event. A painted terminal must be given a file: a stray line would tear the screen."""
    target: TextIO = file.open("a", encoding="utf-8", buffering=1) if file else sys.stderr
    renderer = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
