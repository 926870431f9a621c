"""The slow model's decreases and liquidations: what is realised, what it costs, who pays."""

from tests.venue.exchange.pools.perps import (
    check_position,
    fees_of,
    pending_usd,
    pnl_of,
    set_size,
    share_fees,
    side_name,
    size_impact,
)
from tests.venue.exchange.pools.state import Key, PoolRow, Prices, Row, State, ceil, cut, floor, need, part
from tests.venue.exchange.pools.values import pass_time


class Till:
    """The three purses costs are paid from: the output, the collateral, then the secondary output."""

    def __init__(self, collateral: int, token: str, second: str, prices: Prices) -> None:
        self.out = self.second = 0
        self.collateral, self.token, self.second_token, self.prices = collateral, token, second, prices

    def gain(self, usd: int) -> int:
        """Adds what a profit comes to in the profit token; it comes from the pool."""
        amount = floor(usd, self.prices.high(self.second_token))
        if self.second_token == self.token:
            self.out += amount
        else:
            self.second += amount
        return amount

    def pay(self, usd: int) -> tuple[int, int, int]:
        """(collateral tokens paid, secondary tokens paid, USD still owed)."""
        if not usd:
            return 0, 0, 0
        low = self.prices.low(self.token)
        owed = ceil(usd, low)
        from_out = min(owed, self.out)
        from_collateral = min(owed - from_out, self.collateral)
        self.out -= from_out
        self.collateral -= from_collateral
        paid = from_out + from_collateral
        if paid == owed:
            return paid, 0, 0
        left, low_second = usd - paid * low, self.prices.low(self.second_token)
        owed_second = ceil(left, low_second)
        second = min(owed_second, self.second)
        self.second -= second
        return paid, second, 0 if second == owed_second else left - second * low_second


def decide_size(state: State, row: Row, key: Key, position: Row, prices: Prices) -> tuple[int, int]:
    """(USD that is closed, collateral that is taken out beside)."""
    p = state.pools[key[1]]["p"]
    size = row["size"]
    if size > position["size"]:
        need(row["type"] in ("LimitDecrease", "StopLossDecrease"), "InvalidDecreaseOrderSize")
        size = position["size"]
    rest, left = position["size"] - size, (position["collateral"] - row["collateral"]) * prices.low(key[2])
    need(size > 0 or left >= p["min_collateral_usd"], "UnableToWithdrawCollateral")
    if left < p["min_collateral_usd"] or rest < p["min_position_usd"]:
        size = position["size"]
    return (size, 0) if size == position["size"] else (size, row["collateral"])


def total_impact(pool: PoolRow, position: Row, prices: Prices, size: int, closing: int) -> tuple[int, int, int]:
    """(impact that is realised, what a loss exceeds its cap by, the pending tokens that are used up)."""
    share = position["pending_impact"] * size
    pending = ceil(-share, position["size"]) * -1 if share < 0 else floor(share, position["size"])
    p, index = pool["p"], pool["index"]
    total, excess = closing + pending_usd(pool, prices, pending), 0
    if total < 0:
        most = part(size, p["max_negative_impact"])
        excess = max(0, -total - most)
        total += excess
    else:
        most = part(size, p["max_positive_impact"])
        total = min(total, most, pool["position_impact"] * prices.low(index))
    return total, excess, pending


def check_price(key: Key, pool: PoolRow, prices: Prices, tokens: int, closing: int, limit: int | None) -> None:
    """The acceptable price is held against the price that the closing impact alone makes."""
    price = prices.side(pool["index"], high=not key[3])
    if tokens:
        price += cut(closing, tokens) if key[3] else -cut(closing, tokens)
    fine = limit is None or (price >= limit if key[3] else price <= limit)
    need(fine, "OrderNotFulfillableAtAcceptablePrice")


def settle(state: State, key: Key, till: Till, pnl: int, impact: int, excess: int, fees: Row, prices: Prices) -> bool:
    """Pays everything there is to pay, in order; whether it could be paid."""
    account, market, token, _ = key
    pool, side, lp = state.pools[market], side_name(key), "pool:" + market
    second = till.second_token

    def to(where: str, paid: tuple[int, int, int]) -> bool:
        state.move(token, side, where, paid[0])
        state.move(second, side, where, paid[1])
        return paid[2] == 0

    state.move(second, lp, side, till.gain(max(0, pnl) + max(0, impact)))
    if impact > 0:
        pool["position_impact"] -= ceil(impact, prices.low(pool["index"]))
    if pnl < 0 and not to(lp, till.pay(-pnl)):
        return False
    paid = till.pay(fees["cost"] * prices.low(token))
    if paid[1] or paid[2]:
        if not to(lp, paid):
            return False
    else:
        share_fees(state, key, fees, side)
    if impact < 0:
        paid = till.pay(-impact)
        pool["position_impact"] += ceil(-impact - paid[2], prices.low(pool["index"]))
        if not to(lp, paid):
            return False
    return to(f"locked:{market}:{account}", till.pay(excess))


def decrease(state: State, row: Row, key: Key, prices: Prices, now: int, liquidated: bool = False) -> Row:
    """What came out lies in transit: {"out": .., "second": .., "second_token": .., "closed": ..}."""
    need(key in state.positions, "EmptyPosition")
    position = state.positions[key]
    _, market, token, long = key
    pass_time(state, market, prices, now)
    pool = state.pools[market]
    size, wanted = decide_size(state, row, key, position, prices)
    closed = size == position["size"]
    closing, better = size_impact(pool, -size, long=long) if size else (0, False)
    pnl, tokens = pnl_of(state, key, position, prices, size) if size else (0, 0)
    fees = fees_of(state, key, position, prices, size, better=better, liquidated=liquidated)
    impact, excess, pending = total_impact(pool, position, prices, size, closing) if size else (0, 0, 0)
    till = Till(position["collateral"], token, pool["long"] if long else pool["short"], prices)
    paid = settle(state, key, till, pnl, impact, excess, fees, prices)
    need(paid or (liquidated and closed), "InsufficientFundsToPayForCosts")
    if size:
        check_price(key, pool, prices, tokens, closing, row["acceptable_price"])
    taken = till.collateral if closed else min(wanted, till.collateral)
    till.out += taken
    position["collateral"] = till.collateral - taken
    position["decreased_ms"] = now
    left = (position["size"] - size, position["tokens"] - tokens, position["pending_impact"] - pending)
    set_size(state, key, position, *((0, 0, 0) if closed else left))
    if closed:
        del state.positions[key]
    else:
        check_position(state, key, position, prices)
    state.move(token, side_name(key), "transit", till.out)
    state.move(till.second_token, side_name(key), "transit", till.second)
    return {"out": till.out, "second": till.second, "second_token": till.second_token, "closed": closed}
