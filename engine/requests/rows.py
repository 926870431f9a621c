"""Requests and pools as rows of the snapshot."""

from collections.abc import Callable, Mapping
from itertools import islice

from engine.keepers.requests import Notes
from engine.snapshot import PoolRow, RequestCounts, RequestRow, RequestState, Side, Wad
from engine.text import clean, clean_name, money
from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.fixed import WAD, down
from venue.exchange.ledger import EXTERNAL
from venue.exchange.pool import state as accounts
from venue.exchange.pool import value
from venue.exchange.pool.state import Pool
from venue.exchange.pool.units import FLOAT, Prices, TokenPrice
from venue.exchange.requests.cancel import cancellable_from
from venue.exchange.requests.request import (
    DepositRequest,
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


def request_rows(
    exchange: Exchange, notes: Notes, label: Label, prices: Mapping[str, TokenPrice | None], now_ms: int
) -> tuple[RequestRow, ...]:
    """What waits, oldest first, then what has ended, newest first."""
    book = exchange.requests
    waiting = [
        _shown_safely(exchange, request, notes, label, prices, now_ms)
        for request in islice(book.pending.values(), SHOWN_WAITING)
    ]
    ended = [_ended(exchange, each, label) for each in islice(reversed(book.ended.values()), SHOWN_ENDED)]
    return (*waiting, *ended)


def request_counts(exchange: Exchange) -> RequestCounts:
    """How many there are of each."""
    book = exchange.requests
    frozen = sum(isinstance(each, OrderRequest) and each.frozen for each in book.pending.values())
    oldest = min((each.updated_ms for each in book.pending.values() if expires(each)), default=None)
    return RequestCounts(len(book.pending) - frozen, frozen, book.executed, book.cancelled, oldest)


def _shown_safely(
    exchange: Exchange,
    request: Request,
    notes: Notes,
    label: Label,
    prices: Mapping[str, TokenPrice | None],
    now_ms: int,
) -> RequestRow:
    """One row that cannot be made must not blind the operator to all the others."""
    try:
        return _waiting(exchange, request, notes, label, prices, now_ms)
    except Exception as error:
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
            state=RequestState.PENDING,
            at_ms=now_ms,
            keeper="",
            reason=clean(f"cannot be shown: {error!r}"),
            attempts=0,
            fee=0,
            may_cancel=False,
        )


def _waiting(
    exchange: Exchange,
    request: Request,
    notes: Notes,
    label: Label,
    prices: Mapping[str, TokenPrice | None],
    now_ms: int,
) -> RequestRow:
    note = notes.get(request.key)
    is_frozen = isinstance(request, OrderRequest) and request.frozen
    return _row(
        exchange,
        request,
        label,
        state=RequestState.FROZEN if is_frozen else RequestState.PENDING,
        at_ms=request.updated_ms,
        reason=note.reason if note else _why_waiting(exchange, request, prices),
        attempts=note.attempts if note else 0,
        fee=request.execution_fee,
        may_cancel=now_ms >= cancellable_from(exchange.requests, request),
    )


def _ended(exchange: Exchange, ended: Ended, label: Label) -> RequestRow:
    return _row(
        exchange,
        ended.request,
        label,
        state=RequestState.EXECUTED if ended.ending is Ending.EXECUTED else RequestState.CANCELLED,
        at_ms=ended.at_ms,
        keeper=label(ended.by)[0],
        reason=f"{ended.reason} {ended.detail}".strip(),
        fee=ended.fee_paid,
    )


def _row(
    exchange: Exchange,
    request: Request,
    label: Label,
    *,
    state: RequestState,
    at_ms: int,
    fee: int,
    reason: str = "",
    keeper: str = "",
    attempts: int = 0,
    may_cancel: bool = False,
) -> RequestRow:
    owner, simulated = label(request.account)
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
        state=state,
        at_ms=at_ms,
        keeper=clean_name(keeper) if keeper else "",
        reason=clean(reason) if reason else "",
        attempts=attempts,
        fee=fee,
        may_cancel=may_cancel,
    )


def _amounts(request: Request) -> str:
    legs = escrow(request)
    if isinstance(request, OrderRequest) and request.type.is_decrease:
        legs = ((request.collateral_token, request.collateral),)
    shown = [_amount(token, amount) for token, amount in legs if amount]
    return " + ".join(shown)


def _amount(name: str, amount: int) -> str:
    token = token_named(name)
    symbol = token.symbol.partition(":")[2] or token.symbol
    if token.decimals == TOKENS["USDC"].decimals or (name in ("", token.symbol) and name.startswith("MT:")) or not name:
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
    pools = [exchange.pools[symbol] for symbol in _symbols(request) if symbol in exchange.pools]
    needed = {token: prices.get(token) for pool in pools for token in pool.tokens if token}
    missing = [token for token, price in needed.items() if price is None]
    if missing:
        return f"no price for {missing[0]} may be traded on"
    if any(price is not None and price.timestamp_ms < request.updated_ms for price in needed.values()):
        return "waits for a price newer than itself"
    return ""


def _symbols(request: Request) -> tuple[str, ...]:
    if isinstance(request, OrderRequest):
        return (request.market, *request.path)
    path = request.long_path + request.short_path if isinstance(request, DepositRequest) else ()
    return (request.market, *path)


def _per_whole(pool: Pool | None, price: int) -> Wad:
    return down(price * TOKENS[pool.index].unit * WAD, FLOAT) if pool and pool.index else price


def pool_row(exchange: Exchange, pool: Pool, prices: tuple[TokenPrice, ...], now_ms: int) -> PoolRow:
    """A pool at these prices; where one is missing, what is worth USD is unknown."""
    draft = Draft(exchange, now_ms)
    symbol, params = pool.symbol, pool.params

    def whole(token: str, account: str) -> Wad:
        return _whole(token, exchange.book(token)[account])

    found = Prices(prices)
    is_priced = all(token in found for token in pool.tokens if token)
    worth = token_price = pnl = reserved = None
    if is_priced:
        try:
            worth = down(value.pool_value(draft, pool, found, params.max_pnl_deposits, maximize=True) * WAD, FLOAT)
            token_price = down(
                value.market_token_price(draft, pool, found, params.max_pnl_deposits, maximize=True) * WAD, FLOAT
            )
            pnl = down(sum(value.side_pnl(pool, found, side, maximize=True) for side in value.SIDES) * WAD, FLOAT)
            reserved = max(value.reserved_share(draft, pool, found, side) for side in value.SIDES) / FLOAT
        except Refused:
            is_priced = False
    return PoolRow(
        symbol=symbol,
        enabled=pool.enabled,
        priced=is_priced,
        index=pool.index,
        long=pool.long,
        short=pool.short,
        long_amount=whole(pool.long, accounts.liquidity(symbol)),
        short_amount=whole(pool.short, accounts.liquidity(symbol)),
        value=worth,
        token_price=token_price,
        supply=-exchange.book(pool.market_token)[EXTERNAL],
        impact_long=whole(pool.long, accounts.impact_pool(symbol)),
        impact_short=whole(pool.short, accounts.impact_pool(symbol)),
        impact_position=_whole(pool.index, pool.position_impact) if pool.index else 0,
        fees_long=whole(pool.long, accounts.fees(symbol)),
        fees_short=whole(pool.short, accounts.fees(symbol)),
        long_oi=down(pool.long_interest.usd * WAD, FLOAT),
        short_oi=down(pool.short_interest.usd * WAD, FLOAT),
        traders_pnl=pnl,
        reserved=reserved,
        positions=sum(key.market == symbol for key in exchange.pool_positions),
    )


def _whole(token: str, amount: int) -> Wad:
    return down(amount * WAD, token_named(token).unit)
