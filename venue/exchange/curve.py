"""The constant-product curve (seed vamm-clearinghouse, "vAMM Math"): base x quote never falls.

All arguments and answers are integers of 1e-18. Each answer is one rounding of the exact rational, in the pool's
favour: what the trader receives is rounded down, what the trader owes is rounded up.
"""

from math import isqrt

from venue.exchange.fixed import WAD, down, up


def mark(base_reserve: int, quote_reserve: int) -> int:
    """Quote per base at the margin, rounded down; for display. Computations use the two reserves."""
    return down(quote_reserve * WAD, base_reserve)


def base_out(base_reserve: int, quote_reserve: int, quote_in: int) -> int:
    """Open long: base bought with `quote_in`."""
    return down(base_reserve * quote_in, quote_reserve + quote_in)


def base_in(base_reserve: int, quote_reserve: int, quote_out: int) -> int:
    """Open short: base to sell for `quote_out`, which must be less than the quote reserve."""
    return up(base_reserve * quote_out, quote_reserve - quote_out)


def quote_out(base_reserve: int, quote_reserve: int, base: int) -> int:
    """Close long: quote received for `base`."""
    return down(quote_reserve * base, base_reserve + base)


def quote_in(base_reserve: int, quote_reserve: int, base: int) -> int:
    """Close short: quote needed to buy back `base`, which must be less than the base reserve."""
    return up(quote_reserve * base, base_reserve - base)


def trade(base_reserve: int, quote_reserve: int, is_buy: bool, base: int, quote: int) -> tuple[int, int]:
    """Reserves after `base` and `quote` have changed hands."""
    if is_buy:
        return base_reserve - base, quote_reserve + quote
    return base_reserve + base, quote_reserve - quote


def quote_to_reach(base_reserve: int, quote_reserve: int, target_mark: int) -> int:
    """Signed quote that moves mark to `target_mark`: positive buys, negative sells. Within one unit, for arbitrage."""
    return isqrt(base_reserve * quote_reserve * target_mark // WAD) - quote_reserve
