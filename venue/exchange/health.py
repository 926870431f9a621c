"""What a position is worth and when it may be liquidated (seed vamm-clearinghouse, 4 "Liquidation Logic" and
5 "Equity Simulation"). The same numbers are previewed, paid out and liquidated on."""

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from venue.exchange import curve
from venue.exchange.commands import Code, Refused
from venue.exchange.fixed import WAD, down, up
from venue.exchange.state import Market, Position


@dataclass(frozen=True, slots=True)
class Exit:
    """Closing a share of a position at the reserves as they stand; amounts in 1e-18, signed where they can be."""

    size: int
    margin: int
    entry_notional: int
    close_notional: int
    pnl_trade: int
    pnl_carry: int
    base_reserve: int
    quote_reserve: int
    """Reserves afterwards."""

    @property
    def equity(self) -> int:
        return self.margin + self.pnl_trade + self.pnl_carry

    @property
    def price(self) -> int:
        """Average exit price, rounded down."""
        return down(self.close_notional * WAD, self.size)


WHOLE = Fraction(1)


def exit_part(market: Market, position: Position, part: Fraction = WHOLE) -> Exit:
    """The exit of `part` of an open position, 1 being all of it.

    Raises Refused with BAD_AMOUNT when the part is so small that no size is left, BASE_EXHAUSTED when the curve has
    too little base to close a short.
    """
    share, whole = part.numerator, part.denominator
    size = down(position.base_size * share, whole)
    if size <= 0:
        raise Refused(Code.BAD_AMOUNT, "part is too small")
    margin = down(position.margin * share, whole)
    base, quote = market.base_reserve, market.quote_reserve
    if position.is_long:
        entry = up(position.entry_notional * share, whole)
        closed = curve.quote_out(base, quote, size)
        pnl = closed - entry
    else:
        if size >= base:
            raise Refused(Code.BASE_EXHAUSTED, f"{market.symbol} curve holds too little base to close")
        entry = down(position.entry_notional * share, whole)
        closed = curve.quote_in(base, quote, size)
        pnl = entry - closed
    drift = market.cumulative_carry_index - position.carry_snapshot
    owed = size * quote * (drift if position.is_long else -drift)
    after = curve.trade(base, quote, not position.is_long, size, closed)
    return Exit(size, margin, entry, closed, pnl, down(-owed, base * market.params.index_scale), *after)


@dataclass(frozen=True, slots=True)
class Health:
    """Health of a whole position."""

    exit: Exit
    leverage: int
    """Notional at mark over margin, rounded down; buckets are chosen by the exact ratio."""
    buffer: Fraction
    loss: int
    allowed_loss: int
    """Rounded down, for display; `liquidatable` compares exactly."""
    liquidatable: bool

    @property
    def loss_share(self) -> float:
        """Loss as a share of the loss allowed; 1.0 is the boundary. For display and ordering."""
        if self.allowed_loss:
            return self.loss / self.allowed_loss
        return float("inf") if self.loss > 0 else 0.0


def health(market: Market, position: Position) -> Health:
    """Health by the seed's rule: liquidatable when loss > margin x (1 - buffer), the buffer by current leverage.

    Raises Refused(BASE_EXHAUSTED) for a short the curve cannot close, which the open checks rule out.
    """
    leaving = exit_part(market, position)
    exposure = position.base_size * market.quote_reserve
    unit = market.base_reserve * position.margin
    buffer = market.params.buckets[-1][1]
    for ceiling, ratio in market.params.buckets:
        if exposure * ceiling.denominator <= ceiling.numerator * unit:
            buffer = ratio
            break
    loss = max(0, position.margin - leaving.equity)
    allowed = position.margin * (buffer.denominator - buffer.numerator)
    return Health(
        exit=leaving,
        leverage=down(exposure * WAD, unit),
        buffer=buffer,
        loss=loss,
        allowed_loss=down(allowed, buffer.denominator),
        liquidatable=loss * buffer.denominator > allowed,
    )


def move_to_liquidation(market: Market, position: Position, state: Health) -> float:
    """Share of mark the price must move against the position until it may be liquidated; 0.0 when it already may.

    A picture, not a rule: it holds the carry as it is. Leverage moves with mark, so each bucket is asked at which
    move its loss limit is reached, and the answer counts where the position is in that bucket by then.
    """
    if state.liquidatable:
        return 0.0
    sign = 1 if position.is_long else -1
    mark = market.quote_reserve / market.base_reserve
    per_unit = position.margin / position.base_size

    def move(target: float) -> float:
        return sign * (mark - target) / mark

    nearest = 1.0
    lower = 0.0
    for index, (ceiling, buffer) in enumerate(market.params.buckets):
        upper = float("inf") if index == len(market.params.buckets) - 1 else float(ceiling)
        enters, leaves = sorted((move(lower * per_unit), move(upper * per_unit)))
        reached = move(_mark_of_loss(market, position, state, 1 - float(buffer)))
        if max(reached, enters) <= leaves:
            nearest = min(nearest, max(reached, enters))
        lower = upper
    return max(0.0, nearest)


def _mark_of_loss(market: Market, position: Position, state: Health, allowed: float) -> float:
    """The mark along the curve at which closing would lose `allowed` of the margin; 0.0 when no price is that bad."""
    sign = 1 if position.is_long else -1
    size = position.base_size / WAD
    k = (market.base_reserve / WAD) * (market.quote_reserve / WAD)
    spare = (position.margin * allowed + state.exit.pnl_carry) / WAD
    closing = position.entry_notional / WAD - sign * spare
    if closing <= 0:
        return 0.0
    root = sqrt((closing * size) ** 2 + 4 * closing * k * size)
    base = (root - sign * closing * size) / (2 * closing)
    return k / (base * base)
