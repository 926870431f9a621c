"""How each fact changes the desks."""

from collections.abc import Callable
from typing import Any

from engine.desks import facts
from engine.desks.facts import OrderKind
from engine.desks.state import IN_FLIGHT_PHASE, Desk, House, Word, pending
from engine.snapshot import DeskPhase, Outcome
from engine.text import money
from venue.exchange.fixed import WAD
from venue.perp import PositionRef


def _side(is_long: bool) -> str:
    return "long" if is_long else "short"


def _say(desk: Desk, seq: int, at_ms: int, source: str, outcome: Outcome, text: str) -> None:
    desk.word = Word(at_ms, seq, source, outcome, text)


def _on_simulation(house: House, fact: facts.SimulationStarted, seq: int, at_ms: int) -> None:
    house.simulation = fact


def _on_enrolled(house: House, fact: facts.TokenEnrolled, seq: int, at_ms: int) -> None:
    house.desks[fact.address] = Desk(fact.address, fact.name, version=seq)


def _on_fees(house: House, fact: facts.FeesArrived, seq: int, at_ms: int) -> None:
    house.fee_refs[fact.address] = fact.ref
    house.desks[fact.address].fees_total += fact.amount


def _on_decided(house: House, fact: facts.Decided, seq: int, at_ms: int) -> None:
    house.decisions += 1
    desk = house.desks[fact.address]
    _say(desk, seq, at_ms, fact.source, Outcome.OPEN if fact.opens else Outcome.NONE, fact.reason)


def _on_intended(house: House, fact: facts.OrderIntended, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.order = fact
    desk.phase = IN_FLIGHT_PHASE[fact.kind]
    desk.version = seq


def _on_filled(house: House, fact: facts.OrderFilled, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    order, desk.order = desk.order, None
    desk.version = seq
    what = f"{_side(fact.is_long)} {fact.market}"
    if fact.kind is OrderKind.CLOSE:
        desk.phase, desk.ref, desk.leverage = DeskPhase.CLOSED, None, 0
        house.closed += 1
        text = f"{what} closed at {money(fact.price, WAD)}, {money(fact.payout)} USDC back"
        _say(desk, seq, at_ms, order.who if order else "", Outcome.CLOSE, text)
        return
    desk.phase = DeskPhase.OPEN
    desk.ref = PositionRef(fact.market, fact.is_long, fact.pair_index, fact.trade_index)
    desk.leverage = order.leverage if order else desk.leverage
    size = f"{money(fact.notional)} at {money(fact.price, WAD)}"
    if fact.kind is OrderKind.OPEN:
        house.opened += 1
        decided = desk.word if desk.word and desk.word.outcome is Outcome.OPEN else None
        reason = f"{decided.text.removeprefix(fact.market).strip()}; " if decided else ""
        source = decided.source if decided else "manager"
        _say(desk, seq, at_ms, source, Outcome.OPEN, f"{what} {desk.leverage // WAD}x {reason}{size}")
    else:
        _say(desk, seq, at_ms, "manager", Outcome.GROW, f"{what} by {size}")


def _on_declined(house: House, fact: facts.OrderDeclined, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.order, desk.version = None, seq
    desk.phase = DeskPhase.OPEN if desk.ref else DeskPhase.IDLE
    _say(desk, seq, at_ms, "venue", Outcome.REFUSED, f"{fact.kind} refused: {fact.code} {fact.detail}")


def _on_unsettled(house: House, fact: facts.OrderUnsettled, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.phase, desk.version = DeskPhase.UNKNOWN, seq
    text = "the venue's answer is not known yet; no further order until it is"
    _say(desk, seq, at_ms, "venue", Outcome.DEFER, text)


def _on_liquidated(house: House, fact: facts.DeskLiquidated, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    what = f"{_side(desk.ref.is_long)} {desk.ref.market}" if desk.ref else "position"
    desk.phase, desk.ref, desk.leverage, desk.version = DeskPhase.CLOSED, None, 0, seq
    house.liquidated += 1
    text = f"{what} liquidated, {money(fact.loss)} USDC lost, {money(fact.payout)} back"
    _say(desk, seq, at_ms, "venue", Outcome.LIQUIDATED, text)


def _on_halted(house: House, fact: facts.DeskHalted, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.halted_by, desk.halted_at_ms = fact.who, at_ms
    _say(desk, seq, at_ms, fact.who, Outcome.HALT, "no new risk; closing stays allowed")


def _on_resumed(house: House, fact: facts.DeskResumed, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.halted_by = desk.halted_at_ms = None
    held = money(house.ledger[pending(fact.address)])
    _say(desk, seq, at_ms, fact.who, Outcome.RESUME, f"managed again, {held} USDC pending")


FOLDS: dict[type, Callable[[House, Any, int, int], None]] = {
    facts.SimulationStarted: _on_simulation,
    facts.TokenEnrolled: _on_enrolled,
    facts.FeesArrived: _on_fees,
    facts.Decided: _on_decided,
    facts.OrderIntended: _on_intended,
    facts.OrderFilled: _on_filled,
    facts.OrderDeclined: _on_declined,
    facts.OrderUnsettled: _on_unsettled,
    facts.DeskLiquidated: _on_liquidated,
    facts.DeskHalted: _on_halted,
    facts.DeskResumed: _on_resumed,
}
