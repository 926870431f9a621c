"""The region of market states in which one position certainly may not be liquidated.

Seed vamm-clearinghouse, 4 "Liquidation Logic": a position may be liquidated when its loss exceeds
margin x (1 - buffer), the buffer by current leverage. On one curve, with p = quote / base, b = size / base, j = carry
index less its snapshot, and g(p, j) = p x (1 / (1 + b) - j) for a long, p x (1 / (1 - b) - j) for a short:

- the loss is entry - size x g (long) or size x g - entry (short), but for two roundings of one unit. So the boundary is
  where g reaches (entry -+ allowed) / size: a price `root(j)`, and g stays on its side of that as p moves away from it;
- d ln root / dj = 1 / slope, slope = mu(b) - j with mu(b) = (1 +- b / 2) / (1 +- b)^2, + for a long. That is 1 for a
  small position that owes nothing, so ln root - carry, the sheared boundary, hardly moves: over a window of +-w in the
  carry it moves by at most w x |1 / slope - 1|;
- b over-estimated moves the boundary toward the market on both sides, so a region holds for every k not below the
  one it was made at.

Floats only ever decide that a position is safe, with `PAD` to spare; whatever is nearer than that is asked exactly.
"""

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from math import frexp, inf, log, sqrt
from typing import NamedTuple

from venue.exchange.params import MarketParams
from venue.exchange.state import Market, Position

PAD = 1e-9
"""Spare room in logarithms of price: a million times what rounding of floats comes to."""
DEPTH_PAD = 1 + 1e-6
"""Sizes are taken this much larger against the curve, so that k may be smaller by as much."""
ROUNDING = 3
"""Units of 1e-18 by which exact losses may exceed real ones: two roundings, and one of the allowed loss."""
REACH = 16
"""A region says nothing about prices above this multiple of the one it was made at: there g of a long may fall."""
LEAST_SLOPE = 1e-3
CLASSES = 11
"""Classes of gearing: the first is below `_FIRST_CLASS`, each other one twice the one before, the last without end."""
_FIRST_CLASS = 1 / 16


class Run(NamedTuple):
    """Adjacent leverage buckets, none of which allows less loss than this share of margin."""

    share: float
    numerator: int
    denominator: int
    above: float
    """Leverage; the run ends at `up_to`."""
    up_to: float


@dataclass(frozen=True, slots=True)
class Buckets:
    """A market's leverage buckets; `runs` holds, for each, one run around it per allowed loss up to its own."""

    ceilings: tuple[float, ...]
    runs: tuple[tuple[Run, ...], ...]

    @classmethod
    def of(cls, params: MarketParams) -> "Buckets":
        """From ascending ceilings, as the params promise."""
        shares = [1 - buffer for _, buffer in params.buckets]
        ceilings = [*(float(ceiling) for ceiling, _ in params.buckets[:-1]), inf]
        return cls(tuple(ceilings), tuple(_runs_around(here, shares, ceilings) for here in range(len(shares))))


def _runs_around(here: int, shares: list[Fraction], ceilings: list[float]) -> tuple[Run, ...]:
    runs = []
    for share in sorted({share for share in shares if share <= shares[here]}):
        first = last = here
        while first > 0 and shares[first - 1] >= share:
            first -= 1
        while last + 1 < len(shares) and shares[last + 1] >= share:
            last += 1
        above = ceilings[first - 1] if first else 0.0
        runs.append(Run(float(share), share.numerator, share.denominator, above, ceilings[last]))
    return tuple(runs)


@dataclass(frozen=True, slots=True)
class Moment:
    """A market's state as the coordinates of regions; logarithms are natural, carry is a share of notional."""

    base: int
    index: int
    scale: int
    buckets: Buckets
    price: float
    log_price: float
    carry: float
    """Carry index less an origin of the caller's."""
    sheared: float
    """Log of price less carry: what the boundaries of small positions stand still in."""

    @classmethod
    def of(cls, market: Market, buckets: Buckets, origin: int) -> "Moment":
        """The market's coordinates; `origin` is a carry index near its own, so that the difference fits a float."""
        price = market.quote_reserve / market.base_reserve
        scale, index = market.params.index_scale, market.cumulative_carry_index
        height, carry = log(price), (index - origin) / scale
        return cls(market.base_reserve, index, scale, buckets, price, height, carry, height - carry)


class Region(NamedTuple):
    """Where a position is safe: while carry and log price are strictly within their bounds, and the sheared price is
    strictly above its bound (long) or below it (short)."""

    sheared: float
    carry_low: float
    carry_high: float
    price_low: float
    price_high: float
    gearing: int
    """Class of the least loss over margin that a move makes, per move as a share of the boundary."""


class _Boundary(NamedTuple):
    """A price a position may not reach, and how far its sheared logarithm may move over a window of +-w of carry:
    w x (drift + bend x w), for w up to `widest`."""

    price: float
    drift: float
    bend: float
    widest: float
    slope: float
    """Least slope between the boundary and any price within reach, as the carry is now; the window takes from it."""


def region(now: Moment, position: Position) -> Region | None:
    """A region around `now` in which the position is safe; None when that cannot be told, and the exact rule must."""
    size, margin = position.base_size, position.margin
    depth = size / now.base * DEPTH_PAD
    if margin <= 0 or depth >= (1 if position.is_long else 0.5):
        return None
    owed = (now.index - position.carry_snapshot) / now.scale
    leverage = size * now.price / margin
    run, spare = _widest_run(now, position, leverage, depth, owed)
    if spare <= PAD:
        return None
    allowed = margin * run.numerator // run.denominator - ROUNDING
    if position.is_long:
        found = _below(now.price, (position.entry_notional - allowed) / size, depth, owed)
    else:
        found = _above(now.price, (position.entry_notional + allowed) / size, depth, owed)
    if found is None:
        return None
    log_root = log(found.price)
    distance = abs(now.log_price - log_root) - 2 * PAD
    window, slack = _window(found, distance)
    if slack >= distance:
        return None
    return Region(
        sheared=log_root - now.carry + (slack + PAD if position.is_long else -slack - PAD),
        carry_low=now.carry - window,
        carry_high=now.carry + window,
        price_low=now.log_price + log(run.above / leverage) + PAD if run.above else -inf,
        price_high=now.log_price + log(run.up_to / leverage) - PAD if run.up_to < inf else inf,
        gearing=_class(found.price * size / margin * (found.slope - window)),
    )


def least_gearing(number: int) -> float:
    """Where a class of gearing begins."""
    return _FIRST_CLASS * 2.0 ** (number - 1) if number else 0.0


def _class(gearing: float) -> int:
    return min(max(frexp(gearing / _FIRST_CLASS)[1], 0), CLASSES - 1)


def _window(boundary: _Boundary, distance: float) -> tuple[float, float]:
    """The window of carry that costs about a sixteenth of the distance, and what it costs."""
    drift, bend = boundary.drift, boundary.bend
    if distance <= 0:
        return 0.0, 0.0
    window = distance / (8 * (drift + sqrt(drift * drift + bend * distance / 4)))
    window = min(window, boundary.widest)
    return window, window * (drift + bend * window)


def _widest_run(now: Moment, position: Position, leverage: float, depth: float, owed: float) -> tuple[Run, float]:
    """The run in which the price may move farthest, to first order, and how far: at most 0 when there is no room.

    A strict allowance that holds in every bucket is often farther away than the end of the own bucket.
    """
    sign = 1 if position.is_long else -1
    value = now.price * (1 / (1 + sign * depth) - owed) * position.base_size
    margin = position.margin
    loss = sign * (position.entry_notional - value) / margin
    runs = now.buckets.runs[bisect_left(now.buckets.ceilings, leverage)]
    room = [_room(run, loss, leverage) for run in runs]
    most = max(room)
    return runs[room.index(most)], most


def _room(run: Run, loss: float, leverage: float) -> float:
    if run.share < 0:
        return -inf
    room = min((run.share - loss) / leverage, run.up_to / leverage - 1)
    return min(room, 1 - run.above / leverage) if run.above else room


def _below(price: float, limit: float, depth: float, owed: float) -> _Boundary | None:
    """A long's boundary, from above: each step uses a depth that is no less than the boundary's."""
    widest = _slope_of_long(depth * sqrt(REACH)) - owed
    if widest < LEAST_SLOPE:
        return None
    limit = max(limit, price * 1e-6)
    root, there = price, depth
    for _ in range(3):
        root = limit / (1 / (1 + there) - owed)
        if root >= price:
            return None
        there = depth * sqrt(root / price)
    slope = _slope_of_long(1.5 * there) - owed
    return _boundary(root, slope, 1 - owed, widest)


def _above(price: float, limit: float, depth: float, owed: float) -> _Boundary | None:
    """A short's boundary, from below. Carry that was received is counted up to 3/4 of notional: beyond that the
    boundary would run away faster than the sheared price can say."""
    if limit <= 0:
        return None
    counted = owed if owed <= 0.8 else 0.75
    deepest = price / (4 * depth * depth)
    """Where the depth is 1/2; a boundary beyond that is taken to be there."""
    limit = min(limit, deepest * (2 - counted))
    root, there = price, depth
    for _ in range(2):
        beyond = min(limit / (1 / (1 - depth * sqrt(root / price)) - counted), deepest)
        there = depth * sqrt(beyond / price)
        root = min(limit / (1 / (1 - there) - counted), beyond)
        if root <= price:
            return None
    if counted < owed:
        return _Boundary(root, 1.0, 0.0, 0.05, 1 - counted)
    return _boundary(root, 1 - owed, _slope_of_short(1.5 * there) - owed, 1 - owed)


def _boundary(price: float, least: float, most: float, within_reach: float) -> _Boundary:
    """From the least and the most slope; up to w = least / 4, 1 / slope grows by at most 4/3 of w / least^2."""
    drift = max(1 / least - 1, 1 - 1 / most)
    return _Boundary(price, drift, 4 / (3 * least * least), min(least / 4, within_reach / 2), within_reach)


def _slope_of_long(depth: float) -> float:
    return (1 + depth / 2) / (1 + depth) ** 2


def _slope_of_short(depth: float) -> float:
    return (1 - depth / 2) / (1 - depth) ** 2
