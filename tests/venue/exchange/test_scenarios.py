"""The clearinghouse against worked scenarios, bit for bit on the 1e-18 grid, and against bad input."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from venue.exchange.fixed import WAD, to_text
from venue.exchange.scenario import simulation as scenario
from venue.exchange.scenario.config import SEED_LITERAL
from venue.exchange.scenario.simulation import ScenarioError, Simulation

SCENARIOS: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "scenarios.json").read_text())
START = [
    {"op": "deposit", "user": "a", "amount": "1000"},
    {"op": "open", "user": "a", "side": "long", "total": "100", "leverage": "5"},
    {"op": "open", "user": "a", "side": "short", "total": "100", "leverage": "5"},
    {"op": "close", "user": "a", "position": 2},
]
HUGE = "9" * 10_000


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_answer_and_the_state_are_exact(name: str) -> None:
    worked = SCENARIOS[name]
    assert scenario.run(worked["ops"]) == {"results": worked["results"], "state": worked["state"]}


TEXTS = ("NaN", "Infinity", "-inf", "1e3", "1E400", HUGE, "", " ", "1,000", "0x10", "1/0", "1/-2", "٣", "1_0")
BAD_NUMBERS: tuple[object, ...] = (*TEXTS, None, 1.5, True, [], {})


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(
    "op",
    [
        {"op": "deposit", "user": "a", "amount": "?"},
        {"op": "withdraw", "user": "a", "amount": "?"},
        {"op": "fund_insurance", "amount": "?"},
        {"op": "open", "user": "a", "side": "long", "total": "?", "leverage": "5"},
        {"op": "open", "user": "a", "side": "long", "total": "5", "leverage": "?"},
        {"op": "increase", "user": "a", "position": 1, "total": "?", "leverage": "5"},
        {"op": "close", "user": "a", "position": 1, "part": "?"},
    ],
    ids=lambda op: op["op"],
)
def test_what_is_no_number_is_a_bad_request(op: dict[str, object], value: object) -> None:
    assert_refused({key: value if part == "?" else part for key, part in op.items()}, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("op", "code"),
    [
        ({"op": "deposit", "user": "a", "amount": "0"}, "BAD_AMOUNT"),
        ({"op": "deposit", "user": "a", "amount": "-1"}, "BAD_AMOUNT"),
        ({"op": "deposit", "user": "a", "amount": "0.0000000000000000001"}, "BAD_AMOUNT"),
        ({"op": "withdraw", "user": "nobody", "amount": "1"}, "INSUFFICIENT_WALLET"),
        ({"op": "withdraw", "user": "a", "amount": "901"}, "INSUFFICIENT_WALLET"),
        ({"op": "open", "user": "nobody", "side": "long", "total": "1", "leverage": "2"}, "INSUFFICIENT_WALLET"),
        ({"op": "open", "user": "a", "side": "long", "total": "1", "leverage": "0.99"}, "BAD_LEVERAGE"),
        ({"op": "open", "user": "a", "side": "long", "total": "1", "leverage": "30.0000001"}, "BAD_LEVERAGE"),
        ({"op": "open", "user": "a", "side": "long", "total": "1", "leverage": "-5"}, "BAD_LEVERAGE"),
        ({"op": "open", "user": "a", "side": "up", "total": "1", "leverage": "2"}, "BAD_REQUEST"),
        ({"op": "open", "user": "a", "side": "long", "total": "1"}, "BAD_REQUEST"),
        ({"op": "open", "user": 7, "side": "long", "total": "1", "leverage": "2"}, "BAD_REQUEST"),
        ({"op": "deposit", "user": "a", "amount": "1", "extra": 1}, "BAD_REQUEST"),
        ({"op": "close", "user": "a", "position": 9}, "UNKNOWN_POSITION"),
        ({"op": "close", "user": "a", "position": -1}, "UNKNOWN_POSITION"),
        ({"op": "close", "user": "a", "position": True}, "BAD_REQUEST"),
        ({"op": "close", "user": "a", "position": "1"}, "BAD_REQUEST"),
        ({"op": "close", "user": "a", "position": 2}, "NOT_OPEN"),
        ({"op": "close", "user": "b", "position": 1}, "NOT_OWNER"),
        ({"op": "close", "user": "a", "position": 1, "part": "0"}, "BAD_AMOUNT"),
        ({"op": "close", "user": "a", "position": 1, "part": "1.1"}, "BAD_AMOUNT"),
        ({"op": "liquidate", "liquidator": "k", "position": 1}, "SAME_BLOCK"),
        ({"op": "liquidate", "liquidator": "k", "position": 2}, "NOT_OPEN"),
        ({"op": "tick", "blocks": 0}, "BAD_AMOUNT"),
        ({"op": "tick", "blocks": -3}, "BAD_AMOUNT"),
        ({"op": "tick", "blocks": 1.5}, "BAD_REQUEST"),
        ({"op": "tick", "blocks": 10**30}, "BAD_REQUEST"),
        ({"op": "nope"}, "UNKNOWN_OP"),
        ({"op": ["open"]}, "UNKNOWN_OP"),
        ({}, "UNKNOWN_OP"),
        ("open", "BAD_REQUEST"),
        (None, "BAD_REQUEST"),
    ],
)
def test_a_failing_operation_yields_its_code_and_changes_nothing(op: object, code: str) -> None:
    assert_refused(op, code)


def assert_refused(op: object, code: str) -> None:
    simulation = Simulation.fresh(SEED_LITERAL)
    for start in START:
        assert simulation.run(start)["ok"]
    before = json.dumps(simulation.state(), sort_keys=True)
    assert simulation.run(op) == {"ok": False, "error": code}
    assert json.dumps(simulation.state(), sort_keys=True) == before


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        ("text", "expected a list of operations"),
        ({"opps": []}, "key 'opps' is unknown"),
        ({"config": {}}, "ops: expected a list"),
        ({"config": [], "ops": []}, "config: expected an object"),
        ({"config": {"MAX_LEVERAG": "3"}, "ops": []}, "config key 'MAX_LEVERAG' is unknown"),
        ({"config": {"MAX_LEVERAGE": "x"}, "ops": []}, "config MAX_LEVERAGE: 'x': expected a decimal"),
        ({"config": {"MAX_LEVERAGE": "2", "MIN_LEVERAGE": "3"}, "ops": []}, "MIN_LEVERAGE: above MAX_LEVERAGE"),
        ({"config": {"MIN_RESERVE_RATIO": "-1"}, "ops": []}, "expected zero or more"),
        ({"config": {"INITIAL_BASE_RESERVE": "0"}, "ops": []}, "expected a number above zero"),
    ],
)
def test_a_scenario_that_cannot_be_run_is_one_line(whole: object, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        scenario.run(whole)


def test_the_configuration_reaches_the_market() -> None:
    config = {"INITIAL_BASE_RESERVE": "1/3", "INITIAL_QUOTE_RESERVE": "100", "BASE_OPEN_FEE_RATE": "1/300"}
    state = scenario.run({"config": config, "ops": []})["state"]["market"]
    assert state["baseReserve"] == "0.333333333333333333"
    assert state["markPrice"] == "300.000000000000000300"
    assert state["feeRate"] == "0.003333333333333333"


def test_buckets_decide_how_much_loss_is_allowed() -> None:
    config = {"LEVERAGE_BUCKETS": [{"maxLeverage": "30", "bufferRatio": "0.25"}]}
    ops = [
        {"op": "deposit", "user": "a", "amount": "10"},
        {"op": "open", "user": "a", "side": "long", "total": "10", "leverage": "2"},
    ]
    position = scenario.run({"config": config, "ops": ops})["state"]["positions"][0]
    assert position["health"]["bufferRatio"] == "0.250000000000000000"


@pytest.mark.parametrize(
    "buckets",
    [
        [],
        "x",
        [{}],
        [{"maxLeverage": "10"}],
        [{"maxLeverage": "10", "bufferRatio": "1"}],
        [{"maxLeverage": "ten", "bufferRatio": "0.1"}],
        [{"maxLeverage": "10", "bufferRatio": "0.1"}, {"maxLeverage": "10", "bufferRatio": "0.2"}],
    ],
)
def test_buckets_that_make_no_sense_are_refused(buckets: object) -> None:
    with pytest.raises(ScenarioError, match="LEVERAGE_BUCKETS: expected"):
        scenario.run({"config": {"LEVERAGE_BUCKETS": buckets}, "ops": []})


def test_fractions_are_exact() -> None:
    ops = [
        {"op": "deposit", "user": "a", "amount": "100"},
        {"op": "open", "user": "a", "side": "long", "total": "10", "leverage": "7/3"},
    ]
    opened = scenario.run(ops)["results"][1]
    margin = int(Fraction(10) / (1 + Fraction(7, 3) / 1000) * WAD)
    assert opened["margin"] == to_text(margin)
    assert opened["notional"] == to_text(margin * 7 // 3)
