"""One pool, its keepers and three rich users: the ground for cases with known numbers, played on exchange and model."""

from typing import Any

from tests.venue.exchange.pools.asks import BASE
from tests.venue.exchange.pools.drive import TYPICAL, Pair
from tests.venue.exchange.pools.state import Row

ETH, USDC, USD, SHARE = 10**18, 10**6, 10**30, 10**18
FEE = 10**15
FREE: Row = {"deposit_fee": {"improved": 0, "worsened": 0}, "swap_fee": {"improved": 0, "worsened": 0}}
FLAT: Row = {
    "swap_impact": {"positive": 0, "negative": 0}, "position_impact": {"positive": 0, "negative": 0},
    "position_fee": {"improved": 0, "worsened": 0}, "withdrawal_fee": 0, **FREE,
}  # fmt: skip
STEEP = {"swap_impact": {"positive": 5 * 10**21, "negative": 10**22}}


def house(params: Row, long: int = 0, short: int = 0) -> Pair:
    """A pool, its keepers, three rich users, and perhaps a first deposit."""
    pair = Pair()
    pair.step({"op": "pool", "symbol": "ETH-USD", "index": "WETH", "long": "WETH", "short": "USDC", "params": params})
    for keeper in ("kim", "lee", "spy"):
        pair.step({"op": "keeper", "keeper": keeper, "frozen_orders": keeper == "spy"})
    for user in ("ann", "bob", "dot"):
        for token in TYPICAL:
            pair.step({"op": "credit", "user": user, "token": token, "amount": 10**24})
    if long or short:
        assert deposit(pair, "dot", long, short) == ("executed", "")
    return pair


def create(pair: Pair, kind: str, user: str, **fields: Any) -> int:
    row = {**BASE, "account": user, "receiver": user, "execution_fee": FEE, **fields}
    op = {"op": "create", "kind": kind, "row": row, "native_sent": FEE, "from_outside": False, "code": ""}
    assert pair.step(op) == ("ok", "")
    return pair.exchange.requests.nonce


def execute(pair: Pair, kind: str, n: int, keeper: str = "spy", **changes: Any) -> tuple[str, str]:
    return pair.step({"op": "execute", "n": n, "kind": kind, "keeper": keeper, "units": 20_000_000, **changes})


def deposit_row(long: int, short: int) -> Row:
    return {
        "market": "ETH-USD", "long_token": "WETH", "short_token": "USDC", "long_amount": long + FEE if long else 0,
        "short_amount": short, "long_path": [], "short_path": [], "min_market_tokens": 0,
    }  # fmt: skip


def deposit(pair: Pair, user: str, long: int, short: int) -> tuple[str, str]:
    return execute(pair, "deposit", create(pair, "deposit", user, **deposit_row(long, short)))


def order_row(kind: str, token: str, amount: int, size: int, **fields: Any) -> Row:
    native = FEE if token == "WETH" and not kind.endswith("Decrease") else 0
    return {
        "type": kind, "market": "" if kind.endswith("Swap") else "ETH-USD", "is_long": True, "collateral_token": token,
        "collateral": amount + native, "size": size, "trigger_price": None, "acceptable_price": None, "min_output": 0,
        "valid_from_ms": 0, "path": ["ETH-USD"] if kind.endswith("Swap") else [], "position_id": 0,
        "auto_cancel": False, "cancellation_receiver": "", "withdraw_unit": 0, **fields,
    }  # fmt: skip


def order(pair: Pair, user: str, *row: Any, **fields: Any) -> tuple[str, str]:
    return execute(pair, "order", create(pair, "order", user, **order_row(*row, **fields)))


def held(pair: Pair, token: str, user: str) -> int:
    return pair.exchange.book(token)[f"wallet:{user}"]


def shares(pair: Pair, user: str) -> int:
    return held(pair, "MT:ETH-USD", user)


def report_of(pair: Pair) -> Any:
    """What the latest execution came to."""
    return getattr(pair.latest[0], "report")  # noqa: B009


def paid_of(pair: Pair) -> int:
    """What the keeper earned by the latest operation."""
    return sum(int(receipt.fee_paid) for fact in pair.latest if (receipt := getattr(fact, "receipt", None)))
