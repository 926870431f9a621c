"""When a waiting order's price has come (order.execute.b)."""

from venue.exchange.requests.request import OrderType


def trigger_met(type: OrderType, is_long: bool, low: int, high: int, trigger: int) -> bool:  # noqa: A002 - field's name
    """Whether an index price of `low` to `high` sets an order off. Each type reads one end, the unfavourable one.

    Types without a trigger are always set off.
    """
    match type:
        case OrderType.LIMIT_INCREASE:
            return high <= trigger if is_long else low >= trigger
        case OrderType.STOP_INCREASE:
            return high >= trigger if is_long else low <= trigger
        case OrderType.LIMIT_DECREASE:
            return low >= trigger if is_long else high <= trigger
        case OrderType.STOP_LOSS_DECREASE:
            return low <= trigger if is_long else high >= trigger
        case _:
            return True
