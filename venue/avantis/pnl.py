"""What leaving a position would bring, in exact integers. Every division rounds against the trader.

gross = (price - open) / open x notional, with the sign of the side; net = gross - closing fee - rollover - funding.
The venue liquidates once 85 % of the collateral, less what is owed, is lost.
"""

from typing import Final

from venue.avantis.positions import Held
from venue.avantis.units import TEN
from venue.perp import Pnl, Profit, UnknownPnl, Usdc

LOST: Final = 85
"""Percent of the collateral that may be lost."""
_PERCENT: Final = 100


def notional(held: Held) -> Usdc:
    """Collateral times leverage, rounded down."""
    return held.collateral * held.leverage // TEN


def gross(held: Held, price: int) -> Usdc:
    """What the move of the price from the opening has brought; losses are negative."""
    move = price - held.open_price if held.is_long else held.open_price - price
    return move * held.collateral * held.leverage // (held.open_price * TEN)


def closing_fee(held: Held, percent: int) -> Usdc:
    """What closing all of it costs, at `percent` of the notional, 1e-10: the fee, and the spread if it is added."""
    return -(-held.collateral * held.leverage * max(0, percent) // (_PERCENT * TEN * TEN))


def profit(held: Held, price: int | None, fee_percent: int, spread_percent: int = 0) -> Pnl:
    """Profit if it were left at `price`, 1e-10; percents of the notional, 1e-10. Nothing is guessed: see UnknownPnl."""
    if price is None or price <= 0:
        return UnknownPnl("no price can be believed")
    if held.is_pnl:
        return UnknownPnl("an Upside position: its fee is a share of the profit")
    if held.rollover is None or held.funding is None:
        return UnknownPnl("what it owes is not known")
    return Profit(
        price=gross(held, price),
        carry=-(held.rollover + held.funding),
        closing_fee=closing_fee(held, fee_percent + max(0, spread_percent)),
    )


def liquidation_price(held: Held) -> int | None:
    """Where it is liquidated, 1e-10, rounded toward the opening; at least 0. None while what it owes is not known.

    A position that owes more than it may lose has its liquidation price on the wrong side of its opening.
    """
    if held.rollover is None or held.funding is None:
        return None
    room = held.collateral * LOST - (held.rollover + held.funding) * _PERCENT
    distance = held.open_price * room * TEN // (_PERCENT * held.collateral * held.leverage)
    return max(0, held.open_price - distance if held.is_long else held.open_price + distance)
