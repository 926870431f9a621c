"""The exchange and an independent exact model, in lockstep through random histories; equality is bit for bit.

`PERPDESK_LOCKSTEP=20` runs twenty times as many histories.
"""

import json
import os
import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.venue.exchange import generate, model
from tests.venue.exchange.generate import Scenario
from venue.exchange.scenario import simulation as machine

TIMES = int(os.environ.get("PERPDESK_LOCKSTEP", "1"))
LONG = settings(
    max_examples=150 * TIMES,
    deadline=None,
    derandomize=TIMES == 1,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
FIXTURES: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "scenarios.json").read_text())
UNIT = Fraction(1, 10**18)
ZERO = Fraction(0)
WATCHED = range(20 * TIMES)  # seeds of the histories whose every step is looked at


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


# -- invariants, on what the machine says ----------------------------------------------------------------------------


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


def mark(state: dict[str, Any]) -> Fraction:
    return num(state["market"]["quoteReserve"]) / num(state["market"]["baseReserve"])


def held(state: dict[str, Any], is_long: bool) -> list[dict[str, Any]]:
    return [one for one in state["positions"] if one["status"] == "OPEN" and one["isLong"] is is_long]


def total(positions: list[dict[str, Any]], key: str) -> Fraction:
    return sum((num(one[key]) for one in positions), start=ZERO)


def on_grid(amount: str) -> Fraction:
    return Fraction(int(num(amount) / UNIT)) * UNIT


@pytest.mark.parametrize("seed", WATCHED)
def test_no_money_appears_or_disappears(seed: int) -> None:
    outside = ZERO
    for step in steps(seed):
        if step.name in ("deposit", "fund_insurance"):
            outside += on_grid(step.op["amount"])
        elif step.name == "withdraw":
            outside -= on_grid(step.op["amount"])
        funds = step.after["funds"]
        wallets = [num(amount) for amount in funds["userWallets"].values()]
        pots = [num(funds[key]) for key in ("tradeFund", "insuranceFund", "protocolFees")]
        assert sum(wallets) + sum(pots) == outside, step.told()
        assert min([*wallets, *pots, num(funds["uncoveredBadDebt"])]) >= 0, step.told()


@pytest.mark.parametrize("seed", WATCHED)
def test_a_refusal_changes_nothing(seed: int) -> None:
    for step in steps(seed):
        if not step.result["ok"]:
            assert step.after == step.before, step.told()
            assert set(step.result) == {"ok", "error"}


@pytest.mark.parametrize("seed", WATCHED)
def test_the_reserves_are_what_the_positions_took(seed: int) -> None:
    realized = ZERO
    start = machine.run({"config": watched(seed)[0]["config"], "ops": []})["state"]["market"]
    for step in steps(seed):
        if step.name in ("close", "liquidate"):
            realized += num(step.result["pnlTrade"])
        longs, shorts, market = held(step.after, True), held(step.after, False), step.after["market"]
        base, quote = num(market["baseReserve"]), num(market["quoteReserve"])
        before = num(step.before["market"]["baseReserve"]) * num(step.before["market"]["quoteReserve"])
        assert base > 0, step.told()
        assert quote > 0, step.told()
        assert base * quote >= before, step.told()
        assert base == num(start["baseReserve"]) - total(longs, "baseSize") + total(shorts, "baseSize"), step.told()
        entries = total(longs, "entryNotional") - total(shorts, "entryNotional")
        assert quote == num(start["quoteReserve"]) + entries - realized, step.told()
        assert num(market["longOpenInterest"]) == total(longs, "entryNotional"), step.told()
        assert num(market["shortOpenInterest"]) == total(shorts, "entryNotional"), step.told()
        assert all(num(short["baseSize"]) < base for short in shorts), step.told()


@pytest.mark.parametrize("seed", WATCHED)
def test_carry_follows_the_imbalance(seed: int) -> None:
    for step in steps(seed):
        market, now = step.before["market"], step.after["market"]
        moved = num(now["cumulativeCarryIndex"]) - num(market["cumulativeCarryIndex"])
        imbalance = num(market["longOpenInterest"]) - num(market["shortOpenInterest"])
        if step.name != "tick":
            assert moved == 0, step.told()
        else:
            assert moved * imbalance >= 0, step.told()
            assert moved == 0 or imbalance != 0, step.told()
            assert now["currentBlock"] == now["lastFundingBlock"] == market["currentBlock"] + step.op["blocks"]
        for one in (one for one in step.after["positions"] if one["status"] == "OPEN"):
            drift = num(now["cumulativeCarryIndex"]) - num(one["carrySnapshot"])
            carry = num(one["health"]["carryPnl"]) * (-1 if one["isLong"] else 1)
            if abs(drift) > 2 * UNIT and abs(carry) > UNIT:
                assert carry * drift > 0, step.told()


@pytest.mark.parametrize("seed", WATCHED[:8])
def test_many_blocks_are_as_many_single_blocks(seed: int) -> None:
    for step in steps(seed):
        if step.name == "tick" and 1 < step.op["blocks"] <= 60:
            split = [{"op": "tick", "blocks": 1}] * step.op["blocks"]
            earlier = step.scenario["ops"][: step.at]
            assert machine.run({**step.scenario, "ops": [*earlier, *split]})["state"] == step.after, step.told()


@pytest.mark.parametrize("seed", WATCHED)
def test_what_an_open_costs(seed: int) -> None:
    for step in steps(seed):
        if step.name not in ("open", "increase"):
            continue
        margin, fee, paid = num(step.result["margin"]), num(step.result["fee"]), on_grid(step.op["total"])
        was, now = step.before["funds"], step.after["funds"]
        assert margin + fee == paid, step.told()
        assert num(was["userWallets"][step.op["user"]]) - num(now["userWallets"][step.op["user"]]) == paid
        assert num(now["tradeFund"]) - num(was["tradeFund"]) == margin, step.told()
        split = [num(now[key]) - num(was[key]) for key in ("insuranceFund", "protocolFees")]
        assert sum(split) == fee, step.told()
        assert min(split) >= 0, step.told()
        base_rate, skew = step.setting("BASE_OPEN_FEE_RATE"), step.setting("OI_SKEW_FEE_MULTIPLIER")
        assert base_rate - UNIT <= num(step.before["market"]["feeRate"]) <= base_rate * (1 + skew), step.told()
        position = step.after["positions"][(step.result.get("positionId") or step.op["position"]) - 1]
        moved = mark(step.after) / mark(step.before)
        assert moved > 1 if position["isLong"] else moved < 1, step.told()
        if "MAX_OPEN_PRICE_MOVE" in step.config:
            assert abs(moved - 1) <= num(step.config["MAX_OPEN_PRICE_MOVE"]), step.told()


@pytest.mark.parametrize("seed", WATCHED)
def test_open_and_close_at_once_never_pays(seed: int) -> None:
    for step in steps(seed):
        if step.name == "open":
            again = step.then({"op": "close", "user": step.op["user"], "position": step.result["positionId"]})
            back = again["results"][-1]
            if back["ok"]:
                assert num(back["payout"]) <= num(step.result["margin"]), step.told()
                # The size is one unit of base off at most, which is worth the price; then each side rounds once.
                lost = UNIT * (2 + max(mark(step.after), mark(step.before)))
                assert num(back["payout"]) >= num(step.result["margin"]) - lost, step.told()
                drift = abs(mark(again["state"]) - mark(step.before))
                assert drift <= lost / num(step.before["market"]["baseReserve"]), step.told()
            else:
                assert back["error"] in ("UNDERWATER", "FUNDS_INSUFFICIENT"), step.told()


@pytest.mark.parametrize("seed", WATCHED)
def test_what_was_previewed_is_paid(seed: int) -> None:
    for step in steps(seed):
        if step.name not in ("close", "liquidate"):
            continue
        was = step.position(step.before)
        assert was is not None
        health = was["health"]
        if step.name == "liquidate" or num(step.op.get("part", "1")) == 1:
            equity = step.result["equity" if step.name == "liquidate" else "payout"]
            assert equity == health["equity"], step.told()
            for key in ("pnlTrade", "carryPnl", "closeNotional"):
                assert step.result[key] == health[key], step.told()


@pytest.mark.parametrize("seed", WATCHED)
def test_a_liquidation_succeeds_exactly_when_it_may(seed: int) -> None:
    ended: set[int] = set()
    for step in steps(seed):
        assert all(one["status"] != "OPEN" for one in step.after["positions"] if one["id"] in ended), step.told()
        ended |= {one["id"] for one in step.after["positions"] if one["status"] != "OPEN"}
        if (
            not isinstance(step.op, dict)
            or step.op.get("op") != "liquidate"
            or set(step.op)
            - {
                "op",
                "liquidator",
                "position",
            }
        ):
            continue
        was = step.position(step.before)
        may = (
            was is not None
            and was["status"] == "OPEN"
            and was["openBlock"] != step.before["market"]["currentBlock"]
            and was["health"]["isLiquidatable"]
        )
        assert step.result["ok"] == may or (may and step.result["error"] == "FUNDS_INSUFFICIENT"), step.told()
        if step.result["ok"]:
            now = step.position(step.after)
            assert now is not None
            assert now["status"] == "LIQUIDATED"
            assert step.then(step.op)["results"][-1] == {"ok": False, "error": "NOT_OPEN"}


@pytest.mark.parametrize("seed", WATCHED)
def test_who_pays_for_a_liquidation(seed: int) -> None:
    for step in steps(seed):
        if step.name != "liquidate":
            continue
        told = {key: num(value) for key, value in step.result.items() if key != "ok"}
        shortage = max(ZERO, told["liqFee"] - told["equity"])
        was, now = step.before["funds"], step.after["funds"]
        assert told["userPayout"] == max(ZERO, told["equity"] - told["liqFee"]), step.told()
        assert 0 <= told["liqFeePaid"] <= told["liqFee"], step.told()
        assert num(was["insuranceFund"]) - num(now["insuranceFund"]) == told["fromInsurance"], step.told()
        assert num(now["uncoveredBadDebt"]) - num(was["uncoveredBadDebt"]) == told["uncovered"], step.told()
        topped = told["fromInsurance"] + told["uncovered"] - shortage
        assert topped >= 0, step.told()
        if topped > 0 or told["liqFeePaid"] < told["liqFee"]:
            assert num(now["tradeFund"]) == 0, step.told()
        if told["uncovered"] > 0 or told["liqFeePaid"] < told["liqFee"]:
            assert num(now["insuranceFund"]) == 0, step.told()


@pytest.mark.parametrize("seed", WATCHED)
def test_a_close_is_never_refused_by_the_pool(seed: int) -> None:
    refused = {
        step.result["error"]
        for step in steps(seed)
        if isinstance(step.op, dict) and step.op.get("op") == "close" and not step.result["ok"]
    }
    assert not refused & {"POOL_EXHAUSTED", "BASE_EXHAUSTED", "PRICE_MOVE_LIMIT"}


# -- invariants that compare two histories ---------------------------------------------------------------------------

BEFORE: list[Any] = [
    {"op": "deposit", "user": "a", "amount": "9000"},
    {"op": "deposit", "user": "b", "amount": "9000"},
    {"op": "open", "user": "b", "side": "long", "total": "100", "leverage": "3"},
    {"op": "tick", "blocks": 2},
]


def order(side: str, amount: str, leverage: str = "7/3") -> dict[str, Any]:
    return {"op": "open", "user": "a", "side": side, "total": amount, "leverage": leverage}


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_larger_order_has_a_worse_price(side: str) -> None:
    sign = 1 if side == "long" else -1
    prices = [
        sign * num(machine.run([*BEFORE, order(side, amount)])["results"][-1]["entryPrice"])
        for amount in ("1", "10", "100", "1000", "3000")
    ]
    assert prices == sorted(set(prices))


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("part", ["1/3", "0.25", "2/7"])
def test_parts_add_up_to_the_whole(side: str, part: str) -> None:
    opened = [*BEFORE, order(side, "700"), {"op": "tick", "blocks": 9}]
    close = {"op": "close", "user": "a", "position": 2}
    whole = machine.run([*opened, close])["results"][-1]
    parts = machine.run([*opened, {**close, "part": part}, close])["results"][-2:]
    assert abs(sum(num(one["pnlTrade"]) for one in parts) - num(whole["pnlTrade"])) <= 4 * UNIT
    assert abs(sum(num(one["closeNotional"]) for one in parts) - num(whole["closeNotional"])) <= 4 * UNIT


@pytest.mark.parametrize("side", ["long", "short"])
def test_one_increased_position_earns_what_two_would(side: str) -> None:
    config = {"OI_SKEW_FEE_MULTIPLIER": "0"}
    pause = {"op": "tick", "blocks": 5}
    grown = {"op": "increase", "user": "a", "position": 2, "total": "450", "leverage": "5"}
    one = [*BEFORE, order(side, "700"), pause, grown, pause]
    two = [*BEFORE, order(side, "700"), pause, order(side, "450", "5"), pause]

    def health(ops: list[Any]) -> list[dict[str, Any]]:
        return [one["health"] for one in machine.run({"config": config, "ops": ops})["state"]["positions"][1:]]

    (together,), apart = health(one), health(two)
    assert abs(num(together["carryPnl"]) - sum(num(each["carryPnl"]) for each in apart)) <= Fraction(1, 10**13)
    closing = [{"op": "close", "user": "a", "position": number} for number in (2, 3)]
    paid = machine.run({"config": config, "ops": [*two, *closing]})["results"][-2:]
    assert abs(num(together["pnlTrade"]) - sum(num(each["pnlTrade"]) for each in paid)) <= 4 * UNIT
