"""How much faster than the clock a hundred desks are lived, by one processor that does nothing else."""

import asyncio
import time

from tests.simulation import day
from tests.simulation.day import Day
from tests.simulation.history import History, heard_by
from tests.simulation.life import ids_of

DESKS = 100
DAY_S = 86_400
PACE = 10
HOUSES = 4
RUNS = 2
"""Of each, the faster counts: others run on the machine too."""


def of_a_day(seed: int) -> float:
    """Virtual seconds per second of a day of the desks: manager, guard, courier, agent, fees, buybacks, wallet."""
    before, day.DESKS = day.DESKS, DESKS
    try:
        began = time.process_time()
        asyncio.run(Day(seed).run())
        return DAY_S / (time.process_time() - began)
    finally:
        day.DESKS = before


def of_houses(seed: int) -> float:
    """The same as `of_a_house` of some histories from this one on, together: one is busier than the other."""
    houses = [max(of_a_house(each) for _ in range(RUNS)) for each in range(seed, seed + HOUSES)]
    return len(houses) / sum(1 / each for each in houses)


def of_a_house(seed: int) -> float:
    """The same of a whole engine over its journal, with all that goes wrong in a history but a process that stands
    still, at the cadences of a real run: but that the pulse, and loops which only look, turn ten times as slowly."""
    history = History(seed, DESKS, demo=False, pace=PACE)
    history.outside.stands = 0.0
    with ids_of(seed), heard_by(history.witness):
        began = time.process_time()
        told = history.run()
        return told.seconds / (time.process_time() - began)


def speeds(seed: int) -> dict[str, float]:
    """Both, whole numbers."""
    return {"desks": DESKS, "day": round(of_a_day(seed)), "house": round(of_houses(seed))}
