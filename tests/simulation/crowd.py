"""Many days, on as many processes as there are processors."""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import structlog

from tests.scale import Progress
from tests.simulation.day import Broken, play
from tests.simulation.history import lived

CRITICAL = 50
SHARE = 20
"""Days a process takes at a time; and histories."""
HOUSES = 3
Lived = tuple[Counter[str], list[str]]


def hushed() -> None:
    """Logs nothing that is less than critical."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(CRITICAL))


def live(seeds: range) -> Lived:
    """What was seen on these days, and what did not hold."""
    return _each(seeds, _day)


def houses(seeds: range) -> Lived:
    """The same of histories of a whole engine."""
    return _each(seeds, _house)


def live_all(days: int, first: int, progress: Progress) -> Lived:
    """`days` days from `first` on."""
    return _shared(live, range(first, first + days), SHARE, progress)


def houses_all(first: int, count: int, progress: Progress) -> Lived:
    """As many histories."""
    return _shared(houses, range(first, first + count), HOUSES, progress)


def _day(seed: int) -> Counter[str]:
    day = play(seed)
    return day.checks.seen + Counter(crash=day.crashes)


def _house(seed: int) -> Counter[str]:
    told = lived(seed)
    return Counter(told.seen) + Counter(death=told.deaths)


def _each(seeds: range, one: Callable[[int], Counter[str]]) -> Lived:
    seen: Counter[str] = Counter()
    broken = []
    for seed in seeds:
        try:
            seen += one(seed)
        except Exception as error:  # whatever it is, the seed must be told
            broken.append(str(error) if isinstance(error, Broken) else f"seed {seed}: {error!r}")
    return seen, broken


def _shared(work: Callable[[range], Lived], seeds: range, share: int, progress: Progress) -> Lived:
    shares = [seeds[at : at + share] for at in range(0, len(seeds), share)]
    seen: Counter[str] = Counter()
    broken: list[str] = []
    done = 0
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), initializer=hushed) as pool:
        for each, (saw, lines) in zip(shares, pool.map(work, shares), strict=True):
            seen += saw
            broken += lines
            done += len(each)
            progress(f"{done:,} of {len(seeds):,}, {len(broken)} broken")
    return seen, broken
