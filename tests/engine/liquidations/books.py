"""Books of positions on one curve, the moves of that curve, and the full scan that an index is held against."""

from dataclasses import replace
from fractions import Fraction
from math import isqrt
from random import Random

from venue.exchange.clearinghouse import liquidation_fee
from venue.exchange.fixed import WAD, wad
from venue.exchange.health import health
from venue.exchange.params import MarketParams
from venue.exchange.state import Market, Position

DEEP = MarketParams.anchored(wad("2000"), wad("1000000000"))
UNSTEADY = replace(
    DEEP,
    buckets=(
        (Fraction(3), Fraction("0.4")),
        (Fraction(8), Fraction("0.05")),
        (Fraction(15), Fraction("0.9")),
        (Fraction(30), Fraction("0.3")),
    ),
)
"""Buffers that do not rise with leverage."""
HARSH = replace(
    DEEP, buckets=((Fraction(5), Fraction("0.1")), (Fraction(12), Fraction(1)), (Fraction(30), Fraction("0.5")))
)
"""One bucket allows no loss at all."""


def market(params: MarketParams = DEEP) -> Market:
    """The market before anybody traded."""
    return Market("X", params, params.initial_base, params.initial_quote)


def move(market: Market, factor: float) -> None:
    """Moves mark by a factor along k, which rounding lets grow by less than one base unit's worth."""
    k = market.k
    market.base_reserve = isqrt(int(market.base_reserve**2 / Fraction(factor))) or 1
    market.quote_reserve = -(-k // market.base_reserve)


def carry(market: Market, share: float) -> None:
    """Adds a share of notional to the carry index."""
    market.cumulative_carry_index += int(share * market.params.index_scale)


def position(
    market: Market, number: int, is_long: bool, notional: int, leverage: Fraction, away: float = 1.0, owed: float = 0.0
) -> Position:
    """Entered at `away` times the price now, with carry already owed by longs as a share of notional."""
    price = Fraction(market.quote_reserve, market.base_reserve) * Fraction(away)
    return Position(
        id=number,
        user_id="u",
        market=market.symbol,
        is_long=is_long,
        base_size=max(1, int(notional / price)),
        entry_notional=notional,
        margin=max(1, int(notional / leverage)),
        carry_snapshot=market.cumulative_carry_index - int(owed * market.params.index_scale),
        open_block=0,
    )


def anyone(random: Random, market: Market, number: int, dust: float = 0.1) -> Position:
    """A position as a book has them: mostly small, some large, some old, and a share of dust."""
    notional = random.randint(1, 500) if random.random() < dust else round(WAD * 10 ** random.uniform(0, 7.5))
    leverage = Fraction(round(random.uniform(1, 30), 3))
    owed = random.choice((0, 0, random.gauss(0, 0.02), random.uniform(-1.2, 1.2)))
    return position(market, number, random.random() < 0.5, notional, leverage, random.uniform(0.97, 1.03), owed)


def scan(market: Market, book: dict[int, Position]) -> list[int]:
    """The due ids, in the order that keepers take them, by looking at every position."""
    found = []
    for each in book.values():
        state = health(market, each)
        if state.liquidatable:
            fee = liquidation_fee(market, state.exit.close_notional)
            found.append((state.exit.equity / each.margin, -fee, each.id))
    return [number for _, _, number in sorted(found)]


def ranked(market: Market, book: dict[int, Position], count: int) -> list[int]:
    """The ids with the largest loss shares, by looking at every position."""
    shares = sorted(((health(market, each).loss_share, each.id) for each in book.values()), reverse=True)
    return [number for _, number in shares[:count]]
