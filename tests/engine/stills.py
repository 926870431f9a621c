"""Snapshots of real journals, and what a start with them comes to."""

from dataclasses import dataclass
from pathlib import Path

from structlog.testing import capture_logs

from engine.chronicle import Chronicle, Remembered
from engine.replay import fold
from engine.settlement import Recorded, Settlement
from engine.stills.world import Still, begin
from engine.world import World
from store.chain import Mark
from store.journal import Journal
from store.reader import Reader
from tests.engine.house import ManualClock

Row = tuple[int, str, str]
"""When, kind, payload."""


@dataclass(frozen=True, slots=True)
class Started:
    """What an engine has when it has recovered."""

    world: World
    told: Remembered
    seq: int
    last_ms: int
    begun: int
    """Behind which fact it began to fold."""
    refused: tuple[str, ...]


async def journaled(directory: Path, rows: list[Row]) -> None:
    """Appends rows to the journal of a directory."""
    journal = await Journal.open(directory)
    try:
        async for _ in journal.replay():
            pass
        for at in range(0, len(rows), 50):
            for at_ms in sorted({row[0] for row in rows[at : at + 50]}):
                await journal.append([row[1:] for row in rows[at : at + 50] if row[0] == at_ms], at_ms)
    finally:
        await journal.close()


async def started(directory: Path) -> Started:
    """Recovers as an engine does."""
    chronicle = Chronicle(logging=False)
    journal = await Journal.open(directory)
    try:
        with capture_logs() as logs:
            start = begin(directory, chronicle)
        settlement = Settlement(journal, ManualClock(0), lambda _world, _recorded: None)
        await settlement.recover(lambda _world, items: chronicle.record(items, replayed=True), start)
        told, world = chronicle.remembered(), settlement._world
        begun = start.mark.seq if start else 0
        refused = tuple(line["why"] for line in logs if line["log_level"] == "warning")
        return Started(world, told, settlement.seq, settlement._last_ms, begun, refused)
    finally:
        await journal.close()


def folded(directory: Path, most: int = 2**63 - 1) -> tuple[Mark, Still]:
    """The journal folded from its first entry, by nothing but `fold`."""
    world, chronicle, at_ms = World(), Chronicle(logging=False), 0
    with Reader(directory) as reader:
        for entry in reader.read(most):
            chronicle.record((Recorded(entry.seq, entry.at_ms, fold(world, entry)),), replayed=True)
            at_ms = entry.at_ms
        return reader.mark, Still(at_ms, world, chronicle.remembered())
