"""Units of the pool market. USD and factors are integers of 1e-30; a price is USD per smallest unit of its token.

So `amount * price` is USD as it stands. Every division names its direction (`venue.exchange.fixed`).
"""

from dataclasses import dataclass
from fractions import Fraction

from venue.exchange.commands import Refused
from venue.exchange.fixed import toward_zero
from venue.exchange.reasons import Reason

FLOAT = 10**30
"""1 USD, and the factor 1."""
SHARE = 10**18
"""One market token."""
USD_PER_SHARE = 10**12
"""1e-30 USD in one 1e-18 of a market token at a price of 1 USD."""


def factor(text: str | Fraction) -> int:
    """An exact ratio as a factor of 1e-30, what is finer cut off toward zero."""
    return int(Fraction(text) * FLOAT)


def apply_factor(value: int, by: int) -> int:
    """`value * by / 1e30`, truncated toward zero."""
    return toward_zero(value * by, FLOAT)


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What one token is worth: USD (1e-30) per smallest unit, as a range, and when the newest word on it was said."""

    token: str
    min: int
    max: int
    timestamp_ms: int

    @property
    def mid(self) -> int:
        return (self.min + self.max) // 2


class Prices:
    """The prices a command brings. Raises Refused(MISSING_PRICE) for a token it does not bring."""

    def __init__(self, prices: tuple[TokenPrice, ...]) -> None:
        self._by_token = {price.token: price for price in prices}
        if any(not 0 < price.min <= price.max for price in prices) or len(self._by_token) < len(prices):
            raise Refused(Reason.BAD_PRICE, "a price must have 0 < min <= max, once per token")

    def __getitem__(self, token: str) -> TokenPrice:
        price = self._by_token.get(token)
        if price is None:
            raise Refused(Reason.MISSING_PRICE, f"no price for {token}")
        return price

    def __contains__(self, token: str) -> bool:
        return token in self._by_token
