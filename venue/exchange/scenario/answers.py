"""What scenarios answer: facts, market and positions as strings of 18 decimals, truncated toward zero."""

from typing import Any

from venue.exchange.clearinghouse import fee_rate, liquidation_fee
from venue.exchange.facts import PositionIncreased, PositionLiquidated, PositionOpened, PositionReduced
from venue.exchange.fixed import WAD, down, to_text
from venue.exchange.health import health
from venue.exchange.machine import Fact
from venue.exchange.state import Exchange, Market, Position, PositionStatus

Json = dict[str, Any]


def shown(market: Market, fact: Fact) -> Json:
    match fact:
        case PositionOpened() | PositionIncreased():
            told: Json = {
                "margin": to_text(fact.margin),
                "notional": to_text(fact.notional),
                "fee": to_text(fact.fee),
                "baseSize": to_text(fact.size),
            }
            if isinstance(fact, PositionOpened):
                told |= {"positionId": fact.position_id, "entryPrice": to_text(fact.notional, fact.size)}
            return told
        case PositionReduced():
            return {
                "payout": to_text(fact.payout),
                "pnlTrade": to_text(fact.pnl_trade),
                "carryPnl": to_text(fact.pnl_carry),
                "closeNotional": to_text(fact.close_notional),
                "avgClosePrice": to_text(fact.close_notional, fact.size),
            }
        case PositionLiquidated():
            return {
                "equity": to_text(fact.equity),
                "liqFee": to_text(liquidation_fee(market, fact.close_notional)),
                "liqFeePaid": to_text(fact.liquidator_fee),
                "userPayout": to_text(fact.owner_payout),
                "fromInsurance": to_text(fact.from_insurance),
                "uncovered": to_text(fact.uncovered),
                "closeNotional": to_text(fact.close_notional),
                "pnlTrade": to_text(fact.pnl_trade),
                "carryPnl": to_text(fact.pnl_carry),
            }
    return {}


def market_state(exchange: Exchange, market: Market) -> Json:
    return {
        "baseReserve": to_text(market.base_reserve),
        "quoteReserve": to_text(market.quote_reserve),
        "k": to_text(market.k, WAD * WAD),
        "markPrice": to_text(market.quote_reserve, market.base_reserve),
        "longOpenInterest": to_text(market.long_open_interest),
        "shortOpenInterest": to_text(market.short_open_interest),
        "cumulativeCarryIndex": to_text(market.cumulative_carry_index, market.params.index_scale),
        "currentBlock": exchange.current_block,
        "lastFundingBlock": market.last_funding_block,
        "feeRate": to_text(*fee_rate(market)),
    }


def position_state(market: Market, position: Position) -> Json:
    told: Json = {
        "id": position.id,
        "userId": position.user_id,
        "isLong": position.is_long,
        "baseSize": to_text(position.base_size),
        "entryPrice": to_text(position.entry_price),
        "entryNotional": to_text(position.entry_notional),
        "margin": to_text(position.margin),
        "carrySnapshot": to_text(position.carry_snapshot, market.params.index_scale),
        "openBlock": position.open_block,
        "status": position.status.value,
        "realizedPnl": to_text(position.realized_pnl),
    }
    if position.status is PositionStatus.OPEN:
        told["health"] = _health(market, position)
    return told


def _health(market: Market, position: Position) -> Json:
    found = health(market, position)
    buffer = found.buffer
    return {
        "equity": to_text(found.exit.equity),
        "pnlTrade": to_text(found.exit.pnl_trade),
        "carryPnl": to_text(found.exit.pnl_carry),
        "closeNotional": to_text(found.exit.close_notional),
        "notionalNow": to_text(down(position.base_size * market.quote_reserve, market.base_reserve)),
        "leverage": to_text(found.leverage),
        "bufferRatio": to_text(buffer.numerator, buffer.denominator),
        "currentLoss": to_text(found.loss),
        "allowedLoss": to_text(found.allowed_loss),
        "isLiquidatable": found.liquidatable,
    }
