"""Reducing and closing a position (order.execute.e, decrease). USD 1e-30, prices per smallest unit."""

from dataclasses import dataclass, replace

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.fixed import down, toward_zero, up
from venue.exchange.ledger import wallet
from venue.exchange.pool.accrue import accrue
from venue.exchange.pool.costs import Purse
from venue.exchange.pool.fees import Fees, distribute, position_fees
from venue.exchange.pool.position import (
    check_open,
    execution_price,
    impact_usd,
    interest_impact,
    position_pnl,
    store,
)
from venue.exchange.pool.sides import enabled_pool, side_token
from venue.exchange.pool.state import Pool, PoolPosition, PositionKey, collateral, liquidity, locked
from venue.exchange.pool.swap import Hop, swap
from venue.exchange.pool.units import Prices, apply_factor
from venue.exchange.reasons import Reason
from venue.exchange.requests.book import ReferralCode
from venue.exchange.requests.request import OrderRequest, OrderType
from venue.exchange.tokens import price_shown, shown, usd_shown


@dataclass(frozen=True, slots=True)
class Cut:
    """What is to be taken off a position."""

    size: int
    tokens: int
    collateral: int
    liquidation: bool = False


@dataclass(frozen=True, slots=True)
class DecreaseReport:
    """What a decrease came to."""

    execution_price: int
    size: int
    tokens: int
    base_pnl_usd: int
    price_impact_usd: int
    """Of closing alone."""
    total_impact_usd: int
    """With the pending part, after the caps."""
    pending_impact: int
    """The part of the pending impact (index tokens) that was realised."""
    impact_diff_usd: int
    """Impact beyond the cap; it is locked for the trader."""
    locked_amount: int
    fees: Fees
    output_token: str
    output_amount: int
    secondary_token: str
    secondary_amount: int
    insolvent_step: str
    """The first cost that nothing was left for, at a liquidation; empty when all were paid."""
    remaining: PoolPosition | None
    hops: tuple[Hop, ...]


def decrease_position(draft: Draft, order: OrderRequest, prices: Prices, code: ReferralCode | None) -> DecreaseReport:
    """Reduces a position on the draft and pays the receiver's wallet. Raises Refused."""
    pool = enabled_pool(draft, order.market)
    position = draft.position(PositionKey(order.account, order.market, order.collateral_token, order.is_long))
    if position is None:
        raise Refused(Reason.EMPTY_POSITION, "there is no such position")
    accrue(draft, pool, prices)
    cut = _cut(pool, position, order, prices)
    report = settle(draft, pool, position, cut, prices, code)
    worst, price = order.acceptable_price, report.execution_price
    if cut.size and worst is not None and (price < worst if order.is_long else price > worst):
        raise Refused(
            Reason.ACCEPTABLE_PRICE,
            f"the price would be {price_shown(price, pool.index)}; acceptable is {price_shown(worst, pool.index)}",
        )
    if report.remaining is not None:
        check_open(draft, report.remaining, prices, code, grown=False)
    return _pay_out(draft, pool, order, report, prices)


def _cut(pool: Pool, position: PoolPosition, order: OrderRequest, prices: Prices) -> Cut:
    """What the order takes off; a rest not worth keeping is closed with it."""
    size = order.size
    if size > position.size:
        if order.type is OrderType.MARKET_DECREASE:
            raise Refused(Reason.DECREASE_SIZE, f"the order is larger than the position's {usd_shown(position.size)}")
        size = position.size
    left = (position.collateral - order.collateral) * prices[position.collateral_token].min
    if not size and left < pool.params.min_collateral_usd:
        raise Refused(Reason.UNABLE_TO_WITHDRAW, f"{usd_shown(left)} of collateral would be left")
    if (
        size == position.size
        or left < pool.params.min_collateral_usd
        or (position.size - size < pool.params.min_position_usd)
    ):
        return Cut(position.size, position.tokens, 0)
    share = position.tokens * size
    tokens = up(share, position.size) if position.is_long else down(share, position.size)
    return Cut(size, tokens, order.collateral)


def settle(
    draft: Draft, pool: Pool, position: PoolPosition, cut: Cut, prices: Prices, code: ReferralCode | None
) -> DecreaseReport:
    """Profit, costs in their order, and the position's rest; what comes out still lies with the side's collateral.

    Raises Refused(CANNOT_PAY_COSTS) unless it is a liquidation.
    """
    token, index = position.collateral_token, prices[pool.index]
    bank, other = collateral(pool.symbol, position.is_long), pool.other(token)
    purse = Purse(draft, bank, prices[token], prices[other], position.collateral)
    total_pnl = position_pnl(draft, pool, position, prices)
    pnl = toward_zero(total_pnl * cut.tokens, position.tokens)
    closing, improved = interest_impact(pool, position.is_long, -cut.size)
    closing = min(closing, apply_factor(cut.size, pool.params.max_positive_impact))
    pending = down(position.pending_impact * cut.size, position.size)
    impact, excess = _capped(pool, cut.size, closing + impact_usd(pending, index), index.min)
    charged = position_fees(pool, position, cut.size, improved, prices[token], code, liquidation=cut.liquidation)
    _collect(draft, pool, position, purse, max(0, pnl) + max(0, impact), prices)
    if impact > 0:
        pool.position_impact -= up(impact, index.min)
    purse.pay("pnl", max(0, -pnl), liquidity(pool.symbol))
    _pay_fees(draft, pool, purse, charged)
    unpaid = purse.pay("impact", max(0, -impact), liquidity(pool.symbol))
    if impact < 0:
        pool.position_impact += up(-impact - unpaid, index.min)
    held = draft.balance(token, locked(pool.symbol, position.account))
    purse.pay("impact excess", excess, locked(pool.symbol, position.account))
    if purse.failed and not cut.liquidation:
        raise Refused(Reason.CANNOT_PAY_COSTS, f"nothing is left to pay {purse.failed}")
    remaining = _rest(draft, pool, position, cut, purse, pending)
    return DecreaseReport(
        execution_price(position.is_long, index, cut.tokens, closing), cut.size, cut.tokens, pnl, closing, impact,
        pending, excess, draft.balance(token, locked(pool.symbol, position.account)) - held, charged,
        token, purse.output, other, purse.secondary, purse.failed, remaining, (),
    )  # fmt: skip


def _capped(pool: Pool, size: int, impact: int, index_min: int) -> tuple[int, int]:
    """(impact after the caps, what a negative one is beyond its cap)."""
    if impact > 0:
        most = min(apply_factor(size, pool.params.max_positive_impact), pool.position_impact * index_min)
        return min(impact, most), 0
    least = -apply_factor(size, pool.params.max_negative_impact)
    return max(impact, least), max(0, least - impact)


def _collect(draft: Draft, pool: Pool, position: PoolPosition, purse: Purse, usd: int, prices: Prices) -> None:
    """Takes profit and positive impact from the liquidity of the side's own token."""
    token = side_token(pool, position.is_long)
    amount = down(usd, prices[token].max)
    if amount > draft.balance(token, liquidity(pool.symbol)):
        raise Refused(Reason.INSUFFICIENT_POOL, f"pool {pool.symbol} has less than {shown(amount, token)}")
    draft.pay(token, liquidity(pool.symbol), purse.bank, amount)
    purse.earn(token, amount)


def _pay_fees(draft: Draft, pool: Pool, purse: Purse, charged: Fees) -> None:
    """In the collateral's token to everybody; what has to come out of anything else goes to the pool whole."""
    if not purse.failed and purse.output + purse.collateral >= charged.cost:
        purse.take(charged.cost)
        distribute(draft, pool, purse.price.token, purse.bank, charged)
        return
    purse.pay_tokens("fees", charged.cost, charged.cost * purse.price.min, liquidity(pool.symbol))


def _rest(
    draft: Draft, pool: Pool, position: PoolPosition, cut: Cut, purse: Purse, pending: int
) -> PoolPosition | None:
    closed = cut.size == position.size
    out = purse.collateral if closed else min(cut.collateral, purse.collateral)
    purse.output += out
    purse.collateral -= out
    after = replace(
        position,
        size=position.size - cut.size,
        tokens=position.tokens - cut.tokens,
        collateral=purse.collateral,
        pending_impact=position.pending_impact - pending,
        borrowing=pool.interest(position.is_long).borrowing,
        decreased_ms=draft.now_ms,
    )
    store(draft, pool, position, after)
    return None if closed else after


def _pay_out(draft: Draft, pool: Pool, order: OrderRequest, report: DecreaseReport, prices: Prices) -> DecreaseReport:
    bank, target = collateral(pool.symbol, order.is_long), wallet(order.receiver)
    out = swap(draft, order.path, report.output_token, report.output_amount, bank, target, prices, 0)
    draft.pay(report.secondary_token, bank, target, report.secondary_amount)
    worth = out.amount * prices[out.token].min + report.secondary_amount * prices[report.secondary_token].min
    if worth < order.min_output:
        raise Refused(Reason.MIN_OUTPUT, "the output is worth less than asked for")
    return replace(report, output_token=out.token, output_amount=out.amount, hops=out.hops)
