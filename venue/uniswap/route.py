"""Which pools a token is bought in. Pure: it refuses rather than guesses."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eth_typing import ChecksumAddress

from venue.uniswap.addresses import Addresses
from venue.uniswap.v4 import PoolKey

PPM: Final = 1_000_000


class RouteCode(StrEnum):
    """Why a swap is not even planned; stable."""

    OTHER_POOL = "OTHER_POOL"
    """The pool does not hold the token."""
    UNKNOWN_PAIR = "UNKNOWN_PAIR"
    """The pool pairs the token with something that we do not pay with."""
    TOO_NEW = "TOO_NEW"
    """Whoever buys right after a launch pays the tax on snipers; so does whoever cannot tell how long ago it was."""
    ZERO_AMOUNT = "ZERO_AMOUNT"
    ZERO_MINIMUM = "ZERO_MINIMUM"
    SLIPPAGE_TOO_HIGH = "SLIPPAGE_TOO_HIGH"


class RouteRefused(Exception):
    """A swap that must not be made: a stable code, and one line."""

    def __init__(self, code: RouteCode, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Limits:
    """What every swap keeps to."""

    most_slippage_ppm: int = 50_000
    """How far below its quote a swap may end."""
    least_age_s: int = 3600
    """How long ago a launch must have been."""
    weth_fee: int = 500
    """Of the version 3 pool between USDC and WETH, in 1e-6."""


@dataclass(frozen=True, slots=True)
class V3Hop:
    """Through a pool of version 3."""

    token_in: ChecksumAddress
    token_out: ChecksumAddress
    fee: int


@dataclass(frozen=True, slots=True)
class V4Hop:
    """Through a pool of version 4."""

    key: PoolKey
    token_in: ChecksumAddress

    @property
    def token_out(self) -> ChecksumAddress:
        return self.key.other(self.token_in)


Hop = V3Hop | V4Hop


def route(
    addresses: Addresses, limits: Limits, token: ChecksumAddress, key: PoolKey, age_s: int | None
) -> tuple[Hop, ...]:
    """From USDC to `token` by its own pool, whose launch was `age_s` ago (None: nobody knows). One hop's receipt says
    what the next one pays with. Raises RouteRefused."""
    paired = _paired(limits, token, key, age_s)
    if paired == addresses.usdc:
        return (V4Hop(key, addresses.usdc),)
    if paired == addresses.weth:
        return V3Hop(addresses.usdc, addresses.weth, limits.weth_fee), V4Hop(key, addresses.weth)
    raise RouteRefused(RouteCode.UNKNOWN_PAIR, f"{token} is paired with {paired}: expected USDC or WETH")


def drain(addresses: Addresses, limits: Limits, token: ChecksumAddress, key: PoolKey, age_s: int | None) -> V4Hop:
    """From WETH that is left over to `token`, straight or not at all. Raises RouteRefused."""
    paired = _paired(limits, token, key, age_s)
    if paired != addresses.weth:
        raise RouteRefused(RouteCode.UNKNOWN_PAIR, f"{token} is paired with {paired}: expected WETH")
    return V4Hop(key, addresses.weth)


def least(quote: int, slippage_ppm: int) -> int:
    """The fewest tokens that are still worth the swap, rounded down."""
    return quote * (PPM - slippage_ppm) // PPM


def check(limits: Limits, amount: int, quote: int, least: int) -> None:
    """Raises RouteRefused for a swap of nothing, for anything, or for much less than its quote."""
    if amount <= 0:
        raise RouteRefused(RouteCode.ZERO_AMOUNT, f"swap of {amount}")
    if least <= 0:
        raise RouteRefused(RouteCode.ZERO_MINIMUM, f"at least {least} bought: expected 1 or more")
    if least * PPM < quote * (PPM - limits.most_slippage_ppm) - PPM:
        text = f"at least {least} of a quote of {quote}: expected within {limits.most_slippage_ppm} ppm"
        raise RouteRefused(RouteCode.SLIPPAGE_TOO_HIGH, text)


def _paired(limits: Limits, token: ChecksumAddress, key: PoolKey, age_s: int | None) -> ChecksumAddress:
    try:
        paired = key.other(token)
    except ValueError as error:
        raise RouteRefused(RouteCode.OTHER_POOL, str(error)) from None
    if limits.least_age_s > 0 and (age_s is None or age_s < limits.least_age_s):
        old = "nobody knows how long ago" if age_s is None else f"{age_s} s ago"
        raise RouteRefused(RouteCode.TOO_NEW, f"{token} was launched {old}: expected {limits.least_age_s} s or more")
    return paired
