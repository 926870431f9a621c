"""Keeps the index: follows the facts, and writes the tables that everybody may ask (docs/index.md).

Following only notes what has changed. A worker's pass takes it out of the world in one read, so that what it writes is
of one fact, and writes it on the index's own thread. A kill loses what the next start is shown again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from engine.clock import Clock
from engine.exchange_rows import MarketPoint
from engine.indexing.file import PRUNED_AT_ONCE, IndexFile
from engine.indexing.fill import fill
from engine.indexing.look import Due, Look, Place, batch, look
from engine.indexing.past import past
from engine.indexing.rows import CHANGES, ON_CURVES, Curves, price_rows
from engine.indexing.waiting import Gap, Piece, Waiting
from engine.sections import Index
from engine.settlement import Recorded, Settlement, StoreFailed
from engine.snapshot import Snapshot
from engine.worker import Cadence, Worker
from engine.world import World
from store.chain import GENESIS
from store.errors import Damaged, StoreError
from store.index import Batch
from venue.exchange import facts

DAY_MS = 86_400_000
PRUNED_EVERY_S = 60.0
VERIFIED_EVERY_S = 86_400.0
"""What is not written is not read either: only looking at all of it finds what a disk has done to it since."""
CADENCE = Cadence(1.0, 1.0)
FLUSH_S = 2.0
"""A stop waits no longer for what the next start can do."""
_KINDS = frozenset(ON_CURVES)
log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Noted:
    """What an index says of how far it is."""

    seq: int
    digest: bytes
    gap: Gap | None


def _noted(meta: Mapping[str, str]) -> _Noted:
    """Raises ValueError or LookupError for what makes no sense."""
    seq = int(meta.get("seq", "0"))
    gap = Gap(int(meta["gap_after"]), int(meta["gap_upto"])) if "gap_upto" in meta else None
    return _Noted(seq, bytes.fromhex(meta["hash"]) if seq else GENESIS, gap)


class Indexer:
    """In this order: `open`, `follow` each fact that is recovered, `begin`, then `follow` each commit and `pass_once`
    in a loop, `close`. Nothing that is wrong with the index stops the engine; a fact that is missing does."""

    def __init__(
        self, directory: Path, options: Index, clock: Clock, hash_at: Callable[[int], Awaitable[bytes | None]], due: Due
    ) -> None:
        self._directory = directory
        self._options = options
        self._clock = clock
        self._hash_at = hash_at
        self._due = due
        self.file = IndexFile(directory)
        self._waiting = Waiting()
        self._settlement: Settlement | None = None
        self._curves: Curves | None = None
        self._known = 0
        """Up to this fact the tables were complete when they were opened."""
        self._seq: int | None = None
        """The newest fact that was shown; None before the first."""
        self._first: int | None = None
        self._at_ms = 0
        self._written = -1
        self._unchecked = False
        self._made_anew = False
        self._fresh = False
        """The file is open, and everything that is not in it waits."""
        self._filling: asyncio.Task[None] | None = None
        self._price_slot = 0
        self._prune_at = 0.0
        self._verify_at = clock.monotonic() + VERIFIED_EVERY_S

    async def open(self) -> None:
        """Opens the file and sees how far it is; one that cannot be trusted is moved away. Before recovery.

        Raises StoreError, Damaged among them, when the journal cannot be asked."""
        if not self._options.enabled:
            return
        try:
            noted = _noted(await self.file.open())
        except (StoreError, OSError, ValueError, LookupError) as error:
            await self._replace(str(error))
            return
        if await self._hash_at(noted.seq) != noted.digest:
            await self._replace(f"it is of another journal, of which it has seen {noted.seq} entries")
            return
        if noted.gap is not None:
            self._waiting.missed(noted.gap)
        self._known, self._fresh, self._unchecked = noted.seq, True, True

    def follow(self, world: World, recorded: Sequence[Recorded]) -> None:
        """Notes what was just folded into the world: by itself while it is recovered, then commit by commit.

        Raises StoreFailed when facts are missing: then nothing that follows them can be believed.
        """
        for item in recorded:
            if self._seq is None:
                self._first = item.seq
            elif item.seq != self._seq + 1:
                raise StoreFailed("FACT_GAP", f"fact {self._seq} was followed by fact {item.seq}: some are missing")
            self._seq, self._at_ms = item.seq, item.at_ms
            if item.seq > self._known and type(item.fact) in _KINDS and self._options.enabled:
                self._note(world, item)

    def _note(self, world: World, item: Recorded) -> None:
        fact = item.fact
        if self._curves is not None:
            self._curves.fold(fact, world.exchange.positions)
        self._waiting.markets = True
        if isinstance(fact, CHANGES):
            self._waiting.positions.add(fact.position_id)
        elif isinstance(fact, facts.BlockAdvanced):
            now = self._curves or Curves(world.exchange.markets.values())
            self._waiting.blocks(now.snapshots(fact.block, item.seq, item.at_ms))

    async def begin(self, settlement: Settlement) -> None:
        """Recovery is over, and nothing has been committed since. What was not shown of it came from a snapshot."""
        self._settlement = settlement
        await settlement.read(lambda world: self._begin(world, settlement.seq))

    def _begin(self, world: World, seq: int) -> None:
        before = seq if self._first is None else self._first - 1
        self._seq = seq
        self._curves = Curves(world.exchange.markets.values())
        self._waiting.markets = True
        if before > self._known:
            self._waiting.all_positions(world.exchange.next_position_id)
            self._waiting.missed(Gap(self._known, before))

    def workers(self, seed: int) -> tuple[Worker, ...]:
        """The loop that keeps it; none where it is switched off. `seed` drives jitter."""
        rng = random.Random(f"{seed}:index")  # noqa: S311 - jitter
        return (Worker("index", CADENCE, self.pass_once, self._clock, rng),) if self._options.enabled else ()

    def take(self, snapshot: Snapshot) -> None:
        """Notes the prices of a picture where a sample is due."""
        if not self._options.enabled:
            return
        slot = snapshot.at_ms // int(self._options.price_every_s * 1000)
        if slot != self._price_slot:
            self._price_slot = slot
            self._waiting.prices(price_rows(snapshot))

    async def pass_once(self) -> str:
        """Writes what waits, checks, prunes and fills in as far as it is due. Raises StoreError or OSError when the
        disk refuses; what could not be written waits on."""
        if not (self._fresh and self.file.in_place()):
            await self._anew("it could not be opened" if not self._fresh else "it is no longer there")
        try:
            await self._verify()
            while not await self._write_piece():
                pass
            await self._prune()
        except Damaged as error:
            hopeless = self._made_anew and self._written < 0
            await self._anew(str(error))
            if hopeless:
                raise
            return "made anew"
        self._fill()
        lost = f", {self._waiting.prices_lost:,} prices lost" if self._waiting.prices_lost else ""
        return f"fact {self._written:,}{lost}" + (", filling in" if self._filling else "")

    async def flush(self) -> None:
        """A last pass, where the engine stops in order; what it cannot write the next start is shown again."""
        if not self._fresh or self._unchecked or not self.file.in_place():
            return
        try:
            async with asyncio.timeout(FLUSH_S):
                await self._write_piece()
        except TimeoutError:
            log.warning("the index is behind", reason=f"not written within {FLUSH_S:.0f} s")
        except StoreError as error:
            log.warning("the index is behind", reason=str(error))

    async def past(self) -> dict[str, tuple[MarketPoint, ...]]:
        """What the index remembers of the last day, by market; nothing where it cannot be asked."""
        if not self._fresh:
            return {}
        try:
            return await past(self.file, self._clock.now_ms())
        except (StoreError, ValueError) as error:  # its rows have not been verified yet
            log.warning("charts begin now", reason=str(error))
            return {}

    async def filled(self) -> None:
        """Returns when older blocks have been filled in, at once where none are; `pass_once` begins with it and says
        what has gone wrong."""
        if self._filling is not None:
            await asyncio.wait((self._filling,))

    async def close(self) -> None:
        """Gives the file back."""
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)  # what it failed at the next start does again
        await self.file.close()

    async def _write_piece(self) -> bool:
        """Whether that was all. One transaction, of one fact."""
        taken: list[Piece] = []  # who is cancelled may have been answered already, and never sees it
        try:
            seen = await self._world().read(lambda world: self._look(world, taken))
            digest = await self._written_hash(seen.place.seq)
            await self.file.write(batch(seen, self._waiting.gap, digest))
        except BaseException:
            for piece in taken:
                self._waiting.give_back(piece)
            raise
        if seen.piece.whole:
            self._written = seen.place.seq
        return seen.piece.whole

    async def _written_hash(self, seq: int) -> bytes:
        """What the journal says; its damage is not taken for damage of the index."""
        try:
            digest = await self._hash_at(seq)
        except Damaged as error:
            raise StoreFailed(error.code, str(error)) from error
        if digest is None:
            raise StoreFailed("FACT_GAP", f"fact {seq} is not in the journal: some are missing")
        return digest

    def _look(self, world: World, taken: list[Piece]) -> Look:
        taken.append(self._waiting.take())
        return look(world.exchange, Place(self._seq or 0, self._at_ms), taken[0], self._due)

    async def _anew(self, reason: str) -> None:
        """A new file, into which everything is written again."""
        log.warning("the index is made anew", reason=reason)
        if self._filling is not None:
            self._filling.cancel()
        self._fresh = self._unchecked = False
        await self.file.anew()
        self._made_anew = True
        await self._world().read(self._all_again)

    def _all_again(self, world: World) -> None:
        self._fresh = True
        self._known, self._written = 0, -1
        self._waiting.all_positions(world.exchange.next_position_id)
        if self._seq:
            self._waiting.missed(Gap(0, self._seq))

    async def _replace(self, reason: str) -> None:
        """Before recovery, which will show everything."""
        log.warning("the index is made anew", reason=reason)
        self._known, self._unchecked = 0, False
        self._waiting = Waiting()
        try:
            await self.file.anew()
            self._fresh = True
        except (StoreError, OSError) as error:
            log.warning("the index cannot be written", reason=str(error))

    async def _verify(self) -> None:
        """After a start, and once a day."""
        if self._clock.monotonic() >= self._verify_at:
            self._unchecked = True
        if self._unchecked:
            await self.file.verify()
            self._unchecked = False
            self._verify_at = self._clock.monotonic() + VERIFIED_EVERY_S

    async def _prune(self) -> None:
        if self._clock.monotonic() < self._prune_at:
            return
        full = False
        for table, days in (("prices", self._options.price_days), ("market_snapshots", self._options.block_days)):
            if days:
                gone = await self.file.prune(table, self._clock.now_ms() - days * DAY_MS)
                full |= gone == PRUNED_AT_ONCE
        self._prune_at = self._clock.monotonic() + (0.0 if full else PRUNED_EVERY_S)

    def _fill(self) -> None:
        """Has older blocks read while the engine works. Raises what the last try came to."""
        if self._filling is not None and self._filling.done():
            done, self._filling = self._filling, None
            if not done.cancelled():
                done.result()
        if self._filling is None and self._waiting.gap is not None:
            self._filling = asyncio.create_task(self._fill_gap(self._waiting.gap), name="index fill")

    async def _fill_gap(self, gap: Gap) -> None:
        days = self._options.block_days
        since_ms = self._clock.now_ms() - days * DAY_MS if days else 0
        rows = await fill(self._directory, gap, since_ms, lambda rows: self.file.write(Batch(snapshots=rows)))
        if self._waiting.gap == gap:
            self._waiting.gap = None
            try:
                await self.file.write(Batch(meta={"gap_after": None, "gap_upto": None}))
            except BaseException:
                self._waiting.missed(gap)
                raise
        log.info("older blocks are in the index", rows=rows)

    def _world(self) -> Settlement:
        if self._settlement is None:
            raise RuntimeError("begin comes first")
        return self._settlement
