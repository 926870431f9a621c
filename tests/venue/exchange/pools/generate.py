"""Random histories of the request layer over two pools: a writer that looks at the model in order to aim.

Every operation is plain JSON, and refers to requests by their number, so that a history can be cut down and still play.
"""

import random
from collections.abc import Callable

from hypothesis import strategies as st

from tests.venue.exchange.pools.asks import UNIT, USERS, Asker
from tests.venue.exchange.pools.configs import drawn
from tests.venue.exchange.pools.drive import TYPICAL, USD, Difference, Pair
from tests.venue.exchange.pools.intake import EXPIRY, MARKET_TYPES, TYPES, expires, least_fee
from tests.venue.exchange.pools.state import DEAD, NATIVE, Row

KEEPERS = ("kim", "lee", "spy", "spy")
WEIGHTS = {
    "deposit": 6, "withdrawal": 4, "swap": 7, "increase": 12, "decrease": 9, "execute": 34, "compete": 3, "quote": 12,
    "wait": 7, "cancel": 3, "sweep": 3, "update": 3, "liquidate": 6, "replay": 2, "odd": 5, "switch": 1, "claim": 1,
}  # fmt: skip
BUDGET = 20_000_000
FIELDS = ("size", "trigger_price", "acceptable_price", "min_output", "valid_from_ms", "auto_cancel")


class Writer(Asker):
    """Asks, executes, waits, quotes, cancels, liquidates: weighted, and mostly where something can happen."""

    def some(self) -> tuple[int, Row] | None:
        if not self.rows:
            return None
        items = list(self.rows.items())
        if self.rng.random() < 0.8:
            young = [(n, row) for n, row in items if self.pair.now <= row["updated_ms"] + EXPIRY or not expires(row)]
            items = young or items
        return self.rng.choice(items[-3:] if self.rng.random() < 0.6 else items)

    def execute(self, n: int, kind: str, keeper: str, **changes: object) -> tuple[str, str]:
        return self.say("execute", **{"n": n, "kind": kind, "keeper": keeper, "units": BUDGET, **changes})

    def write_execute(self) -> None:
        found = self.some()
        if found is None:
            return self.step()
        n, row = found
        changes: Row = {}
        if self.rng.random() < 0.06:
            changes["age"] = self.rng.choice((1, 1_000, 500_000))
        if self.rng.random() < 0.06:
            changes["ages"] = {self.rng.choice(list(TYPICAL)): self.rng.choice((1, 60_000, 500_000))}
        if self.rng.random() < 0.03:
            changes["without"] = [self.rng.choice(list(TYPICAL))]
        if self.rng.random() < 0.03:
            changes["units"] = self.rng.choice((0, 1_200_000, 3_300_000, 5_000_000))
        stranger = self.rng.random()
        keeper = self.rng.choice(KEEPERS) if stranger < 0.9 else row["account"] if stranger < 0.95 else "mal"
        self.execute(n, row["kind"], keeper, **changes)
        return None

    def write_compete(self) -> None:
        """Everybody tries the same request."""
        found = self.some()
        if found is not None:
            for keeper in ("spy", "kim", "lee", "spy"):
                self.execute(found[0], found[1]["kind"], keeper)

    def write_quote(self) -> None:
        token = self.rng.choice(("WETH", "WETH", "WBTC", "USDC"))
        low, high = TYPICAL[token] if self.rng.random() < 0.2 else self.pair.quotes[token]
        mid = (low + high) // 2 * self.rng.choice((700, 900, 960, 990, 1000, 1005, 1010, 1040, 1100, 1400)) // 1000
        if token == "USDC":
            mid = TYPICAL[token][0] * self.rng.choice((999, 1000, 1001)) // 1000
        mid = min(max(mid, TYPICAL[token][0] // 8), TYPICAL[token][0] * 8)
        wide = mid * self.rng.choice((0, 0, 1, 5, 30)) // 1000
        self.say("quote", token=token, low=mid - wide, high=mid + wide + (self.rng.random() < 0.2))

    def write_wait(self) -> None:
        self.say("wait", ms=self.rng.choice((1, 999, 1_000, 7_500, 60_000, EXPIRY, EXPIRY + 1, 3_600_000, 86_400_000)))

    def write_cancel(self) -> None:
        found = self.some()
        if found is None:
            return self.write_wait()
        n, row = found
        if self.rng.random() < 0.5:
            self.say("wait", ms=self.rng.choice((EXPIRY - 1, EXPIRY)))
        user = row["account"] if self.rng.random() < 0.85 else self.rng.choice((*USERS, "mal"))
        self.say("cancel", n=n, kind=row["kind"], account=user)
        return None

    def write_sweep(self) -> None:
        found = self.some()
        if found is None:
            return self.write_wait()
        self.say("wait", ms=self.rng.choice((0, EXPIRY, EXPIRY + 1)))
        keeper = self.rng.choice((*KEEPERS, "mal"))
        self.say("sweep", n=found[0], kind=found[1]["kind"], keeper=keeper)
        return None

    def write_update(self) -> None:
        orders = [(n, row) for n, row in self.rows.items() if row["kind"] == "order"]
        waiting = [(n, row) for n, row in orders if row["type"] not in MARKET_TYPES] or orders
        if not waiting:
            return self.write_increase()
        n, row = self.rng.choice(waiting)
        terms = {name: row[name] for name in FIELDS}
        if row["trigger_price"]:
            terms["trigger_price"] = row["trigger_price"] * self.rng.choice((950, 1000, 1050)) // 1000
        terms["acceptable_price"] = None if self.rng.random() < 0.7 else row["acceptable_price"]
        terms["size"] = row["size"] * self.rng.choice((0, 1, 1, 1, 2))
        terms["auto_cancel"] = self.rng.random() < 0.5
        top = self.rng.choice((0, least_fee(row), least_fee(row), 10**30))
        user = row["account"] if self.rng.random() < 0.9 else "mal"
        self.say("update", n=n, account=user, fee_top_up=top, **terms)
        return None

    def write_liquidate(self) -> None:
        positions = list(self.pair.model.state.positions.items())
        if not positions:
            return self.write_increase()
        (user, market, token, long), _ = self.rng.choice(positions)
        index = self.pair.model.state.pools[market]["index"]
        if self.rng.random() < 0.6:
            low, _high = self.pair.quotes[index]
            moves = (550, 850, 950, 990) if long else (1010, 1050, 1300, 1900)
            moved = low * self.rng.choice(moves) // 1000
            moved = min(max(moved, TYPICAL[index][0] // 8), TYPICAL[index][0] * 8)
            self.say("quote", token=index, low=moved, high=moved + self.rng.choice((0, moved // 200)))
        for keeper in self.rng.choice((("kim",), ("lee", "kim"), ("mal",), ("spy",))):
            age = self.rng.choice((0, 0, 0, 5_000_000))
            where = {"account": user, "market": market, "collateral_token": token, "is_long": long}
            self.say("liquidate", keeper=keeper, age=age, **where)
        return None

    def write_replay(self) -> None:
        """An old key again, or one that never was, or the right one as another kind."""
        n = self.rng.randint(1, self.pair.model.state.nonce + 1)
        kind = self.rng.choice(("deposit", "withdrawal", "order"))
        if self.rng.random() < 0.5:
            self.execute(n, kind, self.rng.choice(KEEPERS))
        else:
            self.say("cancel", n=n, kind=kind, account=self.rng.choice(USERS))

    def write_switch(self) -> None:
        """Something goes off, an operation or two happen, and it comes on again."""
        pool = self.rng.random() < 0.4
        name = self.rng.choice(self.pools())
        feature = self.rng.choice(("create:", "execute:")) + self.rng.choice(("deposit", "withdrawal", *TYPES))
        for enabled in (False, True):
            if pool:
                self.say("switch", symbol=name, enabled=enabled)
            else:
                self.say("feature", feature=feature, enabled=enabled)
            for _ in range(0 if enabled else 3):
                self.rng.choice((self.write_execute, self.write_increase, self.write_swap, self.write_deposit))()

    def write_claim(self) -> None:
        what = self.rng.choice(("fees", "affiliate", "locked"))
        self.say(
            "claim",
            account=self.rng.choice((*USERS, "treasury", "treasury")),
            market=self.rng.choice(self.pools()),
            what=what,
        )

    def step(self) -> None:
        getattr(self, "write_" + self.rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0])()

    def start(self) -> None:
        self.say("pool", symbol="ETH-USD", index="WETH", long="WETH", short="USDC", params=drawn(self.rng))
        self.say("pool", symbol="BTC-USD", index="WBTC", long="WBTC", short="USDC", params=drawn(self.rng))
        if self.rng.random() < 0.3:
            self.say("pool", symbol="SWAP", index="", long="WETH", short="WBTC", params=drawn(self.rng))
        for keeper in ("kim", "lee", "spy"):
            self.say("keeper", keeper=keeper, frozen_orders=keeper == "spy")
        for user in (*USERS, "mal"):
            for token, unit in UNIT.items():
                self.say("credit", user=user, token=token, amount=20_000_000 * USD // TYPICAL[token][0] // unit * unit)
        self.say("code", owner="dot", code="half", rebate=USD // 5, discount=USD // 2)
        self.say("code", owner="ann", code="tenth", rebate=USD // 10, discount=USD // 7)
        for market in self.pools():
            self.seed(market)

    def seed(self, market: str) -> None:
        """The first deposit, mostly a large one of both tokens."""
        long, short = self.ends(market)
        p = self.pair.model.state.pools[market]["p"]
        worth = self.rng.choice((5_000, 200_000, 1_000_000, 2_000_000))
        row: Row = {
            "market": market, "min_market_tokens": p["min_first_deposit"], "long_path": [], "short_path": [],
            "receiver": DEAD if p["min_first_deposit"] else "dot",
            "long_token": long, "long_amount": self.usd(long, worth),
            "short_token": short, "short_amount": self.usd(short, worth * self.rng.choice((1, 1, 2)) // 1),
        }  # fmt: skip
        self.create("deposit", "dot", row, "long_amount" if long == NATIVE else None)
        self.execute(self.pair.model.state.nonce, "deposit", "kim")


def play(rng: random.Random, length: int, pair: Pair) -> Pair:
    """One history of at least `length` operations."""
    writer = Writer(rng, pair)
    writer.start()
    while len(pair.ops) < length:
        writer.step()
    return pair


@st.composite
def histories(draw: st.DrawFn, longest: int = 80) -> list[Row]:
    """Histories whose every choice Hypothesis makes, and therefore can take back."""
    rng = draw(st.randoms(use_true_random=False))
    return play(rng, draw(st.integers(40, longest)), Pair()).ops


def fails(ops: list[Row]) -> str:
    """How the two part in this history; empty if they do not, or if it does not play any more."""
    pair = Pair()
    try:
        for op in ops:
            pair.step(op)
    except Difference as difference:
        return str(difference)
    except (KeyError, TypeError, ZeroDivisionError):
        return ""
    return ""


def smallest(ops: list[Row], bad: Callable[[list[Row]], object] = fails) -> list[Row]:
    """The history without every operation that it does not need in order to fail."""
    size = max(1, len(ops) // 2)
    while size:
        at = 0
        while at < len(ops):
            shorter = ops[:at] + ops[at + size :]
            if bad(shorter):
                ops = shorter
            else:
                at += size
        size //= 2
    return ops
