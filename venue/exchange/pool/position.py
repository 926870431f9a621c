"""What a position is worth and whether it may stay open (order.execute.i). USD 1e-30, prices per smallest unit."""

from dataclasses import dataclass, replace

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.fixed import down, toward_zero, up
from venue.exchange.pool.fees import position_fees
from venue.exchange.pool.impact import price_impact
from venue.exchange.pool.sides import pick, side_usd
from venue.exchange.pool.state import Interest, Pool, PoolPosition
from venue.exchange.pool.units import Prices, TokenPrice, apply_factor
from venue.exchange.pool.value import side_pnl
from venue.exchange.reasons import Reason
from venue.exchange.requests.book import ReferralCode


@dataclass(frozen=True, slots=True)
class LiquidationState:
    """The numbers liquidation goes by."""

    liquidatable: bool
    reason: str
    """Empty while it may not be liquidated."""
    remaining_usd: int
    collateral_usd: int
    pnl_usd: int
    impact_usd: int
    cost_usd: int
    required_usd: int
    """Least remaining collateral for its size."""


def interest_impact(pool: Pool, is_long: bool, size_delta: int) -> tuple[int, bool]:
    """Price impact of changing a side's open interest by `size_delta`: (USD, improved)."""
    longs, shorts = pool.long_interest.usd, pool.short_interest.usd
    after = (longs + size_delta, shorts) if is_long else (longs, shorts + size_delta)
    return price_impact(longs, shorts, *after, pool.params.position_impact)


def impact_usd(amount: int, price: TokenPrice) -> int:
    """Index tokens of impact in USD, against the trader."""
    return amount * (price.min if amount > 0 else price.max)


def position_pnl(draft: Draft, pool: Pool, position: PoolPosition, prices: Prices) -> int:
    """Profit at the worse end of the index price; what a side earns in total is capped (order.execute.e)."""
    worth = position.tokens * pick(prices[pool.index], not position.is_long)
    pnl = worth - position.size if position.is_long else position.size - worth
    if pnl <= 0:
        return pnl
    most = apply_factor(side_usd(draft, pool, prices, position.is_long, maximize=False), pool.params.max_pnl_traders)
    side = side_pnl(pool, prices, position.is_long, maximize=True)
    return down(pnl * most, side) if side > most else pnl


def liquidation_state(
    draft: Draft, position: PoolPosition, prices: Prices, code: ReferralCode | None = None
) -> LiquidationState:
    """Whether a position may be liquidated, with a reason (`pool` as accrued on the draft)."""
    pool = draft.pool(position.market)
    price, params = prices[position.collateral_token], pool.params
    held = position.collateral * price.min
    pnl = position_pnl(draft, pool, position, prices)
    closing, improved = interest_impact(pool, position.is_long, -position.size)
    closing = min(closing, apply_factor(position.size, params.max_positive_impact))
    impact = min(0, closing + impact_usd(position.pending_impact, prices[pool.index]))
    impact = max(impact, -apply_factor(position.size, params.max_negative_impact))
    cost = position_fees(pool, position, position.size, improved, price, code).cost * price.min
    remaining = held + pnl + impact - cost
    required = apply_factor(position.size, params.min_collateral_factor)
    reason = ""
    if remaining <= 0:
        reason = "nothing would be left of the collateral"
    elif remaining < params.min_collateral_usd:
        reason = "less than the least collateral would be left"
    elif remaining < required:
        reason = "too little collateral for its size"
    return LiquidationState(bool(reason), reason, remaining, held, pnl, impact, cost, required)


def check_open(draft: Draft, position: PoolPosition, prices: Prices, code: ReferralCode | None, *, grown: bool) -> None:
    """Raises Refused when a position that stays open must not be like this; least collateral only if it was `grown`."""
    params = draft.pool(position.market).params
    held = position.collateral * prices[position.collateral_token].min
    if position.size <= 0 or position.tokens <= 0:
        raise Refused(Reason.POSITION_SIZE, "a position must have a size in USD and in tokens")
    if position.size < params.min_position_usd:
        raise Refused(Reason.MIN_POSITION_SIZE, "the position would be too small")
    if grown and held < max(params.min_collateral_usd, apply_factor(position.size, params.min_collateral_factor)):
        raise Refused(Reason.INSUFFICIENT_COLLATERAL, "too little collateral for the size")
    state = liquidation_state(draft, position, prices, code)
    if state.liquidatable:
        raise Refused(Reason.LIQUIDATABLE, state.reason)


def store(draft: Draft, pool: Pool, before: PoolPosition, after: PoolPosition) -> None:
    """Puts a changed position, and its share in the side's sums."""
    interest = pool.interest(before.is_long)
    changed: Interest = replace(
        interest,
        usd=interest.usd + after.size - before.size,
        tokens=interest.tokens + after.tokens - before.tokens,
        pending_impact=interest.pending_impact + after.pending_impact - before.pending_impact,
        borrowed=interest.borrowed + after.size * after.borrowing - before.size * before.borrowing,
    )
    if before.is_long:
        pool.long_interest = changed
    else:
        pool.short_interest = changed
    draft.put(after)


def execution_price(is_long: bool, index: TokenPrice, tokens: int, impact: int) -> int:
    """Price a close of `tokens` comes to with its own impact, which is cut off toward zero."""
    if not tokens:
        return pick(index, not is_long)
    moved = toward_zero(impact, tokens)
    return index.min + moved if is_long else index.max - moved


def tokens_of(usd: int, price: TokenPrice) -> int:
    """Index tokens of an impact: what is earned rounded down at the top, what is owed rounded up at the bottom."""
    return down(usd, price.max) if usd > 0 else -up(-usd, price.min)
