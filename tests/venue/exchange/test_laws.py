"""What holds at every step of a random history, by what the exchange itself says; no model is asked.

`PERPDESK_LOCKSTEP=20` looks at twenty times as many histories.
"""

from fractions import Fraction
from typing import Any

import pytest

from tests.venue.exchange.watched import UNIT, WATCHED, ZERO, num, steps, watched
from venue.exchange.scenario import simulation as machine


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
