"""What a desk asks of the venue, in the venue's units, and the call that it comes to as we encode it ourselves.

USDC is 1e-6; prices, leverage and slippage in percent are 1e-10. Orders are market orders, without take-profit or
stop-loss: nothing else is asked for.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from eth_typing import ChecksumAddress

from venue.avantis.addresses import AVANTIS, Addresses
from venue.avantis.contracts import CLOSE_TRADE_MARKET, INCREASE_POSITION_SIZE, OPEN_TRADE, UPDATE_MARGIN
from venue.avantis.units import TEN, USDC
from venue.chain.abi import AbiError
from venue.chain.call import Call, Wei
from venue.chain.erc20 import APPROVE
from venue.chain.guard import Expected, FreeWord, GuardCode, Offered, Refused
from venue.perp import Usdc

MOST_FEE: Final[Wei] = 10**15
"""What a call may pay for its execution."""
MARGIN_FEE: Final[Wei] = 1
"""What `updateMargin` pays for checking its price: exactly this."""
MARKET: Final = 0
"""The order type, in calls and in intents."""
MOST_PRICES: Final = 4
MOST_PRICE_BYTES: Final = 8 * 1024
"""Bytes of all price updates in one call."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What no call and no intent may go beyond, whoever asks."""

    most_leverage: int = 75 * TEN
    most_slippage: int = 5 * TEN
    most_collateral: Usdc = 1_000_000 * USDC


LIMITS: Final = Limits()


class Sourcing(IntEnum):
    """Which oracle the price bytes of `updateMargin` are from."""

    CORE = 0
    PRO = 1


@dataclass(frozen=True, slots=True)
class Open:
    """Open a position. `price` is ours: fresh, and believed before anything was asked."""

    trader: ChecksumAddress
    pair_index: int
    is_long: bool
    collateral: Usdc
    leverage: int
    price: int
    slippage: int


@dataclass(frozen=True, slots=True)
class Increase:
    """Add `collateral` at `leverage` to a position."""

    trader: ChecksumAddress
    pair_index: int
    trade_index: int
    collateral: Usdc
    leverage: int
    price: int
    slippage: int


@dataclass(frozen=True, slots=True)
class Close:
    """Take `collateral` out of a position with its share of the profit; all of it closes the position."""

    trader: ChecksumAddress
    pair_index: int
    trade_index: int
    collateral: Usdc
    price: int
    slippage: int


@dataclass(frozen=True, slots=True)
class Margin:
    """Move collateral into a position or out of it. `prices` are the oracle's signed bytes, see `adopting`."""

    trader: ChecksumAddress
    pair_index: int
    trade_index: int
    deposits: bool
    collateral: Usdc
    sourcing: Sourcing = Sourcing.PRO
    prices: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Approve:
    """Let storage take exactly `amount` USDC; 0 takes the permission back."""

    trader: ChecksumAddress
    amount: Usdc


Order = Open | Increase | Close
Asked = Order | Margin | Approve


def expected(asked: Asked, most_fee: Wei = MOST_FEE, addresses: Addresses = AVANTIS) -> Expected:
    """The call that `asked` comes to; a builder may choose the price within the slippage, and a fee up to `most_fee`.

    Raises Refused for what nobody should ask.
    """
    _check(asked)
    try:
        to, data, price_word = _encoded(asked, addresses)
    except AbiError as error:
        raise Refused(GuardCode.OUT_OF_BOUNDS, str(error)) from None
    if isinstance(asked, Margin | Approve):
        return Expected(asked.trader, Call(to, data, MARGIN_FEE if isinstance(asked, Margin) else 0))
    stray = asked.price * asked.slippage // (100 * TEN)
    free = FreeWord(price_word, "price", asked.price - stray, asked.price + stray)
    return Expected(asked.trader, Call(to, data), (free,), min(most_fee, MOST_FEE))


def adopting(asked: Margin, offered: Offered) -> Margin:
    """`asked` with the price bytes of `offered`, the only part of it that only the builder can know.

    They are bounded in number and size and otherwise not looked at: the contract checks the oracle's signature. All
    else in `offered` is still to be compared. Raises Refused.
    """
    try:
        prices: tuple[bytes, ...] = tuple(UPDATE_MARGIN.decode(offered.call.data)[4])
    except AbiError as error:
        if offered.call.data[:4] != UPDATE_MARGIN.selector:
            return asked  # the comparison names what is wrong
        raise Refused(GuardCode.NOT_CANONICAL, str(error)) from None
    if why := prices_too_large(prices):
        raise Refused(GuardCode.OUT_OF_BOUNDS, why)
    return replace(asked, prices=prices)


def prices_too_large(prices: tuple[bytes, ...]) -> str:
    """Says why price bytes are not what a price takes, or nothing."""
    if not 1 <= len(prices) <= MOST_PRICES or not all(prices):
        return f"{len(prices)} price updates, or an empty one: expected 1 to {MOST_PRICES}"
    if (size := sum(map(len, prices))) > MOST_PRICE_BYTES:
        return f"{size} bytes of price updates: expected at most {MOST_PRICE_BYTES}"
    return ""


def _check(asked: Asked) -> None:
    if isinstance(asked, Approve):
        return _within("amount", asked.amount, 0, LIMITS.most_collateral)
    _within("collateral", asked.collateral, 1, LIMITS.most_collateral)
    if isinstance(asked, Open | Increase):
        _within("leverage", asked.leverage, 1, LIMITS.most_leverage)
    if isinstance(asked, Order):
        _within("price", asked.price, 1, 2**128)
        _within("slippage", asked.slippage, 0, LIMITS.most_slippage)
    return None


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise Refused(GuardCode.OUT_OF_BOUNDS, f"{name} {value} is asked for: expected {least} to {most}")


def _encoded(asked: Asked, addresses: Addresses) -> tuple[ChecksumAddress, bytes, int]:
    """Target, calldata, and which of its words is the price."""
    match asked:
        case Open(trader, pair, is_long, collateral, leverage, price, slippage):
            trade = (trader, pair, 0, 0, collateral, price, is_long, leverage, 0, 0, 0)
            return addresses.trading, OPEN_TRADE.encode(trade, MARKET, slippage), 5
        case Increase(trader, pair, index, collateral, leverage, price, slippage):
            added = (trader, pair, index, price, collateral, leverage)
            return addresses.trading, INCREASE_POSITION_SIZE.encode(added, slippage), 3
        case Close(_, pair, index, collateral, price, _):
            return addresses.trading, CLOSE_TRADE_MARKET.encode(pair, index, collateral, price), 3
        case Margin(_, pair, index, deposits, collateral, sourcing, prices):
            way = 0 if deposits else 1
            data = UPDATE_MARGIN.encode(pair, index, way, collateral, prices, int(sourcing))
            return addresses.trading, data, -1
        case Approve(_, amount):
            return addresses.usdc, APPROVE.encode(addresses.storage, amount), -1
