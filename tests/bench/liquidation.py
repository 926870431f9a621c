"""Finding who may be liquidated after a step of price and carry, beside scans of the whole book.

The book has a past: positions opened along a random walk of a day of one-second steps, at leverages that are as often
twice as half of one another, those that the walk liquidated left out. A measured step is 0.05 % of price and a tenth
of a basis point of carry; taking out who is due counts. NumPy's scan answers at every step and the two must agree;
where it is within rounding it asks the exact rule. The plain scan asks the exact rule of everybody, and is compared at
`PLAIN` steps spread over the walk. Old objects are frozen, or Python's collector would be measured, not the index.
"""

import gc
import sys
from dataclasses import dataclass, replace
from math import exp, log
from random import Random
from time import perf_counter

import numpy as np
import psutil

from engine.liquidations.index import LiquidationIndex
from tests.bench.report import report, timed
from tests.engine.liquidations.books import carry, market, move, scan
from venue.exchange.fixed import WAD, wad
from venue.exchange.health import health
from venue.exchange.params import MarketParams
from venue.exchange.state import Market, Position

SIZES = (10_000, 100_000, 1_000_000)
STEPS = 1_000
PAST = 86_400
REGIME = 1_000
"""Past steps for which carry goes one way."""
PLAIN = {10_000: 50, 100_000: 10, 1_000_000: 4}
SIGMA, CARRY = 0.0005, 0.00001
PARAMS = MarketParams.anchored(wad("2000"), wad("1000000000000"))


def _extremes(heights: list[float]) -> tuple[list[float], list[float]]:
    """Lowest and highest of each height and those after it."""
    lowest, highest = heights[:], heights[:]
    for at in range(len(heights) - 2, -1, -1):
        lowest[at] = min(lowest[at], lowest[at + 1])
        highest[at] = max(highest[at], highest[at + 1])
    return lowest, highest


def _past(random: Random) -> tuple[list[float], list[float]]:
    """Log of price and carry owed since, each less what it is now, oldest first."""
    heights, owed = [0.0], [0.0]
    way = CARRY
    for step in range(PAST):
        way = random.choice((CARRY, -CARRY)) if step % REGIME == 0 else way
        heights.append(heights[-1] + random.gauss(0, SIGMA))
        owed.append(owed[-1] + way)
    return heights[::-1], owed[::-1]


def _book(here: Market, count: int, random: Random) -> dict[int, Position]:
    """Positions that price alone has left open; those that carry has not are due at the first look."""
    heights, owed = _past(random)
    lowest, highest = _extremes(heights)
    book: dict[int, Position] = {}
    while len(book) < count:
        at, leverage, is_long = random.randrange(PAST), exp(random.uniform(log(1.2), log(25))), random.random() < 0.5
        allowed = (0.9 if leverage <= 10 else 0.8 if leverage <= 20 else 0.7) / leverage
        moved = exp(lowest[at] - heights[at]) if is_long else exp(highest[at] - heights[at])
        if abs(moved - 1) < allowed:
            opened = 2000 * exp(heights[at]), round(1000 * leverage), int(owed[at] * here.params.index_scale)
            book[len(book)] = _opened(here, len(book), is_long, random.randrange(10, 50_000), *opened)
    return book


def _opened(here: Market, number: int, is_long: bool, usd: int, price: float, thousandths: int, owed: int) -> Position:
    return Position(
        id=number,
        user_id="u",
        market=here.symbol,
        is_long=is_long,
        base_size=int(usd / price * WAD),
        entry_notional=usd * WAD,
        margin=usd * WAD * 1000 // thousandths,
        carry_snapshot=here.cumulative_carry_index - owed,
        open_block=0,
    )


class _Vectors:
    """The whole book as columns, scanned at once; a row within a billionth of its limit is asked exactly."""

    def __init__(self, here: Market, book: dict[int, Position]) -> None:
        self._book = book
        everybody = list(book.values())
        self._rows = {each.id: row for row, each in enumerate(everybody)}
        self._ids = [each.id for each in everybody]
        scale = here.params.index_scale
        self._side = np.array([1.0 if each.is_long else -1.0 for each in everybody])
        self._size = np.array([each.base_size / WAD for each in everybody])
        self._entry = np.array([each.entry_notional / WAD for each in everybody])
        self._margin = np.array([each.margin / WAD for each in everybody])
        self._snapshot = np.array([each.carry_snapshot / scale for each in everybody])

    def end(self, number: int) -> None:
        """A position that is no longer open."""
        self._size[self._rows[number]] = 0.0

    def due(self, here: Market) -> list[int]:
        """Ids that may be liquidated, ascending."""
        base, quote = here.base_reserve / WAD, here.quote_reserve / WAD
        price, index = quote / base, here.cumulative_carry_index / here.params.index_scale
        side, size, margin = self._side, self._size, self._margin
        value = size * quote / (base + side * size) - size * price * (index - self._snapshot)
        loss = side * (self._entry - value)
        leverage = size * price / margin
        shares = [1 - float(buffer) for _, buffer in here.params.buckets]
        ceilings = [float(ceiling) for ceiling, _ in here.params.buckets]
        share = np.where(leverage <= ceilings[0], shares[0], np.where(leverage <= ceilings[1], shares[1], shares[2]))
        edge = np.minimum(abs(leverage / ceilings[0] - 1), abs(leverage / ceilings[1] - 1)) < 1e-9
        rows = np.nonzero(((loss > share * margin - 1e-9 * self._entry) | edge) & (size > 0))[0]
        suspects = [self._ids[row] for row in rows.tolist()]
        return [number for number in suspects if health(here, self._book[number]).liquidatable]


@dataclass(frozen=True, slots=True)
class _Step:
    """A state of the market, who was due in it, the seconds it took to find them and take them out, and at how many
    positions that looked."""

    market: Market
    due: list[int]
    seconds: float
    looks: int


def step() -> None:
    """Mean and 99th percentile of a step, beside both scans; the mean of the steps that came near nobody, beside the
    smallest book's; memory of book and index beside the book's."""
    quiet = 0.0
    for count in SIZES:
        quiet = _walk(count, quiet)


def _walk(count: int, least: float) -> float:
    """Mean seconds of the steps that came near nobody, of the smallest book so far."""
    random, here = Random(8), market(PARAMS)
    rss, case = psutil.Process().memory_info, str(count)
    before = rss().rss
    book = _book(here, count, random)
    alone = rss().rss
    index = LiquidationIndex(book.values())
    for number in index.due(here):
        index.remove(number)
        del book[number]
    built = rss().rss
    gc.collect()
    gc.freeze()
    random.seed(9)
    steps = [_one(index, here, random) for _ in range(STEPS)]
    seconds = [each.seconds for each in steps]
    nobody = [each.seconds for each in steps if not each.looks]
    mean, quiet = sum(seconds) / STEPS, sum(nobody) / len(nobody)
    _against(steps, book, count, mean, _p99(seconds))
    report("liquidation.step.quiet", case, quiet, "s", f"the same, {SIZES[0]} positions", least or quiet)
    mib = 1 << 20
    report("liquidation.memory", case, (built - before) / mib, "MiB", "positions alone", (alone - before) / mib)
    ended, looks = sum(len(each.due) for each in steps), sum(each.looks for each in steps)
    sys.stderr.write(f"{case}: {ended} liquidated, {looks} looks, {len(nobody)} quiet steps, {len(index)} left\n")
    gc.unfreeze()
    return least or quiet


def _one(index: LiquidationIndex, here: Market, random: Random) -> _Step:
    move(here, exp(random.gauss(0, SIGMA)))
    carry(here, CARRY)
    due: list[int] = []

    def take() -> None:
        due.extend(index.due(here))
        for number in due:
            index.remove(number)

    before = index.looked
    seconds = timed(take)
    return _Step(replace(here), due, seconds, index.looked - before)


def _against(steps: list[_Step], book: dict[int, Position], count: int, mean: float, worst: float) -> None:
    """The same walk by scans, afterwards, so that none finds the processor's caches full of another's columns."""
    vectors = _Vectors(steps[0].market, book)
    scans, plain = [], []
    for number, each in enumerate(steps):
        began = perf_counter()
        seen = vectors.due(each.market)
        scans.append(perf_counter() - began)
        assert seen == sorted(each.due), number
        if number % (STEPS // PLAIN[count]) == 0:
            began = perf_counter()
            everybody = scan(each.market, book)
            plain.append(perf_counter() - began)
            assert everybody == each.due, number
        for ended in each.due:
            del book[ended]
            vectors.end(ended)
    name, case = "liquidation.step", str(count)
    report(name, case, mean, "s", "numpy full scan", sum(scans) / STEPS)
    report(f"{name}.p99", case, worst, "s", "numpy full scan", _p99(scans))
    report(name, case, mean, "s", "plain Python scan", sum(plain) / len(plain))


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[-STEPS // 100]
