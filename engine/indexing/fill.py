"""Blocks of a stretch of the journal, read by a process of its own: `python -m engine.indexing.fill` and its parent.

It writes rows of `market_snapshots` as JSON lines on stdout and touches no database but the journal, read-only. The
parent's index thread writes them: two writers of one WAL are what SQLite before 3.51.3 may corrupt.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import codec
from engine.indexing.rows import CHANGES, ON_CURVES, Curves
from engine.indexing.waiting import Gap
from store.errors import StoreError
from store.index import Row
from store.reader import Reader
from store.said import shown
from venue.exchange import facts

NICENESS = 10
ROWS_AT_ONCE = 500
"""In one transaction."""
END = "end"
_KINDS = frozenset(kind.__name__ for kind in ON_CURVES)
_PASSED_ON = (
    *("PATH", "HOME", "LANG", "TZ", "TZDIR", "TMPDIR", "VIRTUAL_ENV"),
    *("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"),
)


class FillFailed(StoreError):
    """The journal was not read to the end of the stretch."""


@dataclass(slots=True)
class _Open:
    market: str
    is_long: bool
    entry_notional: int


def blocks(directory: Path, gap: Gap, since_ms: int) -> Iterator[Row]:
    """Rows of the blocks of a gap that are not older than `since_ms` (unix ms). Raises StoreError, Damaged among them.

    It folds the curves alone, from the journal's beginning.
    """
    curves, held = Curves(), dict[int, _Open]()
    with Reader(directory) as reader:
        reader.newest()
        for entry in reader.read(gap.upto):
            if entry.kind not in _KINDS:
                continue
            fact = codec.decode(entry.kind, entry.payload)
            if isinstance(fact, facts.PositionOpened):
                held[fact.position_id] = _Open(fact.market, fact.is_long, 0)
            curves.fold(fact, held)
            if isinstance(fact, CHANGES):
                _follow(held, fact)
            elif isinstance(fact, facts.BlockAdvanced) and entry.seq > gap.after and entry.at_ms >= since_ms:
                yield from (row for _, row in curves.snapshots(fact.block, entry.seq, entry.at_ms))


def _follow(held: dict[int, _Open], fact: object) -> None:
    match fact:
        case facts.PositionOpened() | facts.PositionIncreased():
            held[fact.position_id].entry_notional += fact.notional
        case facts.PositionReduced(closed=False):
            held[fact.position_id].entry_notional -= fact.entry_notional
        case facts.PositionReduced() | facts.PositionLiquidated():
            del held[fact.position_id]


async def fill(directory: Path, gap: Gap, since_ms: int, write: Callable[[list[Row]], Awaitable[None]]) -> int:
    """Has the blocks of a gap read and gives them to `write`, some at a time; returns how many rows there were.

    Raises FillFailed, or what `write` does. The process ends with the call.
    """
    words = (str(directory), str(gap.after), str(gap.upto), str(since_ms))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "engine.indexing.fill", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(os.environ),
    )
    if process.stdout is None or process.stderr is None:
        raise FillFailed("INDEX_FILL_FAILED", "no pipe")
    said = asyncio.create_task(process.stderr.read(), name="index fill words")
    try:
        count = await _received(process.stdout, write)
        if count is None:
            last = (await said).decode(errors="replace").splitlines()[-1:]
            why = shown(last[0]) if last else f"exit status {await process.wait()}"
            raise FillFailed("INDEX_FILL_FAILED", f"the process that reads the journal has ended early: {why}")
        return count
    finally:
        said.cancel()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await asyncio.gather(said, return_exceptions=True)


async def _received(lines: asyncio.StreamReader, write: Callable[[list[Row]], Awaitable[None]]) -> int | None:
    """How many rows there were; None where they have no end."""
    rows: list[Row] = []
    count = 0
    async for line in lines:
        if not line.endswith(b"\n"):
            break  # it died while it wrote
        said: Any = json.loads(line)
        if isinstance(said, str):
            await write(rows)
            if said != END:
                raise FillFailed("INDEX_FILL_FAILED", said)
            return count
        rows.append(tuple(said))
        count += 1
        if len(rows) >= ROWS_AT_ONCE:
            await write(rows)
            rows = []
    return None


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Of that process, which is told no secret."""
    return {name: value for name, value in environ.items() if name in _PASSED_ON or name.startswith("LC_")}


def main(directory: Path, gap: Gap, since_ms: int) -> None:
    """Says the blocks of a gap on stdout, and then that this is the end, or why it is not."""
    os.nice(NICENESS)
    try:
        for row in blocks(directory, gap, since_ms):
            sys.stdout.write(f"{json.dumps(row)}\n")
        end = END
    except StoreError as error:
        end = str(error)
    sys.stdout.write(f"{json.dumps(end)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Gap(int(sys.argv[2]), int(sys.argv[3])), int(sys.argv[4]))
    except BrokenPipeError:
        os._exit(1)  # the engine has gone, and nobody is there to be told
