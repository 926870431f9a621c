"""A journal as a `Port`: the picture at any of its moments, for whoever looks back. Nothing can be commanded here."""

from collections.abc import Collection
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from engine.commands import Command, Receipt
from engine.config import Settings
from engine.exchange_rows import MarketPoint
from engine.past import Past
from engine.port import Info
from engine.reel import Progress, Reel
from engine.snapshot import EventPage, Snapshot
from engine.who import local_operator
from store.errors import StoreError

REFUSED: Final = "A_REPLAY"


class Rewind:
    """The cursor is an entry and a time: that of the entry, or later as long as the next one was not written yet.

    Used from one thread. Raises StoreError and Damaged when it is made, as `Reel` does.
    """

    def __init__(self, directory: Path, settings: Settings, progress: Progress = lambda _read, _all: None) -> None:
        self._reel = Reel(directory, progress)
        self._past = Past(settings, self._reel.world)
        self._info = Info(version("perpdesk"), "observer", local_operator(), attached=True, past=True)
        self.at_ms = self.last_ms
        """Where in time the cursor is."""
        self._snapshot = self._picture(self.newest)

    @property
    def seq(self) -> int:
        """The entry at the cursor."""
        return self._snapshot.seq

    @property
    def newest(self) -> int:
        """The last entry."""
        return self._reel.newest

    @property
    def first_ms(self) -> int:
        """When the first entry was written."""
        return self._reel.at_ms(1)

    @property
    def last_ms(self) -> int:
        """When the last entry was written."""
        return self._reel.at_ms(self.newest)

    def go_to(self, seq: int) -> None:
        """Puts the cursor on an entry, or on the nearest there is."""
        seq = min(max(seq, 1), self.newest)
        self._show(seq, self._reel.at_ms(seq))

    def go_to_time(self, at_ms: int) -> None:
        """Puts the cursor on a moment, between the first entry and the last."""
        at_ms = min(max(at_ms, self.first_ms), self.last_ms)
        self._show(self._reel.last_by(at_ms), at_ms)

    def _show(self, seq: int, at_ms: int) -> None:
        if (seq, at_ms) == (self.seq, self.at_ms):
            return
        before_ms, self.at_ms = self.at_ms, at_ms
        try:
            self._snapshot = self._picture(seq)
        except StoreError as error:
            # The picture stays, with the cursor, and says that it does.
            self.at_ms = before_ms
            status = self._snapshot.status
            alarms = tuple(dict.fromkeys((f"the replay stands still: {error}", *status.alarms)))
            self._snapshot = replace(self._snapshot, status=replace(status, alarms=alarms))

    def _picture(self, seq: int) -> Snapshot:
        return self._past.picture(self._reel.seek(seq), seq, self.at_ms)

    def close(self) -> None:
        """Gives the journal back."""
        self._reel.close()

    def info(self) -> Info:
        return self._info

    def latest(self) -> Snapshot:
        """The picture at the cursor."""
        return self._snapshot

    def events(self, since: int) -> EventPage:
        """Those above `since` that had happened at the cursor."""
        return self._reel.bygones.between(since, self._reel.told(self.seq))

    def want(self, names: Collection[str]) -> None:
        """Everything is at hand."""

    def lag_ms(self) -> int | None:
        return None

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        """Up to the cursor; index prices are unknown."""
        return self._reel.marks.between(market, since_ms, self.at_ms, self._past.block_seconds)

    async def submit(self, command: Command) -> Receipt:
        """Refused, whatever it is."""
        return Receipt(command.id, False, REFUSED, "a replay: what is past cannot be commanded", self.seq)
