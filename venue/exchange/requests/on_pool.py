"""The pool market under the request layer: which prices a request needs, and who executes it."""

from collections.abc import Callable
from functools import partial

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.ledger import wallet
from venue.exchange.pool.decrease import DecreaseReport, decrease_position
from venue.exchange.pool.deposit import DepositReport, execute_deposit
from venue.exchange.pool.increase import IncreaseReport, increase_position
from venue.exchange.pool.state import Pool, PositionKey
from venue.exchange.pool.swap import SwapReport, swap
from venue.exchange.pool.trigger import trigger_met
from venue.exchange.pool.units import Prices
from venue.exchange.pool.withdrawal import WithdrawalReport, execute_withdrawal
from venue.exchange.reasons import Reason
from venue.exchange.requests.request import (
    ORDER_VAULT,
    DepositRequest,
    OrderRequest,
    Request,
    WithdrawalRequest,
)
from venue.exchange.state import Exchange
from venue.exchange.tokens import price_shown

Report = DepositReport | WithdrawalReport | SwapReport | IncreaseReport | DecreaseReport


def position_key(order: OrderRequest) -> PositionKey:
    """The position an order is about."""
    return PositionKey(order.account, order.market, order.collateral_token, order.is_long)


def pools_of(exchange: Exchange, request: Request) -> tuple[Pool, ...]:
    """Every pool a request touches. Raises Refused(EMPTY_MARKET)."""
    path = request.path if isinstance(request, OrderRequest) else (*request.long_path, *request.short_path)
    symbols = dict.fromkeys(symbol for symbol in (request.market, *path) if symbol)
    for symbol in symbols:
        if symbol not in exchange.pools:
            raise Refused(Reason.EMPTY_MARKET, f"no pool {symbol!r}")
    return tuple(exchange.pools[symbol] for symbol in symbols)


def tokens_needed(exchange: Exchange, request: Request) -> tuple[str, ...]:
    """The tokens whose prices an execution needs, each once. Raises Refused(EMPTY_MARKET)."""
    return tuple(dict.fromkeys(token for pool in pools_of(exchange, request) for token in pool.tokens))


def execute(draft: Draft, request: Request, prices: Prices) -> Report:
    """Executes on the draft. Raises Refused."""
    match request:
        case DepositRequest():
            return execute_deposit(draft, request, prices)
        case WithdrawalRequest():
            return execute_withdrawal(draft, request, prices)
        case OrderRequest() if request.type.is_swap:
            return swap(
                draft,
                request.path,
                request.collateral_token,
                request.collateral,
                ORDER_VAULT,
                wallet(request.receiver),
                prices,
                request.min_output,
            )
        case OrderRequest():
            return _position_order(draft, request, prices)


def _position_order(draft: Draft, order: OrderRequest, prices: Prices) -> IncreaseReport | DecreaseReport:
    index = prices[draft.exchange.pools[order.market].index]
    check_trigger(order, index.min, index.max, partial(price_shown, name=index.token))
    code = draft.exchange.requests.code_of(order.account)
    if order.type.is_increase:
        return increase_position(draft, order, prices, code)
    return decrease_position(draft, order, prices, code)


def check_trigger(order: OrderRequest, low: int, high: int, shown: Callable[[int], str] = str) -> None:
    """Whether the market is where the order waits for it (order.execute.b). Raises Refused(TRIGGER_NOT_MET)."""
    trigger = order.trigger_price
    if trigger is not None and not trigger_met(order.type, order.is_long, low, high, trigger):
        price = shown(low) if low == high else f"{shown(low)} to {shown(high)}"
        raise Refused(Reason.TRIGGER_NOT_MET, f"the price {price} has not reached the trigger {shown(trigger)}")
