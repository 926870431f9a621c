"""Ways out of the store without execution: the owner's, the keepers' sweep, a failed execution, a closed position.

Whatever the way, the escrow goes back whole, and what the keeper did not earn of the fee with it.
"""

from venue.exchange.commands import Refused, Rejection
from venue.exchange.draft import Draft
from venue.exchange.reasons import Reason
from venue.exchange.requests import on_curve, on_pool
from venue.exchange.requests.book import RequestBook
from venue.exchange.requests.commands import CancelRequest, SweepRequest
from venue.exchange.requests.facts import Fact, OrderFrozen, RequestCancelled
from venue.exchange.requests.fee import settle_fee
from venue.exchange.requests.request import (
    VAULTS,
    Kind,
    OrderRequest,
    PositionName,
    Request,
    escrow,
    expires,
    home,
    kind_of,
    name_of,
)
from venue.exchange.state import Exchange

EXCHANGE = "exchange"
"""Who cancels what ends with a position."""
_MISSING = {
    Kind.DEPOSIT: Reason.EMPTY_DEPOSIT,
    Kind.WITHDRAWAL: Reason.EMPTY_WITHDRAWAL,
    Kind.ORDER: Reason.EMPTY_ORDER,
}
MISSING = frozenset(_MISSING.values())
"""What anybody gets who comes too late for a request."""


def find(book: RequestBook, kind: Kind, key: str) -> Request:
    """The waiting request of this kind. Raises Refused with the kind's own name for one that is not there."""
    request = book.pending.get(key)
    if request is not None and kind_of(request) is kind:
        return request
    ended = book.ended.get(key)
    what = f"already {ended.ending} by {ended.by}" if ended else "not known here"
    raise Refused(_MISSING[kind], f"{kind} {key[:66]} is {what}")


def cancel_request(exchange: Exchange, command: CancelRequest) -> tuple[Fact, ...]:
    """By the owner: what expires anyway only after its expiry, everything else at any time."""
    book = exchange.requests
    request = find(book, command.kind, command.key)
    if request.account != command.account:
        raise Refused(Reason.UNAUTHORIZED, f"the {name_of(request)} belongs to somebody else")
    due = cancellable_from(book, request)
    if command.now_ms < due:
        left = -(-(due - command.now_ms) // 1000)
        raise Refused(Reason.NOT_YET_CANCELLABLE, f"may be cancelled in {left} s, if no keeper executes it before")
    word = Rejection(Reason.USER_CANCELLED, "cancelled by its owner")
    return cancelled(exchange, request, command.account, command.now_ms, word, free=True)


def sweep_request(exchange: Exchange, command: SweepRequest) -> tuple[Fact, ...]:
    """By a keeper: an expired request, an auto-cancel order whose position has gone, or one the engine revokes."""
    book = exchange.requests
    request = find(book, command.kind, command.key)
    if command.keeper not in book.keepers:
        raise Refused(Reason.UNAUTHORIZED, f"{command.keeper[:100]} is no keeper")
    revoked = Rejection(Reason.REVOKED, command.why) if command.why else None
    word = revoked or to_sweep(exchange, request, command.now_ms)
    if word is None:
        raise Refused(Reason.NOT_EXPIRED, f"the {name_of(request)} may still be executed")
    return cancelled(exchange, request, command.keeper, command.now_ms, word)


def cancellable_from(book: RequestBook, request: Request) -> int:
    """Unix ms from which the owner may take it back."""
    return request.updated_ms + book.rules.expiry_ms if expires(request) else request.updated_ms


def to_sweep(exchange: Exchange, request: Request, now_ms: int) -> Rejection | None:
    """Why a keeper should clear the request away, if it should."""
    if expires(request):
        lived = exchange.requests.rules.expiry_ms
        if now_ms <= request.updated_ms + lived:
            return None
        return Rejection(Reason.EXPIRED, f"no keeper executed it within {lived // 1000} s")
    if not isinstance(request, OrderRequest) or not request.auto_cancel or _has_position(exchange, request):
        return None
    if request.position_id in exchange.positions:
        return Rejection(Reason.AUTO_CANCEL, "the position it belonged to has gone")
    if now_ms <= request.updated_ms + exchange.requests.rules.expiry_ms or _is_coming(exchange, request):
        return None
    return Rejection(Reason.AUTO_CANCEL, "no position has come for it")


def auto_cancels(exchange: Exchange, position: PositionName, now_ms: int, but: str = "") -> tuple[Fact, ...]:
    """Cancels the orders that end with a position, except the one with key `but` that ended it. Free of charge."""
    word = Rejection(Reason.AUTO_CANCEL, "the position it belonged to was closed")
    orders = (each for each in exchange.requests.ending_with(position) if each.key != but)
    return tuple(fact for each in orders for fact in cancelled(exchange, each, EXCHANGE, now_ms, word, free=True))


def cancelled(
    exchange: Exchange, request: Request, by: str, now_ms: int, why: Rejection, *, free: bool = False
) -> tuple[Fact, ...]:
    """The cancellation: escrow back, and the keeper paid for its work unless it is `free`."""
    draft = Draft(exchange, now_ms)
    back = request.account
    if isinstance(request, OrderRequest) and request.cancellation_receiver:
        back = request.cancellation_receiver
    for token, amount in escrow(request):
        draft.pay(token, VAULTS[kind_of(request)], home(request, token, back), amount)
    receipt = settle_fee(draft, request, by, None if free else exchange.requests.rules.work.cancel_used)
    return (RequestCancelled(receipt, str(why.code), why.detail, draft.changes().moves),)


def frozen(exchange: Exchange, order: OrderRequest, by: str, now_ms: int, why: Rejection) -> tuple[Fact, ...]:
    """The order stays with its escrow; its fee is spent and has to be brought again."""
    draft = Draft(exchange, now_ms)
    receipt = settle_fee(draft, order, by, exchange.requests.rules.work.cancel_used)
    return (OrderFrozen(receipt, str(why.code), why.detail, draft.changes().moves),)


def _is_coming(exchange: Exchange, order: OrderRequest) -> bool:
    """Whether an increase of the same account, market and side still waits."""
    return any(
        each.type.is_increase and (each.market, each.is_long) == (order.market, order.is_long)
        for each in exchange.requests.orders_of(order.account)
    )


def _has_position(exchange: Exchange, order: OrderRequest) -> bool:
    if order.market in exchange.markets:
        return on_curve.position_of(exchange, order) is not None
    return on_pool.position_key(order) in exchange.pool_positions
