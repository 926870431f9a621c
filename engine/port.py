"""The one door between a front end and the engine: pull for state, submit for commands, nothing pushed."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Protocol

from engine.commands import Command, Receipt
from engine.exchange_rows import MarketPoint
from engine.snapshot import EventPage, Snapshot

EVERYTHING = frozenset(field.name for field in fields(Snapshot))
"""All fields of a snapshot."""


@dataclass(frozen=True, slots=True)
class Info:
    """What does not change while the engine runs."""

    version: str
    role: str
    """`operator` or `observer`."""
    operator: str
    """Who the commands of this front end are journaled as."""
    attached: bool = False
    """The engine runs elsewhere, and goes on without this front end."""
    past: bool = False
    """What is shown is long over, and may go back."""


class Port(Protocol):
    """Everything a front end knows of the engine. Safe to call from any thread, never blocks on the engine."""

    def info(self) -> Info: ...

    def latest(self) -> Snapshot:
        """The newest snapshot; the same object again while nothing changed."""
        ...

    def events(self, since: int) -> EventPage:
        """Events numbered above `since` that are still in the ring."""
        ...

    def want(self, names: Collection[str]) -> None:
        """Fields of the snapshot that are on the screen. The others may be old; their names are no harm."""
        ...

    def lag_ms(self) -> int | None:
        """How long the newest picture was on its way; None in the engine's own process, and while there is no link."""
        ...

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        """What is held of a market at or after `since_ms` (the engine's clock), oldest first; never more than a day.

        Raises an exception whose text is one line for people when the engine cannot be asked."""
        ...

    async def submit(self, command: Command) -> Receipt:
        """Hands a command to the engine and waits for its receipt without blocking the caller's loop."""
        ...
