"""The slow model's positions: increases, fees, the condition of liquidation."""

from tests.venue.exchange.pools.state import (
    ONE,
    Key,
    PoolRow,
    Prices,
    Row,
    State,
    ceil,
    cut,
    floor,
    impact_usd,
    need,
    part,
)
from tests.venue.exchange.pools.values import capped_pnl, check_reserve, open_pnl


def new_position() -> Row:
    names = ("size", "tokens", "collateral", "pending_impact", "borrowing", "increased_ms", "decreased_ms")
    return dict.fromkeys(names, 0)


def size_impact(pool: PoolRow, delta: int, *, long: bool) -> tuple[int, bool]:
    """Impact of changing one side's open interest, capped only where it is positive."""
    a, b = pool[True]["usd"], pool[False]["usd"]
    after = (a + delta, b) if long else (a, b + delta)
    impact, better = impact_usd((a, b), after, pool["p"]["position_impact"])
    return min(impact, part(abs(delta), pool["p"]["max_positive_impact"])), better


def fees_of(
    state: State, key: Key, position: Row, prices: Prices, size: int, *, better: bool, liquidated: bool = False,
    discounted: bool = True,
) -> Row:  # fmt: skip
    """Everything a change of a position costs, in collateral tokens, and who gets what."""
    account, market, token, long = key
    p, low = state.pools[market]["p"], prices.low(token)
    fee = floor(part(size, p["position_fee"]["improved" if better else "worsened"]), low)
    rebate = discount = 0
    owner = ""
    if account in state.referred and discounted:
        owner, given, share = state.codes[state.referred[account]]
        rebate = part(fee, given)
        discount = part(rebate, share)
    due = ceil(position["size"] * (state.pools[market][long]["borrowing"] - position["borrowing"]), ONE)
    borrowing = ceil(due, low)
    ending = ceil(part(size, p["liquidation_fee"]), low) if liquidated else 0
    claimable = sum(part(each, p["receiver_share"]) for each in (fee - rebate, borrowing, ending))
    cost = fee - discount + borrowing + ending
    affiliate = rebate - discount
    return {
        "cost": cost, "claimable": claimable, "affiliate": affiliate, "owner": owner,
        "pool": cost - claimable - affiliate,
    }  # fmt: skip


def share_fees(state: State, key: Key, fees: Row, source: str) -> None:
    _, market, token, _ = key
    state.move(token, source, "fees:" + market, fees["claimable"])
    state.move(token, source, f"affiliate:{market}:{fees['owner']}", fees["affiliate"])
    state.move(token, source, "pool:" + market, fees["pool"])


def side_name(key: Key) -> str:
    return f"collateral:{key[1]}:{'long' if key[3] else 'short'}"


def set_size(state: State, key: Key, position: Row, size: int, tokens: int, pending: int) -> None:
    """A position's new size, tokens and pending impact, in it and in the sums of its side."""
    side = state.pools[key[1]][key[3]]
    side["borrowed"] += size * side["borrowing"] - position["size"] * position["borrowing"]
    side["usd"] += size - position["size"]
    side["tokens"] += tokens - position["tokens"]
    side["pending_impact"] += pending - position["pending_impact"]
    position.update(size=size, tokens=tokens, pending_impact=pending, borrowing=side["borrowing"])


def pnl_of(state: State, key: Key, position: Row, prices: Prices, size: int) -> tuple[int, int]:
    """(realised PnL of `size` of the position, the index tokens that go with it)."""
    _, market, _, long = key
    pool = state.pools[market]
    worth = position["tokens"] * prices.side(pool["index"], high=not long)
    total = worth - position["size"] if long else position["size"] - worth
    if total > 0:
        of_side = open_pnl(pool, prices, long=long, most=True)
        cap = pool["p"]["max_pnl_traders"]
        capped = capped_pnl(state, market, prices, long=long, most=True, cap=cap, high=False)
        if of_side > 0 and 0 < capped < of_side:
            total = floor(total * capped, of_side)
    if size == position["size"]:
        tokens = position["tokens"]
    else:
        tokens = (ceil if long else floor)(position["tokens"] * size, position["size"])
    return cut(total * tokens, position["tokens"]), tokens


def pending_usd(pool: PoolRow, prices: Prices, amount: int) -> int:
    return int(amount * prices.side(pool["index"], high=amount < 0))


def doomed(state: State, key: Key, position: Row, prices: Prices) -> bool:
    """Whether a position may be liquidated."""
    pool = state.pools[key[1]]
    p, size = pool["p"], position["size"]
    pnl, _ = pnl_of(state, key, position, prices, size)
    impact, better = size_impact(pool, -size, long=key[3])
    impact += pending_usd(pool, prices, position["pending_impact"])
    impact = max(min(impact, 0), -part(size, p["max_negative_impact"]))
    cost = fees_of(state, key, position, prices, size, better=better)["cost"]
    low = prices.low(key[2])
    left = position["collateral"] * low + pnl + impact - cost * low
    return bool(left < p["min_collateral_usd"] or left <= 0 or left < part(size, p["min_collateral_factor"]))


def check_position(state: State, key: Key, position: Row, prices: Prices, *, backed: bool = False) -> None:
    """What every position must be that stays open; `backed` asks for the least collateral beside."""
    p = state.pools[key[1]]["p"]
    need(position["size"] > 0 and position["tokens"] > 0, "InvalidPositionSizeValues")
    need(position["size"] >= p["min_position_usd"], "MinPositionSize")
    worth, least = position["collateral"] * prices.low(key[2]), part(position["size"], p["min_collateral_factor"])
    need(not backed or worth >= max(p["min_collateral_usd"], least), "InsufficientCollateral")
    need(not doomed(state, key, position, prices), "LiquidatablePosition")


def increase(state: State, row: Row, key: Key, amount: int, prices: Prices, now: int) -> None:
    """`amount` of collateral lies in transit."""
    _, market, token, long = key
    pool, size = state.pools[market], row["size"]
    p, index = pool["p"], pool["index"]
    need(token in (pool["long"], pool["short"]), "InvalidCollateralTokenForMarket")
    position = state.positions.get(key) or new_position()
    tokens = pending = 0
    better = False
    if size:
        tokens = floor(size, prices.high(index)) if long else ceil(size, prices.low(index))
        impact, better = size_impact(pool, size, long=long)
        pending = floor(impact, prices.high(index)) if impact > 0 else -ceil(-impact, prices.low(index))
        filled = tokens + pending if long else tokens - pending
        need(tokens > 0 and filled > 0, "InvalidPositionSizeValues")
        price, limit = floor(size, filled), row["acceptable_price"]
        fine = limit is None or (price <= limit if long else price >= limit)
        need(fine, "OrderNotFulfillableAtAcceptablePrice")
    fees = fees_of(state, key, position, prices, size, better=better)
    state.move(token, "transit", side_name(key), amount)
    need(position["collateral"] + amount >= fees["cost"], "InsufficientCollateral")
    share_fees(state, key, fees, side_name(key))
    position["collateral"] += amount - fees["cost"]
    position["increased_ms"] = now
    set_size(
        state, key, position, position["size"] + size, position["tokens"] + tokens, position["pending_impact"] + pending
    )
    state.positions[key] = position
    if size:
        need(pool[long]["usd"] <= p["max_open_interest"], "MaxOpenInterestExceeded")
        check_reserve(state, market, prices, long=long, factors=("reserve", "open_interest_reserve"))
    check_position(state, key, position, prices, backed=True)
