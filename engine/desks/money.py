"""Decisions about money that is in no position: fees, the wallet's count, buybacks."""

from engine.desks import commands, facts
from engine.desks.accounts import (
    BPS,
    DIEM,
    DIFFERENCE,
    FEE_SHARES,
    PROTOCOL,
    buying,
    creator,
    pending,
    realised,
    reserve,
)
from engine.desks.commands import Code
from engine.desks.facts import Fact
from engine.desks.refusal import Refused, find
from engine.desks.state import Buyback, House
from venue.exchange.fixed import PPM
from venue.exchange.ledger import EXTERNAL, Move, moves
from venue.swap import PROTOCOL_TOKEN, SwapDeclined, Swapped, SwapUnsettled

NO_BUYBACK = Buyback()


def book_fees(house: House, command: commands.BookFees) -> tuple[Fact, ...]:
    """Splits a token's fees; what division leaves over goes to the protocol's leg (seed desk-agent, "fee slice")."""
    desk = find(house, command.address)
    if command.amount <= 0:
        raise Refused(Code.BAD_AMOUNT, "fees must be above zero")
    if not 0 <= command.reserve <= PPM:
        raise Refused(Code.BAD_AMOUNT, "the reserve is a share between 0 and 1")
    if command.ref <= house.fee_refs.get(desk.address, ""):
        raise Refused(Code.ALREADY_BOOKED, f"fees {command.ref} are already booked")
    part = {name: command.amount * share // BPS for name, share in FEE_SHARES}
    kept = part["perp"] * command.reserve // PPM
    rest = command.amount - part["diem"] - part["perp"] - part["creator"]
    legs = moves(
        (EXTERNAL, creator(desk.address), part["creator"]),
        (EXTERNAL, reserve(desk.address), kept),
        (EXTERNAL, pending(desk.address), part["perp"] - kept),
        (EXTERNAL, DIEM, part["diem"]),
        (EXTERNAL, PROTOCOL, rest),
    )
    return (facts.FeesArrived(desk.address, command.ref, command.amount, legs),)


def reconcile(house: House, command: commands.ReconcileWallet) -> tuple[Fact, ...]:
    """Books what the wallet holds beyond, or short of, all attributions on its own account."""
    off = command.off
    if not off:
        return ()
    return (facts.WalletReconciled(off, moves((EXTERNAL, DIFFERENCE, off), (DIFFERENCE, EXTERNAL, -off))),)


def queued(house: House, token: str) -> int:
    """What waits to buy back a token: its creator leg and what its positions paid back."""
    if token == PROTOCOL_TOKEN:
        return house.ledger[PROTOCOL]
    return house.ledger[creator(token)] + house.ledger[realised(token)]


def intend_buyback(house: House, command: commands.IntendBuyback) -> tuple[Fact, ...]:
    """Takes the amount out of the queues, the creator leg first."""
    token = command.address
    if token != PROTOCOL_TOKEN:
        find(house, token)
    if house.buybacks.get(token, NO_BUYBACK).order is not None:
        raise Refused(Code.ORDER_PENDING, "a buyback of this token has no answer yet")
    if not 0 < command.amount <= queued(house, token):
        raise Refused(Code.BAD_AMOUNT, "a buyback spends something, and no more than is queued")
    if command.least <= 0:
        raise Refused(Code.BAD_AMOUNT, "a buyback names the fewest tokens it accepts")
    return (facts.BuybackIntended(token, command.order_id, command.amount, command.least, _taken(house, command)),)


def _taken(house: House, command: commands.IntendBuyback) -> tuple[Move, ...]:
    token, amount = command.address, command.amount
    if token == PROTOCOL_TOKEN:
        return moves((PROTOCOL, buying(token), amount))
    first = min(amount, house.ledger[creator(token)])
    return moves((creator(token), buying(token), first), (realised(token), buying(token), amount - first))


def record_swap(house: House, command: commands.RecordSwap) -> tuple[Fact, ...]:
    """What became of a buyback; what it did not spend goes back the way it came."""
    token, outcome = command.address, command.outcome
    buyback = house.buybacks.get(token, NO_BUYBACK)
    order = buyback.order
    if order is None or order.order_id != outcome.order_id:
        raise Refused(Code.UNKNOWN_ORDER, f"no buyback {outcome.order_id} is waited for")
    match outcome:
        case SwapUnsettled():
            return () if buyback.unsettled else (facts.BuybackUnsettled(token, order.order_id),)
        case SwapDeclined():
            back = tuple(Move(move.target, move.source, move.amount) for move in order.moves)
            return (facts.BuybackDeclined(token, order.order_id, outcome.code, outcome.detail, back),)
        case Swapped() if outcome.bought < 0:
            raise Refused(Code.CONTRADICTION, f"buyback {order.order_id} cannot have bought {outcome.bought}")
        case Swapped():
            spent = moves((buying(token), EXTERNAL, order.amount))
            done = (order.amount, outcome.bought, outcome.burned)
            return (facts.BuybackFilled(token, order.order_id, *done, spent),)
