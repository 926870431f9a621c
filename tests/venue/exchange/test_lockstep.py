"""The exchange and an independent exact model, in lockstep through random histories; equality is bit for bit.

`PERPDESK_LOCKSTEP=20` runs twenty times as many histories.
"""

import json
import random
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.venue.exchange import generate, model
from tests.venue.exchange.generate import Scenario
from tests.venue.exchange.watched import TIMES, UNIT, WATCHED, ZERO, num, steps, watched
from venue.exchange.scenario import simulation as machine

LONG = settings(
    max_examples=150 * TIMES,
    deadline=None,
    derandomize=TIMES == 1,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
FIXTURES: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "scenarios.json").read_text())


def first_difference(one: object, other: object, where: str = "") -> str | None:
    """Where two answers part, in words."""
    if isinstance(one, dict) and isinstance(other, dict) and set(one) == set(other):
        parts = (first_difference(one[key], other[key], f"{where}/{key}") for key in one)
        return next((part for part in parts if part), None)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next((part for at, (a, b) in pairs if (part := first_difference(a, b, f"{where}/{at}"))), None)
    return None if type(one) is type(other) and one == other else f"{where}: {one!r} is not {other!r}"


def differ(scenario: Scenario) -> bool:
    return first_difference(machine.run(scenario), model.run(scenario)) is not None


def assert_same(scenario: Scenario) -> None:
    """Equal answers, or the smallest scenario whose answers are not."""
    if differ(scenario):
        least = generate.smallest(scenario, differ)
        pytest.fail(f"{first_difference(machine.run(least), model.run(least))} after {json.dumps(least)}")


# -- the model itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIXTURES)
def test_the_model_gives_the_worked_answers(name: str) -> None:
    worked = FIXTURES[name]
    assert model.run(worked["ops"]) == {"results": worked["results"], "state": worked["state"]}


@pytest.mark.parametrize("name", FIXTURES)
def test_without_rounding_the_model_agrees_within_the_grid(name: str) -> None:
    exact = model.Model({}, grid=False)
    for op, expected in zip(FIXTURES[name]["ops"], FIXTURES[name]["results"], strict=True):
        assert close_enough(expected, exact.apply(op))
    assert close_enough(FIXTURES[name]["state"], exact.state())
    assert exact.base * exact.quote == exact.initial_base * exact.initial_quote


def test_the_exact_answers_are_fractions() -> None:
    answer = model.run([{"op": "deposit", "user": "a", "amount": "1/3"}], grid=False)
    assert answer["state"]["funds"]["userWallets"] == {"a": "1/3"}


def test_the_histories_get_into_every_kind_of_trouble() -> None:
    coverage = generate.Coverage()
    for seed in range(150):
        coverage.add(generate.history(random.Random(seed)))
    wanted = {
        "liquidate": 100,
        "bucket change": 100,
        "close: UNDERWATER": 20,
        "close: FUNDS_INSUFFICIENT": 20,
        "close: WOULD_BE_LIQUIDATABLE": 20,
        "close: insurance pays a winner": 3,
        "increase: WOULD_BE_LIQUIDATABLE": 10,
        "open: POOL_EXHAUSTED": 10,
        "open: PRICE_MOVE_LIMIT": 20,
        "open: BAD_AMOUNT": 1,
        "liquidate: SAME_BLOCK": 20,
        "liquidate: NOT_LIQUIDATABLE": 20,
        "liquidation: negative equity": 50,
        "liquidation: equity below the fee": 5,
        "liquidation: owner gets a rest": 10,
        "liquidation: insurance pays": 50,
        "liquidation: uncovered bad debt": 50,
        "liquidation: fee cut, funds dry": 2,
        "trade fund dry": 3,
    }
    assert {key: coverage.times[key] for key, least in wanted.items() if coverage.times[key] < least} == {}


# -- lockstep --------------------------------------------------------------------------------------------------------


def test_seeded_histories_end_the_same() -> None:
    for seed in range(200 * TIMES):
        assert_same(generate.history(random.Random(seed)))


@LONG
@given(generate.histories())
def test_any_history_ends_the_same(scenario: Scenario) -> None:
    assert_same(scenario)


@pytest.mark.parametrize("seed", WATCHED)
def test_every_prefix_ends_the_same(seed: int) -> None:
    twin = None
    for step in steps(seed):
        if twin is None:
            twin = model.Model(step.config, grid=True)
            assert step.before == twin.shown(twin.state())
        assert step.result == twin.shown(twin.apply(step.op)), step.told()
        assert step.after == twin.shown(twin.state()), step.told()


def test_what_was_answered_does_not_change_later() -> None:
    scenario = watched(0)[0]
    whole = machine.run(scenario)["results"]
    for length in range(len(scenario["ops"])):
        assert machine.run({**scenario, "ops": scenario["ops"][:length]})["results"] == whole[:length]


@pytest.mark.parametrize("seed", WATCHED[:5])
def test_numbers_survive_json_and_the_input_is_not_touched(seed: int) -> None:
    scenario = watched(seed)[0]
    untouched = deepcopy(scenario)
    answer = machine.run(scenario)
    assert scenario == untouched
    assert machine.run(json.loads(json.dumps(scenario))) == answer == json.loads(json.dumps(answer))


@pytest.mark.parametrize(("total", "blocks"), [("3125", 900), ("1562.5", 400)])
def test_at_the_buffer_and_at_the_bucket_exactly(total: str, blocks: int) -> None:
    """Leverage exactly 10 (or 20) belongs to the lower bucket; a loss of exactly what is allowed is safe."""
    leverage = str(Fraction(25_000) / Fraction(total))
    ops: list[Any] = [
        {"op": "deposit", "user": "a", "amount": "10000"},
        {"op": "open", "user": "a", "side": "long", "total": total, "leverage": leverage},
        {"op": "tick", "blocks": blocks},
        {"op": "liquidate", "liquidator": "k", "position": 1},
    ]
    at = {"config": {"BASE_OPEN_FEE_RATE": "0"}, "ops": ops}
    assert_same(at)
    answer = machine.run(at)
    health = answer["state"]["positions"][0]["health"]
    assert answer["results"][-1] == {"ok": False, "error": "NOT_LIQUIDATABLE"}
    assert health["currentLoss"] == health["allowedLoss"]
    assert (health["leverage"], health["bufferRatio"]) in (
        ("10.000000000000000000", "0.100000000000000000"),
        ("20.000000000000000000", "0.200000000000000000"),
    )
    ops.insert(3, {"op": "tick", "blocks": 1})
    assert_same(at)
    assert machine.run(at)["results"][-1]["ok"]


@pytest.mark.parametrize(
    ("side", "amount", "leverage", "config", "code"),
    [
        ("short", "9000", "10", {}, "POOL_EXHAUSTED"),
        ("long", "30000", "30", {}, "POOL_EXHAUSTED"),
        ("long", "2500", "10", {"MAX_OPEN_PRICE_MOVE": "0.5625"}, "PRICE_MOVE_LIMIT"),
        ("short", "2000", "10", {"MAX_OPEN_PRICE_MOVE": "0.36"}, "PRICE_MOVE_LIMIT"),
        ("long", "100000", "1", {}, "INSUFFICIENT_WALLET"),
    ],
)
def test_an_open_up_to_a_limit_exactly(
    side: str, amount: str, leverage: str, config: dict[str, str], code: str
) -> None:
    for more, expected in ((ZERO, None), (10 * UNIT, code)):
        total = str(num(amount) + more)
        opening = {"op": "open", "user": "a", "side": side, "total": total, "leverage": leverage}
        deposit = {"op": "deposit", "user": "a", "amount": "100000"}
        scenario = {"config": {"BASE_OPEN_FEE_RATE": "0", **config}, "ops": [deposit, opening]}
        assert_same(scenario)
        assert machine.run(scenario)["results"][-1].get("error") == expected


@pytest.mark.parametrize(
    ("code", "op"),
    [
        ("BAD_REQUEST", {"op": "increase", "user": "z", "position": 99, "total": "0", "leverage": "x"}),
        ("UNKNOWN_POSITION", {"op": "increase", "user": "z", "position": 99, "total": "0", "leverage": "99"}),
        ("NOT_OPEN", {"op": "increase", "user": "z", "position": 1, "total": "0", "leverage": "99"}),
        ("NOT_OWNER", {"op": "increase", "user": "z", "position": 2, "total": "0", "leverage": "99"}),
        ("BAD_AMOUNT", {"op": "increase", "user": "a", "position": 2, "total": "0", "leverage": "99"}),
        ("BAD_LEVERAGE", {"op": "increase", "user": "a", "position": 2, "total": "99999999", "leverage": "31"}),
        ("BAD_AMOUNT", {"op": "open", "user": "z", "side": "long", "total": "-1", "leverage": "99"}),
        ("BAD_LEVERAGE", {"op": "open", "user": "z", "side": "long", "total": "99999999", "leverage": "31"}),
        ("INSUFFICIENT_WALLET", {"op": "open", "user": "z", "side": "short", "total": "99999999", "leverage": "30"}),
        ("POOL_EXHAUSTED", {"op": "open", "user": "a", "side": "short", "total": "9000", "leverage": "30"}),
        ("PRICE_MOVE_LIMIT", {"op": "open", "user": "a", "side": "short", "total": "1000", "leverage": "30"}),
        ("UNKNOWN_POSITION", {"op": "close", "user": "z", "position": 99, "part": "7"}),
        ("NOT_OPEN", {"op": "close", "user": "z", "position": 1, "part": "7"}),
        ("NOT_OWNER", {"op": "close", "user": "z", "position": 2, "part": "7"}),
        ("BAD_AMOUNT", {"op": "close", "user": "a", "position": 2, "part": "7"}),
        ("UNKNOWN_POSITION", {"op": "liquidate", "liquidator": "z", "position": 99}),
        ("NOT_OPEN", {"op": "liquidate", "liquidator": "z", "position": 1}),
        ("SAME_BLOCK", {"op": "liquidate", "liquidator": "z", "position": 2}),
        ("BAD_AMOUNT", {"op": "withdraw", "user": "z", "amount": "0"}),
    ],
)
def test_the_first_of_several_reasons_is_told(code: str, op: dict[str, Any]) -> None:
    before = [
        {"op": "deposit", "user": "a", "amount": "10000"},
        {"op": "open", "user": "a", "side": "long", "total": "10", "leverage": "2"},
        {"op": "close", "user": "a", "position": 1},
        {"op": "open", "user": "a", "side": "long", "total": "10", "leverage": "2"},
    ]
    scenario = {"config": {"MAX_OPEN_PRICE_MOVE": "1/30"}, "ops": [*before, op]}
    assert_same(scenario)
    assert machine.run(scenario)["results"][-1] == {"ok": False, "error": code}


def test_a_long_never_takes_the_last_base_a_short_needs() -> None:
    """Without a reserve ratio the base left would be just what the short sold, and closing it would divide by zero."""
    ops = [
        {"op": "deposit", "user": "a", "amount": "100000"},
        {"op": "open", "user": "a", "side": "short", "total": "50000", "leverage": "1"},
        {"op": "open", "user": "a", "side": "long", "total": "50000", "leverage": "1"},
        {"op": "close", "user": "a", "position": 1},
    ]
    scenario = {"config": {"BASE_OPEN_FEE_RATE": "0", "MIN_RESERVE_RATIO": "0"}, "ops": ops}
    assert_same(scenario)
    assert [answer.get("error") for answer in machine.run(scenario)["results"][2:]] == ["POOL_EXHAUSTED", None]


@pytest.mark.parametrize("ratio", ["0", "1/3"])
def test_a_keeper_is_listed_once_it_was_paid(ratio: str) -> None:
    scenario = {"config": {"LIQUIDATION_FEE_RATIO": ratio}, "ops": FIXTURES["liq_bad_debt_insured"]["ops"]}
    assert_same(scenario)
    assert ("k" in machine.run(scenario)["state"]["funds"]["userWallets"]) == (ratio != "0")


@pytest.mark.parametrize(
    "config",
    [
        {"TICK": "1"},
        {"MAX_LEVERAGE": 30},
        {"MAX_LEVERAGE": "x"},
        {"INITIAL_BASE_RESERVE": "0"},
        {"INITIAL_QUOTE_RESERVE": "-1"},
        {"FEE_TO_INSURANCE": "2"},
        {"LIQUIDATION_FEE_RATIO": "-1"},
        {"MIN_RESERVE_RATIO": "-0.1"},
        {"MAX_OPEN_PRICE_MOVE": None},
    ],
)
def test_both_refuse_the_same_settings(config: dict[str, Any]) -> None:
    for run in (machine.run, model.run):
        with pytest.raises(ValueError):  # noqa: PT011 - two programs, two wordings
            run({"config": config, "ops": []})


# -- the grid against no grid ----------------------------------------------------------------------------------------


def close_enough(shown: object, exact: object) -> bool:
    """Equal within 1e-12 of the larger of the value and one; texts, whole numbers and flags exactly."""
    if isinstance(exact, Fraction):
        return abs(Fraction(str(shown)) - exact) < Fraction(1, 10**12) * max(Fraction(1), abs(exact))
    if isinstance(exact, dict) and isinstance(shown, dict):
        return set(exact) == set(shown) and all(close_enough(shown[key], exact[key]) for key in exact)
    if isinstance(exact, list) and isinstance(shown, list):
        return len(exact) == len(shown) and all(close_enough(a, b) for a, b in zip(shown, exact, strict=True))
    return bool(shown == exact)


def compare_exact(scenario: Scenario, exact: model.Model) -> int:
    """How many operations had the same outcome on the grid and without it; every number of those is compared.

    A position whose margin was reduced to crumbs ends the comparison: its leverage is a ratio of two roundings.
    """
    twin = model.Model(scenario["config"], grid=True)
    for at, op in enumerate(scenario["ops"]):
        on_grid, without = twin.apply(op), exact.apply(op)
        if on_grid["ok"] != without["ok"] or on_grid.get("error") != without.get("error"):
            return at  # an operation exactly at a boundary: from here on these are two different histories
        part = {**scenario, "ops": scenario["ops"][: at + 1]}
        assert close_enough(twin.shown(on_grid), without), json.dumps(part)
        flags = [held["health"]["isLiquidatable"] for held in twin.state()["positions"] if "health" in held]
        if any(min(one.margin, one.size) < Fraction(1, 1000) for one in twin.positions.values()):
            return at
        if flags != [held["health"]["isLiquidatable"] for held in exact.state()["positions"] if "health" in held]:
            return at
        assert close_enough(twin.shown(twin.state()), exact.state()), json.dumps(part)
    assert machine.run(scenario)["state"] == twin.shown(twin.state())
    return len(scenario["ops"])


def test_short_histories_stay_with_the_exact_rationals() -> None:
    compared = sum(
        compare_exact(scenario, model.Model(scenario["config"], grid=False))
        for seed in range(40 * TIMES)
        for scenario in [generate.history(random.Random(seed), 14, dust=False)]
    )
    assert compared > 40 * TIMES * 10


def test_long_histories_stay_with_sixty_digits() -> None:
    """Exact rationals double their digits with every open; forty more digits than could matter do as well."""
    compared = sum(
        compare_exact(scenario, model.Model(scenario["config"], grid=True, places=60))
        for seed in range(25 * TIMES)
        for scenario in [generate.history(random.Random(seed), dust=False)]
    )
    assert compared > 25 * TIMES * 25
