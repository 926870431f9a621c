"""Nothing breaks on any day; `make days` lives more of them, and a day that breaks is replayed by its seed."""

import os
from collections.abc import Callable
from typing import get_args

import pytest

from engine.desks import facts
from tests.scale import SEED, Progress, scaled
from tests.simulation.crowd import live_all
from tests.simulation.day import play

DAYS = int(os.environ.get("PERPDESK_DAYS", scaled(60, 500, 2_000)))
NEVER = {"SimulationStarted", "DeskPinned", "RunArmed", "AlarmAcknowledged"}
"""A demo begins with the first; two are real money's; and nobody looks at alarms here."""


@pytest.mark.timeout(60 + DAYS)
def test_every_day_ends_settled_and_with_its_money_accounted_for(
    tried: Callable[[int], None], progress: Progress
) -> None:
    seen, broken = live_all(DAYS, SEED, progress)
    tried(DAYS)
    assert not broken, "\n".join(broken[:20])
    rare = {kind.__name__ for kind in get_args(facts.Fact)} - NEVER - seen.keys()
    assert not rare, f"never happened, so never tried: {rare}"
    assert seen["crash"]


def test_a_seed_tells_the_same_story_twice() -> None:
    first, again = play(7), play(7)
    assert first.story() == again.story()
    assert first.story() != play(8).story()
