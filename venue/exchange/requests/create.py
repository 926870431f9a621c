"""createDeposit, createWithdrawal, createOrder: every check in the order of the seed's boxes, then escrow and a key.

Pure: looks at the exchange, returns facts, or raises Refused with the box's own error.
"""

from dataclasses import replace
from typing import TypeVar

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.ledger import EXTERNAL
from venue.exchange.reasons import Reason
from venue.exchange.requests import work
from venue.exchange.requests.checks import (
    check_account,
    check_amounts,
    check_auto_cancel,
    check_conditions,
    check_fee,
    check_path,
    check_pool,
    check_receiver,
    less_fee,
    referral,
    sent_fee,
)
from venue.exchange.requests.commands import CreateDeposit, CreateOrder, CreateWithdrawal
from venue.exchange.requests.facts import (
    DepositCreated,
    Fact,
    OrderCreated,
    WithdrawalCreated,
)
from venue.exchange.requests.request import (
    NATIVE,
    VAULTS,
    DepositRequest,
    Kind,
    OrderRequest,
    OrderType,
    WithdrawalRequest,
    escrow,
    home,
    kind_of,
)
from venue.exchange.state import Exchange
from venue.exchange.tokens import shown

AnyRequest = TypeVar("AnyRequest", DepositRequest, WithdrawalRequest, OrderRequest)


def create_deposit(exchange: Exchange, asked: CreateDeposit) -> tuple[Fact, ...]:
    """Boxes deposit.create.a to m."""
    check_account(exchange, asked.account, Kind.DEPOSIT, asked.client_id)
    check_pool(exchange, asked.market)
    check_path(exchange, asked.long_path)
    check_path(exchange, asked.short_path)
    check_amounts(
        asked.long_amount, asked.short_amount, asked.native_sent, asked.execution_fee, asked.min_market_tokens
    )
    long_amount, short_amount = asked.long_amount, asked.short_amount
    if asked.long_token == asked.short_token:
        long_amount, short_amount = long_amount + short_amount, 0
    fee = asked.execution_fee
    if asked.long_token == NATIVE and long_amount:
        long_amount = less_fee(long_amount, fee)
    elif asked.short_token == NATIVE and short_amount:
        short_amount = less_fee(short_amount, fee)
    else:
        fee = sent_fee(asked.native_sent, fee)
    if not long_amount and not short_amount:
        raise Refused(Reason.EMPTY_DEPOSIT_AMOUNTS, "nothing is left to deposit")
    check_receiver(asked.receiver, first_deposit=True)
    request = DepositRequest(
        key="",
        account=asked.account,
        receiver=asked.receiver,
        callback=asked.callback,
        callback_units=asked.callback_units,
        execution_fee=fee,
        updated_ms=asked.now_ms,
        client_id=asked.client_id,
        from_outside=asked.from_outside,
        market=asked.market,
        long_token=asked.long_token,
        short_token=asked.short_token,
        long_amount=long_amount,
        short_amount=short_amount,
        long_path=asked.long_path,
        short_path=asked.short_path,
        min_market_tokens=asked.min_market_tokens,
    )
    draft = Draft(exchange, asked.now_ms)
    nonce, request = _admit(exchange, draft, request)
    return (DepositCreated(nonce, request, draft.changes().moves),)


def create_withdrawal(exchange: Exchange, asked: CreateWithdrawal) -> tuple[Fact, ...]:
    """The way back: the same boxes, with market tokens in escrow."""
    check_account(exchange, asked.account, Kind.WITHDRAWAL, asked.client_id)
    check_pool(exchange, asked.market)
    check_path(exchange, asked.long_path)
    check_path(exchange, asked.short_path)
    check_amounts(asked.amount, asked.native_sent, asked.execution_fee, asked.min_long, asked.min_short)
    if not asked.amount:
        raise Refused(Reason.EMPTY_WITHDRAWAL_AMOUNT, "amount: 0; expected market tokens above zero")
    fee = sent_fee(asked.native_sent, asked.execution_fee)
    check_receiver(asked.receiver)
    request = WithdrawalRequest(
        key="",
        account=asked.account,
        receiver=asked.receiver,
        callback=asked.callback,
        callback_units=asked.callback_units,
        execution_fee=fee,
        updated_ms=asked.now_ms,
        client_id=asked.client_id,
        from_outside=asked.from_outside,
        market=asked.market,
        amount=asked.amount,
        long_path=asked.long_path,
        short_path=asked.short_path,
        min_long=asked.min_long,
        min_short=asked.min_short,
    )
    draft = Draft(exchange, asked.now_ms)
    nonce, request = _admit(exchange, draft, request)
    return (WithdrawalCreated(nonce, request, draft.changes().moves),)


def create_order(exchange: Exchange, asked: CreateOrder) -> tuple[Fact, ...]:
    """Boxes order.create.a to i."""
    book = exchange.requests
    if asked.type is OrderType.LIQUIDATION:
        raise Refused(Reason.ORDER_TYPE, "liquidations are not ordered, they are executed")
    check_account(exchange, asked.account, asked.type, asked.client_id)
    referred = referral(book, asked.account, asked.referral_code)
    check_amounts(
        asked.collateral, asked.size, asked.native_sent, asked.execution_fee, asked.min_output, asked.withdraw_unit
    )
    collateral, fee = asked.collateral, asked.execution_fee
    if asked.collateral_token == NATIVE and not asked.type.is_decrease:
        collateral = less_fee(collateral, fee)
    else:
        fee = sent_fee(asked.native_sent, fee)
    check_conditions(exchange, asked, collateral)
    check_receiver(asked.receiver)
    if asked.cancellation_receiver:
        check_receiver(asked.cancellation_receiver)
    request = OrderRequest(
        key="",
        account=asked.account,
        receiver=asked.receiver,
        callback=asked.callback,
        callback_units=asked.callback_units,
        execution_fee=fee,
        updated_ms=asked.now_ms,
        client_id=asked.client_id,
        from_outside=asked.from_outside,
        type=asked.type,
        market=asked.market,
        is_long=asked.is_long,
        collateral_token=asked.collateral_token,
        collateral=collateral,
        size=asked.size,
        trigger_price=asked.trigger_price,
        acceptable_price=asked.acceptable_price,
        min_output=asked.min_output,
        valid_from_ms=asked.valid_from_ms,
        path=asked.path,
        position_id=asked.position_id if asked.market in exchange.markets else 0,
        auto_cancel=asked.auto_cancel and asked.type.is_decrease,
        cancellation_receiver=asked.cancellation_receiver,
        withdraw_unit=asked.withdraw_unit,
    )
    check_auto_cancel(book, request)
    draft = Draft(exchange, asked.now_ms)
    nonce, request = _admit(exchange, draft, request)
    return (*referred, OrderCreated(nonce, request, draft.changes().moves))


def _admit(exchange: Exchange, draft: Draft, request: AnyRequest) -> tuple[int, AnyRequest]:
    """Fee checks, key and escrow: the end of every create. Market tokens never come from outside."""
    book = exchange.requests
    check_fee(book, request)
    most = book.rules.max_fee_multiple * work.min_execution_fee(book.rules.work, request)
    nonce = book.nonce + 1
    request = replace(request, key=book.key(nonce), execution_fee=min(request.execution_fee, most))
    for token, amount in (*escrow(request), (NATIVE, request.execution_fee)):
        source = home(request, token, request.account)
        if source != EXTERNAL and draft.balance(token, source) < amount:
            raise Refused(Reason.INSUFFICIENT_BALANCE, f"{request.account} has less than {shown(amount, token)}")
        draft.pay(token, source, VAULTS[kind_of(request)], amount)
    return nonce, request
