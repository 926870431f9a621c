"""How each fact changes the desks."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.desks import facts
from engine.desks.accounts import deployed, pending
from engine.desks.facts import OrderKind, Rule
from engine.desks.fold_money import MONEY_FOLDS
from engine.desks.orders import DAY_MS, SENT, failed
from engine.desks.state import Desk, House, Word
from engine.snapshot import Outcome
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
    house.desks[fact.address] = Desk(fact.address, fact.name, fact.underlying, fact.is_long, fact.leverage, seq, at_ms)


def _on_pinned(house: House, fact: facts.DeskPinned, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.wallet = fact.wallet
    desk.ref = replace(desk.ref, wallet=fact.wallet) if desk.ref else None


def _on_fees(house: House, fact: facts.FeesArrived, seq: int, at_ms: int) -> None:
    house.fee_refs[fact.address] = fact.ref
    house.desks[fact.address].fees_total += fact.amount


def _on_asked(house: House, fact: facts.DecisionAsked, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.asked, desk.deciding = fact, True


def _on_decided(house: House, fact: facts.Decided, seq: int, at_ms: int) -> None:
    house.decisions += 1
    desk = house.desks[fact.address]
    desk.deciding, desk.decided, desk.decided_at_ms, desk.deferred = False, fact, at_ms, None
    _say(desk, seq, at_ms, fact.source, Outcome.OPEN if fact.opens else Outcome.NONE, fact.reason)


def _on_deferred(house: House, fact: facts.Deferred, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.deciding, desk.deferred = False, fact
    _say(desk, seq, at_ms, "manager", Outcome.DEFER, fact.reason)


def _on_intended(house: House, fact: facts.OrderIntended, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.order, desk.deciding, desk.deferred = fact, False, None
    desk.version, desk.ordered_at_ms = seq, at_ms
    if not fact.kind.adds_risk:
        return
    house.at_risk[fact.market] += fact.collateral
    day = fact.at_ms // DAY_MS
    if day != house.day:
        house.day, house.day_spent = day, 0
    house.day_spent += fact.collateral
    if fact.kind is OrderKind.OPEN:
        desk.opened_at_ms = fact.at_ms


def _on_filled(house: House, fact: facts.OrderFilled, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    order, desk.order, desk.unsettled = desk.order, None, False
    desk.version, desk.filled_at_ms, desk.failed = seq, at_ms, 0
    desk.trading_fees += fact.fee
    who = order.who if order else ""
    what = f"{_side(fact.is_long)} {fact.market}"
    size = f"{money(fact.notional)} at {money(fact.price, WAD)}"
    if fact.kind is OrderKind.REDUCE:
        _reduced(house, desk, fact, order)
        _say(desk, seq, at_ms, _by(order), Outcome.REDUCE, f"{what} by {size}, {money(fact.payout)} USDC back")
    elif fact.kind is OrderKind.CLOSE:
        desk.won += fact.payout - house.ledger[deployed(desk.address)]
        _gone(house, desk)
        house.closed += 1
        text = f"{what} closed at {money(fact.price, WAD)}, {money(fact.payout)} USDC back"
        _say(desk, seq, at_ms, who if not (order and order.rule) else _by(order), Outcome.CLOSE, text)
    else:
        _stands(desk, fact, order)
        house.opened += fact.kind is OrderKind.OPEN
        if fact.kind is OrderKind.OPEN:
            source, reason = _reason(desk)
            _say(desk, seq, at_ms, source, Outcome.OPEN, f"{what} {desk.leverage // WAD}x {reason}{size}")
        else:
            _say(desk, seq, at_ms, "manager", Outcome.GROW, f"{what} by {size}")


def _by(order: facts.OrderIntended | None) -> str:
    if order is None:
        return ""
    return order.rule.value if order.rule else order.who


def _reason(desk: Desk) -> tuple[str, str]:
    """Who decided on the position, and why."""
    if desk.decided is None or not desk.decided.opens:
        return "manager", ""
    return desk.decided.source, f"{desk.decided.reason.removeprefix(desk.decided.market).strip()}; "


def _stands(desk: Desk, fact: facts.OrderFilled, order: facts.OrderIntended | None) -> None:
    desk.ref = PositionRef(fact.market, fact.is_long, fact.pair_index, fact.trade_index, desk.wallet)
    desk.leverage = order.leverage if order else desk.leverage


def _reduced(house: House, desk: Desk, fact: facts.OrderFilled, order: facts.OrderIntended | None) -> None:
    house.reduced += 1
    cost = sum(move.amount for move in fact.moves if move.source == deployed(desk.address))
    desk.won += fact.payout - cost
    house.at_risk[fact.market] -= cost
    desk.profits_taken += order is not None and order.rule is Rule.TAKE_PROFIT
    desk.drawn_down |= order is not None and order.rule is Rule.DRAWDOWN


def _gone(house: House, desk: Desk) -> None:
    """The position is over, and with it all that was remembered about it."""
    if desk.ref is not None:
        house.at_risk[desk.ref.market] -= house.ledger[deployed(desk.address)]
    desk.ref, desk.leverage, desk.closed_before, desk.deferred = None, 0, True, None
    desk.profits_taken, desk.drawn_down, desk.warnings, desk.trading_fees = 0, False, frozenset(), 0


def _on_declined(house: House, fact: facts.OrderDeclined, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    order, desk.order, desk.unsettled, desk.version = desk.order, None, False, seq
    if order is not None and order.kind.adds_risk:
        house.at_risk[order.market] -= order.collateral
        if order.at_ms // DAY_MS == house.day:
            house.day_spent -= order.collateral
        if order.kind is OrderKind.OPEN and fact.code not in SENT:
            desk.opened_at_ms = 0
    desk.failed += failed(fact)
    _say(desk, seq, at_ms, "venue", Outcome.REFUSED, f"{fact.kind} refused: {fact.code} {fact.detail}")


def _on_unsettled(house: House, fact: facts.OrderUnsettled, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.unsettled, desk.version = True, seq
    text = "the venue's answer is not known yet; no further order until it is"
    _say(desk, seq, at_ms, "venue", Outcome.DEFER, text)


def _on_liquidated(house: House, fact: facts.DeskLiquidated, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    what = f"{_side(desk.ref.is_long)} {desk.ref.market}" if desk.ref else "position"
    desk.won -= fact.loss
    _gone(house, desk)
    desk.version = seq
    house.liquidated += 1
    text = f"{what} liquidated, {money(fact.loss)} USDC lost, {money(fact.payout)} back"
    _say(desk, seq, at_ms, "venue", Outcome.LIQUIDATED, text)


def _on_guard(house: House, fact: facts.GuardSpoke, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    if not fact.active:
        desk.warnings -= {fact.rule}
        return
    desk.warnings |= {fact.rule}
    numbers = f"{fact.measured / 1e6:.1%} against {fact.limit / 1e6:.1%}"
    _say(desk, seq, at_ms, "guard", Outcome.WARN, f"{fact.rule}: {numbers}; {fact.does}")


def _on_halted(house: House, fact: facts.DeskHalted, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.halted_by, desk.halted_at_ms, desk.halted_seq, desk.deciding = fact.who, at_ms, seq, False
    desk.halted_by_hand = bool(fact.command_id) or fact.who == facts.REGISTRY
    _say(desk, seq, at_ms, fact.who, Outcome.HALT, "no new risk; closing stays allowed")


def _on_resumed(house: House, fact: facts.DeskResumed, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.halted_by = desk.halted_at_ms = None
    desk.failed = 0
    held = money(house.ledger[pending(fact.address)])
    _say(desk, seq, at_ms, fact.who, Outcome.RESUME, f"managed again, {held} USDC pending")


def _on_quarantined(house: House, fact: facts.DeskQuarantined, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.quarantine, desk.deciding, desk.version = fact.why, False, seq
    desk.set_aside_by, desk.set_aside_seq = fact.who, seq
    _say(desk, seq, at_ms, fact.who, Outcome.QUARANTINE, fact.why)


def _on_released(house: House, fact: facts.DeskReleased, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.quarantine, desk.version = "", seq
    _say(desk, seq, at_ms, fact.who, Outcome.RESUME, "released from quarantine, managed again")


def _on_noted(house: House, fact: facts.DeskNoted, seq: int, at_ms: int) -> None:
    desk = house.desks[fact.address]
    desk.memo, desk.memo_by, desk.memo_at_ms, desk.memo_seq = fact.text, fact.who, at_ms, seq


FOLDS: dict[type, Callable[[House, Any, int, int], None]] = {
    facts.SimulationStarted: _on_simulation,
    facts.TokenEnrolled: _on_enrolled,
    facts.DeskPinned: _on_pinned,
    facts.FeesArrived: _on_fees,
    facts.DecisionAsked: _on_asked,
    facts.Decided: _on_decided,
    facts.Deferred: _on_deferred,
    facts.OrderIntended: _on_intended,
    facts.OrderFilled: _on_filled,
    facts.OrderDeclined: _on_declined,
    facts.OrderUnsettled: _on_unsettled,
    facts.DeskLiquidated: _on_liquidated,
    facts.GuardSpoke: _on_guard,
    facts.RunArmed: lambda house, fact, seq, at_ms: None,
    facts.DeskHalted: _on_halted,
    facts.DeskResumed: _on_resumed,
    facts.DeskQuarantined: _on_quarantined,
    facts.DeskReleased: _on_released,
    facts.DeskNoted: _on_noted,
    facts.AlarmAcknowledged: lambda house, fact, seq, at_ms: None,
    **MONEY_FOLDS,
}
