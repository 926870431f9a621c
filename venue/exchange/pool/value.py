"""What a pool and its market tokens are worth (deposit.execute.n). USD 1e-30 unless said otherwise."""

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.fixed import down
from venue.exchange.ledger import EXTERNAL
from venue.exchange.pool.accrue import next_borrowing, next_position_impact, pending_borrowing
from venue.exchange.pool.sides import pick, reserved_usd, side_usd
from venue.exchange.pool.state import Pool
from venue.exchange.pool.units import FLOAT, SHARE, Prices, apply_factor
from venue.exchange.reasons import Reason

SIDES = (True, False)
"""Long, short."""


def supply(draft: Draft, pool: Pool) -> int:
    """Market tokens in being, in 1e-18: what everything outside the bank owes of them."""
    return -draft.balance(pool.market_token, EXTERNAL)


def side_pnl(pool: Pool, prices: Prices, is_long: bool, *, maximize: bool) -> int:
    """What a side's traders are ahead by, or (below zero) behind."""
    interest = pool.interest(is_long)
    if not pool.index:
        return 0
    worth = interest.tokens * pick(prices[pool.index], is_long == maximize)
    return worth - interest.usd if is_long else interest.usd - worth


def pool_value(draft: Draft, pool: Pool, prices: Prices, pnl_factor: int, maximize: bool) -> int:
    """What belongs to the providers at the draft's time: the top or the bottom of its range.

    Traders' profit counts up to `pnl_factor` of its side's liquidity; what the position impact pool owes is no
    provider's money.
    """
    total = 0
    for is_long in SIDES:
        held = side_usd(draft, pool, prices, is_long, maximize=maximize)
        owed = pending_borrowing(pool.interest(is_long), next_borrowing(draft, pool, prices, is_long))
        pnl = side_pnl(pool, prices, is_long, maximize=not maximize)
        total += held + apply_factor(owed, FLOAT - pool.params.receiver_share)
        total -= min(pnl, apply_factor(held, pnl_factor))
    if not pool.index:
        return total
    return total - next_position_impact(pool, draft.now_ms) * pick(prices[pool.index], not maximize)


def checked_value(
    draft: Draft, pool: Pool, prices: Prices, pnl_factor: int, *, maximize: bool, unminted: int = 0
) -> tuple[int, int]:
    """(pool value, supply with what is about to be minted). Raises Refused(POOL_VALUE_DEPOSIT or _WITHDRAWAL).

    That is when market tokens exist and nothing is behind them.
    """
    value, shares = pool_value(draft, pool, prices, pnl_factor, maximize), supply(draft, pool) + unminted
    if value < 0 or (value == 0 and shares > 0):
        reason = Reason.POOL_VALUE_DEPOSIT if maximize else Reason.POOL_VALUE_WITHDRAWAL
        raise Refused(reason, f"pool {pool.symbol} is worth {value // FLOAT:,} USD")
    return value, shares


def market_token_price(draft: Draft, pool: Pool, prices: Prices, pnl_factor: int, maximize: bool) -> int:
    """USD per whole market token, rounded down; 1 USD as long as there is none."""
    shares = supply(draft, pool)
    return down(pool_value(draft, pool, prices, pnl_factor, maximize) * SHARE, shares) if shares else FLOAT


def check_max_pnl(draft: Draft, pool: Pool, prices: Prices, is_long: bool, most: int) -> None:
    """Raises Refused when a side's profit is above `most` of its liquidity (deposit.execute.g)."""
    pnl = side_pnl(pool, prices, is_long, maximize=True)
    if pnl > 0 and pnl * FLOAT > most * side_usd(draft, pool, prices, is_long, maximize=False):
        reason = Reason.PNL_FACTOR_LONGS if is_long else Reason.PNL_FACTOR_SHORTS
        raise Refused(reason, f"profits of {pnl // FLOAT:,} USD are too much of the pool's liquidity")


def reserved_share(draft: Draft, pool: Pool, prices: Prices, is_long: bool) -> int:
    """Share of a side's liquidity that is reserved for its positions (1e-30), for display; 0 without liquidity."""
    held = side_usd(draft, pool, prices, is_long, maximize=False)
    return down(reserved_usd(pool, prices, is_long) * FLOAT, held) if held else 0
