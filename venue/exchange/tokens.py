"""The tokens the embedded exchange knows: their smallest units, and the feeds that price them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from venue.exchange.fixed import WAD, down, up
from venue.exchange.pool.units import FLOAT, TokenPrice

MOST_DIGITS = 60


@dataclass(frozen=True, slots=True)
class Token:
    """One whole token is 10**decimals smallest units; `feed` is the symbol of its index price."""

    symbol: str
    decimals: int
    feed: str

    @property
    def unit(self) -> int:
        return int(10**self.decimals)


TOKENS: Final[Mapping[str, Token]] = MappingProxyType(
    {token.symbol: token for token in (Token("WETH", 18, "ETH"), Token("WBTC", 8, "BTC"), Token("USDC", 6, "USDC"))}
)
CLEARING = Token("USD", 18, "")
"""The clearinghouse's money; its name in the bank is empty."""


def token_named(name: str) -> Token:
    """A token by its name in the bank; market tokens have 18 decimals. Raises KeyError."""
    if not name:
        return CLEARING
    return Token(name, 18, "") if name.startswith("MT:") else TOKENS[name]


def whole(amount: int, name: str) -> int:
    """An amount in 1e-18 of a whole token, whatever the token's own unit is; cut off downwards."""
    return down(amount * WAD, token_named(name).unit)


def shown(amount: int, name: str) -> str:
    """An amount in whole tokens, exact, for a message; in smallest units for a token not known here."""
    if name and name not in TOKENS and not name.startswith("MT:"):
        return f"{amount} {name}"
    token = token_named(name)
    whole, fraction = divmod(amount, token.unit)
    digits = f"{fraction:0{token.decimals}d}".rstrip("0")
    return f"{whole:,}{'.' if digits else ''}{digits} {token.symbol}"


def price_shown(price: int, name: str) -> str:
    """A pool's price (1e-30 USD per smallest unit) per whole token, for a message."""
    unit = token_named(name).unit if name in TOKENS else 1
    return f"{Decimal(price * unit) / FLOAT:,.4f}"


def usd_shown(usd: int) -> str:
    """A pool's USD (1e-30), for a message."""
    return f"{Decimal(usd) / FLOAT:,.2f} USD"


def units(amount: Decimal | Fraction, token: Token) -> int:
    """A whole-token amount in smallest units. Raises ValueError for one that is finer, negative or not a number."""
    if isinstance(amount, Decimal) and (not amount.is_finite() or len(amount.as_tuple().digits) > MOST_DIGITS):
        raise ValueError("expected a plain number")
    exact = Fraction(amount) * token.unit
    if exact < 0 or exact.denominator != 1:
        raise ValueError(f"expected zero or more, at most {token.decimals} decimals")
    return exact.numerator


def priced(token: Token, price: int, conf: int, timestamp_ms: int) -> TokenPrice:
    """The pool's price of a token: its index price (1e-18 USD per whole token), as wide as its confidence says."""
    scale = FLOAT // WAD
    return TokenPrice(
        token.symbol,
        max(1, down((price - conf) * scale, token.unit)),
        up((price + conf) * scale, token.unit),
        timestamp_ms,
    )
