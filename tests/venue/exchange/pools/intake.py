"""The slow model's front desk: what is checked and taken into escrow when a request is created or changed."""

from tests.venue.exchange.pools.state import DEAD, NATIVE, OUTSIDE, VAULT, ZERO, Key, Row, State, need, wallet

UNIT_PRICE = 10**8
LIMITS = {"deposit": 2_050_000, "withdrawal": 2_050_000, "Swap": 3_400_000} | dict.fromkeys(
    ("Increase", "Decrease"), 3_900_000
)
USED = {"deposit": 1_700_000, "withdrawal": 1_700_000, "Swap": 1_900_000} | dict.fromkeys(
    ("Increase", "Decrease"), 2_400_000
)
EXPIRY, MAX_PATH, MAX_ENDING, MAX_MULTIPLE, MAX_CALLBACK = 300_000, 3, 6, 100, 2_000_000
MARKET_TYPES = ("MarketSwap", "MarketIncrease", "MarketDecrease")
TYPES = (*MARKET_TYPES, "LimitSwap", "LimitIncrease", "StopIncrease", "LimitDecrease", "StopLossDecrease")


def work_kind(row: Row) -> str:
    if row["kind"] != "order":
        return str(row["kind"])
    return next(name for name in ("Swap", "Increase", "Decrease") if row["type"].endswith(name))


def feature(row: Row) -> str:
    return str(row["type"] if row["kind"] == "order" else row["kind"])


def paths(row: Row) -> list[list[str]]:
    return [row["path"]] if row["kind"] == "order" else [row["long_path"], row["short_path"]]


def hops(row: Row) -> int:
    return sum(map(len, paths(row)))


def estimate(row: Row) -> int:
    return LIMITS[work_kind(row)] + 1_000_000 * hops(row) + int(row["callback_units"])


def least_fee(row: Row) -> int:
    return (600_000 + 250_000 * (3 + hops(row)) + estimate(row)) * UNIT_PRICE


def expires(row: Row) -> bool:
    return row["kind"] != "order" or row["type"] in MARKET_TYPES


def escrow(row: Row) -> list[tuple[str, int]]:
    if row["kind"] == "deposit":
        return [(row["long_token"], row["long_amount"]), (row["short_token"], row["short_amount"])]
    if row["kind"] == "withdrawal":
        return [("MT:" + row["market"], row["amount"])]
    return [] if work_kind(row) == "Decrease" else [(row["collateral_token"], row["collateral"])]


def position_of(row: Row) -> Key:
    return row["account"], row["market"], row["collateral_token"], row["is_long"]


def ending_with(state: State, key: Key) -> list[int]:
    """The orders that end with a position, oldest first."""
    return [n for n, row in state.pending.items() if row.get("auto_cancel") and position_of(row) == key]


def check_market(state: State, market: str) -> None:
    need(market in state.pools, "EmptyMarket")
    need(state.pools[market]["enabled"], "DisabledMarket")


def check_path(state: State, path: list[str]) -> None:
    need(len(path) <= MAX_PATH, "MaxSwapPathLengthExceeded")
    need(len(set(path)) == len(path), "DuplicatedMarketInSwapPath")
    for market in path:
        check_market(state, market)


def check_receiver(receiver: str) -> None:
    need(receiver not in ("", ZERO), "EmptyReceiver")
    need(receiver not in VAULT.values(), "InvalidReceiver")


def check_account(state: State, row: Row) -> None:
    need(row["account"] not in ("", ZERO), "EmptyAccount")
    need(row["account"] != DEAD, "Unauthorized")
    need("create:" + feature(row) not in state.disabled, "DisabledFeature")
    names = [each["client_id"] for each in (*state.pending.values(), *state.ended.values())]
    need(not row["client_id"] or row["client_id"] not in names, "DuplicateClientId")


def check_order(state: State, row: Row) -> None:
    """What an order must be once the fee is off its collateral."""
    need(row["size"] > 0 or row["collateral"] > 0, "EmptyOrder")
    need(row["type"] not in MARKET_TYPES or not row["valid_from_ms"], "UnexpectedValidFromTime")
    check_trigger(row)
    check_path(state, row["path"])
    if work_kind(row) == "Swap":
        need(not row["market"], "UnexpectedMarket")
        need(row["collateral"] > 0 and bool(row["path"]), "EmptyOrder")
    else:
        check_market(state, row["market"])
        need(bool(state.pools[row["market"]]["index"]), "InvalidPositionMarket")


def check_trigger(row: Row) -> None:
    waits = row["type"] not in MARKET_TYPES and work_kind(row) != "Swap"
    need(not waits or (row["trigger_price"] or 0) > 0, "InvalidPrice")


def check_ending(state: State, row: Row) -> None:
    others = [n for n in ending_with(state, position_of(row)) if n != row["n"]]
    need(len(others) < MAX_ENDING, "MaxAutoCancelOrdersExceeded")


def less_fee(row: Row, native_sent: int) -> None:
    """Native tokens that are sent along anyway pay the fee; otherwise everything sent for it becomes the fee."""
    fields = {"deposit": ("long", "short"), "withdrawal": (), "order": ("collateral",)}[row["kind"]]
    fee = row["execution_fee"]
    for field in fields if work_kind(row) != "Decrease" else ():
        token, amount = f"{field}_token", f"{field}_amount" if row["kind"] == "deposit" else field
        if row[token] == NATIVE and (row[amount] or row["kind"] == "order"):
            need(row[amount] >= fee, "InsufficientWntAmountForExecutionFee")
            row[amount] -= fee
            return
    need(native_sent >= fee, "InsufficientWntAmountForExecutionFee")
    row["execution_fee"] = native_sent


def take(state: State, row: Row, outside: bool) -> None:
    """Escrow and fee reach the vault. Of the fee no more than a multiple of the least one is taken."""
    need(row["callback_units"] <= MAX_CALLBACK, "MaxCallbackGasLimitExceeded")
    least = least_fee(row)
    need(row["execution_fee"] >= least, "InsufficientExecutionFee")
    row["execution_fee"] = min(row["execution_fee"], least * MAX_MULTIPLE)
    vault = VAULT[row["kind"]]
    for token, amount in (*escrow(row), (NATIVE, row["execution_fee"])):
        mine = not outside or token.startswith("MT:")
        state.move(token, wallet(row["account"]) if mine else OUTSIDE, vault, amount, "InsufficientBalance")


def create(state: State, row: Row, native_sent: int, outside: bool, code: str) -> None:
    kind = row["kind"]
    need(kind != "order" or row["type"] in TYPES, "OrderTypeCannotBeCreated")
    check_account(state, row)
    if kind == "order":
        if code and row["account"] not in state.referred:
            need(code in state.codes, "InvalidReferralCode")
            state.referred[row["account"]] = code
    else:
        check_market(state, row["market"])
        check_path(state, row["long_path"])
        check_path(state, row["short_path"])
        need(kind == "deposit" or row["amount"] > 0, "EmptyWithdrawalAmount")
    if kind == "deposit" and row["long_token"] == row["short_token"]:
        row.update(long_amount=row["long_amount"] + row["short_amount"], short_amount=0)
    less_fee(row, native_sent)
    need(kind != "deposit" or row["long_amount"] + row["short_amount"] > 0, "EmptyDepositAmounts")
    if kind == "order":
        check_order(state, row)
        row["auto_cancel"] = row["auto_cancel"] and work_kind(row) == "Decrease"
    check_receiver(row["receiver"])
    if row.get("cancellation_receiver"):
        check_receiver(row["cancellation_receiver"])
    if row.get("auto_cancel"):
        check_ending(state, row)
    take(state, row, outside)
    state.nonce = row["n"]
    state.pending[row["n"]] = row


def update(state: State, op: Row, now: int) -> None:
    row = state.pending.get(op["n"])
    need(row is not None and row["kind"] == "order", "EmptyOrder")
    assert row is not None
    need(row["account"] == op["account"], "Unauthorized")
    need(row["type"] not in MARKET_TYPES, "OrderNotUpdatable")
    names = ("size", "trigger_price", "acceptable_price", "min_output", "valid_from_ms", "auto_cancel")
    row.update({name: op[name] for name in names})
    need(row["size"] > 0 or row["collateral"] > 0, "EmptyOrder")
    check_trigger(row)
    row["auto_cancel"] = row["auto_cancel"] and work_kind(row) == "Decrease"
    top_up = max(0, min(op["fee_top_up"], least_fee(row) * MAX_MULTIPLE - row["execution_fee"]))
    row.update(frozen=False, frozen_reason="", updated_ms=now, execution_fee=row["execution_fee"] + top_up)
    need(row["execution_fee"] >= least_fee(row), "InsufficientExecutionFee")
    if row["auto_cancel"]:
        check_ending(state, row)
    state.move(NATIVE, wallet(row["account"]), VAULT["order"], top_up, "InsufficientBalance")
