"""The desks as a pure machine: no clock, no I/O. One position and at most one unanswered order per desk."""

from collections.abc import Callable
from typing import Any

from engine.desks import commands, facts
from engine.desks.commands import Code, Command
from engine.desks.facts import Fact, OrderKind
from engine.desks.fold import FOLDS
from engine.desks.state import FEE_SHARES, Desk, House, deployed, in_flight, pending, realised
from engine.snapshot import DeskPhase
from venue.exchange.commands import Rejection
from venue.exchange.ledger import EXTERNAL, Move, moves
from venue.perp import Declined, Filled, Unsettled, Waiting

BPS = 10_000


class _Refused(Exception):
    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.rejection = Rejection(code, detail)


def decide(house: House, command: Command) -> tuple[Fact, ...] | Rejection:
    """The facts `command` leads to, in order (none: it asks for what is already so), or why it is refused."""
    try:
        return _DECISIONS[type(command)](house, command)
    except _Refused as refused:
        return refused.rejection


def evolve(house: House, fact: Fact, seq: int, at_ms: int) -> None:
    """Folds one fact into the state, in place; `seq` and `at_ms` are those of its journal entry."""
    FOLDS[type(fact)](house, fact, seq, at_ms)
    movements: tuple[Move, ...] = getattr(fact, "moves", ())
    if movements:
        house.ledger.apply(movements)


def _find(house: House, address: str) -> Desk:
    desk = house.desks.get(address)
    if desk is None:
        raise _Refused(Code.UNKNOWN_DESK, f"no desk {address}")
    return desk


def _start(house: House, command: commands.StartSimulation) -> tuple[Fact, ...]:
    return () if house.simulation else (facts.SimulationStarted(command.seed, command.origin_ms),)


def _enroll(house: House, command: commands.EnrollToken) -> tuple[Fact, ...]:
    if command.address in house.desks:
        raise _Refused(Code.ALREADY_ENROLLED, f"{command.address} is already enrolled")
    return (facts.TokenEnrolled(command.address, command.name),)


def _book_fees(house: House, command: commands.BookFees) -> tuple[Fact, ...]:
    desk = _find(house, command.address)
    if command.amount <= 0:
        raise _Refused(Code.BAD_AMOUNT, "fees must be above zero")
    if command.ref <= house.fee_refs.get(desk.address, ""):
        raise _Refused(Code.ALREADY_BOOKED, f"fees {command.ref} are already booked")
    legs = []
    left = command.amount
    for name, share in reversed(FEE_SHARES[1:]):
        part = command.amount * share // BPS
        left -= part
        legs.append((EXTERNAL, name if name == "diem" else f"{name}:{desk.address}", part))
    legs.append((EXTERNAL, FEE_SHARES[0][0], left))
    return (facts.FeesArrived(desk.address, command.ref, command.amount, moves(*legs)),)


def _record_decision(house: House, command: commands.RecordDecision) -> tuple[Fact, ...]:
    _find(house, command.address)
    return (
        facts.Decided(
            command.address,
            command.source,
            command.opens,
            command.market,
            command.is_long,
            command.leverage,
            command.reason,
        ),
    )


def _intend_open(house: House, command: commands.IntendOpen) -> tuple[Fact, ...]:
    desk = _find(house, command.address)
    if desk.halted:
        raise _Refused(Code.HALTED, f"{desk.name} is halted by {desk.halted_by}")
    if desk.order is not None:
        raise _Refused(Code.ORDER_PENDING, f"{desk.name} has an order without an answer")
    if desk.ref is not None and (desk.ref.market, desk.ref.is_long) != (command.market, command.is_long):
        raise _Refused(Code.HAS_POSITION, f"{desk.name} already has a position elsewhere")
    if command.collateral <= 0:
        raise _Refused(Code.BAD_AMOUNT, "collateral must be above zero")
    if house.ledger[pending(desk.address)] < command.collateral:
        raise _Refused(Code.INSUFFICIENT_PENDING, f"{desk.name} has less than that pending")
    return (
        facts.OrderIntended(
            address=desk.address,
            order_id=command.order_id,
            kind=OrderKind.GROW if desk.ref else OrderKind.OPEN,
            market=command.market,
            is_long=command.is_long,
            leverage=command.leverage,
            collateral=command.collateral,
            worst_price=None,
            who="manager",
            moves=moves((pending(desk.address), in_flight(desk.address), command.collateral)),
        ),
    )


def _intend_close(house: House, command: commands.IntendClose) -> tuple[Fact, ...]:
    desk = _find(house, command.address)
    if desk.order is not None:
        raise _Refused(Code.ORDER_PENDING, f"{desk.name} has an order without an answer")
    if desk.ref is None:
        raise _Refused(Code.NO_POSITION, f"{desk.name} has no position to close")
    if desk.version > command.seen_seq:
        raise _Refused(Code.CHANGED, f"{desk.name} has changed since you saw it; look again")
    return (
        facts.OrderIntended(
            address=desk.address,
            order_id=command.order_id,
            kind=OrderKind.CLOSE,
            market=desk.ref.market,
            is_long=desk.ref.is_long,
            leverage=desk.leverage,
            collateral=0,
            worst_price=command.worst_price,
            who=command.who,
            moves=(),
        ),
    )


def _record_outcome(house: House, command: commands.RecordOutcome) -> tuple[Fact, ...]:
    desk = _find(house, command.address)
    outcome = command.outcome
    order = desk.order
    if order is None or order.order_id != outcome.order_id:
        raise _Refused(Code.UNKNOWN_ORDER, f"{desk.name} does not wait for order {outcome.order_id}")
    match outcome:
        case Waiting():
            return ()
        case Unsettled():
            known = desk.phase is DeskPhase.UNKNOWN
            return () if known else (facts.OrderUnsettled(desk.address, order.order_id, order.kind),)
        case Declined():
            back = moves((in_flight(desk.address), pending(desk.address), order.collateral))
            return (facts.OrderDeclined(desk.address, order.order_id, order.kind, outcome.code, outcome.detail, back),)
        case Filled():
            if order.kind is OrderKind.CLOSE:
                legs = _back_from_venue(house, desk.address, outcome.payout)
            else:
                legs = moves((in_flight(desk.address), deployed(desk.address), order.collateral))
            return (
                facts.OrderFilled(
                    address=desk.address,
                    order_id=order.order_id,
                    kind=order.kind,
                    market=outcome.ref.market,
                    is_long=outcome.ref.is_long,
                    pair_index=outcome.ref.pair_index,
                    trade_index=outcome.ref.trade_index,
                    price=outcome.price,
                    notional=outcome.notional,
                    fee=outcome.fee,
                    payout=outcome.payout,
                    moves=legs,
                ),
            )


def _record_end(house: House, command: commands.RecordEnd) -> tuple[Fact, ...]:
    desk = _find(house, command.address)
    if desk.ref != command.ended.ref:
        raise _Refused(Code.NO_POSITION, f"{desk.name} does not have that position")
    legs = _back_from_venue(house, desk.address, command.ended.payout)
    loss = house.ledger[deployed(desk.address)] - command.ended.payout
    ended = facts.DeskLiquidated(desk.address, command.ended.payout, loss, legs)
    if desk.order is None:
        return (ended,)
    order = desk.order
    back = moves((in_flight(desk.address), pending(desk.address), order.collateral))
    gone = facts.OrderDeclined(
        desk.address, order.order_id, order.kind, "POSITION_GONE", "the position was liquidated first", back
    )
    return (gone, ended)


def _back_from_venue(house: House, address: str, payout: int) -> tuple[Move, ...]:
    """The cost leaves `deployed`; what differs from it was won from, or lost to, the outside."""
    cost = house.ledger[deployed(address)]
    kept = min(cost, payout)
    return moves(
        (deployed(address), realised(address), kept),
        (deployed(address), EXTERNAL, cost - kept),
        (EXTERNAL, realised(address), payout - kept),
    )


def _halt(house: House, command: commands.Halt) -> tuple[Fact, ...]:
    desks = [_find(house, command.address)] if command.address else list(house.desks.values())
    return tuple(facts.DeskHalted(desk.address, command.who, command.command_id) for desk in desks if not desk.halted)


def _resume(house: House, command: commands.Resume) -> tuple[Fact, ...]:
    desk = _find(house, command.address)
    return (facts.DeskResumed(desk.address, command.who, command.command_id),) if desk.halted else ()


_DECISIONS: dict[type, Callable[[House, Any], tuple[Fact, ...]]] = {
    commands.StartSimulation: _start,
    commands.EnrollToken: _enroll,
    commands.BookFees: _book_fees,
    commands.RecordDecision: _record_decision,
    commands.IntendOpen: _intend_open,
    commands.IntendClose: _intend_close,
    commands.RecordOutcome: _record_outcome,
    commands.RecordEnd: _record_end,
    commands.Halt: _halt,
    commands.Resume: _resume,
}
