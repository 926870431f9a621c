"""The vAMM market under the request layer: an order's collateral goes to the clearinghouse (order.execute.i).

Trigger and acceptable price act on the curve's mark; there is no spread and no oracle between the two.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from venue.exchange.clearinghouse import close_position, increase_position, open_position
from venue.exchange.commands import ClosePosition, IncreasePosition, OpenPosition, Refused
from venue.exchange.facts import Fact, PositionReduced
from venue.exchange.fixed import WAD
from venue.exchange.reasons import Reason
from venue.exchange.requests.on_pool import check_trigger
from venue.exchange.requests.request import ORDER_VAULT, OrderRequest
from venue.exchange.state import Exchange, Position


@dataclass(frozen=True, slots=True)
class Done:
    """What the clearinghouse made of an order."""

    facts: tuple[Fact, ...]
    closed: bool


def position_of(exchange: Exchange, order: OrderRequest) -> Position | None:
    """The open position an order names, if it is the account's own, on that market and side."""
    position = exchange.open_positions.get(order.position_id)
    if position is None:
        return None
    named = (position.user_id, position.market, position.is_long)
    return position if named == (order.account, order.market, order.is_long) else None


def execute(exchange: Exchange, order: OrderRequest) -> Done:
    """Raises Refused, with the clearinghouse's codes where they are its own."""
    mark = exchange.markets[order.market].mark
    check_trigger(order, mark, mark, _shown)
    if order.type.is_increase:
        return Done(_increase(exchange, order), closed=False)
    facts = _decrease(exchange, order)
    reduced = facts[0]
    return Done(facts, closed=isinstance(reduced, PositionReduced) and reduced.closed)


def _shown(price: int) -> str:
    return f"{Decimal(price) / WAD:,.4f}"


def _increase(exchange: Exchange, order: OrderRequest) -> tuple[Fact, ...]:
    leverage = Fraction(order.size, order.collateral)
    if not order.position_id:
        opening = OpenPosition(
            user=order.account,
            market=order.market,
            is_long=order.is_long,
            total=order.collateral,
            leverage=leverage,
            payer=ORDER_VAULT,
            worst_price=order.acceptable_price,
            order_id=order.client_id,
        )
        return open_position(exchange, opening)
    _own(exchange, order)
    growing = IncreasePosition(
        user=order.account,
        position_id=order.position_id,
        total=order.collateral,
        leverage=leverage,
        payer=ORDER_VAULT,
        worst_price=order.acceptable_price,
        order_id=order.client_id,
    )
    return increase_position(exchange, growing)


def _decrease(exchange: Exchange, order: OrderRequest) -> tuple[Fact, ...]:
    position = _own(exchange, order)
    if not order.size or order.collateral:
        raise Refused(Reason.POSITION_SIZE, "a decrease on a curve names a size; collateral leaves in proportion")
    part = Fraction(order.size, position.entry_notional)
    if part > 1 and order.type.is_market:
        raise Refused(
            Reason.DECREASE_SIZE, f"size {_shown(order.size)} USD; expected at most {_shown(position.entry_notional)}"
        )
    closing = ClosePosition(
        user=order.account,
        position_id=position.id,
        part=min(Fraction(1), part),
        worst_price=order.acceptable_price,
        withdraw_unit=order.withdraw_unit,
        order_id=order.client_id,
    )
    facts = close_position(exchange, closing)
    reduced = facts[0]
    if isinstance(reduced, PositionReduced) and reduced.payout < order.min_output:
        raise Refused(
            Reason.MIN_OUTPUT, f"pays {_shown(reduced.payout)} USD; expected at least {_shown(order.min_output)}"
        )
    return facts


def _own(exchange: Exchange, order: OrderRequest) -> Position:
    position = position_of(exchange, order)
    if position is None:
        raise Refused(Reason.EMPTY_POSITION, f"{order.account} has no open position {order.position_id} there")
    return position
