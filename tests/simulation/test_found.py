"""What days have found, kept as small examples."""

from dataclasses import replace

from engine.desks import commands, facts, machine
from engine.desks.commands import Caps, Code
from engine.desks.state import House
from tests.simulation.checks import DAY_MS
from venue.exchange.commands import Rejection
from venue.exchange.fixed import WAD
from venue.perp import Declined

CAPS = Caps(day=100)
MIDNIGHT = 20_000 * DAY_MS


def told(house: House, command: commands.Command) -> tuple[facts.Fact, ...] | Rejection:
    answer = machine.decide(house, command)
    for fact in () if isinstance(answer, Rejection) else answer:
        machine.evolve(house, fact, 1, MIDNIGHT)
    return answer


def test_an_order_thought_of_before_midnight_counts_on_the_day_it_is_decided() -> None:
    """Two passes of a second each side of midnight, decided in the other order, made the day's cap start over."""
    house = House()
    for name in "abc":
        told(house, commands.EnrollToken(name, name))
        told(house, commands.BookFees(name, "1", 1_000))
    new = commands.IntendOpen("a", "1", "ETH", True, WAD, 60, MIDNIGHT + 5, CAPS)
    late = replace(new, address="b", order_id="2", collateral=40, now_ms=MIDNIGHT - 5)
    assert not isinstance(told(house, new), Rejection)
    assert not isinstance(told(house, late), Rejection)
    third = told(house, replace(new, address="c", order_id="3", collateral=1, now_ms=MIDNIGHT + 9))
    assert isinstance(third, Rejection)
    assert third.code == Code.CAP_DAY
    told(house, commands.RecordOutcome("b", Declined("2", "NO", "no")))
    assert (house.day, house.day_spent) == (MIDNIGHT // DAY_MS, 60)
