"""Decisions of the vAMM clearinghouse (seed vamm-clearinghouse): open, increase, close, liquidate.

Pure: each function looks at the state, changes nothing, and returns facts or raises Refused.
"""

from fractions import Fraction
from typing import NamedTuple

from venue.exchange import curve
from venue.exchange.commands import (
    ClosePosition,
    Code,
    IncreasePosition,
    LiquidatePosition,
    OpenPosition,
    Refused,
)
from venue.exchange.facts import (
    Deposited,
    Fact,
    PositionIncreased,
    PositionLiquidated,
    PositionOpened,
    PositionReduced,
    Withdrawn,
)
from venue.exchange.fixed import WAD, down, up
from venue.exchange.health import Exit, exit_part, health
from venue.exchange.ledger import EXTERNAL, INSURANCE, PROTOCOL_FEES, TRADE_FUND, moves, wallet
from venue.exchange.state import Exchange, Market, Position, PositionStatus


class _Entry(NamedTuple):
    margin: int
    notional: int
    fee: int
    size: int
    base_reserve: int
    quote_reserve: int
    """Reserves afterwards."""


def fee_rate(market: Market) -> tuple[int, int]:
    """The open fee as an exact fraction (numerator, denominator): base x (1 + |imbalance| x skew), before the trade."""
    fee, skew = market.params.open_fee, market.params.skew_multiplier
    numerator = fee.numerator * (WAD * skew.denominator + abs(market.imbalance) * skew.numerator)
    return numerator, fee.denominator * WAD * skew.denominator


def _solve(market: Market, total: int, leverage: Fraction) -> tuple[int, int, int]:
    """Mode 3: (margin, notional, fee) such that margin + fee is exactly `total`."""
    numerator, denominator = fee_rate(market)
    unit = denominator * leverage.denominator
    margin = down(total * unit, unit + leverage.numerator * numerator)
    return margin, down(margin * leverage.numerator, leverage.denominator), total - margin


def _fill(market: Market, is_long: bool, notional: int) -> tuple[int, int, int]:
    """(size, base reserve, quote reserve) of opening `notional`, or Refused when the curve may not go there."""
    params = market.params
    base, quote = market.base_reserve, market.quote_reserve
    if not is_long and notional >= quote:
        raise Refused(Code.POOL_EXHAUSTED, "notional exceeds the quote reserve")
    size = curve.base_out(base, quote, notional) if is_long else curve.base_in(base, quote, notional)
    new_base, new_quote = curve.trade(base, quote, is_long, size, notional)
    least = params.min_reserve
    if new_quote * least.denominator < least.numerator * params.initial_quote:
        raise Refused(Code.POOL_EXHAUSTED, "too little quote would be left")
    if is_long:
        left = min(new_base, params.initial_base - market.long_base - size)
        if left <= 0 or left * least.denominator < least.numerator * params.initial_base:
            raise Refused(Code.POOL_EXHAUSTED, "too little base would be left once every short has closed")
    if params.max_open_move is not None:
        moved = abs(new_quote * base - quote * new_base)
        if moved * params.max_open_move.denominator > params.max_open_move.numerator * quote * new_base:
            raise Refused(Code.PRICE_MOVE_LIMIT, "one open may not move mark that far")
    return size, new_base, new_quote


def _check_order(exchange: Exchange, order_id: str) -> None:
    if order_id and order_id in exchange.fills:
        raise Refused(Code.DUPLICATE_ORDER, f"order {order_id} has already taken effect")


def _check_price(is_buy: bool, price: int, worst: int | None) -> None:
    if worst is not None and (price > worst if is_buy else price < worst):
        raise Refused(Code.WORSE_THAN_ACCEPTABLE, "the average price is worse than the order accepts")


def _check_spend(exchange: Exchange, market: Market, order: OpenPosition | IncreasePosition) -> None:
    if order.total <= 0 or order.deposit < 0:
        raise Refused(Code.BAD_AMOUNT, "total must be above zero")
    if not market.params.min_leverage <= order.leverage <= market.params.max_leverage:
        raise Refused(Code.BAD_LEVERAGE, "leverage is outside the market's limits")
    if exchange.ledger[order.payer or wallet(order.user)] + order.deposit < order.total:
        raise Refused(Code.INSUFFICIENT_WALLET, "the wallet holds less than the total")


def _deposit_facts(user: str, amount: int) -> tuple[Fact, ...]:
    return (Deposited(user, moves((EXTERNAL, wallet(user), amount))),) if amount else ()


def _spend_moves(
    market: Market, order: OpenPosition | IncreasePosition, entry: _Entry
) -> tuple[tuple[str, str, int], ...]:
    payer = order.payer or wallet(order.user)
    share = market.params.fee_to_insurance
    protocol = down(entry.fee * (share.denominator - share.numerator), share.denominator)
    return (
        (payer, TRADE_FUND, entry.margin),
        (payer, INSURANCE, entry.fee - protocol),
        (payer, PROTOCOL_FEES, protocol),
    )


def _enter(exchange: Exchange, market: Market, is_long: bool, order: OpenPosition | IncreasePosition) -> _Entry:
    """What spending the order's total on this side comes to, once every check has passed, in their documented order."""
    _check_spend(exchange, market, order)
    margin, notional, fee = _solve(market, order.total, order.leverage)
    size, base, quote = _fill(market, is_long, notional)
    if size <= 0 or margin <= 0:
        raise Refused(Code.BAD_AMOUNT, "the amount is too small to open anything")
    _check_price(is_long, down(notional * WAD, size), order.worst_price)
    return _Entry(margin, notional, fee, size, base, quote)


def open_position(exchange: Exchange, order: OpenPosition) -> tuple[Fact, ...]:
    """Mode 3 open: the wallet pays `total`, margin and fee are solved from the leverage."""
    market = find_market(exchange, order.market)
    _check_order(exchange, order.order_id)
    entry = _enter(exchange, market, order.is_long, order)
    opened = PositionOpened(
        position_id=exchange.next_position_id,
        owner=order.user,
        market=market.symbol,
        is_long=order.is_long,
        size=entry.size,
        notional=entry.notional,
        margin=entry.margin,
        fee=entry.fee,
        block=exchange.current_block,
        base_reserve=entry.base_reserve,
        quote_reserve=entry.quote_reserve,
        order_id=order.order_id,
        moves=moves(*_spend_moves(market, order, entry)),
    )
    return (*_deposit_facts(order.user, order.deposit), opened)


def increase_position(exchange: Exchange, order: IncreasePosition) -> tuple[Fact, ...]:
    """Adds to a position: notionals and margins add, the carry snapshot becomes the size-weighted one."""
    position = find_open(exchange, order.position_id)
    market = exchange.markets[position.market]
    _check_order(exchange, order.order_id)
    if position.user_id != order.user:
        raise Refused(Code.NOT_OWNER, "the position belongs to somebody else")
    entry = _enter(exchange, market, position.is_long, order)
    weighted = position.carry_snapshot * position.base_size + market.cumulative_carry_index * entry.size
    grid = market.params.index_scale // WAD
    sizes = (position.base_size + entry.size) * grid
    snapshot = (down(weighted, sizes) if position.is_long else up(weighted, sizes)) * grid
    increased = PositionIncreased(
        position_id=position.id,
        size=entry.size,
        notional=entry.notional,
        margin=entry.margin,
        fee=entry.fee,
        carry_snapshot=snapshot,
        base_reserve=entry.base_reserve,
        quote_reserve=entry.quote_reserve,
        order_id=order.order_id,
        moves=moves(*_spend_moves(market, order, entry)),
    )
    if health(*_after_increase(market, position, increased)).liquidatable:
        raise Refused(Code.WOULD_BE_LIQUIDATABLE, "the position would be liquidatable afterwards")
    return (*_deposit_facts(order.user, order.deposit), increased)


def close_position(exchange: Exchange, order: ClosePosition) -> tuple[Fact, ...]:
    """Voluntary close of all or part: never realises bad debt, never leaves a liquidatable rest."""
    position = find_open(exchange, order.position_id)
    market = exchange.markets[position.market]
    _check_order(exchange, order.order_id)
    if position.user_id != order.user:
        raise Refused(Code.NOT_OWNER, "the position belongs to somebody else")
    if not 0 < order.part <= 1:
        raise Refused(Code.BAD_AMOUNT, "part must be above 0 and at most 1")
    leaving = exit_part(market, position, order.part)
    _check_price(not position.is_long, leaving.price, order.worst_price)
    if leaving.equity < 0:
        raise Refused(Code.UNDERWATER, "losses exceed the margin; only a liquidation may realise that")
    payout = leaving.equity
    from_fund = min(payout, exchange.ledger[TRADE_FUND])
    if payout - from_fund > exchange.ledger[INSURANCE]:
        raise Refused(Code.FUNDS_INSUFFICIENT, "trade fund and insurance cannot pay this out")
    if order.part < 1 and health(*_after_reduce(market, position, leaving)).liquidatable:
        raise Refused(Code.WOULD_BE_LIQUIDATABLE, "what is left would be liquidatable")
    owner = wallet(position.user_id)
    reduced = PositionReduced(
        position_id=position.id,
        closed=order.part == 1,
        size=leaving.size,
        margin=leaving.margin,
        entry_notional=leaving.entry_notional,
        close_notional=leaving.close_notional,
        pnl_trade=leaving.pnl_trade,
        pnl_carry=leaving.pnl_carry,
        payout=payout,
        base_reserve=leaving.base_reserve,
        quote_reserve=leaving.quote_reserve,
        order_id=order.order_id,
        moves=moves((TRADE_FUND, owner, from_fund), (INSURANCE, owner, payout - from_fund)),
    )
    out = payout - payout % order.withdraw_unit if order.withdraw_unit else 0
    return (reduced, Withdrawn(position.user_id, moves((owner, EXTERNAL, out)))) if out else (reduced,)


def liquidate_position(exchange: Exchange, order: LiquidatePosition) -> tuple[Fact, ...]:
    """Closes a position whose loss exceeds what its margin allows; bad debt is met by insurance, then stays open."""
    position = find_open(exchange, order.position_id)
    market = exchange.markets[position.market]
    if position.open_block == exchange.current_block:
        raise Refused(Code.SAME_BLOCK, "a position cannot be liquidated in the block that opened it")
    state = health(market, position)
    if not state.liquidatable:
        raise Refused(Code.NOT_LIQUIDATABLE, "the loss is within what the margin allows")
    leaving = state.exit
    fee = liquidation_fee(market, leaving.close_notional)
    owner = max(0, leaving.equity - fee)
    shortfall = max(0, fee - leaving.equity)
    insurance, fund = exchange.ledger[INSURANCE], exchange.ledger[TRADE_FUND]
    covered = min(insurance, shortfall)
    due = owner + fee
    topped_up = min(insurance - covered, max(0, due - fund - covered))
    keeper = min(due, fund + covered + topped_up) - owner
    if keeper < 0:
        raise Refused(Code.FUNDS_INSUFFICIENT, "trade fund and insurance cannot pay the owner")
    return (
        PositionLiquidated(
            position_id=position.id,
            liquidator=order.liquidator,
            equity=leaving.equity,
            close_notional=leaving.close_notional,
            pnl_trade=leaving.pnl_trade,
            pnl_carry=leaving.pnl_carry,
            owner_payout=owner,
            liquidator_fee=keeper,
            from_insurance=covered + topped_up,
            uncovered=shortfall - covered,
            base_reserve=leaving.base_reserve,
            quote_reserve=leaving.quote_reserve,
            moves=moves(
                (INSURANCE, TRADE_FUND, covered + topped_up),
                (TRADE_FUND, wallet(position.user_id), owner),
                (TRADE_FUND, wallet(order.liquidator), keeper),
            ),
        ),
    )


def liquidation_fee(market: Market, close_notional: int) -> int:
    """What a liquidator earns: a share of the notional closed, rounded down."""
    ratio = market.params.liquidation_fee
    return down(close_notional * ratio.numerator, ratio.denominator)


def find_market(exchange: Exchange, symbol: str) -> Market:
    """The market, or Refused(UNKNOWN_MARKET)."""
    market = exchange.markets.get(symbol)
    if market is None:
        raise Refused(Code.UNKNOWN_MARKET, f"no market {symbol!r}; there are {', '.join(exchange.markets) or 'none'}")
    return market


def find_open(exchange: Exchange, position_id: int) -> Position:
    """The open position, or Refused: UNKNOWN_POSITION for an id never given out, NOT_OPEN for one that has ended."""
    position = exchange.open_positions.get(position_id)
    if position is not None:
        return position
    if position_id not in exchange.positions:
        raise Refused(Code.UNKNOWN_POSITION, f"no position {position_id}")
    raise Refused(Code.NOT_OPEN, f"position {position_id} has ended")


def _after_increase(market: Market, position: Position, fact: PositionIncreased) -> tuple[Market, Position]:
    return _moved(market, fact.base_reserve, fact.quote_reserve), Position(
        position.id,
        position.user_id,
        position.market,
        position.is_long,
        position.base_size + fact.size,
        position.entry_notional + fact.notional,
        position.margin + fact.margin,
        fact.carry_snapshot,
        position.open_block,
    )


def _after_reduce(market: Market, position: Position, leaving: Exit) -> tuple[Market, Position]:
    return _moved(market, leaving.base_reserve, leaving.quote_reserve), Position(
        position.id,
        position.user_id,
        position.market,
        position.is_long,
        position.base_size - leaving.size,
        position.entry_notional - leaving.entry_notional,
        position.margin - leaving.margin,
        position.carry_snapshot,
        position.open_block,
        PositionStatus.OPEN,
    )


def _moved(market: Market, base: int, quote: int) -> Market:
    return Market(market.symbol, market.params, base, quote, cumulative_carry_index=market.cumulative_carry_index)
