"""The slow model's swaps, deposits and withdrawals."""

from tests.venue.exchange.pools.state import (
    DEAD,
    OUTSIDE,
    PoolRow,
    Prices,
    Row,
    State,
    ceil,
    floor,
    impact_usd,
    need,
    part,
    wallet,
)
from tests.venue.exchange.pools.values import check_pnl, check_reserve, pass_time, pool_value


def opposite(pool: PoolRow, token: str) -> str:
    return str(pool["short"] if token == pool["long"] else pool["long"])


def take_fee(state: State, market: str, token: str, source: str, amount: int, factor: int) -> tuple[int, int]:
    """(what is left, what of the fee stays in the pool); the claimable part is booked."""
    fee = part(amount, factor)
    claimable = part(fee, state.pools[market]["p"]["receiver_share"])
    state.move(token, source, "fees:" + market, claimable)
    return amount - fee, fee - claimable


def check_amount(state: State, market: str, token: str) -> None:
    need(state.held(token, "pool:" + market) <= state.pools[market]["p"]["max_pool_amount"], "MaxPoolAmountExceeded")


def gaps(state: State, market: str, prices: Prices, one: str, other: str) -> tuple[int, int]:
    account = "pool:" + market
    return state.held(one, account) * prices.mid(one), state.held(other, account) * prices.mid(other)


def usable(state: State, market: str) -> PoolRow:
    need(market in state.pools, "EmptyMarket")
    pool = state.pools[market]
    need(pool["enabled"], "DisabledMarket")
    return pool


def hop(state: State, market: str, prices: Prices, token: str, amount: int, source: str) -> tuple[str, int]:
    """One swap: `amount` comes from `source`; what comes out is still in the pool and must be taken from there."""
    pool = usable(state, market)
    need(token in (pool["long"], pool["short"]), "InvalidToken")
    out, account, impacts = opposite(pool, token), "pool:" + market, "impact:" + market
    usd = amount * prices.mid(token)
    a, b = gaps(state, market, prices, token, out)
    need(b >= usd, "InsufficientPoolAmount")
    impact, better = impact_usd((a, b), (a + usd, b - usd), pool["p"]["swap_impact"])
    tier = pool["p"]["swap_fee"]["improved" if better else "worsened"]
    used, kept = take_fee(state, market, token, source, amount, tier)
    bonus = extra = 0
    if impact > 0:
        wanted = floor(impact, prices.high(out))
        bonus = min(wanted, state.held(out, impacts))
        extra = min(floor((wanted - bonus) * prices.high(out), prices.high(token)), state.held(token, impacts))
    else:
        lost = ceil(-impact, prices.low(token))
        need(used > lost, "SwapPriceImpactExceedsAmountIn")
        state.move(token, source, impacts, lost)
        used -= lost
    state.move(token, source, account, used + kept)
    state.move(token, impacts, account, extra)
    state.move(out, impacts, account, bonus)
    got = floor((used + extra) * prices.low(token), prices.high(out)) + bonus
    need(state.held(out, account) >= got, "InsufficientPoolAmount")
    return out, got


def swap(
    state: State, path: list[str], prices: Prices, token: str, amount: int, source: str, target: str
) -> tuple[str, int]:
    """All the hops; the result is paid to `target`."""
    if not path or not amount:
        state.move(token, source, target, amount)
        return token, amount
    need(len(set(path)) == len(path), "DuplicatedMarketInSwapPath")
    for at, market in enumerate(path):
        entered = token
        token, amount = hop(state, market, prices, token, amount, source)
        pool, source = state.pools[market], "pool:" + market
        nearer = target if at == len(path) - 1 else "transit"
        state.move(token, source, nearer, amount)
        source = nearer
        check_amount(state, market, entered)
        check_reserve(state, market, prices, long=token == pool["long"], factors=("reserve",))
        caps = ["max_pnl_deposits", "max_pnl_withdrawals"]
        check_pnl(state, market, prices, *(caps if entered == pool["long"] else caps[::-1]))
    return token, amount


def deposit(state: State, row: Row, prices: Prices, now: int) -> None:
    market = row["market"]
    pool = usable(state, market)
    p = pool["p"]
    if not state.supply(market) and p["min_first_deposit"]:
        need(row["receiver"] == DEAD, "InvalidReceiverForFirstDeposit")
        need(row["min_market_tokens"] >= p["min_first_deposit"], "InvalidMinMarketTokensForFirstDeposit")
    pass_time(state, market, prices, now)
    check_pnl(state, market, prices, "max_pnl_deposits", "max_pnl_deposits")
    amounts: dict[str, int] = {}
    for side in ("long", "short"):
        token, amount = swap(
            state, row[side + "_path"], prices, row[side + "_token"], row[side + "_amount"],
            "deposit_vault", "transit",
        )  # fmt: skip
        need(not amount or token == pool[side], "InvalidSwapOutputToken")
        amounts[side] = amount
    need(any(amounts.values()), "EmptyDepositAmountsAfterSwap")
    usd = {side: amounts[side] * prices.mid(pool[side]) for side in amounts}
    a, b = gaps(state, market, prices, pool["long"], pool["short"])
    impact, better = impact_usd((a, b), (a + usd["long"], b + usd["short"]), p["swap_impact"])
    tier = p["deposit_fee"]["improved" if better else "worsened"]
    minted = 0
    for side in ("long", "short"):
        if amounts[side]:
            share = impact * usd[side]
            total = sum(usd.values())
            leg_impact = share // total if share >= 0 else -(-share // total)
            minted += leg(state, market, prices, pool[side], amounts[side], leg_impact, tier)
    need(minted >= row["min_market_tokens"], "MinMarketTokens")
    for token in (pool[side] for side in amounts if amounts[side]):
        check_amount(state, market, token)
        worth = state.held(token, "pool:" + market) * prices.high(token)
        need(worth <= p["max_pool_usd_for_deposit"], "MaxPoolUsdForDepositExceeded")
    state.move("MT:" + market, OUTSIDE, wallet(row["receiver"]), minted)


def leg(state: State, market: str, prices: Prices, token: str, amount: int, impact: int, tier: int) -> int:
    """One token of a deposit: what it mints. The supply of the second leg counts what the first one minted."""
    pool = state.pools[market]
    other, account, impacts = opposite(pool, token), "pool:" + market, "impact:" + market
    supply = state.supply(market) + pool.get("minting", 0)
    value = pool_value(state, market, prices, high=True, cap="max_pnl_deposits")
    need(value >= 0 and not (value == 0 and supply > 0), "InvalidPoolValueForDeposit")
    after, kept = take_fee(state, market, token, "transit", amount, tier)

    def tokens(usd: int) -> int:
        return floor(supply * usd, value) if supply else (value + usd) // 10**12

    minted = 0
    if impact > 0 and supply:
        bonus = min(floor(impact, prices.high(other)), state.held(other, impacts))
        minted += tokens(bonus * prices.high(other))
        state.move(other, impacts, account, bonus)
        check_amount(state, market, other)
    elif impact < 0:
        lost = ceil(-impact, prices.low(token))
        need(after >= lost, "PriceImpactExceedsDepositAmount")
        state.move(token, "transit", impacts, lost)
        after -= lost
    minted += tokens(after * prices.low(token))
    state.move(token, "transit", account, after + kept)
    pool["minting"] = pool.get("minting", 0) + minted
    return minted


def withdrawal(state: State, row: Row, prices: Prices, now: int) -> None:
    market = row["market"]
    pool = usable(state, market)
    pass_time(state, market, prices, now)
    value = pool_value(state, market, prices, high=False, cap="max_pnl_withdrawals")
    need(value > 0, "InvalidPoolValueForWithdrawal")
    usd = floor(row["amount"] * value, state.supply(market))
    account = "pool:" + market
    worth = {side: state.held(pool[side], account) * prices.high(pool[side]) for side in ("long", "short")}
    gives: dict[str, int] = {}
    for side in worth:
        amount = floor(floor(usd * worth[side], sum(worth.values())), prices.high(pool[side]))
        need(amount <= state.held(pool[side], account), "InsufficientPoolAmount")
        gives[side], _ = take_fee(state, market, pool[side], account, amount, pool["p"]["withdrawal_fee"])
        state.move(pool[side], account, "transit", gives[side])
    state.move("MT:" + market, "withdrawal_vault", OUTSIDE, row["amount"])
    for long in (True, False):
        check_reserve(state, market, prices, long=long, factors=("reserve",))
    check_pnl(state, market, prices, "max_pnl_withdrawals", "max_pnl_withdrawals")
    for side in ("long", "short"):
        _, got = swap(state, row[side + "_path"], prices, pool[side], gives[side], "transit", wallet(row["receiver"]))
        need(got >= row["min_" + side], "InsufficientOutputAmount")
