"""When a position is taken profit from, reduced, closed, or warned about: pure rules over what the venue reports.

Profit that is unknown triggers nothing, and says nothing good either: the rules are silent about it.
"""

from dataclasses import dataclass

from engine.desks.facts import Rule
from engine.sections import Risk
from venue.exchange.fixed import PPM, WAD
from venue.perp import WHOLE, PerpPosition, UnknownPnl


@dataclass(frozen=True, slots=True)
class Limits:
    """Fractions of collateral, and shares of the position to leave, all in 1e-6."""

    take_profit: int
    take_profit_share: int
    drawdown: int
    drawdown_share: int
    circuit_breaker: int
    liquidation_warning: int

    @classmethod
    def of(cls, risk: Risk) -> "Limits":
        """The configured limits."""
        return cls(
            take_profit=int(risk.early_take_profit_pct * PPM),
            take_profit_share=int(risk.take_profit_reduce_pct * PPM),
            drawdown=int(risk.max_drawdown_pct * PPM),
            drawdown_share=int(risk.drawdown_reduce_pct * PPM),
            circuit_breaker=int(risk.circuit_breaker_pct * PPM),
            liquidation_warning=int(risk.liquidation_warning_pct * PPM),
        )


@dataclass(frozen=True, slots=True)
class History:
    """What the guards have done about the position already."""

    profits_taken: int
    drawn_down: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """Leave `share` of the position (WHOLE: close it, and halt the desk), because `measured` has passed `limit`."""

    rule: Rule
    measured: int
    limit: int
    share: int

    @property
    def does(self) -> str:
        """The act in words."""
        if self.share == WHOLE:
            return "closed, and the desk halted"
        return f"reduced by {self.share / PPM:.0%}"


def profit_share(position: PerpPosition) -> int | None:
    """Net profit over collateral in 1e-6, rounded down; None is unknown."""
    if isinstance(position.pnl, UnknownPnl) or position.collateral <= 0:
        return None
    return position.pnl.net * PPM // position.collateral


def take_profit(position: PerpPosition, limits: Limits, history: History) -> Verdict | None:
    """Part of the position each time profit reaches another multiple of the limit."""
    measured = profit_share(position)
    limit = limits.take_profit * (history.profits_taken + 1)
    if measured is None or not limit or measured < limit:
        return None
    return Verdict(Rule.TAKE_PROFIT, measured, limit, limits.take_profit_share)


def take_profit_price(position: PerpPosition, limit: int, history: History) -> int | None:
    """The mark (1e-18) at which profit is taken next, at the present size, carry and impact; `limit` in 1e-6 as in
    `Limits`. None where it is switched off or the profit is unknown."""
    if not limit or not position.mark or position.notional <= 0 or isinstance(position.pnl, UnknownPnl):
        return None
    missing = position.collateral * limit * (history.profits_taken + 1) // PPM - position.pnl.net
    move = position.mark * missing // position.notional
    return max(position.mark + (move if position.ref.is_long else -move), 0)


def cut_loss(position: PerpPosition, limits: Limits, history: History) -> Verdict | None:
    """The circuit breaker closes; the drawdown limit reduces, once per position."""
    measured = profit_share(position)
    if measured is None:
        return None
    if limits.circuit_breaker and -measured >= limits.circuit_breaker:
        return Verdict(Rule.CIRCUIT_BREAKER, measured, -limits.circuit_breaker, WHOLE)
    if limits.drawdown and -measured >= limits.drawdown and not history.drawn_down:
        return Verdict(Rule.DRAWDOWN, measured, -limits.drawdown, limits.drawdown_share)
    return None


def left_to_lose(position: PerpPosition) -> int | None:
    """Share of collateral (1e-6) that the move to liquidation would still cost; None is unknown."""
    if isinstance(position.pnl, UnknownPnl) or position.liq_move is None:
        return None
    return max(0, round(position.liq_move * (position.leverage / WAD) * PPM))
