"""Random histories of the exchange that are looked at step by step.

`PERPDESK_LOCKSTEP=20` looks at twenty times as many.
"""

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

from tests.venue.exchange import generate, model
from tests.venue.exchange.generate import Scenario
from venue.exchange.scenario import simulation as machine

TIMES = int(os.environ.get("PERPDESK_LOCKSTEP", "1"))
UNIT = Fraction(1, 10**18)
ZERO = Fraction(0)
WATCHED = range(20 * TIMES)
"""Seeds."""


def num(text: object) -> Fraction:
    return Fraction(str(text))


@dataclass(frozen=True)
class Step:
    """One operation of a history with the machine's state before and after it."""

    scenario: Scenario
    at: int
    before: dict[str, Any]
    result: dict[str, Any]
    after: dict[str, Any]

    @property
    def op(self) -> generate.Op:
        return self.scenario["ops"][self.at]

    @property
    def config(self) -> dict[str, str]:
        return dict(self.scenario["config"])

    @property
    def name(self) -> str:
        """The operation's name if it was carried out."""
        return str(self.op["op"]) if self.result["ok"] else ""

    def told(self) -> str:
        return json.dumps({**self.scenario, "ops": self.scenario["ops"][: self.at + 1]})

    def setting(self, key: str) -> Fraction:
        return num({**model.DEFAULTS, **self.config}[key])

    def position(self, state: dict[str, Any]) -> dict[str, Any] | None:
        found: list[dict[str, Any]] = [held for held in state["positions"] if held["id"] == self.op["position"]]
        return found[0] if found else None

    def then(self, *ops: object) -> dict[str, Any]:
        """What the machine says if these operations follow."""
        return machine.run({**self.scenario, "ops": [*self.scenario["ops"][: self.at + 1], *ops]})


@cache
def watched(seed: int) -> tuple[Scenario, list[Step]]:
    scenario = generate.history(random.Random(10_000 + seed))
    states = [machine.run({**scenario, "ops": scenario["ops"][:length]}) for length in range(len(scenario["ops"]) + 1)]
    found = [
        Step(scenario, at, before["state"], after["results"][-1], after["state"])
        for at, (before, after) in enumerate(pairwise(states))
    ]
    return scenario, found


def steps(seed: int) -> Iterator[Step]:
    yield from watched(seed)[1]
