"""What days have found, kept as small examples."""

import math
import random
from dataclasses import replace
from typing import Any

import pytest

from engine import codec
from engine.agent.decide import Agent
from engine.agent.plan import Plan, Sight
from engine.desks import commands, facts, machine
from engine.desks.commands import Caps, Code
from engine.desks.state import House
from engine.sections import Signal
from tests.simulation.adversary import Saboteur, WildFeed
from tests.simulation.checks import DAY_MS
from venue.exchange.commands import Rejection
from venue.exchange.fixed import WAD
from venue.perp import Declined

CAPS = Caps(day=100)
MIDNIGHT = 20_000 * DAY_MS
NAN: Any = math.nan


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


async def test_a_leverage_that_is_no_number_is_no_answer() -> None:
    """It went past every comparison into an order, and the journal could not have been read back."""

    class Mad(Saboteur):
        async def plan(self, sight: Sight) -> Plan:
            return Plan(self.name, True, "ETH", True, NAN, "all in")

    feed = WildFeed()
    agent = Agent(feed, ("ETH",), Signal(enabled=False), Mad(random.Random(1)))
    plan = await agent.decide_desk_entry(agent.look("1", MIDNIGHT, 100, {"ETH": 10}))
    assert not plan.allow
    assert "whole number" in plan.degraded


async def test_a_market_that_was_not_offered_is_no_answer() -> None:
    """Three of them set a desk aside, and people had to release it."""

    class Lost(Saboteur):
        async def plan(self, sight: Sight) -> Plan:
            return Plan(self.name, True, "../etc", True, 3, "all in")

    agent = Agent(WildFeed(), ("ETH",), Signal(enabled=False), Lost(random.Random(1)))
    plan = await agent.decide_desk_entry(agent.look("1", MIDNIGHT, 100, {"ETH": 10}))
    assert not plan.allow
    assert "not one of those offered" in plan.degraded


def test_an_order_and_the_journal_refuse_what_is_no_number() -> None:
    house = House()
    told(house, commands.EnrollToken("a", "a"))
    told(house, commands.BookFees("a", "1", 1_000))
    refused = told(house, commands.IntendOpen("a", "1", "ETH", True, NAN, 60, MIDNIGHT, Caps()))
    assert isinstance(refused, Rejection)
    with pytest.raises(ValueError, match="JSON"):
        codec.encode(facts.Decided("a", "venice", True, "ETH", True, NAN, "all in"))
