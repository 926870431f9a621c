"""A hundred desks are lived much faster than the clock goes."""

import json
import sys
from collections.abc import Callable

import pytest

from tests.scale import FORM, SEED, scaled
from tests.simulation.speed import DESKS, PACE, of_a_day, of_a_house

SEEDS = scaled(0, 4, 8)
RUNS = 3
"""Of each, the fastest counts: others run on the machine too."""
AT_LEAST = 2_000


@pytest.mark.skipif(not FORM, reason="timing has no place among tests that others run beside")
@pytest.mark.timeout(900)
def test_a_hundred_desks_are_lived_at_least_two_thousand_times_as_fast(
    tried: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """By the time of one processor. A whole engine over its journal, with deaths and all that goes wrong in a history:
    desks, agent, guard, keepers and money at the cadences of a real run; loops that only look whether there is
    something to do, and the pulse, ten times as slowly. Of some histories together, because one is busier than the
    other."""
    seeds = range(SEED, SEED + SEEDS)
    houses = [max(of_a_house(seed) for _ in range(RUNS)) for seed in seeds]
    house = len(houses) / sum(1 / each for each in houses)
    day = max(of_a_day(SEED) for _ in range(RUNS))
    told = {"desks": DESKS, "pace": PACE, "day": round(day), "house": round(house)}
    with capsys.disabled():
        sys.stderr.write(json.dumps(told | {"slowest": round(min(houses)), "fastest": round(max(houses))}) + "\n")
    assert min(day, house) >= AT_LEAST
    tried(SEEDS)
