"""updateOrder: new terms for an order that waits for a price; a frozen one thaws."""

from dataclasses import replace

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.ledger import wallet
from venue.exchange.reasons import Reason
from venue.exchange.requests.cancel import find
from venue.exchange.requests.checks import check_auto_cancel, check_fee, check_name
from venue.exchange.requests.commands import UpdateOrder
from venue.exchange.requests.facts import Fact, OrderUpdated
from venue.exchange.requests.request import NATIVE, ORDER_VAULT, Kind, OrderRequest
from venue.exchange.requests.work import min_execution_fee
from venue.exchange.state import Exchange
from venue.exchange.tokens import shown


def update_order(exchange: Exchange, asked: UpdateOrder) -> tuple[Fact, ...]:
    """The order with its new terms; its age counts from now, its fee is checked again. Raises Refused."""
    book = exchange.requests
    order = find(book, Kind.ORDER, asked.key)
    assert isinstance(order, OrderRequest)  # noqa: S101 - `find` has looked at the kind
    if order.account != asked.account:
        raise Refused(Reason.UNAUTHORIZED, "the order belongs to somebody else")
    check_name(exchange, asked.client_id)
    if order.type.is_market:
        raise Refused(Reason.ORDER_NOT_UPDATABLE, "a market order cannot be changed")
    if min(asked.size, asked.min_output, asked.fee_top_up) < 0:
        raise Refused(Reason.BAD_AMOUNT, "an amount is negative; expected zero or more")
    if not asked.size and (not order.collateral or order.market in exchange.markets):
        raise Refused(Reason.EMPTY_ORDER, "nothing would be left of the order")
    if not order.type.is_swap and not (asked.trigger_price and asked.trigger_price > 0):
        raise Refused(Reason.BAD_PRICE, f"a {order.type} needs a trigger price above zero")
    updated = replace(
        order,
        size=asked.size,
        trigger_price=asked.trigger_price,
        acceptable_price=asked.acceptable_price,
        min_output=asked.min_output,
        valid_from_ms=asked.valid_from_ms,
        auto_cancel=asked.auto_cancel and order.type.is_decrease,
        updated_ms=asked.now_ms,
        frozen=False,
        frozen_reason="",
    )
    most = book.rules.max_fee_multiple * min_execution_fee(book.rules.work, updated)
    top_up = max(0, min(asked.fee_top_up, most - order.execution_fee))
    updated = replace(updated, execution_fee=order.execution_fee + top_up)
    check_fee(book, updated)
    check_auto_cancel(book, updated)
    draft = Draft(exchange, asked.now_ms)
    source = wallet(order.account)
    if draft.balance(NATIVE, source) < top_up:
        raise Refused(Reason.INSUFFICIENT_BALANCE, f"{order.account} has less than {shown(top_up, NATIVE)}")
    draft.pay(NATIVE, source, ORDER_VAULT, top_up)
    return (OrderUpdated(updated, draft.changes().moves, asked.client_id),)
