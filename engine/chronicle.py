"""Facts as lines of history: a bounded ring that any thread may read, with a count of what has left it."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, get_args

import structlog

from engine.desk_words import Told, tell_desk
from engine.desks import facts as desk_facts
from engine.settlement import Recorded
from engine.snapshot import Event, EventPage
from engine.text import clean, money
from engine.world import Fact
from venue.exchange import facts as exchange_facts
from venue.exchange.fixed import WAD
from venue.exchange.requests import facts as request_facts

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
RING = 5_000
_OF_DESKS = frozenset(get_args(desk_facts.Fact))
LOGGED_KINDS = frozenset(
    (
        *("open", "grow", "reduce", "close", "halt", "resume", "liquidation", "declined", "decision", "deferred"),
        *("guard", "quarantine", "release", "buyback", "wallet", "unknown"),
    )
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a chronicle knows, so that another can go on from there."""

    number: int
    names: dict[str, str]
    """Of desks, by address."""
    events: tuple[Event, ...]


class Chronicle:
    """The newest `RING` events. Written by the engine, read by front ends from their own threads."""

    def __init__(self, *, logging: bool = True) -> None:
        self._lock = threading.Lock()
        self._ring: deque[Event] = deque(maxlen=RING)
        self._names: dict[str, str] = {}
        self._number = 0
        self._logging = logging

    @property
    def number(self) -> int:
        """The number of the newest event, whether or not it is still in the ring."""
        return self._number

    def record(self, recorded: Sequence[Recorded], *, replayed: bool = False) -> None:
        """Takes committed facts; those a person would not read make no event."""
        told = [(item, told) for item in recorded if (told := _tell_safely(item)) is not None]
        with self._lock:
            for item, words in told:
                if isinstance(item.fact, desk_facts.TokenEnrolled):
                    self._names[item.fact.address] = item.fact.name
                self._number += 1
                token = self._names.get(words.address, "")
                self._ring.append(
                    Event(self._number, item.at_ms, words.address, words.kind, words.text, token, words.source)
                )
        if self._logging and not replayed:
            for item, words in told:
                if words.kind in LOGGED_KINDS:
                    log.info(words.text, event_kind=words.kind, desk=words.address, source=words.source, seq=item.seq)

    def remembered(self) -> Remembered:
        """All that it knows."""
        with self._lock:
            return Remembered(self._number, dict(self._names), tuple(self._ring))

    def go_on(self, told: Remembered) -> None:
        """Knows what another knew, and nothing else."""
        with self._lock:
            self._number, self._names = told.number, dict(told.names)
            self._ring = deque(told.events, maxlen=RING)

    def since(self, number: int) -> EventPage:
        """Events numbered above `number`."""
        with self._lock:
            oldest = self._ring[0].number if self._ring else self._number + 1
            events = tuple(event for event in self._ring if event.number > number)
        return EventPage(events, max(0, oldest - 1 - number))


def _tell_safely(item: Recorded) -> Told | None:
    """Words for people must never be able to stop the writer or a recovery."""
    try:
        return tell(item.fact)
    except Exception as error:
        return Told("", "fault", f"{type(item.fact).__name__} cannot be told: {error!r}")


def tell(fact: Fact) -> Told | None:
    """A fact worth reading, in words."""
    if type(fact) in _OF_DESKS:
        return tell_desk(cast(desk_facts.Fact, fact))
    if isinstance(fact, request_facts.Executed | request_facts.RequestCancelled | request_facts.OrderFrozen):
        return _tell_request(fact)
    match fact:
        case request_facts.PoolListed():
            return Told("", "market", f"pool {fact.symbol} listed: {fact.long} and {fact.short}")
        case request_facts.TokensCredited():
            return Told("", "paper", f"{fact.user} credited with paper {fact.moves[0].token}")
        case request_facts.PoolPositionLiquidated():
            return Told("", "liquidation", f"pool position liquidated by {fact.keeper}")
        case exchange_facts.PositionLiquidated():
            paid = money(fact.liquidator_fee, WAD)
            covered = f", insurance paid {money(fact.from_insurance, WAD)}" if fact.from_insurance else ""
            return Told("", "liquidation", f"position #{fact.position_id:,} liquidated, fee {paid}{covered}")
        case exchange_facts.MarketListed():
            price = fact.params.initial_quote * WAD // fact.params.initial_base
            return Told("", "market", f"{fact.symbol} listed, curve anchored at {money(price, WAD)}")
    return None


def _tell_request(
    fact: request_facts.Executed | request_facts.RequestCancelled | request_facts.OrderFrozen,
) -> Told:
    key, keeper = fact.receipt.key[:10], fact.receipt.keeper
    match fact:
        case request_facts.RequestCancelled():
            return Told("", "request", clean(f"request {key} cancelled by {keeper}: {fact.reason} {fact.detail}"))
        case request_facts.OrderFrozen():
            return Told("", "request", clean(f"order {key} frozen: {fact.reason} {fact.detail}"))
    return Told("", "request", clean(f"request {key} executed by {keeper}"))
