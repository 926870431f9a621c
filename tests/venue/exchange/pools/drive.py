"""One JSON operation at a time into the exchange and into the slow model, with the clock and the prices they share."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from tests.venue.exchange.pools.model import Answer, Model
from tests.venue.exchange.pools.state import Row
from venue.exchange import machine
from venue.exchange.commands import Rejection
from venue.exchange.machine import Command, Fact
from venue.exchange.pool.params import FeeTier, ImpactParams, PoolParams
from venue.exchange.pool.state import Interest, PositionKey
from venue.exchange.pool.units import TokenPrice
from venue.exchange.requests import commands, facts
from venue.exchange.requests.book import RequestRules
from venue.exchange.requests.request import Kind, OrderType, Request, kind_of
from venue.exchange.state import Exchange

START = 1_700_000_000_000
ENGINE = "lockstep"
USD = 10**30
TYPICAL = {"WETH": (5_000 * 10**12,) * 2, "USDC": (10**24,) * 2, "WBTC": (5 * 10**26,) * 2}
KINDS = {"deposit": Kind.DEPOSIT, "withdrawal": Kind.WITHDRAWAL, "order": Kind.ORDER}
CREATES = {
    "deposit": commands.CreateDeposit,
    "withdrawal": commands.CreateWithdrawal,
    "order": commands.CreateOrder,
}
EXECUTED = (
    facts.DepositExecuted, facts.WithdrawalExecuted, facts.SwapExecuted, facts.IncreaseExecuted,
    facts.DecreaseExecuted, facts.PoolPositionLiquidated,
)  # fmt: skip


class Difference(AssertionError):
    """The exchange and the model do not agree."""


def params_of(changed: Row) -> PoolParams:
    """Pool parameters from JSON: what is not named is the default."""
    made: dict[str, Any] = dict(changed)
    for name, value in changed.items():
        if isinstance(value, dict):
            made[name] = (FeeTier if name.endswith("fee") else ImpactParams)(**value)
    return replace(PoolParams(), **made)


class Pair:
    """The exchange and the model. `step` plays one operation and compares answers and states."""

    def __init__(self, *, watch: Callable[["Pair", Row, Answer], None] | None = None) -> None:
        self.exchange, self.model = Exchange(), Model()
        self.now, self.quotes = START, dict(TYPICAL)
        self.ops: list[Row] = []
        self.facts: list[Fact] = []
        self.latest: tuple[Fact, ...] = ()
        self.watch = watch
        self._send(commands.FoundExchange(ENGINE, RequestRules()))

    def step(self, op: Row) -> Answer:
        """The common answer. Raises Difference."""
        op = json.loads(json.dumps(op))
        self.ops.append(op)
        if op["op"] == "wait":
            self.now += op["ms"]
            return "ok", ""
        if op["op"] == "quote":
            self.quotes[op["token"]] = (op["low"], op["high"])
            return "ok", ""
        prices = self.prices(op)
        answer = self._answer(op, prices)
        quoted = [(p.token, p.min, p.max, p.timestamp_ms) for p in prices]
        expected = self.model.apply(self._known(op), quoted, self.now)
        if answer != expected:
            raise Difference(f"the exchange says {answer}, the model {expected}, of {op}")
        self.compare()
        if self.watch:
            self.watch(self, op, answer)
        return answer

    def prices(self, op: Row) -> tuple[TokenPrice, ...]:
        missing, age, ages = op.get("without", ()), op.get("age", 0), op.get("ages", {})
        return tuple(
            TokenPrice(token, low, high, self.now - age - ages.get(token, 0))
            for token, (low, high) in self.quotes.items()
            if token not in missing
        )

    def key(self, n: int) -> str:
        return self.exchange.requests.key(n)

    def _known(self, op: Row) -> Row:
        """The operation as the model reads it."""
        if op["op"] == "pool":
            return {**op, "params": asdict(params_of(op["params"]))}
        if op["op"] != "create":
            return op
        row = {"kind": op["kind"], **op["row"]}
        return {**op, "row": row}

    def command(self, op: Row, prices: tuple[TokenPrice, ...]) -> Command:
        """The operation as the exchange reads it."""
        if op["op"] == "create":
            return self._create(op)
        if op["op"] == "update":
            rest = {name: value for name, value in op.items() if name not in ("op", "n")}
            return commands.UpdateOrder(key=self.key(op["n"]), now_ms=self.now, **rest)
        if op["op"] == "liquidate":
            key = PositionKey(op["account"], op["market"], op["collateral_token"], op["is_long"])
            return commands.LiquidatePoolPosition(key, op["keeper"], prices, self.now)
        if op["op"] in ("execute", "cancel", "sweep"):
            return self._on_request(op, prices)
        return _plain(op)

    def _on_request(self, op: Row, prices: tuple[TokenPrice, ...]) -> Command:
        kind, key = KINDS[op["kind"]], self.key(op["n"])
        if op["op"] == "execute":
            return commands.ExecuteRequest(kind, key, op["keeper"], prices, self.now, op["units"])
        if op["op"] == "cancel":
            return commands.CancelRequest(kind, key, op["account"], self.now)
        return commands.SweepRequest(kind, key, op["keeper"], self.now)

    def _create(self, op: Row) -> Command:
        fields: Row = {name: tuple(value) if isinstance(value, list) else value for name, value in op["row"].items()}
        fields.update(native_sent=op["native_sent"], from_outside=op["from_outside"], now_ms=self.now)
        if op["kind"] == "order":
            fields.update(type=OrderType(fields["type"]), referral_code=op["code"])
        command: Command = CREATES[op["kind"]](**fields)
        return command

    def _send(self, command: Command) -> tuple[Fact, ...] | Rejection:
        answer = machine.decide(self.exchange, command)
        if isinstance(answer, Rejection):
            return answer
        for fact in answer:
            machine.evolve(self.exchange, fact)
        self.facts += answer
        self.latest = answer
        return answer

    def _answer(self, op: Row, prices: tuple[TokenPrice, ...]) -> Answer:
        self.latest = ()
        answer = self._send(self.command(op, prices))
        if isinstance(answer, Rejection):
            return "refused", str(answer.code)
        first = answer[0] if answer else None
        if isinstance(first, EXECUTED):
            return "executed", ""
        if isinstance(first, facts.RequestCancelled):
            return "cancelled", str(first.reason)
        if isinstance(first, facts.OrderFrozen):
            return "frozen", str(first.reason)
        return "ok", ""

    def compare(self) -> None:
        """Raises Difference where the two states part."""
        one, other = machine_state(self.exchange), model_state(self.model)
        found = parted(one, other, "")
        if found:
            raise Difference(f"{found} after {self.ops[-1]}")


def _plain(op: Row) -> Command:
    rest = {name: value for name, value in op.items() if name != "op"}
    if op["op"] == "pool":
        return commands.ListPool(**{**rest, "params": params_of(op["params"])})
    kinds: dict[str, Callable[..., Command]] = {
        "keeper": commands.RegisterKeeper, "feature": commands.SwitchFeature, "switch": commands.SwitchPool,
        "credit": commands.Credit, "debit": commands.Debit, "code": commands.RegisterReferralCode,
        "claim": commands.Claim,
    }  # fmt: skip
    return kinds[op["op"]](**rest)


def parted(one: object, other: object, where: str) -> str:
    """The first place where two trees of plain values part, in words."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}, key=str):
            found = parted(one.get(name), other.get(name), f"{where}/{name}")
            if found:
                return found
        return ""
    return "" if one == other else f"{where}: the exchange has {one!r}, the model {other!r}"


def _interest(side: Interest) -> Row:
    return {
        "usd": side.usd, "tokens": side.tokens, "pending_impact": side.pending_impact,
        "borrowing": side.borrowing, "borrowed": side.borrowed,
    }  # fmt: skip


def _request(request: Request) -> Row:
    row: Row = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(request).items()}
    del row["key"]
    if "frozen_reason" in row:
        row["frozen_reason"] = row["frozen_reason"].split(" ")[0]
    return {"kind": str(kind_of(request)), **row}


def machine_state(exchange: Exchange) -> Row:
    """Everything that the two can be compared by, from the exchange."""
    book = exchange.requests
    return {
        "bank": {token: {a: v for a, v in each.balances.items() if v} for token, each in exchange.tokens.items()},
        "pools": {
            pool.symbol: {
                "enabled": pool.enabled, "position_impact": pool.position_impact,
                "distributed_ms": pool.distributed_ms, "borrowed_ms": pool.borrowed_ms,
                "long": _interest(pool.long_interest), "short": _interest(pool.short_interest),
            }
            for pool in exchange.pools.values()
        },
        "positions": {
            tuple(key): {name: getattr(each, name) for name in (
                "size", "tokens", "collateral", "pending_impact", "borrowing", "increased_ms", "decreased_ms",
            )}
            for key, each in exchange.pool_positions.items()
        },
        "pending": {key: _request(each) for key, each in book.pending.items()},
        "ended": {
            key: (str(each.ending), each.by, str(each.reason), each.fee_paid, each.at_ms)
            for key, each in book.ended.items()
        },
        "nonce": book.nonce, "keepers": book.keepers, "disabled": book.disabled, "referred": book.referred,
        "executed": book.executed, "cancelled": book.cancelled,
    }  # fmt: skip


def model_state(model: Model) -> Row:
    """The same from the model."""
    state = model.state
    key = Exchange().requests.__class__(engine_id=ENGINE).key
    return {
        "bank": {token: {a: v for a, v in each.items() if v} for token, each in state.bank.items()},
        "pools": {
            name: {
                **{field: pool[field] for field in ("enabled", "position_impact", "distributed_ms", "borrowed_ms")},
                "long": pool[True], "short": pool[False],
            }
            for name, pool in state.pools.items()
        },
        "positions": state.positions,
        "pending": {key(n): {f: v for f, v in row.items() if f != "n"} for n, row in state.pending.items()},
        "ended": {
            key(n): (row["ending"], row["by"], row["reason"], row["fee_paid"], row["at_ms"])
            for n, row in state.ended.items()
        },
        "nonce": state.nonce, "keepers": state.keepers, "disabled": state.disabled, "referred": state.referred,
        **state.counts,
    }  # fmt: skip
