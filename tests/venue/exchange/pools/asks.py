"""What a random user asks for: deposits, withdrawals, swaps, increases and decreases, now and then impossible ones."""

import random

from tests.venue.exchange.pools.drive import USD, Pair
from tests.venue.exchange.pools.intake import MARKET_TYPES, least_fee
from tests.venue.exchange.pools.state import DEAD, NATIVE, ZERO, Row, wallet

USERS = ("ann", "bob", "cy", "dot")
UNIT = {"WETH": 10**18, "USDC": 10**6, "WBTC": 10**8}
BASE: Row = {"callback": "", "callback_units": 0, "client_id": ""}


class Asker:
    """Plays what it asks for at once, on the exchange and on the model."""

    def __init__(self, rng: random.Random, pair: Pair) -> None:
        self.rng, self.pair = rng, pair

    @property
    def rows(self) -> dict[int, Row]:
        return self.pair.model.state.pending

    def say(self, op: str, **arguments: object) -> tuple[str, str]:
        return self.pair.step({"op": op, **arguments})

    # what a writer chooses

    def held(self, user: str, token: str) -> int:
        return self.pair.model.state.held(token, wallet(user))

    def usd(self, token: str, usd: int) -> int:
        return usd * USD // self.pair.quotes[token][0]

    def worth(self) -> int:
        """Whole USD."""
        return self.rng.choice((3, 90, 1_000, 7_777, 20_000, 60_000, 250_000, 900_000))

    def other(self, user: str) -> str:
        return user if self.rng.random() < 0.85 else self.rng.choice(USERS)

    def pools(self) -> list[str]:
        return list(self.pair.model.state.pools)

    def path(self, token: str, longest: int = 2) -> list[str]:
        """A way through the pools that fits, mostly."""
        path: list[str] = []
        for _ in range(self.rng.randint(0, longest)):
            fits = [name for name in self.pools() if name not in path and token in self.ends(name)]
            if not fits:
                break
            path.append(self.rng.choice(fits))
            token = next(end for end in self.ends(path[-1]) if end != token)
        return path

    def ends(self, name: str) -> tuple[str, str]:
        pool = self.pair.model.state.pools[name]
        return pool["long"], pool["short"]

    def create(self, kind: str, user: str, row: Row, native: str | None = None, code: str = "") -> tuple[str, str]:
        """Adds what every request has. `native` is the field that pays the fee."""
        full = {**BASE, "account": user, "receiver": self.other(user), **row, "execution_fee": 0}
        if self.rng.random() < 0.15:
            full.update(callback="log", callback_units=self.rng.choice((0, 1, 50_000, 2_000_000)))
        least = least_fee({"kind": kind, **full})
        full["execution_fee"] = fee = int(least * self.rng.choice((1, 1, 1.5, 2, 150)))
        sent = 0 if native else fee + self.rng.choice((0, 0, 17))
        if native:
            full[native] += fee
        outside = self.rng.random() < 0.05 and kind != "withdrawal"
        return self.say("create", kind=kind, row=full, native_sent=sent, from_outside=outside, code=code)

    def deposit_row(self, user: str, market: str) -> tuple[Row, str | None]:
        long, short = self.ends(market)
        row: Row = {"market": market, "min_market_tokens": 0, "long_path": [], "short_path": []}
        sides = self.rng.choice((("long",), ("short",), ("long", "short"), ("long", "short")))
        for side, token in (("long", long), ("short", short)):
            if self.rng.random() < 0.2:
                token = self.rng.choice(list(UNIT))
                row[side + "_path"] = self.path(token)
            row[side + "_token"] = token
            row[side + "_amount"] = self.usd(token, self.worth()) + self.rng.randint(0, 9) if side in sides else 0
        pays = [side for side in ("long", "short") if row[side + "_token"] == NATIVE and row[side + "_amount"]]
        if self.rng.random() < 0.15:
            row["min_market_tokens"] = self.rng.choice((1, 10**18, 10**22, 10**25))
        return row, pays[0] + "_amount" if pays else None

    def write_deposit(self) -> None:
        user, market = self.rng.choice(USERS), self.rng.choice(self.pools())
        row, pays = self.deposit_row(user, market)
        p = self.pair.model.state.pools[market]["p"]
        if not self.pair.model.state.supply(market) and p["min_first_deposit"] and self.rng.random() < 0.7:
            row.update(receiver=DEAD, min_market_tokens=p["min_first_deposit"] - self.rng.choice((0, 0, 0, 1)))
        self.create("deposit", user, row, pays)

    def write_withdrawal(self) -> None:
        market = self.rng.choice(self.pools())
        rich = [user for user in USERS if self.held(user, "MT:" + market)]
        if not rich:
            return self.write_deposit()
        user = self.rng.choice(rich)
        amount = max(1, self.held(user, "MT:" + market) * self.rng.choice((1, 10, 30, 70, 100)) // 100)
        long, short = self.ends(market)
        some = self.rng.random() < 0.25
        row: Row = {
            "market": market, "amount": amount, "min_long": 0, "min_short": 0,
            "long_path": self.path(long) if some else [], "short_path": self.path(short) if some else [],
        }  # fmt: skip
        if self.rng.random() < 0.1:
            row["min_long"] = self.rng.choice((1, 10**16, 10**20))
        self.create("withdrawal", user, row)
        return None

    def order(self, user: str, kind: str, row: Row) -> Row:
        index = self.pair.model.state.pools.get(row["market"], {}).get("index")
        low, high = self.pair.quotes[index] if index else (1, 1)
        waits = kind not in MARKET_TYPES
        near = self.rng.choice((930, 985, 998, 1000, 1002, 1015, 1070))
        loose = {True: 1_200, False: 800}[row["is_long"] == kind.endswith("Increase")]
        limit = self.rng.choice((None, None, None, loose, loose, 1_000, 1_003, 997))
        return {
            "type": kind, "min_output": 0, "path": [], "position_id": 0, "withdraw_unit": 0, "size": 0,
            "trigger_price": high * near // 1000 if waits and index else None,
            "acceptable_price": limit and low * limit // 1000,
            "valid_from_ms": self.pair.now + 60_000 if waits and self.rng.random() < 0.05 else 0,
            "auto_cancel": waits and self.rng.random() < 0.6,
            "cancellation_receiver": self.rng.choice(USERS) if self.rng.random() < 0.1 else "",
            **row,
        }  # fmt: skip

    def write_swap(self) -> None:
        user, token = self.rng.choice(USERS), self.rng.choice(list(UNIT))
        path = self.path(token, 3)
        row = {"market": "", "is_long": False, "collateral_token": token, "collateral": self.usd(token, self.worth())}
        full = self.order(user, self.rng.choice(("MarketSwap", "MarketSwap", "MarketSwap", "LimitSwap")), row)
        full["path"] = path
        if self.rng.random() < 0.15:
            full["min_output"] = self.rng.choice((1, 10**9, 10**19, 10**25))
        self.create("order", user, full, "collateral" if token == NATIVE else None)

    def write_increase(self) -> None:
        user, market = self.rng.choice(USERS), self.rng.choice(self.pools())
        token = self.rng.choice(self.ends(market))
        path: list[str] = []
        if self.rng.random() < 0.15:
            token = self.rng.choice(list(UNIT))
            path = self.path(token, 1)
        worth = self.rng.choice((0, 2, 500, 2_000, 10_000, 40_000))
        size = worth * self.rng.choice((0, 1, 3, 9, 20, 45, 90, 130)) * USD + self.rng.choice((0, 1, 7 * USD // 3))
        row = {
            "market": market, "is_long": self.rng.random() < 0.5, "collateral_token": token, "path": path,
            "collateral": self.usd(token, worth) + self.rng.randint(0, 3), "size": size,
        }  # fmt: skip
        kind = self.rng.choice(("MarketIncrease", "MarketIncrease", "MarketIncrease", "LimitIncrease", "StopIncrease"))
        code = self.rng.choice(("", "", "", "half", "tenth", "nope" if self.rng.random() < 0.1 else "half"))
        self.create("order", user, self.order(user, kind, row), "collateral" if token == NATIVE else None, code)

    def write_decrease(self) -> None:
        positions = list(self.pair.model.state.positions.items())
        if not positions:
            return self.write_increase()
        (user, market, token, long), held = self.rng.choice(positions)
        size = held["size"] * self.rng.choice((0, 1, 10, 33, 50, 99, 100, 100, 100, 120)) // 100
        out = held["collateral"] * self.rng.choice((0, 0, 0, 5, 40, 95, 150)) // 100
        row = {"market": market, "is_long": long, "collateral_token": token, "collateral": out, "size": size}
        kind = self.rng.choice(("MarketDecrease", "MarketDecrease", "LimitDecrease", "StopLossDecrease"))
        full = self.order(user, kind, row)
        full["path"] = self.path(token) if self.rng.random() < 0.2 else []
        full["min_output"] = self.rng.choice((1, 10 * USD, 10**6 * USD)) if self.rng.random() < 0.1 else 0
        self.create("order", user, full)
        return None

    def write_odd(self) -> None:
        """A creation with one thing wrong in it."""
        if self.rng.random() < 0.3:
            return self.odd_order()
        user, market = self.rng.choice(USERS), self.rng.choice(self.pools())
        row, pays = self.deposit_row(user, market)
        wrongs: tuple[Row, ...] = (
            {"account": ""}, {"account": ZERO}, {"receiver": ""}, {"receiver": "order_vault"}, {"market": "NO-USD"},
            {"callback_units": 2_000_001}, {"long_path": ["ETH-USD", "ETH-USD"]}, {"short_path": ["NO-USD"]},
            {"client_id": "once"}, {"long_amount": 0, "short_amount": 0}, {"long_amount": 10**40},
            {"long_path": ["ETH-USD", "BTC-USD", "ETH-USD", "BTC-USD"]}, {"execution_fee": 1},
        )  # fmt: skip
        wrong = self.rng.choice(wrongs)
        if pays and "execution_fee" not in wrong and not wrong.keys() & {"long_amount", "short_amount"}:
            self.create("deposit", user, {**row, **wrong}, pays)
            return None
        full = {**BASE, "account": user, "receiver": user, **row, "execution_fee": 10**15, **wrong}
        sent = self.rng.choice((10**15, 1, full["execution_fee"]))
        self.say("create", kind="deposit", row=full, native_sent=sent, from_outside=False, code="")
        return None

    def odd_order(self) -> None:
        wrongs: tuple[Row, ...] = (
            {"type": "Liquidation"}, {"valid_from_ms": 1}, {"type": "MarketSwap"}, {"type": "StopIncrease"},
            {"account": DEAD}, {"cancellation_receiver": "deposit_vault"}, {"collateral": 0}, {"market": ""},
        )  # fmt: skip
        row = {"market": "ETH-USD", "is_long": True, "collateral_token": "USDC", "collateral": 10**9}
        full = {**BASE, **self.order("ann", "MarketIncrease", row), "account": "ann", "receiver": "ann"}
        full.update(self.rng.choice(wrongs), execution_fee=10**15)
        self.say("create", kind="order", row=full, native_sent=10**15, from_outside=False, code="")
