"""Whether a state directory can be trusted: every entry fits, every fold holds, and what is derived equals the fold.

Nothing is written, and an engine may be running on it: the journal is read once, and everything beside it is looked at
on the way.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from engine.indexing import audit as audit_index
from engine.replay import fold
from engine.sound import faults
from engine.stills.world import Foreign, Unreadable, behind, thaw
from engine.world import World
from store import index, stills
from store.chain import Entry, Mark
from store.errors import Damaged
from store.reader import Reader

LOOK_EVERY = 10_000
"""Entries between two looks at the whole world on the way to its end."""
TOLD_EVERY = 1_000
SHOWN = 20
"""Faults of one check that are told one by one."""
_BEYOND = "speaks of entries behind {}: of another journal, or this one was cut"
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Finding:
    """One check: how many things were looked at, and what is wrong with them."""

    check: str
    cases: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was not looked at, and why; no fault."""

    @property
    def ok(self) -> bool:
        return not self.faults

    def fault(self, text: str) -> None:
        """One more; only the first `SHOWN` are kept."""
        if len(self.faults) < SHOWN:
            self.faults.append(text)


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found. `mark` is the last entry that is whole, `world` the one behind it."""

    mark: Mark
    world: World
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)


def audit(directory: Path, progress: Progress = lambda _done, _of: None, *, draft: bool = False) -> Report:
    """Reads everything in a state directory, up to the newest entry there is by now. A draft of a backup gets its
    witness when it was found whole.

    Raises StoreError when there is no journal or the disk refuses; what is damaged is a finding.
    """
    with Reader(directory) as reader:
        looking = _Audit(directory, reader)
        if not (reader.is_witnessed or draft):
            looking.unwitnessed()
        newest = looking.newest()
        try:
            for entry in reader.read(newest):
                looking.at(entry, last=entry.seq == newest)
                if entry.seq % TOLD_EVERY == 0 or entry.seq == newest:
                    progress(entry.seq, newest)
        except Damaged as error:
            looking.broken(error)
        looking.left(newest)
        return Report(reader.mark, looking.world, looking.findings)


def caught_up(directory: Path, report: Report) -> World:
    """The world of a report with what has been journaled since folded into it. Raises StoreError, Damaged among them
    where the journal is another by now."""
    with Reader(directory) as reader:
        if not reader.knows(report.mark):
            raise Damaged("JOURNAL_CHANGED", f"{directory}: another journal was put there while it was checked")
        reader.go_to(report.mark)
        for entry in reader.read(reader.newest() - report.mark.seq):
            fold(report.world, entry)
    return report.world


class _Audit:
    def __init__(self, directory: Path, reader: Reader) -> None:
        self._directory = directory
        self._reader = reader
        self._stills = {stills.seq_of(path): path for path in stills.found(directory)}
        self._index = audit_index.said(directory)
        self.world = World()
        names = ("file", "chain", "fold", "books", "snapshots", "index")
        self.findings = tuple(Finding(name) for name in names)
        self._file, self._chain, self._folds, self._books, self._kept, self._tables = self.findings

    def unwitnessed(self) -> None:
        """Nothing says how long the journal was."""
        if self._reader.last():
            self._chain.notes.append("perpdesk.head: no witness: a cut would not be noticed")

    def newest(self) -> int:
        """How many entries there are to be read."""
        self._file.cases = 1
        for words in self._reader.damage():
            self._file.fault(words)
        try:
            return self._reader.newest()
        except Damaged as error:
            self._chain.fault(str(error))
            return self._reader.last()

    def at(self, entry: Entry, *, last: bool) -> None:
        """Folds an entry, and looks at what is said of the world behind it. Raises Damaged."""
        self._chain.cases = entry.seq
        fold(self.world, entry)
        self._folds.cases = entry.seq
        if last or entry.seq % LOOK_EVERY == 0:
            self._books.cases += 1
            for fault in faults(self.world):
                self._books.fault(f"behind entry {entry.seq}: {fault}")
        if path := self._stills.pop(entry.seq, None):
            self._compare(path)
        if self._index is not None and self._index.seq == entry.seq and not self._index.partial:
            self._tables.cases += 1
            self._tables.faults += audit_index.differences(self._index, self.world)

    def broken(self, error: Damaged) -> None:
        """No further entry can be read."""
        finding = self._folds if error.code in ("DOES_NOT_FOLD", "UNKNOWN_FACT") else self._chain
        finding.fault(str(error))

    def left(self, newest: int) -> None:
        """What speaks of entries that were not reached."""
        whole = self._chain.ok and self._folds.ok
        for seq, path in self._stills.items():
            if whole and seq > newest:
                self._beyond(path)
            else:
                self._kept.fault(f"{path}: no entry of this journal was compared with it")
        if self._index is not None:
            self._left_of_index(self._index, newest if whole else None)

    def _left_of_index(self, told: audit_index.Said, newest: int | None) -> None:
        if told.fault:
            again = audit_index.said(self._directory)
            if again is not None and again.fault:
                self._tables.fault(again.fault)
            else:
                self._tables.notes.append(f"{index.FILE}: made anew meanwhile; not compared")
        elif newest is not None and told.seq > newest:
            self._tables.fault(f"{index.FILE}: {_BEYOND.format(newest)}")
        elif told.partial:
            self._tables.notes.append(f"{index.FILE}: being written; not compared")

    def _beyond(self, path: Path) -> None:
        """It was there before the journal was looked at, and is made of what is durable."""
        try:
            mark = stills.read(path).mark
        except stills.Unfit as error:
            self._kept.fault(str(error))
        else:
            self._chain.fault(str(behind(self._directory, path, mark, self._reader.last())))

    def _compare(self, path: Path) -> None:
        try:
            file = stills.read(path)
        except stills.Unfit as error:
            if os.path.lexists(path):  # an engine that runs keeps the newest ones only
                self._kept.cases += 1
                self._kept.fault(str(error))
            return
        self._kept.cases += 1
        try:
            if file.mark != self._reader.mark:
                self._kept.fault(f"{path}: of another journal")
            elif thaw(file.body).world != self.world:
                self._kept.fault(f"{path}: not the world that the entries fold to")
        except Foreign as error:
            self._kept.cases -= 1
            self._kept.notes.append(f"{path}: {error}; not compared")
        except Unreadable as error:
            self._kept.fault(f"{path}: {error}")
