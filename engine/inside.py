"""The engine as a Port on its own loop; `Runtime` is the one for other threads."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.commands import Command, Receipt
from engine.exchange_rows import MarketPoint
from engine.port import Info
from engine.snapshot import EventPage, Snapshot
from engine.who import local_info

if TYPE_CHECKING:
    from engine.engine import Engine


@dataclass(frozen=True, slots=True)
class Inside:
    """What the control socket asks."""

    engine: "Engine"

    def info(self) -> Info:
        return local_info()

    def latest(self) -> Snapshot:
        return self.engine.snapshot

    def events(self, since: int) -> EventPage:
        return self.engine.chronicle.since(since)

    def want(self, names: Collection[str]) -> None:
        """Everything is at hand."""

    def lag_ms(self) -> int | None:
        return None

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        return self.engine.history.since(market, since_ms)

    async def submit(self, command: Command) -> Receipt:
        return await self.engine.parts.operator.execute(command)
