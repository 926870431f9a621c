"""Avantis' units. Outside are decimals and integer strings, inside are integers; what does not fit rounds down.

USDC is 1e-6. Prices, leverage, slippage in percent, coin amounts and spreads are 1e-10. `PerpVenue` wants prices and
leverage in 1e-18.
"""

from decimal import Decimal, localcontext
from typing import Final

USDC: Final = 10**6
TEN: Final = 10**10
"""Steps in 1 of a price, a leverage, a percent or a coin."""
_DIGITS: Final = 1_000
TO_WAD: Final = 10**8
"""From 1e-10 to 1e-18."""


def scaled(amount: Decimal, steps: int) -> int:
    """`amount` in steps of 1/`steps`, rounded down. 0.0003 at 1e10 is 3,000,000 and not one less."""
    with localcontext(prec=_DIGITS):  # 28 digits, the default, would round up what has more
        return int((amount * steps).to_integral_value(rounding="ROUND_FLOOR"))


def written(amount: int, steps: int) -> str:
    """The exact decimal of `amount` steps, as tx-builder requests want it: no exponent, no trailing zeros."""
    whole, rest = divmod(abs(amount), steps)
    digits = str(rest).zfill(len(str(steps)) - 1).rstrip("0")
    return f"{'-' if amount < 0 else ''}{whole}{f'.{digits}' if digits else ''}"
