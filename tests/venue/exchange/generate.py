"""Random histories of a market that get into trouble: liquidations, bad debt, dry funds, exhausted pools.

One writer draws every choice from a `random.Random`. Seeded it is fast and repeatable; under Hypothesis the same writer
runs on a `Random` whose choices Hypothesis makes and shrinks. The writer plays each operation into the model first and
looks at what came out, so that it can aim: at a position that is liquidatable now, or at one that is nearly dry.
"""

import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from tests.venue.exchange.model import Model, Position

__all__ = ["Coverage", "Op", "Scenario", "histories", "history", "smallest"]

Op = Any
Scenario = dict[str, Any]

USERS = ("ann", "bob", "cy", "dot")
KEEPERS = ("kim", "lee", "ann")
LEVERAGES = ("1", "2", "7/3", "5", "10", "12.5", "20", "61/3", "25", "30", "30")
PARTS = ("1/3", "0.25", "1", "1", "0.5", "0.999", "2/7")
DUST = ("0.000000000000000002", "0.000000000000000007", "0.00000000000000101", "1/3000000000000000")
CONFIGS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"MAX_OPEN_PRICE_MOVE": "1/30"},
    {"MAX_OPEN_PRICE_MOVE": "0.2"},
    {"BASE_CARRY_RATE_PER_BLOCK": "0.01", "CARRY_SENSITIVITY": "2.5"},
    {"BASE_CARRY_RATE_PER_BLOCK": "1/700", "CARRY_SENSITIVITY": "2/3"},
    {"FEE_TO_INSURANCE": "1/3", "BASE_OPEN_FEE_RATE": "1/300", "OI_SKEW_FEE_MULTIPLIER": "7/3"},
    {"FEE_TO_INSURANCE": "0", "LIQUIDATION_FEE_RATIO": "0.02"},
    {"MIN_RESERVE_RATIO": "0", "FEE_TO_INSURANCE": "1"},
    {"INITIAL_BASE_RESERVE": "1000/3", "INITIAL_QUOTE_RESERVE": "87654.321", "MIN_RESERVE_RATIO": "1/3"},
    {"MIN_LEVERAGE": "0.5", "MAX_LEVERAGE": "75/2", "OI_SKEW_FEE_MULTIPLIER": "0"},
)
# What a market is like: how much of the pool a trader brings, and the weight of each kind of operation.
TEMPERS: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {
    "calm": (
        ("1/7", "3", "10.5", "25", "40"),
        {"open": 8, "increase": 5, "tick": 6, "close": 8, "aimed": 3, "money": 3, "bad": 2},
    ),
    "wild": (
        ("200", "450.5", "700", "1000", "1500"),
        {"open": 9, "increase": 3, "tick": 6, "close": 5, "aimed": 6, "money": 3, "bad": 2},
    ),
    "raid": (
        ("800", "1000", "2500/3", "3000"),
        {"open": 7, "increase": 1, "tick": 7, "close": 10, "aimed": 8, "money": 1, "bad": 1},
    ),
    "slow": (
        ("50", "100", "1000/3", "200"),
        {"open": 6, "increase": 2, "tick": 4, "creep": 5, "close": 4, "aimed": 5, "money": 2, "bad": 1},
    ),
    "dry": (
        ("100", "500", "1000", "1800"),
        {"open": 7, "increase": 1, "tick": 4, "creep": 4, "close": 1, "drain": 7, "aimed": 7, "drip": 4, "bad": 1},
    ),
}
JUNK_NUMBERS: tuple[object, ...] = (
    "NaN", "Infinity", "-inf", "1e3", "1E-2", "", "abc", "1/0", "1//2", "0x1", "1_000", "9" * 81, "0." + "3" * 81,
    "1/" + "3" * 81, "+1", " 1", "1 ", "1\n", ".5", "5.", "1/-3", "\u0663", None, True, 1, 1.5, [], {},
)  # fmt: skip
BAD_AMOUNTS = ("0", "-1", "-0", "0/5", "-2/3", "0.0000000000000000009")


class Writer:
    """Writes one history while playing it into the model."""

    def __init__(self, rng: random.Random, config: dict[str, str], temper: str, dust: bool) -> None:
        self.rng = rng
        self.model = Model(config, grid=True)
        self.amounts, self.weights = TEMPERS[temper]
        self.dust = dust
        self.ops: list[Op] = []
        self.depth = self.model.initial_quote / 100_000

    def say(self, name: str, **arguments: object) -> None:
        op = {"op": name, **arguments}
        self.ops.append(op)
        self.model.apply(op)

    def amount(self) -> str:
        if self.dust and self.rng.random() < 0.15:
            return self.rng.choice(DUST)
        value = Fraction(self.rng.choice(self.amounts)) * self.depth
        return str(value)

    def some(self) -> Position | None:
        held = self.model.open_positions()
        return self.rng.choice(held) if held else None

    def step(self) -> None:
        name = self.rng.choices(list(self.weights), weights=list(self.weights.values()))[0]
        margins = sum(held.margin for held in self.model.open_positions())
        if "drain" in self.weights and self.model.trade * 10 < margins and self.rng.random() < 0.8:
            name = self.rng.choice(("creep", "creep", "aimed", "aimed", "drip"))
        getattr(self, f"write_{name}")()

    def write_open(self) -> None:
        side = "long" if self.rng.random() < 0.55 else "short"
        user, leverage = self.rng.choice(USERS), self.rng.choice(LEVERAGES)
        self.say("open", user=user, side=side, total=self.amount(), leverage=leverage)

    def write_increase(self) -> None:
        held = self.some()
        if held is None:
            return self.write_open()
        leverage = self.rng.choice(LEVERAGES)
        return self.say("increase", user=held.user, position=held.id, total=self.amount(), leverage=leverage)

    def write_tick(self) -> None:
        self.say("tick", blocks=self.rng.choice((1, 1, 1, 2, 7, 60, 400)))

    def write_close(self) -> None:
        held = self.some()
        if held is None:
            return self.write_open()
        return self.say("close", user=held.user, position=held.id, part=self.rng.choice(PARTS))

    def write_creep(self) -> None:
        """Waits until the carry has just made some position liquidatable, or until one block before that."""
        model = self.model
        step = model.config["BASE_CARRY_RATE_PER_BLOCK"] * model.config["CARRY_SENSITIVITY"] * model.imbalance()
        waits = []
        for held in model.open_positions():
            health = model.health(held, model.base, model.quote)
            cost = health["notionalNow"] * (step if held.is_long else -step)
            room = health["allowedLoss"] - (held.margin - health["equity"])
            if cost > 0 and room > 0 and room / cost < 20_000:
                waits.append(int(room / cost))
        if not waits:
            return self.write_tick()
        return self.say("tick", blocks=max(1, min(waits) + self.rng.choice((0, 1, 1, 1, 2))))

    def write_drain(self) -> None:
        """Takes out of the trade fund nearly what is in it, by closing a part of the richest position."""
        model = self.model
        rich = [(model.health(held, model.base, model.quote)["equity"], held) for held in model.open_positions()]
        if not rich:
            return self.write_open()
        equity, held = max(rich, key=lambda pair: (pair[0], pair[1].id))
        part = Fraction(1)
        if equity > model.trade:
            part = Fraction(int(model.trade / equity * self.rng.choice((999, 990, 900)) * 10**9), 10**12)
        return self.say("close", user=held.user, position=held.id, part=str(part))

    def write_drip(self) -> None:
        """A little insurance, so that it is there when the trade fund is not."""
        self.say("fund_insurance", amount=self.rng.choice(("1/3", "0.5", "2", "20", "100")))

    def write_aimed(self) -> None:
        """Liquidates what can be liquidated, and sometimes what cannot."""
        model = self.model
        doomed = [held for held in model.open_positions() if model.liquidatable(held, model.base, model.quote)]
        held = self.rng.choice(doomed) if doomed and self.rng.random() < 0.9 else self.some()
        if held is None:
            return self.write_tick()
        return self.say("liquidate", liquidator=self.rng.choice(KEEPERS), position=held.id)

    def write_money(self) -> None:
        user = self.rng.choice(USERS)
        kind = self.rng.choice(("deposit", "withdraw", "empty", "insure"))
        if kind == "deposit":
            self.say("deposit", user=user, amount=self.amount())
        elif kind == "withdraw":
            self.say("withdraw", user=user, amount=self.amount())
        elif kind == "empty":
            self.say("withdraw", user=user, amount=str(self.model.wallets.get(user, Fraction(1)) or 1))
        else:
            self.say("fund_insurance", amount=self.amount())

    def write_bad(self) -> None:
        """One operation that is refused for a known reason, or not an operation at all."""
        rng, user, known = self.rng, self.rng.choice(USERS), self.rng.randint(1, len(self.model.positions) + 2)
        makers: tuple[Callable[[], Op], ...] = (
            lambda: {"op": "deposit", "user": user, "amount": rng.choice(BAD_AMOUNTS)},
            lambda: {"op": "deposit", "user": user, "amount": rng.choice(JUNK_NUMBERS)},
            lambda: {"op": "withdraw", "user": user, "amount": "1000000000000"},
            lambda: {"op": "open", "user": user, "side": "long", "total": "1", "leverage": "0.1"},
            lambda: {"op": "open", "user": user, "side": "short", "total": "1", "leverage": "1000/3"},
            lambda: {"op": "open", "user": user, "side": "long", "total": "9999999999", "leverage": "2"},
            lambda: {"op": "open", "user": user, "side": "up", "total": "1", "leverage": "2"},
            lambda: {"op": "open", "user": user, "side": "long", "total": "1", "leverage": rng.choice(JUNK_NUMBERS)},
            lambda: {"op": "increase", "user": user, "position": known, "total": "1", "leverage": "0"},
            lambda: {"op": "increase", "user": "nobody", "position": known, "total": "0", "leverage": "0"},
            lambda: {"op": "close", "user": user, "position": known, "part": rng.choice(("0", "-1", "7/6", "1/0"))},
            lambda: {"op": "close", "user": "nobody", "position": known},
            lambda: {"op": "close", "user": user, "position": rng.choice(("1", 0, -1, 1.0, True, None, 10**30))},
            lambda: {"op": "liquidate", "liquidator": user, "position": known},
            lambda: {"op": "liquidate", "liquidator": user, "position": known, "part": "1"},
            lambda: {"op": "tick", "blocks": rng.choice((0, -1, "1", 1.5, True, None, 10**30))},
            lambda: {"op": rng.choice(("nope", "", None, 3)), "user": user},
            lambda: rng.choice((None, 7, "tick", [], {}, {"op": "tick"}, {"op": "deposit", "user": user})),
            lambda: {"op": "deposit", "user": rng.choice((None, 3, ["ann"])), "amount": "1"},
        )
        op = rng.choice(makers)()
        self.ops.append(op)
        self.model.apply(op)

    def start(self) -> None:
        for user in USERS:
            wealth = self.rng.choice((2_000, 20_000, 200_000)) * self.depth
            self.say("deposit", user=user, amount=str(wealth))
        if self.rng.random() < 0.3:
            self.say("fund_insurance", amount=str(self.rng.choice((5, 500, 20_000)) * self.depth))


def history(
    rng: random.Random, length: int = 60, config: dict[str, str] | None = None, *, dust: bool = True, temper: str = ""
) -> Scenario:
    """One history of about `length` operations."""
    if config is None:
        config = rng.choice(CONFIGS)
    writer = Writer(rng, config, temper or rng.choice(list(TEMPERS)), dust and rng.random() < 0.5)
    writer.start()
    while len(writer.ops) < length:
        writer.step()
    return {"config": dict(config), "ops": writer.ops}


@st.composite
def histories(draw: st.DrawFn, longest: int = 40) -> Scenario:
    """Histories whose every choice Hypothesis makes, and therefore can take back."""
    rng = draw(st.randoms(use_true_random=False))
    length = draw(st.integers(1, longest))
    return history(rng, length)


def smallest(scenario: Scenario, fails: Callable[[Scenario], bool]) -> Scenario:
    """The scenario without every operation and setting it does not need in order to fail."""
    ops, config = list(scenario["ops"]), dict(scenario["config"])
    size = max(1, len(ops) // 2)
    while size:
        at = 0
        while at < len(ops):
            shorter = ops[:at] + ops[at + size :]
            if fails({"config": config, "ops": shorter}):
                ops = shorter
            else:
                at += size
        size //= 2
    for key in list(config):
        poorer = {name: value for name, value in config.items() if name != key}
        if fails({"config": poorer, "ops": ops}):
            config = poorer
    return {"config": config, "ops": ops}


class Coverage:
    """How often the histories really get into trouble."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()
        self.histories: Counter[str] = Counter()

    def add(self, scenario: Scenario) -> None:
        """Plays one history and counts what happens in it."""
        model = Model(scenario["config"], grid=True)
        seen: Counter[str] = Counter()
        buffers: dict[int, Fraction] = {}
        for op in scenario["ops"]:
            before = {held.id: held for held in model.open_positions()}
            trade = model.trade
            answer = model.apply(op)
            name = op.get("op") if isinstance(op, dict) else None
            seen.update(facts_of(str(name), answer, trade))
            for held in model.open_positions():
                buffer = model.health(held, model.base, model.quote)["bufferRatio"]
                seen["bucket change"] += held.id in before and buffers.get(held.id, buffer) != buffer
                buffers[held.id] = buffer
            seen["trade fund dry"] += trade > 0 and not model.trade and bool(model.open_positions())
        self.times.update(seen)
        self.histories.update({key for key, times in seen.items() if times})


def facts_of(name: str, answer: dict[str, Any], trade: Fraction) -> list[str]:
    """The names of everything worth counting in one answer."""
    if not answer["ok"]:
        return [answer["error"], f"{name}: {answer['error']}"]
    facts = [name]
    if name == "liquidate":
        cases = {
            "liquidation: negative equity": answer["equity"] < 0,
            "liquidation: equity below the fee": 0 <= answer["equity"] < answer["liqFee"],
            "liquidation: owner gets a rest": answer["userPayout"] > 0,
            "liquidation: insurance pays": answer["fromInsurance"] > 0,
            "liquidation: uncovered bad debt": answer["uncovered"] > 0,
            "liquidation: fee cut, funds dry": answer["liqFeePaid"] < answer["liqFee"],
            "liquidation: insurance tops up a dry fund": answer["fromInsurance"] + answer["uncovered"]
            > max(Fraction(0), answer["liqFee"] - answer["equity"]),
        }
        facts += [case for case, happened in cases.items() if happened]
    if name == "close" and answer["payout"] > trade:
        facts.append("close: insurance pays a winner")
    return facts
