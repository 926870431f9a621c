"""How much faster than the clock a hundred desks are simulated."""

from tests.bench.report import report
from tests.simulation.crowd import hushed
from tests.simulation.speed import of_a_day, of_houses

SEED = 1
UNIT = "virtual s/s"


def speed() -> None:
    """A whole engine over its journal, and the desks alone, who have no journal and no exchange of their own."""
    hushed()
    house, day = of_houses(SEED), of_a_day(SEED)
    report("simulation.speed", "100 desks, the whole engine", house, UNIT, "the clock", 1.0)
    report("simulation.speed", "100 desks alone", day, UNIT, "the clock", 1.0)
