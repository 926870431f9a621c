"""Closing what may not stay open (order.execute.i). The position may be insolvent: costs nothing is left for are
dropped."""

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.ledger import wallet
from venue.exchange.pool.accrue import accrue
from venue.exchange.pool.decrease import Cut, DecreaseReport, settle
from venue.exchange.pool.position import LiquidationState, liquidation_state
from venue.exchange.pool.state import PoolPosition, PositionKey, collateral
from venue.exchange.pool.units import Prices
from venue.exchange.reasons import Reason


def is_liquidatable(draft: Draft, position: PoolPosition, prices: Prices) -> LiquidationState:
    """Whether a position may be liquidated at the draft's time, why, and the numbers; accrues on the draft.

    The trader's discount counts here too, as it did in the checks the position was opened with.
    """
    accrue(draft, draft.pool(position.market), prices)
    return liquidation_state(draft, position, prices, draft.exchange.requests.code_of(position.account))


def liquidate_position(draft: Draft, key: PositionKey, prices: Prices) -> DecreaseReport:
    """Closes the position on the draft, with the liquidation fee; what is left goes to its owner. Raises Refused."""
    position = draft.position(key)
    if position is None:
        raise Refused(Reason.EMPTY_POSITION, "there is no such position")
    pool = draft.pool(key.market)
    if not is_liquidatable(draft, position, prices).liquidatable:
        raise Refused(Reason.NOT_LIQUIDATABLE, "the collateral covers what the position may cost")
    cut = Cut(position.size, position.tokens, 0, liquidation=True)
    report = settle(draft, pool, position, cut, prices, draft.exchange.requests.code_of(key.account))
    bank, target = collateral(pool.symbol, key.is_long), wallet(key.account)
    draft.pay(report.output_token, bank, target, report.output_amount)
    draft.pay(report.secondary_token, bank, target, report.secondary_amount)
    return report
