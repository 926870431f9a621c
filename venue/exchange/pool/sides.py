"""What the two sides of a pool hold and have promised. USD 1e-30, token amounts in smallest units."""

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.pool.state import Pool, liquidity
from venue.exchange.pool.units import FLOAT, Prices, TokenPrice, apply_factor
from venue.exchange.reasons import Reason


def enabled_pool(draft: Draft, symbol: str) -> Pool:
    """The draft's copy of a pool. Raises Refused: EMPTY_MARKET, DISABLED_MARKET."""
    if symbol not in draft.exchange.pools:
        raise Refused(Reason.EMPTY_MARKET, f"no pool {symbol!r}")
    pool = draft.pool(symbol)
    if not pool.enabled:
        raise Refused(Reason.DISABLED_MARKET, f"pool {symbol} is switched off")
    return pool


def pick(price: TokenPrice, maximize: bool) -> int:
    """The end of the range that makes a holding worth more, or less."""
    return price.max if maximize else price.min


def side_token(pool: Pool, is_long: bool) -> str:
    """The token that a side's profits are paid in."""
    return pool.long if is_long else pool.short


def side_usd(draft: Draft, pool: Pool, prices: Prices, is_long: bool, *, maximize: bool) -> int:
    """What the liquidity behind a side is worth."""
    token = side_token(pool, is_long)
    return draft.balance(token, liquidity(pool.symbol)) * pick(prices[token], maximize)


def reserved_usd(pool: Pool, prices: Prices, is_long: bool) -> int:
    """What a side may come to be owed: longs grow with the index, shorts never earn more than their size."""
    interest = pool.interest(is_long)
    if not pool.index:
        return 0
    return interest.tokens * prices[pool.index].max if is_long else interest.usd


def check_reserve(draft: Draft, pool: Pool, prices: Prices, is_long: bool, share: int) -> None:
    """Raises Refused(INSUFFICIENT_RESERVE) when more than `share` of a side's liquidity is reserved."""
    most = apply_factor(side_usd(draft, pool, prices, is_long, maximize=False), share)
    reserved = reserved_usd(pool, prices, is_long)
    if reserved > most:
        side = "long" if is_long else "short"
        raise Refused(Reason.INSUFFICIENT_RESERVE, f"{side} reserves of {_usd(reserved)} exceed {_usd(most)} USD")


def check_pool_amount(draft: Draft, pool: Pool, token: str) -> None:
    """Raises Refused(MAX_POOL_AMOUNT)."""
    if draft.balance(token, liquidity(pool.symbol)) > pool.params.max_pool_amount:
        raise Refused(Reason.MAX_POOL_AMOUNT, f"pool {pool.symbol} would hold too much {token}")


def _usd(value: int) -> str:
    return f"{value // FLOAT:,}"
