"""Requests as rows of the snapshot. A row is made anew only when something on it has changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice

from engine.exchange_rows import RequestCounts, RequestRow, RequestState, Side, Wad
from engine.keepers.notes import Notes
from engine.text import clean, clean_name, money
from venue.exchange.fixed import WAD, down
from venue.exchange.pool.state import Pool
from venue.exchange.pool.units import FLOAT, TokenPrice
from venue.exchange.requests.cancel import cancellable_from
from venue.exchange.requests.on_pool import tokens_needed
from venue.exchange.requests.request import (
    Ended,
    Ending,
    OrderRequest,
    Request,
    escrow,
    expires,
    name_of,
)
from venue.exchange.state import Exchange
from venue.exchange.tokens import TOKENS, token_named

SHOWN_WAITING = 2_000
SHOWN_ENDED = 200
Label = Callable[[str], tuple[str, bool]]
"""How an account is shown, and whether it is simulated."""
PriceList = Mapping[str, TokenPrice | None]
"""By token; of one that is not in it nobody knows whether there is a price."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """What of a row can change while its request stays the same."""

    state: RequestState
    at_ms: int
    fee: int
    reason: str = ""
    keeper: str = ""
    attempts: int = 0
    may_cancel: bool = False


class RequestRows:
    """Keeps the rows it has made, as long as they are shown."""

    def __init__(self, notes: Notes[str], label: Label) -> None:
        self._notes = notes
        self._label = label
        self._made: dict[str, tuple[Request, _Moment, RequestRow]] = {}

    def build(self, exchange: Exchange, prices: PriceList, now_ms: int) -> tuple[RequestRow, ...]:
        """What waits, oldest first, then what has ended, newest first."""
        book = exchange.requests
        kept: dict[str, tuple[Request, _Moment, RequestRow]] = {}
        for request in islice(book.pending.values(), SHOWN_WAITING):
            kept[request.key] = self._safely(
                exchange, request, partial(self._waiting, exchange, request, prices, now_ms)
            )
        for ended in islice(reversed(book.ended.values()), SHOWN_ENDED):
            kept[ended.request.key] = self._safely(exchange, ended.request, partial(self._ended, ended))
        self._made = kept
        return tuple(row for _, _, row in kept.values())

    def _safely(
        self, exchange: Exchange, request: Request, look: Callable[[], _Moment]
    ) -> tuple[Request, _Moment, RequestRow]:
        """One row that cannot be made must not blind the operator to all the others."""
        try:
            moment = look()
            made = self._made.get(request.key)
            if made is not None and made[0] is request and made[1] == moment:
                return made
            return request, moment, self._row(exchange, request, moment)
        except Exception as error:
            moment = _Moment(RequestState.PENDING, 0, 0, f"cannot be shown: {type(error).__name__}")
            return request, moment, _bare_row(request, moment)

    def _waiting(self, exchange: Exchange, request: Request, prices: PriceList, now_ms: int) -> _Moment:
        note = self._notes.get(request.key)
        is_frozen = isinstance(request, OrderRequest) and request.frozen
        return _Moment(
            RequestState.FROZEN if is_frozen else RequestState.PENDING,
            request.updated_ms,
            request.execution_fee,
            reason=note.reason if note else _why_waiting(exchange, request, prices),
            attempts=note.attempts if note else 0,
            may_cancel=now_ms >= cancellable_from(exchange.requests, request),
        )

    def _ended(self, ended: Ended) -> _Moment:
        return _Moment(
            RequestState.EXECUTED if ended.ending is Ending.EXECUTED else RequestState.CANCELLED,
            ended.at_ms,
            ended.fee_paid,
            reason=f"{ended.reason} {ended.detail}".strip(),
            keeper=self._label(ended.by)[0],
        )

    def _row(self, exchange: Exchange, request: Request, moment: _Moment) -> RequestRow:
        owner, simulated = self._label(request.account)
        order = request if isinstance(request, OrderRequest) else None
        positional = order is not None and not order.type.is_swap
        pool = exchange.pools.get(request.market)
        return RequestRow(
            key=request.key,
            kind=name_of(request).capitalize() if order is None else order.type.value,
            account=clean_name(owner),
            simulated=simulated,
            market=request.market or " > ".join(order.path if order else ()),
            side=(Side.LONG if order.is_long else Side.SHORT) if order and positional else None,
            amount=_amounts(request),
            size=down(order.size * WAD, FLOAT if pool else WAD) if order and positional else None,
            trigger=_per_whole(pool, order.trigger_price) if order and order.trigger_price is not None else None,
            state=moment.state,
            at_ms=moment.at_ms,
            keeper=clean_name(moment.keeper) if moment.keeper else "",
            reason=clean(moment.reason) if moment.reason else "",
            attempts=moment.attempts,
            fee=moment.fee,
            may_cancel=moment.may_cancel,
        )


def _bare_row(request: Request, moment: _Moment) -> RequestRow:
    return RequestRow(
        key=request.key,
        kind=name_of(request),
        account=clean_name(str(request.account)),
        simulated=False,
        market=clean(str(request.market)),
        side=None,
        amount="",
        size=None,
        trigger=None,
        state=moment.state,
        at_ms=moment.at_ms,
        keeper="",
        reason=moment.reason,
        attempts=0,
        fee=0,
        may_cancel=False,
    )


def request_counts(exchange: Exchange) -> RequestCounts:
    """How many there are of each."""
    book = exchange.requests
    frozen = sum(isinstance(each, OrderRequest) and each.frozen for each in book.pending.values())
    oldest = min((each.updated_ms for each in book.pending.values() if expires(each)), default=None)
    return RequestCounts(len(book.pending) - frozen, frozen, book.executed, book.cancelled, oldest)


def _amounts(request: Request) -> str:
    legs = escrow(request)
    if isinstance(request, OrderRequest) and request.type.is_decrease:
        legs = ((request.collateral_token, request.collateral),)
    shown = [_amount(token, amount) for token, amount in legs if amount]
    return " + ".join(shown)


def _amount(name: str, amount: int) -> str:
    token = token_named(name)
    symbol = token.symbol.partition(":")[2] or token.symbol
    if not name or name.startswith("MT:") or name == "USDC":
        return f"{money(amount, token.unit)} {symbol}"
    return f"{down(amount * 10**4, token.unit) / 10**4:,.4f} {symbol}"


def _why_waiting(exchange: Exchange, request: Request, prices: Mapping[str, TokenPrice | None]) -> str:
    """What it waits for, where one look at the prices says so."""
    if isinstance(request, OrderRequest):
        if request.frozen:
            return request.frozen_reason
        if request.trigger_price is not None:
            return "waits for its trigger price"
        if request.market in exchange.markets:
            return ""
    needed = {token: prices[token] for token in tokens_needed(exchange, request) if token in prices}
    missing = [token for token, price in needed.items() if price is None]
    if missing:
        return f"no price for {missing[0]} may be traded on"
    if any(price is not None and price.timestamp_ms < request.updated_ms for price in needed.values()):
        return "waits for a price newer than itself"
    return ""


def _per_whole(pool: Pool | None, price: int) -> Wad:
    return down(price * TOKENS[pool.index].unit * WAD, FLOAT) if pool and pool.index else price
