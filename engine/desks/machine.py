"""The desks as a pure machine: no clock, no I/O. One position and at most one unanswered order per desk."""

from collections.abc import Callable
from typing import Any

from engine.desks import commands, facts, money, orders
from engine.desks.commands import Code, Command
from engine.desks.facts import Fact
from engine.desks.fold import FOLDS
from engine.desks.refusal import Refused, find
from engine.desks.state import Desk, House
from venue.exchange.commands import Rejection
from venue.exchange.ledger import Move

NOTE_LENGTH = 120
"""Characters of the words on a desk."""


def decide(house: House, command: Command) -> tuple[Fact, ...] | Rejection:
    """The facts `command` leads to, in order (none: it asks for what is already so), or why it is refused."""
    try:
        return _DECISIONS[type(command)](house, command)
    except Refused as refused:
        return refused.rejection


def evolve(house: House, fact: Fact, seq: int, at_ms: int) -> None:
    """Folds one fact into the state, in place; `seq` and `at_ms` are those of its journal entry."""
    FOLDS[type(fact)](house, fact, seq, at_ms)
    movements: tuple[Move, ...] = getattr(fact, "moves", ())
    if movements:
        house.ledger.apply(movements)
    desk = house.desks.get(getattr(fact, "address", ""))
    if desk is not None:
        desk.touched = seq


def _start(house: House, command: commands.StartSimulation) -> tuple[Fact, ...]:
    return () if house.simulation else (facts.SimulationStarted(command.seed, command.origin_ms),)


def _enroll(house: House, command: commands.EnrollToken) -> tuple[Fact, ...]:
    if command.address in house.desks:
        raise Refused(Code.ALREADY_ENROLLED, f"{command.address} is already enrolled")
    said = (command.underlying, command.is_long, command.leverage)
    return (facts.TokenEnrolled(command.address, command.name, *said),)


def _pin(house: House, command: commands.PinDesk) -> tuple[Fact, ...]:
    desk = find(house, command.address)
    if desk.wallet == command.wallet:
        return ()
    if desk.wallet:
        raise Refused(Code.ALREADY_PINNED, f"{desk.called} has its money in {desk.wallet}, not in {command.wallet}")
    return (facts.DeskPinned(desk.address, command.wallet),)


def _enters(house: House, address: str) -> Desk:
    """A desk that an agent may be asked about. Raises Refused."""
    desk = find(house, address)
    if desk.quarantine:
        raise Refused(Code.QUARANTINED, f"{desk.called} is quarantined: {desk.quarantine}")
    if desk.ref is not None or desk.order is not None:
        raise Refused(Code.HAS_POSITION, f"{desk.called} has a position or an order; only empty desks are decided on")
    return desk


def _ask(house: House, command: commands.AskDecision) -> tuple[Fact, ...]:
    desk = _enters(house, command.address)
    if desk.halted:
        raise Refused(Code.HALTED, f"{desk.called} is halted by {desk.halted_by}")
    return (facts.DecisionAsked(command.address, command.sight),)


def _record_decision(house: House, command: commands.RecordDecision) -> tuple[Fact, ...]:
    desk = _enters(house, command.address)
    if not desk.deciding:
        raise Refused(Code.NOT_ASKED, f"{desk.called} was halted meanwhile, or was never asked")
    return (
        facts.Decided(
            command.address,
            command.source,
            command.opens,
            command.market,
            command.is_long,
            command.leverage,
            command.reason,
            command.asked_leverage,
            command.degraded,
        ),
    )


def _defer(house: House, command: commands.Defer) -> tuple[Fact, ...]:
    desk = find(house, command.address)
    fact = facts.Deferred(command.address, command.code, command.reason, command.until_ms, command.needs)
    told = desk.deferred
    if told and not desk.deciding and (told.code, told.reason) == (fact.code, fact.reason):
        return ()
    return (fact,)


def _guard(house: House, command: commands.RecordGuard) -> tuple[Fact, ...]:
    desk = find(house, command.address)
    if command.active == (command.rule in desk.warnings):
        return ()
    if command.active and desk.ref is None:
        raise Refused(Code.NO_POSITION, f"{desk.called} has no position to warn about")
    said = (command.measured, command.limit, command.does, command.active)
    return (facts.GuardSpoke(desk.address, command.rule, *said),)


def _halt(house: House, command: commands.Halt) -> tuple[Fact, ...]:
    desks = [find(house, command.address)] if command.address else list(house.desks.values())
    return tuple(facts.DeskHalted(desk.address, command.who, command.command_id) for desk in desks if not desk.halted)


def _resume(house: House, command: commands.Resume) -> tuple[Fact, ...]:
    desk = find(house, command.address)
    if desk.halted:
        _seen(command, desk.halted_seq, desk.halted_by or "", f"{desk.called} was halted by {desk.halted_by}")
    return (facts.DeskResumed(desk.address, command.who, command.command_id),) if desk.halted else ()


def _quarantine(house: House, command: commands.Quarantine) -> tuple[Fact, ...]:
    desk = find(house, command.address)
    if desk.quarantine:
        return ()
    why = command.why or "set aside"
    return (facts.DeskQuarantined(desk.address, why, command.who, command.command_id),)


def _release(house: House, command: commands.Release) -> tuple[Fact, ...]:
    desk = find(house, command.address)
    if not desk.quarantine:
        raise Refused(Code.NOT_QUARANTINED, f"{desk.called} is not quarantined")
    _seen(command, desk.set_aside_seq, desk.set_aside_by, f"{desk.called} was set aside by {desk.set_aside_by}")
    return (facts.DeskReleased(desk.address, command.who, command.command_id),)


def _note(house: House, command: commands.Note) -> tuple[Fact, ...]:
    desk = find(house, command.address)
    if desk.memo == command.text:
        return ()
    _seen(command, desk.memo_seq, desk.memo_by, f"{desk.memo_by} has left other words on {desk.called}")
    if len(command.text) > NOTE_LENGTH:
        raise Refused(Code.BAD_REQUEST, f"text: {len(command.text)} characters; expected at most {NOTE_LENGTH}")
    return (facts.DeskNoted(desk.address, command.text, command.who, command.command_id),)


def _seen(command: commands.Resume | commands.Release | commands.Note, seq: int, by: str, words: str) -> None:
    """Raises Refused with CHANGED when what shall be undone is newer than what the asker saw, and not their own."""
    if command.seen_seq is not None and seq > command.seen_seq and by != command.who:
        raise Refused(Code.CHANGED, f"{words} since you looked; ask again if you still mean it")


_DECISIONS: dict[type, Callable[[House, Any], tuple[Fact, ...]]] = {
    commands.StartSimulation: _start,
    commands.EnrollToken: _enroll,
    commands.PinDesk: _pin,
    commands.BookFees: money.book_fees,
    commands.AskDecision: _ask,
    commands.RecordDecision: _record_decision,
    commands.Defer: _defer,
    commands.IntendOpen: orders.intend_open,
    commands.IntendReduce: orders.intend_reduce,
    commands.IntendClose: orders.intend_close,
    commands.RecordOutcome: orders.record_outcome,
    commands.RecordEnd: orders.record_end,
    commands.RecordGuard: _guard,
    commands.Halt: _halt,
    commands.Resume: _resume,
    commands.RecordArmed: lambda _, command: (facts.RunArmed(command.who, command.command_id),),
    commands.Quarantine: _quarantine,
    commands.Release: _release,
    commands.Note: _note,
    commands.RecordAcknowledged: lambda _, asked: (facts.AlarmAcknowledged(asked.text, asked.who, asked.command_id),),
    commands.ReconcileWallet: money.reconcile,
    commands.IntendBuyback: money.intend_buyback,
    commands.RecordSwap: money.record_swap,
}
