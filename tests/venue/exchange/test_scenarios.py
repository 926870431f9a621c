"""The clearinghouse against worked scenarios, bit for bit on the 1e-18 grid."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.venue.exchange import scenario

SCENARIOS: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "scenarios.json").read_text())


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_answer_and_the_state_are_exact(name: str) -> None:
    worked = SCENARIOS[name]
    exchange = scenario.exchange()
    for op, expected in zip(worked["ops"], worked["results"], strict=True):
        answer = scenario.shown(scenario.apply(exchange, scenario.command(op)), expected)
        assert answer == {key: expected[key] for key in answer}, op
        assert exchange.ledger.total() == 0
    assert scenario.state_of(exchange) == worked["state"]
