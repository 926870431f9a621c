"""Opening and growing a position (order.execute.e, increase). USD 1e-30, prices per smallest unit."""

from dataclasses import dataclass, replace

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.fixed import down, up
from venue.exchange.pool.accrue import accrue
from venue.exchange.pool.fees import Fees, distribute, position_fees
from venue.exchange.pool.position import check_open, interest_impact, store, tokens_of
from venue.exchange.pool.sides import check_reserve, enabled_pool
from venue.exchange.pool.state import Pool, PoolPosition, PositionKey, collateral
from venue.exchange.pool.swap import Hop, SwapReport, swap
from venue.exchange.pool.units import Prices, TokenPrice, apply_factor
from venue.exchange.reasons import Reason
from venue.exchange.requests.book import ReferralCode
from venue.exchange.requests.request import ORDER_VAULT, OrderRequest
from venue.exchange.tokens import price_shown, shown


@dataclass(frozen=True, slots=True)
class IncreaseReport:
    """What an increase came to."""

    execution_price: int
    """0 when only collateral was added."""
    price_impact_usd: int
    pending_impact: int
    """Index tokens, realised as the position is decreased."""
    balance_improved: bool
    tokens: int
    collateral_in: int
    """After the swaps on the way in, before fees."""
    fees: Fees
    position: PoolPosition
    hops: tuple[Hop, ...]


def increase_position(draft: Draft, order: OrderRequest, prices: Prices, code: ReferralCode | None) -> IncreaseReport:
    """Turns escrowed collateral into a larger position on the draft. Raises Refused."""
    pool = enabled_pool(draft, order.market)
    if not pool.index:
        raise Refused(Reason.INVALID_POSITION_MARKET, f"pool {pool.symbol} is for swaps only")
    accrue(draft, pool, prices)
    bank = collateral(pool.symbol, order.is_long)
    arrived = _arrive(draft, pool, order, bank, prices)
    key = PositionKey(order.account, pool.symbol, arrived.token, order.is_long)
    before = draft.position(key) or PoolPosition(*key, size=0, tokens=0, collateral=0)
    impact, improved = interest_impact(pool, order.is_long, order.size)
    impact = min(impact, apply_factor(order.size, pool.params.max_positive_impact))
    pending = tokens_of(impact, prices[pool.index])
    tokens, price = _fill(order, prices[pool.index], pending)
    charged = position_fees(pool, before, order.size, improved, prices[arrived.token], code)
    left = before.collateral + arrived.amount - charged.cost
    if left < 0:
        raise Refused(
            Reason.INSUFFICIENT_COLLATERAL, f"fees of {shown(charged.cost, arrived.token)} exceed the collateral"
        )
    distribute(draft, pool, arrived.token, bank, charged)
    after = replace(
        before,
        size=before.size + order.size,
        tokens=before.tokens + tokens,
        collateral=left,
        pending_impact=before.pending_impact + pending,
        borrowing=pool.interest(order.is_long).borrowing,
        increased_ms=draft.now_ms,
    )
    store(draft, pool, before, after)
    _check_after(draft, pool, order, prices)
    check_open(draft, after, prices, code, grown=True)
    return IncreaseReport(price, impact, pending, improved, tokens, arrived.amount, charged, after, arrived.hops)


def _arrive(draft: Draft, pool: Pool, order: OrderRequest, bank: str, prices: Prices) -> SwapReport:
    least = order.min_output
    swapped = swap(draft, order.path, order.collateral_token, order.collateral, ORDER_VAULT, ORDER_VAULT, prices, least)
    if swapped.token not in (pool.long, pool.short):
        raise Refused(Reason.INVALID_COLLATERAL, f"pool {pool.symbol} takes no {swapped.token}")
    draft.pay(swapped.token, ORDER_VAULT, bank, swapped.amount)
    return swapped


def _fill(order: OrderRequest, index: TokenPrice, pending: int) -> tuple[int, int]:
    """(index tokens, execution price): impact moves the price, and is realised at the decrease."""
    if not order.size:
        return 0, 0
    tokens = down(order.size, index.max) if order.is_long else up(order.size, index.min)
    priced = tokens + pending if order.is_long else tokens - pending
    if tokens <= 0 or priced <= 0:
        raise Refused(Reason.POSITION_SIZE, "the size is too small for its price impact")
    price = down(order.size, priced)
    worst = order.acceptable_price
    if worst is not None and (price > worst if order.is_long else price < worst):
        raise Refused(
            Reason.ACCEPTABLE_PRICE,
            f"the price would be {price_shown(price, index.token)}; acceptable is {price_shown(worst, index.token)}",
        )
    return tokens, price


def _check_after(draft: Draft, pool: Pool, order: OrderRequest, prices: Prices) -> None:
    if not order.size:
        return
    if pool.interest(order.is_long).usd > pool.params.max_open_interest:
        raise Refused(Reason.MAX_OPEN_INTEREST, "the side's open interest is at its limit")
    check_reserve(draft, pool, prices, order.is_long, pool.params.reserve)
    check_reserve(draft, pool, prices, order.is_long, pool.params.open_interest_reserve)
