"""executeDeposit, executeWithdrawal, executeOrder: checks, removal, effect and fee as one step (seed avitus, 2.)."""

from collections.abc import Callable
from typing import Any

from venue.exchange.commands import Refused, Rejection
from venue.exchange.draft import Changes, Draft
from venue.exchange.ledger import Overdrawn
from venue.exchange.pool.decrease import DecreaseReport
from venue.exchange.pool.deposit import DepositReport
from venue.exchange.pool.increase import IncreaseReport
from venue.exchange.pool.swap import SwapReport
from venue.exchange.pool.units import Prices
from venue.exchange.pool.withdrawal import WithdrawalReport
from venue.exchange.reasons import Reason
from venue.exchange.requests import on_curve, on_pool, work
from venue.exchange.requests.book import RequestBook
from venue.exchange.requests.cancel import auto_cancels, cancelled, find, frozen
from venue.exchange.requests.checks import feature
from venue.exchange.requests.commands import ExecuteRequest
from venue.exchange.requests.facts import (
    CurveOrderExecuted,
    DecreaseExecuted,
    DepositExecuted,
    Executed,
    Fact,
    IncreaseExecuted,
    Receipt,
    SwapExecuted,
    WithdrawalExecuted,
)
from venue.exchange.requests.failure import Outcome, in_our_words, outcome
from venue.exchange.requests.fee import settle_fee
from venue.exchange.requests.request import (
    OrderRequest,
    OrderType,
    Request,
    expires,
)
from venue.exchange.state import Exchange


def execute_request(exchange: Exchange, command: ExecuteRequest) -> tuple[Fact, ...]:
    """The facts of executing, or of what its failure does to the request.

    Raises Refused for a request that is not there any more, and for errors that leave it where it is.
    """
    book = exchange.requests
    request = find(book, command.kind, command.key)
    _check_keeper(book, request, command.keeper)
    brought = book.rules.work.budget if command.units is None else command.units
    work.check_budget(book.rules.work, request, brought)
    try:
        return _effect(exchange, request, command, brought)
    except Overdrawn as error:
        refused = Rejection(Reason.INSUFFICIENT_POOL, str(error))
    except Refused as error:
        refused = in_our_words(error.rejection)
    match outcome(request, refused.code):
        case Outcome.CANCEL:
            return cancelled(exchange, request, command.keeper, command.now_ms, refused)
        case Outcome.FREEZE if isinstance(request, OrderRequest):
            return frozen(exchange, request, command.keeper, command.now_ms, refused)
        case _:
            raise Refused(refused.code, refused.detail)


def _check_keeper(book: RequestBook, request: Request, keeper: str) -> None:
    """Registered keepers, or the owner at the engine's prices; frozen orders and limit swaps are for special ones."""
    if keeper not in book.keepers and keeper != request.account:
        raise Refused(Reason.UNAUTHORIZED, f"{keeper[:100]} is no keeper, and the request is not theirs")
    if isinstance(request, OrderRequest) and not book.keepers.get(keeper, False):
        if request.frozen:
            raise Refused(Reason.ORDER_FROZEN, "only a keeper of frozen orders may try it again")
        if request.type is OrderType.LIMIT_SWAP:
            raise Refused(Reason.UNAUTHORIZED, "limit swaps are for keepers of frozen orders")
    if feature(request) in book.disabled:
        raise Refused(Reason.DISABLED_FEATURE, f"{feature(request)} is switched off")


def _effect(exchange: Exchange, request: Request, command: ExecuteRequest, brought: int) -> tuple[Fact, ...]:
    draft = Draft(exchange, command.now_ms)
    if isinstance(request, OrderRequest) and command.now_ms < request.valid_from_ms:
        raise Refused(Reason.VALID_FROM, f"valid in {request.valid_from_ms - command.now_ms} ms")
    if isinstance(request, OrderRequest) and request.market in exchange.markets:
        _check_life(exchange, request, command.now_ms)
        done = on_curve.execute(exchange, request)
        receipt = _pay(draft, request, command, brought)
        facts = (CurveOrderExecuted(receipt, draft.changes()), *done.facts)
        return (*facts, *_ended_with(exchange, request, done.closed, command.now_ms))
    prices = Prices(command.prices)
    check_times(exchange, request, prices)
    report = on_pool.execute(draft, request, prices)
    receipt = _pay(draft, request, command, brought)
    executed = _FACTS[type(report)](receipt, report, draft.changes())
    closed = isinstance(report, DecreaseReport) and report.remaining is None
    return (executed, *_ended_with(exchange, request, closed, command.now_ms))


def check_times(exchange: Exchange, request: Request, prices: Prices) -> None:
    """No price older than the request, none newer than its expiry (deposit.execute.b, order.execute.a).

    A decrease set off by a price also needs one no older than the position's last increase. Raises Refused.
    """
    stamps = [prices[token].timestamp_ms for token in on_pool.tokens_needed(exchange, request)]
    oldest, newest = min(stamps), max(stamps)
    earliest = request.updated_ms
    if isinstance(request, OrderRequest) and request.type in (OrderType.LIMIT_DECREASE, OrderType.STOP_LOSS_DECREASE):
        position = exchange.pool_positions.get(on_pool.position_key(request))
        earliest = max(earliest, position.increased_ms if position else 0)
    if oldest < earliest:
        raise Refused(Reason.PRICES_TOO_OLD, f"a price is {earliest - oldest} ms older than the request")
    _check_life(exchange, request, newest)


def _check_life(exchange: Exchange, request: Request, newest: int) -> None:
    """No price from after the expiry; a curve's mark is of now."""
    expiry = request.updated_ms + exchange.requests.rules.expiry_ms
    if expires(request) and newest > expiry:
        raise Refused(Reason.PRICES_TOO_NEW, f"a price is {newest - expiry} ms newer than the request lives")


def _pay(draft: Draft, request: Request, command: ExecuteRequest, brought: int) -> Receipt:
    table = draft.exchange.requests.rules.work
    told = work.callback_allowed(table, request, brought)
    return settle_fee(draft, request, command.keeper, work.used(table, request), callback=told)


def _ended_with(exchange: Exchange, request: Request, closed: bool, now_ms: int) -> tuple[Fact, ...]:
    if not closed or not isinstance(request, OrderRequest):
        return ()
    return auto_cancels(exchange, request.position, now_ms, but=request.key)


_FACTS: dict[type, Callable[[Receipt, Any, Changes], Executed]] = {
    DepositReport: DepositExecuted,
    WithdrawalReport: WithdrawalExecuted,
    SwapReport: SwapExecuted,
    IncreaseReport: IncreaseExecuted,
    DecreaseReport: DecreaseExecuted,
}
