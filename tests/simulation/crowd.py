"""Many days, on as many processes as there are processors."""

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import structlog

from tests.simulation.day import Broken, play

CRITICAL = 50
SHARE = 20
"""Days a process takes at a time."""


def hushed() -> None:
    """Logs nothing that is less than critical."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(CRITICAL))


def live(seeds: range) -> tuple[Counter[str], list[str]]:
    """What was seen on these days, and what did not hold."""
    seen: Counter[str] = Counter()
    broken = []
    for seed in seeds:
        try:
            day = play(seed)
        except Exception as error:  # whatever it is, the seed must be told
            broken.append(str(error) if isinstance(error, Broken) else f"seed {seed}: {error!r}")
        else:
            seen += day.checks.seen
            seen["crash"] += day.crashes
    return seen, broken


def live_all(days: int) -> tuple[Counter[str], list[str]]:
    """Days 0 to `days`."""
    shares = [range(first, min(first + SHARE, days)) for first in range(0, days, SHARE)]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), initializer=hushed) as pool:
        lived = list(pool.map(live, shares))
    return sum((seen for seen, _ in lived), Counter[str]()), [line for _, lines in lived for line in lines]
