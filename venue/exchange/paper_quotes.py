"""What an order to the embedded exchange comes to, found without asking anybody to act: commands, quotes and room.

Pure. A quote runs the very decisions that create and execute the order, on the exchange as it is with the order's money
in escrow, so a quote and the fill that follows it cannot differ.
"""

from dataclasses import replace
from enum import StrEnum
from math import isqrt

from venue.exchange.commands import Refused
from venue.exchange.facts import PositionIncreased, PositionOpened, PositionReduced
from venue.exchange.fixed import MICRO, WAD, down, up
from venue.exchange.reasons import Reason
from venue.exchange.requests import on_curve
from venue.exchange.requests.checks import feature
from venue.exchange.requests.commands import CreateOrder
from venue.exchange.requests.create import create_order
from venue.exchange.requests.facts import OrderCreated
from venue.exchange.requests.failure import in_our_words
from venue.exchange.requests.request import ORDER_VAULT, OrderRequest, OrderType
from venue.exchange.requests.work import least_fee
from venue.exchange.state import Exchange, Market
from venue.perp import WHOLE, CloseOrder, MarketTerms, OpenOrder, Order, PositionRef, Quote, ReduceOrder, Usdc


class PaperCode(StrEnum):
    """Why an order never reaches the exchange."""

    BELOW_MIN_NOTIONAL = "BELOW_MIN_NOTIONAL"
    BAD_SHARE = "BAD_SHARE"
    NEVER_SENT = "NEVER_SENT"


def command_of(exchange: Exchange, order: Order, prefix: str, min_notional: Usdc, now_ms: int) -> CreateOrder:
    """The request that carries the order out, for the account under `prefix`; its execution fee comes from outside.

    Raises Refused where no request can: unknown market, too little notional, a share that is no part.
    """
    market = order.market if isinstance(order, OpenOrder) else order.ref.market
    if market not in exchange.markets:
        raise Refused(Reason.EMPTY_MARKET, f"no market {market!r}; there are {', '.join(exchange.markets) or 'none'}")
    kind = OrderType.MARKET_INCREASE if isinstance(order, OpenOrder) else OrderType.MARKET_DECREASE
    fee = least_fee(exchange.requests.rules.work, kind, 0)
    common = CreateOrder(
        account=prefix + order.account,
        receiver=prefix + order.account,
        execution_fee=fee,
        native_sent=fee,
        client_id=order.order_id,
        from_outside=True,
        now_ms=now_ms,
        type=kind,
        market=market,
        is_long=order.is_long if isinstance(order, OpenOrder) else order.ref.is_long,
        collateral_token="",
        collateral=0,
        size=0,
        withdraw_unit=0 if isinstance(order, OpenOrder) else MICRO,
    )
    match order:
        case OpenOrder():
            return _spending(common, order, min_notional)
        case ReduceOrder():
            size = _part(exchange, order)
        case CloseOrder():
            size = _entry_notional(exchange, order.ref)
    return replace(common, size=size, acceptable_price=order.worst_price, position_id=order.ref.trade_index)


def _spending(common: CreateOrder, order: OpenOrder, min_notional: Usdc) -> CreateOrder:
    notional = order.collateral * order.leverage
    if notional < min_notional * WAD:
        raise Refused(PaperCode.BELOW_MIN_NOTIONAL, "collateral x leverage is below the venue's minimum")
    return replace(
        common,
        collateral=order.collateral * MICRO,
        size=down(notional * MICRO, WAD),
        position_id=order.increase.trade_index if order.increase else 0,
    )


def _entry_notional(exchange: Exchange, ref: PositionRef) -> int:
    """The whole of a position. One that is gone gets 1: a size is needed for the exchange to say that it is gone."""
    position = exchange.open_positions.get(ref.trade_index)
    return position.entry_notional if position else 1


def _part(exchange: Exchange, order: ReduceOrder) -> int:
    """The size nearest to the order's share of the position as it stands, never 0 and never all of it."""
    if not 0 < order.share < WHOLE:
        raise Refused(PaperCode.BAD_SHARE, f"share {order.share}; expected above 0 and below {WHOLE}")
    whole = _entry_notional(exchange, order.ref)
    if whole == 1 and order.ref.trade_index in exchange.open_positions:
        raise Refused(PaperCode.BAD_SHARE, "the position is too small to be divided")
    nearest = down(2 * whole * order.share + WHOLE, 2 * WHOLE)
    return max(1, min(nearest, whole - 1))


def quote_of(exchange: Exchange, command: CreateOrder) -> Quote:
    """What the command's order would fill at in this state. Raises Refused with the code the order would end with."""
    created = create_order(exchange, command)[-1]
    assert isinstance(created, OrderCreated)  # noqa: S101 - what a create ends with
    request = created.request
    if feature(request) in exchange.requests.disabled:
        raise Refused(Reason.DISABLED_FEATURE, f"{feature(request)} is switched off")
    try:
        facts = on_curve.execute(_with_escrow(exchange, request), request).facts
    except Refused as refused:
        word = in_our_words(refused.rejection)
        raise Refused(word.code, word.detail) from refused
    mark = exchange.markets[request.market].mark
    for fact in facts:
        match fact:
            case PositionOpened() | PositionIncreased():
                price = down(fact.notional * WAD, fact.size)
                return Quote(price, mark, down(fact.notional, MICRO), up(fact.fee, MICRO))
            case PositionReduced():
                price = down(fact.close_notional * WAD, fact.size)
                return Quote(price, mark, down(fact.close_notional, MICRO), 0, down(fact.payout, MICRO))
            case _:
                continue
    raise AssertionError("an executed order leaves one of these facts")


def _with_escrow(exchange: Exchange, request: OrderRequest) -> Exchange:
    """The same exchange, with the order's money where its creation puts it; nothing that decisions touch is shared."""
    held = dict(exchange.ledger.balances)
    held[ORDER_VAULT] = held.get(ORDER_VAULT, 0) + request.collateral
    return replace(exchange, ledger=replace(exchange.ledger, balances=held))


def terms_of(exchange: Exchange, market: Market, min_notional: Usdc) -> MarketTerms:
    """What the market allows now. It only lets go while creating or executing increases is switched off."""
    increase = OrderType.MARKET_INCREASE
    return MarketTerms(
        symbol=market.symbol,
        max_leverage=down(market.params.max_leverage.numerator * WAD, market.params.max_leverage.denominator),
        min_notional=min_notional,
        max_notional_long=_at_least(min_notional, down(_room_long(market), MICRO)),
        max_notional_short=_at_least(min_notional, down(_room_short(market), MICRO)),
        opens=exchange.requests.disabled.isdisjoint((f"create:{increase}", f"execute:{increase}")),
    )


def _at_least(least: Usdc, room: Usdc) -> Usdc:
    return room if room >= least else 0


def _room_long(market: Market) -> int:
    """The largest notional (1e-18) such that every long up to it passes the curve's checks; below 1, none does.

    With reserves b and q a long of n leaves q + n quote and takes b n / (q + n) base, rounded down.
    """
    params = market.params
    base, quote = market.base_reserve, market.quote_reserve
    least = params.min_reserve
    if quote * least.denominator < least.numerator * params.initial_quote:
        return 0  # only a long that is large enough would be taken
    must_stay = max(1, up(least.numerator * params.initial_base, least.denominator))
    spare = min(base, params.initial_base - market.long_base) - must_stay
    if spare <= 0:
        return 0
    room = down(spare * quote, base - spare)
    if params.max_open_move is None:
        return room
    rate = 1 + params.max_open_move  # (q + n)^2 <= rate q^2; a base rounded down moves mark less
    return min(room, isqrt(down(rate.numerator * quote * quote, rate.denominator)) - quote)


def _room_short(market: Market) -> int:
    """The largest notional (1e-18) such that every short up to it passes the curve's checks; below 1, none does.

    With reserves b and q a short of n leaves q - n quote and adds b n / (q - n) base, rounded up.
    """
    params = market.params
    base, quote = market.base_reserve, market.quote_reserve
    least = params.min_reserve
    room = quote - max(1, up(least.numerator * params.initial_quote, least.denominator))
    if params.max_open_move is None or params.max_open_move >= 1:
        return room
    rate = 1 - params.max_open_move  # (q - n)^2 >= rate q^2, but for a base rounded up, which moves mark more:
    root = isqrt(up(rate.numerator * quote * quote, rate.denominator)) + 1
    rounding = up(rate.numerator * quote, rate.denominator * base)  # q - n this much higher outweighs one unit of base
    return min(room, quote - root - rounding)
