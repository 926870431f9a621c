"""Answers read from an exchange, or from the facts a command led to."""

from fractions import Fraction

from engine.clearing.answers import Answer, Closed, Liquidated, MarketState, Opened, PnlBreakdown, PositionHealth
from venue.exchange.clearinghouse import fee_rate
from venue.exchange.facts import PositionLiquidated, PositionOpened, PositionReduced
from venue.exchange.fixed import WAD, down
from venue.exchange.health import health
from venue.exchange.machine import Fact
from venue.exchange.state import Exchange, Market, Position


def market_state(exchange: Exchange, market: Market) -> MarketState:
    """The market of an exchange, as an answer."""
    return MarketState(
        market=market.symbol,
        current_block=exchange.current_block,
        base_reserve=market.base_reserve,
        quote_reserve=market.quote_reserve,
        mark_price=market.mark,
        long_open_interest=market.long_open_interest,
        short_open_interest=market.short_open_interest,
        cumulative_carry_index=Fraction(market.cumulative_carry_index, market.params.index_scale),
        last_funding_block=market.last_funding_block,
        effective_fee_rate=Fraction(*fee_rate(market)),
    )


def position_health(market: Market, position: Position) -> PositionHealth:
    """The health of an open position, as an answer."""
    found = health(market, position)
    return PositionHealth(
        position_id=position.id,
        user_id=position.user_id,
        equity=found.exit.equity,
        leverage=found.leverage,
        buffer_ratio=found.buffer,
        pnl_breakdown=PnlBreakdown(found.exit.pnl_trade, found.exit.pnl_carry),
        close_notional=found.exit.close_notional,
        current_loss=found.loss,
        allowed_loss=found.allowed_loss,
        is_liquidatable=found.liquidatable,
    )


def told(facts: tuple[Fact, ...]) -> Answer | None:
    """The answer that a command's facts hold, if they hold one."""
    for fact in facts:
        match fact:
            case PositionOpened():
                price = down(fact.notional * WAD, fact.size)
                return Opened(fact.position_id, fact.size, fact.margin, fact.notional, fact.fee, price)
            case PositionReduced():
                pnl = PnlBreakdown(fact.pnl_trade, fact.pnl_carry)
                return Closed(fact.position_id, fact.payout, pnl, down(fact.close_notional * WAD, fact.size))
            case PositionLiquidated():
                return Liquidated(
                    fact.position_id,
                    fact.equity,
                    fact.liquidator_fee,
                    fact.owner_payout,
                    fact.from_insurance,
                    fact.uncovered,
                )
    return None
