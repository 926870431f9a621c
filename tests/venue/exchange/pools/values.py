"""The slow model's valuations: PnL, what a pool is worth, reserves, and what time does to a pool."""

from tests.venue.exchange.pools.state import ONE, PoolRow, Prices, State, floor, need, part


def held_usd(state: State, market: str, prices: Prices, *, long: bool, high: bool) -> int:
    pool = state.pools[market]
    token = pool["long"] if long else pool["short"]
    return state.held(token, "pool:" + market) * prices.side(token, high=high)


def open_pnl(pool: PoolRow, prices: Prices, *, long: bool, most: bool) -> int:
    """PnL of one side's traders, at the side of the price that makes it the most or the least."""
    side = pool[long]
    if not side["usd"] or not side["tokens"]:
        return 0
    worth = int(side["tokens"] * prices.side(pool["index"], high=most if long else not most))
    return worth - int(side["usd"]) if long else int(side["usd"]) - worth


def capped_pnl(state: State, market: str, prices: Prices, *, long: bool, most: bool, cap: int, high: bool) -> int:
    pnl = open_pnl(state.pools[market], prices, long=long, most=most)
    return min(pnl, part(held_usd(state, market, prices, long=long, high=high), cap))


def borrowing_due(pool: PoolRow, *, long: bool) -> int:
    side = pool[long]
    return max(0, floor(side["usd"] * side["borrowing"] - side["borrowed"], ONE))


def pool_value(state: State, market: str, prices: Prices, *, high: bool, cap: str) -> int:
    """What the providers own, seen from one end of the spreads."""
    pool = state.pools[market]
    value = sum(held_usd(state, market, prices, long=long, high=high) for long in (True, False))
    if not pool["index"]:
        return value
    due = borrowing_due(pool, long=True) + borrowing_due(pool, long=False)
    value += part(due, ONE - pool["p"]["receiver_share"])
    for long in (True, False):
        value -= capped_pnl(state, market, prices, long=long, most=not high, cap=pool["p"][cap], high=high)
    return value - int(pool["position_impact"] * prices.side(pool["index"], high=not high))


def check_pnl(state: State, market: str, prices: Prices, long_cap: str, short_cap: str) -> None:
    pool = state.pools[market]
    if not pool["index"]:
        return
    for long, cap, reason in (
        (True, long_cap, "PnlFactorExceededForLongs"),
        (False, short_cap, "PnlFactorExceededForShorts"),
    ):
        base = held_usd(state, market, prices, long=long, high=False)
        pnl = open_pnl(pool, prices, long=long, most=True)
        need(pnl <= 0 or pnl * ONE <= pool["p"][cap] * base, reason)


def reserved(pool: PoolRow, prices: Prices, *, long: bool) -> int:
    side = pool[long]
    return int(side["tokens"] * prices.high(pool["index"]) if long and side["tokens"] else side["usd"])


def check_reserve(state: State, market: str, prices: Prices, *, long: bool, factors: tuple[str, ...]) -> None:
    pool = state.pools[market]
    if not pool["index"]:
        return
    base = held_usd(state, market, prices, long=long, high=False)
    for factor in factors:
        need(reserved(pool, prices, long=long) <= part(base, pool["p"][factor]), "InsufficientReserve")


def pass_time(state: State, market: str, prices: Prices, now: int) -> None:
    """The position impact pool gives to the providers, and open positions owe for what they reserve."""
    pool = state.pools[market]
    p = pool["p"]
    rate = p["impact_distribution_per_second"]
    if pool["distributed_ms"] and rate and pool["position_impact"] > p["min_impact_pool"]:
        given = floor((now - pool["distributed_ms"]) * rate, 1000 * ONE)
        pool["position_impact"] -= min(given, pool["position_impact"] - p["min_impact_pool"])
    pool["distributed_ms"] = now
    if pool["borrowed_ms"]:
        for long in (True, False):
            base = held_usd(state, market, prices, long=long, high=False)
            if base:
                grown = (now - pool["borrowed_ms"]) * p["borrowing_per_second"] * reserved(pool, prices, long=long)
                pool[long]["borrowing"] += floor(grown, 1000 * base)
    pool["borrowed_ms"] = now
