"""Facts as lines of history: a bounded ring that any thread may read, with a count of what has left it."""

import threading
from collections import deque
from collections.abc import Sequence

import structlog

from engine.desks import facts as desk_facts
from engine.desks.facts import OrderKind
from engine.settlement import Recorded
from engine.snapshot import Event, EventPage
from engine.text import clean, money
from engine.world import Fact
from venue.exchange import facts as exchange_facts
from venue.exchange.fixed import WAD
from venue.exchange.requests import facts as request_facts

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
RING = 5_000
LOGGED_KINDS = frozenset(("open", "grow", "close", "halt", "resume", "liquidation", "declined", "decision"))


class Chronicle:
    """The newest `RING` events. Written by the engine, read by front ends from their own threads."""

    def __init__(self, *, logging: bool = True) -> None:
        self._lock = threading.Lock()
        self._ring: deque[Event] = deque(maxlen=RING)
        self._number = 0
        self._logging = logging

    def record(self, recorded: Sequence[Recorded], *, replayed: bool = False) -> None:
        """Takes committed facts; those a person would not read make no event."""
        told = [(item, told) for item in recorded if (told := _tell_safely(item)) is not None]
        with self._lock:
            for item, (address, kind, text) in told:
                self._number += 1
                self._ring.append(Event(self._number, item.at_ms, address, kind, text))
        if self._logging and not replayed:
            for item, (address, kind, text) in told:
                if kind in LOGGED_KINDS:
                    log.info(text, event_kind=kind, desk=address, seq=item.seq)

    def since(self, number: int) -> EventPage:
        """Events numbered above `number`."""
        with self._lock:
            oldest = self._ring[0].number if self._ring else self._number + 1
            events = tuple(event for event in self._ring if event.number > number)
        return EventPage(events, max(0, oldest - 1 - number))


def _tell_safely(item: Recorded) -> tuple[str, str, str] | None:
    """Words for people must never be able to stop the writer or a recovery."""
    try:
        return tell(item.fact)
    except Exception as error:
        return "", "fault", f"{type(item.fact).__name__} cannot be told: {error!r}"


def tell(fact: Fact) -> tuple[str, str, str] | None:
    """(desk address or empty, kind, one line) of a fact worth reading."""
    if isinstance(fact, desk_facts.Fact):
        return _tell_desk(fact)
    if isinstance(fact, request_facts.Executed | request_facts.RequestCancelled | request_facts.OrderFrozen):
        return _tell_request(fact)
    match fact:
        case request_facts.PoolListed():
            return "", "market", f"pool {fact.symbol} listed: {fact.long} and {fact.short}"
        case request_facts.TokensCredited():
            return "", "paper", f"{fact.user} credited with paper {fact.moves[0].token}"
        case request_facts.PoolPositionLiquidated():
            return "", "liquidation", f"pool position liquidated by {fact.keeper}"
        case exchange_facts.PositionLiquidated():
            paid = money(fact.liquidator_fee, WAD)
            covered = f", insurance paid {money(fact.from_insurance, WAD)}" if fact.from_insurance else ""
            return "", "liquidation", f"position #{fact.position_id:,} liquidated, fee {paid}{covered}"
        case exchange_facts.MarketListed():
            price = fact.params.initial_quote * WAD // fact.params.initial_base
            return "", "market", f"{fact.symbol} listed, curve anchored at {money(price, WAD)}"
    return None


def _tell_request(
    fact: request_facts.Executed | request_facts.RequestCancelled | request_facts.OrderFrozen,
) -> tuple[str, str, str]:
    key, keeper = fact.receipt.key[:10], fact.receipt.keeper
    match fact:
        case request_facts.RequestCancelled():
            return "", "request", clean(f"request {key} cancelled by {keeper}: {fact.reason} {fact.detail}")
        case request_facts.OrderFrozen():
            return "", "request", clean(f"order {key} frozen: {fact.reason} {fact.detail}")
    return "", "request", clean(f"request {key} executed by {keeper}")


def _tell_desk(fact: desk_facts.Fact) -> tuple[str, str, str] | None:
    match fact:
        case desk_facts.TokenEnrolled():
            return fact.address, "enrolled", f"{fact.name} enrolled"
        case desk_facts.FeesArrived():
            kept = sum(move.amount for move in fact.moves if move.target.startswith("pending:"))
            return fact.address, "fees", f"fees {money(fact.amount)} USDC, {money(kept)} of it for the desk"
        case desk_facts.Decided():
            verdict = f"{_side(fact)} {fact.market} {fact.leverage // WAD}x" if fact.opens else "no entry"
            return fact.address, "decision", f"{fact.source}: {verdict}; {fact.reason}"
        case desk_facts.DeskLiquidated():
            text = f"desk liquidated, {money(fact.loss)} USDC lost, {money(fact.payout)} back"
            return fact.address, "liquidation", text
        case desk_facts.DeskHalted():
            return fact.address, "halt", f"halted by {fact.who}"
        case desk_facts.DeskResumed():
            return fact.address, "resume", f"resumed by {fact.who}"
    return _tell_order(fact)


def _tell_order(fact: desk_facts.Fact) -> tuple[str, str, str] | None:
    match fact:
        case desk_facts.OrderIntended():
            what = f"{_side(fact)} {fact.market}"
            amount = "" if fact.kind is OrderKind.CLOSE else f" with {money(fact.collateral)} USDC"
            return fact.address, "order", f"{fact.kind} {what}{amount} sent by {fact.who}"
        case desk_facts.OrderFilled():
            back = f", {money(fact.payout)} USDC back" if fact.kind is OrderKind.CLOSE else ""
            at = f"{money(fact.notional)} at {money(fact.price, WAD)}"
            return fact.address, fact.kind.value, f"{_side(fact)} {fact.market} {at}{back}"
        case desk_facts.OrderDeclined():
            return fact.address, "declined", f"{fact.kind} refused: {fact.code} {fact.detail}"
        case desk_facts.OrderUnsettled():
            return fact.address, "unknown", f"{fact.kind}: the venue's answer is not known yet"
    return None


def _side(fact: desk_facts.Decided | desk_facts.OrderIntended | desk_facts.OrderFilled) -> str:
    return "long" if fact.is_long else "short"
