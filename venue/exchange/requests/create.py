"""createDeposit, createWithdrawal, createOrder: every check in the order of the seed's boxes, then escrow and a key.

Pure: looks at the exchange, returns facts, or raises Refused with the box's own error.
"""

from dataclasses import replace
from typing import TypeVar

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.ledger import EXTERNAL, wallet
from venue.exchange.pool.state import DEAD, market_token
from venue.exchange.reasons import Reason
from venue.exchange.requests import work
from venue.exchange.requests.book import RequestBook
from venue.exchange.requests.commands import CreateDeposit, CreateOrder, CreateWithdrawal
from venue.exchange.requests.facts import (
    DepositCreated,
    Fact,
    OrderCreated,
    TraderReferred,
    WithdrawalCreated,
)
from venue.exchange.requests.request import (
    NATIVE,
    VAULTS,
    ZERO,
    DepositRequest,
    Kind,
    OrderRequest,
    OrderType,
    Request,
    WithdrawalRequest,
    escrow,
    kind_of,
    name_of,
)
from venue.exchange.state import Exchange
from venue.exchange.tokens import shown

AnyRequest = TypeVar("AnyRequest", DepositRequest, WithdrawalRequest, OrderRequest)
LONGEST_NAME = 100


def create_deposit(exchange: Exchange, asked: CreateDeposit) -> tuple[Fact, ...]:
    """Boxes deposit.create.a to m."""
    _check_account(exchange, asked.account, Kind.DEPOSIT, asked.client_id)
    _check_pool(exchange, asked.market)
    _check_path(exchange, asked.long_path)
    _check_path(exchange, asked.short_path)
    _check_amounts(asked.long_amount, asked.short_amount, asked.native_sent, asked.execution_fee)
    long_amount, short_amount = asked.long_amount, asked.short_amount
    if asked.long_token == asked.short_token:
        long_amount, short_amount = long_amount + short_amount, 0
    fee = asked.execution_fee
    if asked.long_token == NATIVE and long_amount:
        long_amount = _less_fee(long_amount, fee)
    elif asked.short_token == NATIVE and short_amount:
        short_amount = _less_fee(short_amount, fee)
    else:
        fee = _sent_fee(asked.native_sent, fee)
    if not long_amount and not short_amount:
        raise Refused(Reason.EMPTY_DEPOSIT_AMOUNTS, "nothing is left to deposit")
    _check_receiver(asked.receiver)
    request = DepositRequest(
        key="",
        account=asked.account,
        receiver=asked.receiver,
        callback=asked.callback,
        callback_units=asked.callback_units,
        execution_fee=fee,
        updated_ms=asked.now_ms,
        client_id=asked.client_id,
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
    nonce, request = _admit(exchange, draft, request, asked.from_outside)
    return (DepositCreated(nonce, request, draft.changes().moves),)


def create_withdrawal(exchange: Exchange, asked: CreateWithdrawal) -> tuple[Fact, ...]:
    """The way back: the same boxes, with market tokens in escrow."""
    _check_account(exchange, asked.account, Kind.WITHDRAWAL, asked.client_id)
    _check_pool(exchange, asked.market)
    _check_path(exchange, asked.long_path)
    _check_path(exchange, asked.short_path)
    _check_amounts(asked.amount, asked.native_sent, asked.execution_fee)
    if not asked.amount:
        raise Refused(Reason.EMPTY_WITHDRAWAL_AMOUNT, "amount: 0; expected market tokens above zero")
    fee = _sent_fee(asked.native_sent, asked.execution_fee)
    _check_receiver(asked.receiver)
    request = WithdrawalRequest(
        key="",
        account=asked.account,
        receiver=asked.receiver,
        callback=asked.callback,
        callback_units=asked.callback_units,
        execution_fee=fee,
        updated_ms=asked.now_ms,
        client_id=asked.client_id,
        market=asked.market,
        amount=asked.amount,
        long_path=asked.long_path,
        short_path=asked.short_path,
        min_long=asked.min_long,
        min_short=asked.min_short,
    )
    draft = Draft(exchange, asked.now_ms)
    nonce, request = _admit(exchange, draft, request, asked.from_outside)
    return (WithdrawalCreated(nonce, request, draft.changes().moves),)


def create_order(exchange: Exchange, asked: CreateOrder) -> tuple[Fact, ...]:
    """Boxes order.create.a to i."""
    book = exchange.requests
    if asked.type is OrderType.LIQUIDATION:
        raise Refused(Reason.ORDER_TYPE, "liquidations are not ordered, they are executed")
    _check_account(exchange, asked.account, asked.type, asked.client_id)
    referred = _referral(book, asked.account, asked.referral_code)
    _check_amounts(asked.collateral, asked.size, asked.native_sent, asked.execution_fee)
    collateral, fee = asked.collateral, asked.execution_fee
    if asked.collateral_token == NATIVE and not asked.type.is_decrease:
        collateral = _less_fee(collateral, fee)
    else:
        fee = _sent_fee(asked.native_sent, fee)
    _check_conditions(exchange, asked, collateral)
    _check_receiver(asked.receiver)
    if asked.cancellation_receiver:
        _check_receiver(asked.cancellation_receiver)
    request = OrderRequest(
        key="",
        account=asked.account,
        receiver=asked.receiver,
        callback=asked.callback,
        callback_units=asked.callback_units,
        execution_fee=fee,
        updated_ms=asked.now_ms,
        client_id=asked.client_id,
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
    nonce, request = _admit(exchange, draft, request, asked.from_outside)
    return (*referred, OrderCreated(nonce, request, draft.changes().moves))


def check_fee(book: RequestBook, request: Request) -> None:
    """Callback limit and execution fee (deposit.create.h to j, order.create.g and h). Raises Refused."""
    table = book.rules.work
    if not 0 <= request.callback_units <= table.max_callback_units:
        raise Refused(
            Reason.MAX_CALLBACK_UNITS,
            f"callback limit {request.callback_units:,}; expected at most {table.max_callback_units:,}",
        )
    least = work.min_execution_fee(table, request)
    if request.execution_fee < least:
        raise Refused(
            Reason.INSUFFICIENT_EXECUTION_FEE,
            f"execution fee {shown(request.execution_fee, NATIVE)}; expected at least {shown(least, NATIVE)}",
        )


def check_auto_cancel(book: RequestBook, order: OrderRequest) -> None:
    """A position's list of orders that end with it is short (order.create.i). Raises Refused."""
    if not order.auto_cancel:
        return
    others = [each for each in book.ending_with(order.position) if each.key != order.key]
    if len(others) >= book.rules.max_auto_cancel:
        raise Refused(Reason.MAX_AUTO_CANCEL, f"the position has {len(others)} auto-cancel orders already")


def _admit(exchange: Exchange, draft: Draft, request: AnyRequest, from_outside: bool) -> tuple[int, AnyRequest]:
    """Fee checks, key and escrow: the end of every create. Market tokens never come from outside."""
    book = exchange.requests
    check_fee(book, request)
    most = book.rules.max_fee_multiple * work.min_execution_fee(book.rules.work, request)
    nonce = book.nonce + 1
    request = replace(request, key=book.key(nonce), execution_fee=min(request.execution_fee, most))
    for token, amount in (*escrow(request), (NATIVE, request.execution_fee)):
        outside = from_outside and not token.startswith(market_token(""))
        source = EXTERNAL if outside else wallet(request.account)
        if source != EXTERNAL and draft.balance(token, source) < amount:
            raise Refused(Reason.INSUFFICIENT_BALANCE, f"{request.account} has less than {shown(amount, token)}")
        draft.pay(token, source, VAULTS[kind_of(request)], amount)
    return nonce, request


def _check_account(exchange: Exchange, account: str, kind: str, client_id: str) -> None:
    if account in ("", ZERO):
        raise Refused(Reason.EMPTY_ACCOUNT, "account is empty or the zero address")
    if account == DEAD:
        raise Refused(Reason.UNAUTHORIZED, "nobody speaks for the account of first deposits")
    if len(account) > LONGEST_NAME:
        raise Refused(Reason.EMPTY_ACCOUNT, f"account of more than {LONGEST_NAME} characters")
    if f"create:{kind}" in exchange.requests.disabled:
        raise Refused(Reason.DISABLED_FEATURE, f"creating a {kind} is switched off")
    if client_id and (client_id in exchange.requests.by_client or client_id in exchange.fills):
        raise Refused(Reason.DUPLICATE_CLIENT_ID, f"{client_id} was used for another request")


def _check_receiver(receiver: str) -> None:
    if receiver in ("", ZERO):
        raise Refused(Reason.EMPTY_RECEIVER, "receiver is empty or the zero address")
    if receiver in VAULTS.values() or len(receiver) > LONGEST_NAME:
        raise Refused(Reason.INVALID_RECEIVER, f"receiver {receiver[:LONGEST_NAME]} is not an account")


def _check_amounts(*amounts: int) -> None:
    if any(amount < 0 for amount in amounts):
        raise Refused(Reason.BAD_AMOUNT, "an amount is negative; expected zero or more")


def _check_pool(exchange: Exchange, symbol: str) -> None:
    pool = exchange.pools.get(symbol)
    if pool is None:
        raise Refused(Reason.EMPTY_MARKET, f"no pool {symbol!r}; there are {', '.join(exchange.pools) or 'none'}")
    if not pool.enabled:
        raise Refused(Reason.DISABLED_MARKET, f"{symbol} is disabled")


def _check_path(exchange: Exchange, path: tuple[str, ...]) -> None:
    most = exchange.requests.rules.max_path
    if len(path) > most:
        raise Refused(Reason.MAX_SWAP_PATH, f"swap path of {len(path)}; expected at most {most} markets")
    if len(set(path)) < len(path):
        raise Refused(Reason.DUPLICATED_MARKET, "a market appears twice in the swap path")
    for symbol in path:
        _check_pool(exchange, symbol)


def _less_fee(amount: int, fee: int) -> int:
    if amount < fee:
        raise Refused(
            Reason.INSUFFICIENT_WNT, f"{shown(amount, NATIVE)} do not cover the execution fee of {shown(fee, NATIVE)}"
        )
    return amount - fee


def _sent_fee(sent: int, fee: int) -> int:
    if sent < fee:
        raise Refused(
            Reason.INSUFFICIENT_WNT, f"{shown(sent, NATIVE)} sent; expected at least the fee, {shown(fee, NATIVE)}"
        )
    return sent


def _referral(book: RequestBook, trader: str, code: str) -> tuple[Fact, ...]:
    """The first code set stays (order.create.c)."""
    if not code or trader in book.referred:
        return ()
    if code not in book.referral_codes:
        raise Refused(Reason.INVALID_REFERRAL_CODE, f"referral code {code[:LONGEST_NAME]!r} is unknown")
    return (TraderReferred(trader, code),)


def _check_conditions(exchange: Exchange, asked: CreateOrder, collateral: int) -> None:
    """Market, path and times (order.create.f); `collateral` is what the fee has left of it."""
    if not asked.size and not collateral:
        raise Refused(Reason.EMPTY_ORDER, "size and collateral are both 0")
    if asked.type.is_market and asked.valid_from_ms:
        raise Refused(Reason.UNEXPECTED_VALID_FROM, "a market order is valid at once; expected no valid-from time")
    triggered = not asked.type.is_market and not asked.type.is_swap
    if triggered and not (asked.trigger_price and asked.trigger_price > 0):
        raise Refused(Reason.BAD_PRICE, f"a {asked.type} needs a trigger price above zero")
    _check_path(exchange, asked.path)
    if asked.type.is_swap:
        if asked.market:
            raise Refused(Reason.UNEXPECTED_MARKET, "a swap names its markets in the path only")
        if not collateral or not asked.collateral_token or not asked.path:
            raise Refused(Reason.EMPTY_ORDER, "a swap needs a token, an amount beside the fee, and a path")
    elif asked.market in exchange.markets:
        _check_curve_order(asked)
    else:
        _check_pool(exchange, asked.market)
        if not exchange.pools[asked.market].index:
            raise Refused(Reason.INVALID_POSITION_MARKET, f"{asked.market} is for swaps only")


def _check_curve_order(asked: CreateOrder) -> None:
    if asked.path or asked.collateral_token:
        raise Refused(Reason.INVALID_COLLATERAL, f"{asked.market} takes the clearinghouse's own USD, without a path")
    if asked.receiver != asked.account:
        raise Refused(Reason.INVALID_RECEIVER, f"{asked.market} pays the account itself")
    if asked.type.is_increase and not (asked.size and asked.collateral):
        raise Refused(Reason.EMPTY_ORDER, "an increase on a curve needs size and collateral")


def feature(request: Request) -> str:
    """The switch that execution of a request hangs on."""
    return f"execute:{name_of(request)}"
