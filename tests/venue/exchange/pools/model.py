"""A slow model of the request layer and the pool market, written from the rules alone, compared with the exchange."""

from collections.abc import Callable

from tests.venue.exchange.pools import intake, trades
from tests.venue.exchange.pools.closing import decrease
from tests.venue.exchange.pools.perps import doomed, increase
from tests.venue.exchange.pools.state import NATIVE, OUTSIDE, VAULT, Key, No, Prices, Row, State, need, wallet
from tests.venue.exchange.pools.values import pass_time

KEEPER_FAULTS = frozenset(
    (
        "Unauthorized", "DisabledFeature", "InsufficientExecutionGas", "EmptyPrice", "InvalidPrice",
        "OracleTimestampsAreSmallerThanRequired", "OracleTimestampsAreLargerThanRequestExpirationTime",
        "OrderValidFromTimeNotReached", "InvalidOrderPrices", "OrderAlreadyFrozen",
    )
)  # fmt: skip
NEVER_RIGHT = frozenset(
    (
        "EmptyMarket", "DisabledMarket", "InvalidPositionMarket", "InvalidCollateralTokenForMarket", "InvalidToken",
        "InvalidDecreaseOrderSize", "InvalidPositionSizeValues", "MinPositionSize",
    )
)  # fmt: skip
MISSING = {"deposit": "EmptyDeposit", "withdrawal": "EmptyWithdrawal", "order": "EmptyOrder"}
Answer = tuple[str, str]


def triggered(kind: str, long: bool, low: int, high: int, at: int | None) -> bool:
    """The truth table: each type reads one side of the spread."""
    if at is None or kind.startswith("Market") or kind.endswith("Swap"):
        return True
    rises = {"LimitIncrease": not long, "StopIncrease": long, "LimitDecrease": long, "StopLossDecrease": not long}[kind]
    reads_high = {"LimitIncrease": long, "StopIncrease": long, "LimitDecrease": not long, "StopLossDecrease": not long}
    price = high if reads_high[kind] else low
    return price >= at if rises else price <= at


def home(row: Row, token: str, account: str) -> str:
    """Where what comes back goes."""
    return "external" if row["from_outside"] and not token.startswith("MT:") else wallet(account)


class Model:
    """`apply` answers (class, reason) and leaves the state as it was when it refuses."""

    def __init__(self) -> None:
        self.state = State()
        self.now = 0

    def apply(self, op: Row, prices: list[tuple[str, int, int, int]], now: int) -> Answer:
        before = self.state
        self.state, self.now = before.copy(), now
        try:
            return getattr(self, "do_" + op["op"])(op, prices) or ("ok", "")
        except No as no:
            self.state = before
            return "refused", no.reason

    # what is not a request

    def do_keeper(self, op: Row, _: object) -> None:
        self.state.keepers[op["keeper"]] = op["frozen_orders"]

    def do_feature(self, op: Row, _: object) -> None:
        (self.state.disabled.discard if op["enabled"] else self.state.disabled.add)(op["feature"])

    def do_pool(self, op: Row, _: object) -> None:
        side = dict.fromkeys(("usd", "tokens", "pending_impact", "borrowing", "borrowed"), 0)
        self.state.pools[op["symbol"]] = {
            "index": op["index"], "long": op["long"], "short": op["short"], "enabled": True, "p": op["params"],
            True: dict(side), False: dict(side), "position_impact": 0, "distributed_ms": 0, "borrowed_ms": 0,
        }  # fmt: skip

    def do_switch(self, op: Row, _: object) -> None:
        need(op["symbol"] in self.state.pools, "EmptyMarket")
        self.state.pools[op["symbol"]]["enabled"] = op["enabled"]

    def do_credit(self, op: Row, _: object) -> None:
        need(op["amount"] > 0, "BadAmount")
        self.state.move(op["token"], OUTSIDE, wallet(op["user"]), op["amount"])

    def do_debit(self, op: Row, _: object) -> None:
        need(op["amount"] > 0, "BadAmount")
        self.state.move(op["token"], wallet(op["user"]), OUTSIDE, op["amount"], "InsufficientBalance")

    def do_code(self, op: Row, _: object) -> None:
        need(op["code"] != "" and op["code"] not in self.state.codes, "InvalidReferralCode")
        self.state.codes[op["code"]] = (op["owner"], op["rebate"], op["discount"])

    # requests

    def do_create(self, op: Row, _: object) -> None:
        row = dict(op["row"], n=self.state.nonce + 1, updated_ms=self.now, from_outside=op["from_outside"])
        if row["kind"] == "order":
            row.update(frozen=False, frozen_reason="")
        intake.create(self.state, row, op["native_sent"], op["from_outside"], op["code"])

    def do_update(self, op: Row, _: object) -> None:
        intake.update(self.state, op, self.now)

    def find(self, op: Row) -> Row:
        row = self.state.pending.get(op["n"])
        need(row is not None and row["kind"] == op["kind"], MISSING[op["kind"]])
        assert row is not None
        return row

    def do_cancel(self, op: Row, _: object) -> Answer:
        row = self.find(op)
        need(row["account"] == op["account"], "Unauthorized")
        if intake.expires(row):
            need(self.now - row["updated_ms"] >= intake.EXPIRY, "RequestNotYetCancellable")
        return self.cancel(row, op["account"], "UserInitiatedCancel", 0)

    def do_sweep(self, op: Row, _: object) -> Answer:
        row = self.find(op)
        need(op["keeper"] in self.state.keepers, "Unauthorized")
        young = self.now - row["updated_ms"] <= intake.EXPIRY
        if row.get("auto_cancel") and intake.position_of(row) not in self.state.positions:
            need(not young and not self.expected(row), "RequestNotExpired")
            return self.cancel(row, op["keeper"], "AutoCancel", 400_000)
        need(intake.expires(row) and self.now - row["updated_ms"] > intake.EXPIRY, "RequestNotExpired")
        return self.cancel(row, op["keeper"], "RequestExpired", 400_000)

    def expected(self, row: Row) -> bool:
        """Whether an order that would make its position still waits."""
        return any(
            each.get("type", "").endswith("Increase")
            and (each["account"], each["market"], each["is_long"]) == (row["account"], row["market"], row["is_long"])
            for each in self.state.pending.values()
        )

    def cancel(self, row: Row, by: str, reason: str, units: int | None) -> Answer:
        """Everything goes back, less what the keeper earned."""
        vault = VAULT[row["kind"]]
        for token, amount in intake.escrow(row):
            back = row.get("cancellation_receiver") or row["account"]
            self.state.move(token, vault, home(row, token, back), amount)
        self.end(row, by, "cancelled", reason, units)
        return "cancelled", reason

    def end(self, row: Row, by: str, how: str, reason: str, units: int | None) -> None:
        paid = self.pay_fee(row, by, units)
        del self.state.pending[row["n"]]
        self.state.ended[row["n"]] = {
            "ending": how, "by": by, "reason": reason, "fee_paid": paid, "client_id": row["client_id"],
            "at_ms": self.now,
        }  # fmt: skip
        self.state.counts[how] += 1

    def pay_fee(self, row: Row, keeper: str, units: int | None) -> int:
        """The keeper's part of the execution fee; the rest goes to the receiver."""
        cost = 0
        if units is None:
            units = intake.USED[intake.work_kind(row)] + 600_000 * intake.hops(row) + row["callback_units"]
        if units:
            cost = (600_000 + 250_000 * (3 + intake.hops(row)) + units) * intake.UNIT_PRICE
        fee = row["execution_fee"]
        paid = min(cost, fee)
        vault = VAULT[row["kind"]]
        self.state.move(NATIVE, vault, wallet(keeper), paid)
        self.state.move(NATIVE, vault, home(row, NATIVE, row["receiver"]), fee - paid)
        return int(paid)

    def do_execute(self, op: Row, quoted: list[tuple[str, int, int, int]]) -> Answer:
        state = self.state
        row = self.find(op)
        self.check_keeper(row, op["keeper"])
        need(max(0, op["units"] - 1_200_000) * 63 // 64 >= intake.estimate(row), "InsufficientExecutionGas")
        need(self.now >= row.get("valid_from_ms", 0), "OrderValidFromTimeNotReached")
        before = state.copy()
        try:
            prices = Prices(quoted)
            self.check_times(row, prices)
            self.perform(row, prices)
        except No as no:
            return self.failed(before, op, no.reason)
        self.end_executed(row, op["keeper"])
        return "executed", ""

    def check_keeper(self, row: Row, keeper: str) -> None:
        special = self.state.keepers.get(keeper, False)
        need(keeper in self.state.keepers or keeper == row["account"], "Unauthorized")
        need(special or not row.get("frozen"), "OrderAlreadyFrozen")
        need(special or row.get("type") != "LimitSwap", "Unauthorized")
        need("execute:" + intake.feature(row) not in self.state.disabled, "DisabledFeature")

    def end_executed(self, row: Row, keeper: str) -> None:
        closed = row.pop("closed", None)
        self.end(row, keeper, "executed", "", None)
        if closed is not None:
            self.end_attached(closed)

    def end_attached(self, key: Key) -> None:
        for n in intake.ending_with(self.state, key):
            self.cancel(self.state.pending[n], "exchange", "AutoCancel", 0)

    def needed(self, row: Row) -> list[str]:
        """The tokens whose prices an execution reads."""
        found: list[str] = []
        for market in (row["market"], *(market for path in intake.paths(row) for market in path)):
            pool = self.state.pools.get(market)
            if pool:
                found += [pool[name] for name in ("index", "long", "short") if pool[name]]
        return list(dict.fromkeys(found))

    def check_times(self, row: Row, prices: Prices) -> None:
        stamps = [prices.row(token)[2] for token in self.needed(row)]
        least = row["updated_ms"]
        if row.get("type") in ("LimitDecrease", "StopLossDecrease"):
            position = self.state.positions.get(intake.position_of(row))
            least = max(least, position["increased_ms"] if position else 0)
        need(min(stamps) >= least, "OracleTimestampsAreSmallerThanRequired")
        late = intake.expires(row) and max(stamps) > row["updated_ms"] + intake.EXPIRY
        need(not late, "OracleTimestampsAreLargerThanRequestExpirationTime")

    def failed(self, before: State, op: Row, reason: str) -> Answer:
        """What becomes of a request whose execution failed."""
        self.state = before
        row = before.pending[op["n"]]
        if reason in KEEPER_FAULTS:
            raise No(reason)
        lasting = not intake.expires(row)
        if not lasting or reason in NEVER_RIGHT:
            return self.cancel(row, op["keeper"], reason, 400_000)
        need(reason != "EmptyPosition" and not row["frozen"], reason)
        self.pay_fee(row, op["keeper"], 400_000)
        row.update(frozen=True, frozen_reason=reason, execution_fee=0)
        return "frozen", reason

    def perform(self, row: Row, prices: Prices) -> None:
        doing: dict[str, Callable[[Row, Prices], None]] = {
            "deposit": lambda row, prices: trades.deposit(self.state, row, prices, self.now),
            "withdrawal": lambda row, prices: trades.withdrawal(self.state, row, prices, self.now),
            "Swap": self.swap,
            "Increase": self.increase,
            "Decrease": self.decrease,
        }
        doing[intake.work_kind(row)](row, prices)
        for pool in self.state.pools.values():
            pool.pop("minting", None)

    def swap(self, row: Row, prices: Prices) -> None:
        token, amount, target = row["collateral_token"], row["collateral"], wallet(row["receiver"])
        _, got = trades.swap(self.state, row["path"], prices, token, amount, "order_vault", target)
        need(got >= row["min_output"], "InsufficientSwapOutputAmount")

    def check_trigger(self, row: Row, prices: Prices) -> None:
        low, high, _ = prices.row(self.state.pools[row["market"]]["index"])
        need(triggered(row["type"], row["is_long"], low, high, row["trigger_price"]), "InvalidOrderPrices")

    def increase(self, row: Row, prices: Prices) -> None:
        self.check_trigger(row, prices)
        trades.usable(self.state, row["market"])
        pass_time(self.state, row["market"], prices, self.now)
        token, amount = trades.swap(
            self.state, row["path"], prices, row["collateral_token"], row["collateral"], "order_vault", "transit"
        )
        need(amount >= row["min_output"], "InsufficientSwapOutputAmount")
        key = (row["account"], row["market"], token, row["is_long"])
        increase(self.state, row, key, amount, prices, self.now)

    def decrease(self, row: Row, prices: Prices) -> None:
        self.check_trigger(row, prices)
        trades.usable(self.state, row["market"])
        key, target = intake.position_of(row), wallet(row["receiver"])
        result = decrease(self.state, row, key, prices, self.now)
        token, out = trades.swap(
            self.state, row["path"], prices, row["collateral_token"], result["out"], "transit", target
        )
        self.state.move(result["second_token"], "transit", target, result["second"])
        usd = out * prices.low(token) + result["second"] * prices.low(result["second_token"])
        need(usd >= row["min_output"], "InsufficientOutputAmount")
        if result["closed"]:
            row["closed"] = key

    def do_liquidate(self, op: Row, quoted: list[tuple[str, int, int, int]]) -> Answer:
        state = self.state
        need(op["keeper"] in state.keepers, "Unauthorized")
        key: Key = (op["account"], op["market"], op["collateral_token"], op["is_long"])
        need(key in state.positions, "EmptyPosition")
        position, prices = state.positions[key], Prices(quoted)
        stamps = [prices.row(token)[2] for token in self.needed({"kind": "order", "market": op["market"], "path": []})]
        least = max(position["increased_ms"], position["decreased_ms"])
        need(min(stamps) >= least, "OracleTimestampsAreSmallerThanRequired")
        trades.usable(state, op["market"])
        pass_time(state, op["market"], prices, self.now)
        need(doomed(state, key, position, prices), "PositionShouldNotBeLiquidated")
        row = {"type": "Liquidation", "size": position["size"], "collateral": 0, "acceptable_price": None}
        result = decrease(state, row, key, prices, self.now, liquidated=True)
        state.move(key[2], "transit", wallet(key[0]), result["out"])
        state.move(result["second_token"], "transit", wallet(key[0]), result["second"])
        self.end_attached(key)
        return "executed", ""

    def do_claim(self, op: Row, _: object) -> None:
        need(op["market"] in self.state.pools, "EmptyMarket")
        accounts = {
            "fees": f"fees:{op['market']}",
            "affiliate": f"affiliate:{op['market']}:{op['account']}",
            "locked": f"locked:{op['market']}:{op['account']}",
        }
        need(op["what"] != "fees" or op["account"] == "treasury", "Unauthorized")
        account, pool = accounts[op["what"]], self.state.pools[op["market"]]
        tokens = (pool["long"], pool["short"])
        need(any(self.state.held(token, account) for token in tokens), "BadAmount")
        for token in tokens:
            self.state.move(token, account, wallet(op["account"]), self.state.held(token, account))
