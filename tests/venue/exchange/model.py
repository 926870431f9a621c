"""An independent, slow and exact model of the clearinghouse: plain fractions, written from the formulas alone.

It shares no code with the exchange and exists to disagree with it. In exact mode nothing is ever rounded; in grid mode
every quantity of money or base is put on the 1e-18 grid by one rounding per formula.

Where the formulas leave a choice, this is what the model does:

- numbers: ASCII `-?digits`, `-?digits.digits` or `-?digits/digits` (denominator not 0), each at most 80;
  no sign `+`, no blanks, no exponent, no `.5`, no `5.`, and no JSON number.
- all arguments are read (BAD_REQUEST) before any rule is asked; an object without a known `op` is UNKNOWN_OP.
- `blocks` and `position` are JSON integers (a boolean is not one); fewer than one block is BAD_AMOUNT, more than
  MAX_BLOCKS at once is BAD_REQUEST.
- any string is a user who may deposit, liquidate or be refused for an empty wallet.
- amounts that are not on the grid lose the rest, toward zero, before `amount > 0` is asked: 1/3 of 1e-18 is BAD_AMOUNT.
- an increase finds its position first (UNKNOWN_POSITION, NOT_OPEN, NOT_OWNER), then goes through the checks of an open.
- a position whose size or margin would be zero is BAD_AMOUNT, and so are a part outside (0, 1] and a part of size zero.
- the price move of an open or increase is |new mark / old mark - 1|, exact, and must not be above the limit.
- the base reserve left by a long must be above zero even when MIN_RESERVE_RATIO is 0, as it is asked of the quote
  reserve: otherwise a short could be left that nobody can ever close.
- increase: the blended carry snapshot is put on the 1e-18 grid although the index itself has more digits.
- increase: "may not be liquidatable" is asked on the reserves and the index after the fill: WOULD_BE_LIQUIDATABLE.
- partial close: the rest is judged on the reserves after the exit; the part keeps the snapshot of the whole.
- a closed or liquidated position is shown with the size, margin and entry it had just before its last exit.
- liquidation: insurance first pays its share of the shortage, then tops up a dry trade fund, then the fee shrinks;
  an owner who still cannot be paid in full is FUNDS_INSUFFICIENT.
- `fromInsurance` is both payments together, `uncovered` only what is missing of the shortage itself.
- `uncoveredBadDebt` counts up and is never paid back.
- a wallet is listed once more than nothing was credited to it (a keeper whose fee is 0 has none), and stays listed
  when it is empty.
- text of a number: truncated toward zero, and a negative number that truncates to zero is shown without a sign.
- configuration: reserves are amounts (on the grid, above zero), everything else is an exact rational, not negative;
  FEE_TO_INSURANCE is a share (at most 1), or a fee would be split into more than itself.
- the carry index is exact: no digits are cut off, whatever the rates are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

__all__ = ["DEFAULTS", "ConfigError", "Model", "Position", "Refusal", "run"]

MAX_BLOCKS = 10**18 - 1
NUMBER = re.compile(r"-?[0-9]{1,80}(?:\.[0-9]{1,80}|/[0-9]{1,80})?")
ZERO = Fraction(0)
Raw = Any  # nested dicts and lists of fractions, whole numbers, flags and texts
PLACES = 18

DEFAULTS: Mapping[str, str] = {
    "INITIAL_BASE_RESERVE": "100000",
    "INITIAL_QUOTE_RESERVE": "100000",
    "MIN_LEVERAGE": "1",
    "MAX_LEVERAGE": "30",
    "BASE_OPEN_FEE_RATE": "0.001",
    "OI_SKEW_FEE_MULTIPLIER": "1",
    "LIQUIDATION_FEE_RATIO": "0.005",
    "BASE_CARRY_RATE_PER_BLOCK": "0.0001",
    "CARRY_SENSITIVITY": "1",
    "FEE_TO_INSURANCE": "0.5",
    "MIN_RESERVE_RATIO": "0.1",
}
OPTIONAL = ("MAX_OPEN_PRICE_MOVE",)
BUCKETS = ((Fraction(10), Fraction(1, 10)), (Fraction(20), Fraction(2, 10)))
LAST_BUFFER = Fraction(3, 10)

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "deposit": ("user", "amount"),
    "withdraw": ("user", "amount"),
    "fund_insurance": ("amount",),
    "tick": ("blocks",),
    "open": ("user", "side", "total", "leverage"),
    "increase": ("user", "position", "total", "leverage"),
    "close": ("user", "position", "part"),
    "liquidate": ("liquidator", "position"),
}


class Refusal(Exception):
    """An operation that may not happen, by its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ConfigError(ValueError):
    """A configuration that cannot be used."""


@dataclass(frozen=True)
class Position:
    """One position, as it is or as it was just before its last exit."""

    id: int
    user: str
    is_long: bool
    size: Fraction
    entry: Fraction
    margin: Fraction
    snapshot: Fraction
    open_block: int
    status: str = "OPEN"
    realized: Fraction = ZERO


@dataclass(frozen=True)
class Exit:
    """What leaving a position, or a part of it, would give."""

    size: Fraction
    margin: Fraction
    entry: Fraction
    close: Fraction
    pnl: Fraction
    carry: Fraction

    @property
    def equity(self) -> Fraction:
        return self.margin + self.pnl + self.carry


@dataclass(frozen=True)
class Fill:
    """What an open or an increase would buy."""

    margin: Fraction
    notional: Fraction
    fee: Fraction
    size: Fraction
    base: Fraction
    quote: Fraction


class Model:
    """One market, its funds and its positions."""

    def __init__(self, config: Mapping[str, str], grid: bool, places: int = PLACES) -> None:
        self.grid = grid
        self.unit = Fraction(1, 10**places)
        for key in config:
            if key not in DEFAULTS and key not in OPTIONAL and key != "GRID":
                raise ConfigError(f"UNKNOWN_CONFIG {key}")
        try:
            self.config = {key: number(text) for key, text in {**DEFAULTS, **config}.items() if key != "GRID"}
        except Refusal as refusal:
            raise ConfigError(refusal.code) from refusal
        if min(self.config.values()) < 0 or self.config["FEE_TO_INSURANCE"] > 1:
            raise ConfigError("a value out of range")
        self.base = self.initial_base = self.toward_zero(self.config["INITIAL_BASE_RESERVE"])
        self.quote = self.initial_quote = self.toward_zero(self.config["INITIAL_QUOTE_RESERVE"])
        if not self.base or not self.quote:
            raise ConfigError("an empty reserve")
        self.long_oi = self.short_oi = self.index = ZERO
        self.block = self.funding_block = 0
        self.wallets: dict[str, Fraction] = {}
        self.trade = self.insurance = self.fees = self.uncovered = ZERO
        self.positions: dict[int, Position] = {}

    # -- rounding ------------------------------------------------------------------------------------------------

    def down(self, value: Fraction) -> Fraction:
        return floor(value / self.unit) * self.unit if self.grid else value

    def up(self, value: Fraction) -> Fraction:
        return ceil(value / self.unit) * self.unit if self.grid else value

    def toward_zero(self, value: Fraction) -> Fraction:
        return self.down(value) if value >= 0 else self.up(value)

    # -- derived values ------------------------------------------------------------------------------------------

    def imbalance(self) -> Fraction:
        total = self.long_oi + self.short_oi
        return self.toward_zero((self.long_oi - self.short_oi) / total) if total else ZERO

    def fee_rate(self) -> Fraction:
        skew = abs(self.imbalance()) * self.config["OI_SKEW_FEE_MULTIPLIER"]
        return self.config["BASE_OPEN_FEE_RATE"] * (1 + skew)

    def leave(self, position: Position, part: Fraction, base: Fraction, quote: Fraction) -> Exit:
        """The exit of a part of a position at these reserves."""
        size = self.down(position.size * part)
        margin = self.down(position.margin * part)
        if position.is_long:
            entry = self.up(position.entry * part)
            close = self.down(quote * size / (base + size))
            pnl, sign = close - entry, 1
        else:
            if size >= base:
                raise Refusal("BASE_EXHAUSTED")
            entry = self.down(position.entry * part)
            close = self.up(quote * size / (base - size))
            pnl, sign = entry - close, -1
        carry = self.down(-sign * size * (quote / base) * (self.index - position.snapshot))
        return Exit(size, margin, entry, close, pnl, carry)

    def health(self, position: Position, base: Fraction, quote: Fraction) -> dict[str, Any]:
        whole = self.leave(position, Fraction(1), base, quote)
        now = position.size * quote / base
        leverage = now / position.margin
        buffer = next((ratio for top, ratio in BUCKETS if leverage <= top), LAST_BUFFER)
        loss = max(ZERO, position.margin - whole.equity)
        allowed = position.margin * (1 - buffer)
        return {
            "equity": whole.equity,
            "pnlTrade": whole.pnl,
            "carryPnl": whole.carry,
            "closeNotional": whole.close,
            "notionalNow": now,
            "leverage": leverage,
            "bufferRatio": buffer,
            "currentLoss": loss,
            "allowedLoss": allowed,
            "isLiquidatable": loss > allowed,
        }

    def liquidatable(self, position: Position, base: Fraction, quote: Fraction) -> bool:
        return bool(self.health(position, base, quote)["isLiquidatable"])

    # -- operations ----------------------------------------------------------------------------------------------

    def apply(self, op: object) -> dict[str, Any]:
        """The raw answer of one operation; raises nothing."""
        try:
            name, arguments = request(op)
            answer: dict[str, Any] | None = getattr(self, f"do_{name}")(**arguments)
        except Refusal as refusal:
            return {"ok": False, "error": refusal.code}
        return {"ok": True, **(answer or {})}

    def credit(self, user: str, amount: Fraction) -> None:
        if amount:
            self.wallets[user] = self.wallets.get(user, ZERO) + amount

    def positive(self, amount: Fraction) -> Fraction:
        amount = self.toward_zero(amount)
        if amount <= 0:
            raise Refusal("BAD_AMOUNT")
        return amount

    def spendable(self, user: str, amount: Fraction) -> None:
        if self.wallets.get(user, ZERO) < amount:
            raise Refusal("INSUFFICIENT_WALLET")

    def running(self, position: int) -> Position:
        found = self.positions.get(position)
        if found is None:
            raise Refusal("UNKNOWN_POSITION")
        if found.status != "OPEN":
            raise Refusal("NOT_OPEN")
        return found

    def own(self, user: str, position: int) -> Position:
        found = self.running(position)
        if found.user != user:
            raise Refusal("NOT_OWNER")
        return found

    def do_deposit(self, user: str, amount: Fraction) -> None:
        self.credit(user, self.positive(amount))

    def do_withdraw(self, user: str, amount: Fraction) -> None:
        amount = self.positive(amount)
        self.spendable(user, amount)
        self.wallets[user] -= amount

    def do_fund_insurance(self, amount: Fraction) -> None:
        self.insurance += self.positive(amount)

    def do_tick(self, blocks: int) -> None:
        if blocks < 1:
            raise Refusal("BAD_AMOUNT")
        self.block += blocks
        per_block = self.config["BASE_CARRY_RATE_PER_BLOCK"] * self.config["CARRY_SENSITIVITY"] * self.imbalance()
        self.index += (self.block - self.funding_block) * per_block
        self.funding_block = self.block

    def fill(self, user: str, is_long: bool, total: Fraction, leverage: Fraction) -> Fill:
        """What an order would get: all the checks an open and an increase have in common."""
        total = self.positive(total)
        if not self.config["MIN_LEVERAGE"] <= leverage <= self.config["MAX_LEVERAGE"]:
            raise Refusal("BAD_LEVERAGE")
        self.spendable(user, total)
        margin = self.down(total / (1 + leverage * self.fee_rate()))
        notional = self.down(margin * leverage)
        quote = self.quote + notional if is_long else self.quote - notional
        if quote <= 0 or quote < self.config["MIN_RESERVE_RATIO"] * self.initial_quote:
            raise Refusal("POOL_EXHAUSTED")
        bought = self.base * notional / quote
        size = self.down(bought) if is_long else self.up(bought)
        base = self.base - size if is_long else self.base + size
        if is_long:
            longs = sum((held.size for held in self.open_positions() if held.is_long), start=size)
            least = min(base, self.initial_base - longs)
            if least <= 0 or least < self.config["MIN_RESERVE_RATIO"] * self.initial_base:
                raise Refusal("POOL_EXHAUSTED")
        limit = self.config.get("MAX_OPEN_PRICE_MOVE")
        if limit is not None and abs((quote / base) / (self.quote / self.base) - 1) > limit:
            raise Refusal("PRICE_MOVE_LIMIT")
        if size <= 0 or margin <= 0:
            raise Refusal("BAD_AMOUNT")
        return Fill(margin, notional, total - margin, size, base, quote)

    def book(self, user: str, fill: Fill, is_long: bool) -> None:
        """Moves the money and the reserves of a fill."""
        self.wallets[user] -= fill.margin + fill.fee
        self.trade += fill.margin
        protocol = self.down(fill.fee * (1 - self.config["FEE_TO_INSURANCE"]))
        self.fees += protocol
        self.insurance += fill.fee - protocol
        self.base, self.quote = fill.base, fill.quote
        self.add_interest(is_long, fill.notional)

    def add_interest(self, is_long: bool, notional: Fraction) -> None:
        if is_long:
            self.long_oi += notional
        else:
            self.short_oi += notional

    def do_open(self, user: str, side: str, total: Fraction, leverage: Fraction) -> dict[str, Any]:
        is_long = side == "long"
        fill = self.fill(user, is_long, total, leverage)
        self.book(user, fill, is_long)
        identity = len(self.positions) + 1
        self.positions[identity] = Position(
            identity, user, is_long, fill.size, fill.notional, fill.margin, self.index, self.block
        )
        return {
            "positionId": identity,
            "margin": fill.margin,
            "notional": fill.notional,
            "fee": fill.fee,
            "baseSize": fill.size,
            "entryPrice": fill.notional / fill.size,
        }

    def do_increase(self, user: str, position: int, total: Fraction, leverage: Fraction) -> dict[str, Any]:
        old = self.own(user, position)
        fill = self.fill(user, old.is_long, total, leverage)
        blended = (old.snapshot * old.size + self.index * fill.size) / (old.size + fill.size)
        new = replace(
            old,
            size=old.size + fill.size,
            entry=old.entry + fill.notional,
            margin=old.margin + fill.margin,
            snapshot=self.down(blended) if old.is_long else self.up(blended),
        )
        if self.liquidatable(new, fill.base, fill.quote):
            raise Refusal("WOULD_BE_LIQUIDATABLE")
        self.book(user, fill, old.is_long)
        self.positions[position] = new
        return {"margin": fill.margin, "notional": fill.notional, "fee": fill.fee, "baseSize": fill.size}

    def reserves_after(self, is_long: bool, left: Exit) -> tuple[Fraction, Fraction]:
        if is_long:
            return self.base + left.size, self.quote - left.close
        return self.base - left.size, self.quote + left.close

    def do_close(self, user: str, position: int, part: Fraction) -> dict[str, Any]:
        old = self.own(user, position)
        if not 0 < part <= 1:
            raise Refusal("BAD_AMOUNT")
        left = self.leave(old, part, self.base, self.quote)
        if left.size <= 0:
            raise Refusal("BAD_AMOUNT")
        payout = left.equity
        if payout < 0:
            raise Refusal("UNDERWATER")
        if payout > self.trade + self.insurance:
            raise Refusal("FUNDS_INSUFFICIENT")
        base, quote = self.reserves_after(old.is_long, left)
        realized = old.realized + left.pnl + left.carry
        if part == 1:
            new = replace(old, status="CLOSED", realized=realized)
        else:
            new = replace(
                old,
                size=old.size - left.size,
                margin=old.margin - left.margin,
                entry=old.entry - left.entry,
                realized=realized,
            )
            if self.liquidatable(new, base, quote):
                raise Refusal("WOULD_BE_LIQUIDATABLE")
        from_trade = min(self.trade, payout)
        self.trade -= from_trade
        self.insurance -= payout - from_trade
        self.credit(user, payout)
        self.finish(new, left, base, quote)
        return {
            "payout": payout,
            "pnlTrade": left.pnl,
            "carryPnl": left.carry,
            "closeNotional": left.close,
            "avgClosePrice": left.close / left.size,
        }

    def finish(self, position: Position, left: Exit, base: Fraction, quote: Fraction) -> None:
        self.base, self.quote = base, quote
        self.add_interest(position.is_long, -left.entry)
        self.positions[position.id] = position

    def do_liquidate(self, liquidator: str, position: int) -> dict[str, Any]:
        old = self.running(position)
        if old.open_block == self.block:
            raise Refusal("SAME_BLOCK")
        if not self.liquidatable(old, self.base, self.quote):
            raise Refusal("NOT_LIQUIDATABLE")
        left = self.leave(old, Fraction(1), self.base, self.quote)
        fee = self.down(left.close * self.config["LIQUIDATION_FEE_RATIO"])
        owner = max(ZERO, left.equity - fee)
        shortage = max(ZERO, fee - left.equity)
        insured = min(self.insurance, shortage)
        missing = max(ZERO, owner + fee - self.trade - insured)
        topped = min(self.insurance - insured, missing)
        missing -= topped
        if missing > fee:
            raise Refusal("FUNDS_INSUFFICIENT")
        paid = fee - missing
        self.insurance -= insured + topped
        self.trade += insured + topped - owner - paid
        self.uncovered += shortage - insured
        self.credit(old.user, owner)
        self.credit(liquidator, paid)
        realized = old.realized + left.pnl + left.carry
        self.finish(replace(old, status="LIQUIDATED", realized=realized), left, *self.reserves_after(old.is_long, left))
        return {
            "equity": left.equity,
            "liqFee": fee,
            "liqFeePaid": paid,
            "userPayout": owner,
            "fromInsurance": insured + topped,
            "uncovered": shortage - insured,
            "closeNotional": left.close,
            "pnlTrade": left.pnl,
            "carryPnl": left.carry,
        }

    # -- reading -------------------------------------------------------------------------------------------------

    def open_positions(self) -> list[Position]:
        return [position for position in self.positions.values() if position.status == "OPEN"]

    def state(self) -> dict[str, Any]:
        """Everything there is to see, as raw values."""
        return {
            "market": {
                "baseReserve": self.base,
                "quoteReserve": self.quote,
                "k": self.base * self.quote,
                "markPrice": self.quote / self.base,
                "longOpenInterest": self.long_oi,
                "shortOpenInterest": self.short_oi,
                "cumulativeCarryIndex": self.index,
                "currentBlock": self.block,
                "lastFundingBlock": self.funding_block,
                "feeRate": self.fee_rate(),
            },
            "funds": {
                "userWallets": dict(self.wallets),
                "tradeFund": self.trade,
                "insuranceFund": self.insurance,
                "protocolFees": self.fees,
                "uncoveredBadDebt": self.uncovered,
            },
            "positions": [self.position_state(position) for position in self.positions.values()],
        }

    def position_state(self, position: Position) -> dict[str, Any]:
        seen: dict[str, Any] = {
            "id": position.id,
            "userId": position.user,
            "isLong": position.is_long,
            "baseSize": position.size,
            "entryPrice": position.entry / position.size,
            "entryNotional": position.entry,
            "margin": position.margin,
            "carrySnapshot": position.snapshot,
            "openBlock": position.open_block,
            "status": position.status,
            "realizedPnl": position.realized,
        }
        if position.status == "OPEN":
            seen["health"] = self.health(position, self.base, self.quote)
        return seen

    def shown(self, value: Raw) -> Raw:
        """The same structure with every fraction as text."""
        if isinstance(value, Fraction):
            return text_of(value) if self.grid else str(value)
        if isinstance(value, dict):
            return {key: self.shown(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.shown(inner) for inner in value]
        return value


def text_of(value: Fraction) -> str:
    """18 decimals, the rest cut off."""
    units = abs(value.numerator) * 10**PLACES // value.denominator
    whole, rest = divmod(units, 10**PLACES)
    return f"{'-' if value < 0 and units else ''}{whole}.{rest:0{PLACES}d}"


def number(text: object) -> Fraction:
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise Refusal("BAD_REQUEST")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise Refusal("BAD_REQUEST") from None


def integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal("BAD_REQUEST")
    return value


def count(value: object) -> int:
    blocks = integer(value)
    if blocks > MAX_BLOCKS:
        raise Refusal("BAD_REQUEST")
    return blocks


def name_of(value: object) -> str:
    if not isinstance(value, str):
        raise Refusal("BAD_REQUEST")
    return value


def side_of(value: object) -> str:
    if value not in ("long", "short"):
        raise Refusal("BAD_REQUEST")
    return str(value)


READERS = {
    "user": name_of,
    "liquidator": name_of,
    "side": side_of,
    "position": integer,
    "blocks": count,
    "amount": number,
    "total": number,
    "leverage": number,
    "part": number,
}


def request(op: object) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of an operation, or why it cannot be read."""
    if not isinstance(op, Mapping):
        raise Refusal("BAD_REQUEST")
    name = op.get("op")
    if not isinstance(name, str) or name not in ARGUMENTS:
        raise Refusal("UNKNOWN_OP")
    given = {key: value for key, value in op.items() if key != "op"}
    if name == "close":
        given.setdefault("part", "1")
    if set(given) != set(ARGUMENTS[name]):
        raise Refusal("BAD_REQUEST")
    return name, {key: READERS[key](value) for key, value in given.items()}


def run(scenario: object, grid: bool = True) -> dict[str, Any]:
    """Results and state of a whole scenario: a list of operations, or {"config": {...}, "ops": [...]}."""
    config: Mapping[str, str] = {}
    ops: object = scenario
    if isinstance(scenario, Mapping):
        config, ops = scenario.get("config", {}), scenario.get("ops")
    if not isinstance(ops, list):
        raise TypeError("a scenario is a list of operations, or an object with config and ops")
    model = Model(config, grid)
    results = [model.apply(op) for op in ops]
    return {"results": model.shown(results), "state": model.shown(model.state())}
