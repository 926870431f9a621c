"""What time does to a pool: the position impact pool goes to the providers, borrowing adds up (deposit.execute.f).

Funding between the sides is off: `accrue` is where it would come in, before borrowing.
"""

from dataclasses import replace

from venue.exchange.draft import Draft
from venue.exchange.fixed import down
from venue.exchange.pool.sides import reserved_usd, side_usd
from venue.exchange.pool.state import Interest, Pool
from venue.exchange.pool.units import FLOAT, Prices

SECOND_MS = 1_000


def accrue(draft: Draft, pool: Pool, prices: Prices) -> None:
    """Brings a pool to the draft's time. The first time only stamps."""
    long_factor, short_factor = (next_borrowing(draft, pool, prices, is_long) for is_long in (True, False))
    pool.position_impact = next_position_impact(pool, draft.now_ms)
    pool.long_interest = replace(pool.long_interest, borrowing=long_factor)
    pool.short_interest = replace(pool.short_interest, borrowing=short_factor)
    pool.distributed_ms = max(pool.distributed_ms, draft.now_ms)
    pool.borrowed_ms = max(pool.borrowed_ms, draft.now_ms)


def next_position_impact(pool: Pool, now_ms: int) -> int:
    """The position impact pool by now, in index tokens (smallest units)."""
    params = pool.params
    elapsed = max(0, now_ms - pool.distributed_ms)
    if not pool.distributed_ms or pool.position_impact <= params.min_impact_pool:
        return pool.position_impact
    given = down(elapsed * params.impact_distribution_per_second, SECOND_MS * FLOAT)
    return pool.position_impact - min(given, pool.position_impact - params.min_impact_pool)


def next_borrowing(draft: Draft, pool: Pool, prices: Prices, is_long: bool) -> int:
    """A side's cumulative borrowing factor by now (1e-30): the reserved share of its liquidity x rate x time."""
    interest = pool.interest(is_long)
    elapsed = max(0, draft.now_ms - pool.borrowed_ms)
    if not pool.borrowed_ms or not elapsed or not pool.params.borrowing_per_second:
        return interest.borrowing
    held = side_usd(draft, pool, prices, is_long, maximize=False)
    if not held:
        return interest.borrowing
    reserved = reserved_usd(pool, prices, is_long)
    return interest.borrowing + down(elapsed * pool.params.borrowing_per_second * reserved, SECOND_MS * held)


def pending_borrowing(interest: Interest, borrowing: int) -> int:
    """USD (1e-30) that a side's positions owe at a cumulative factor, rounded down."""
    return max(0, down(interest.usd * borrowing - interest.borrowed, FLOAT))
