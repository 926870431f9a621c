"""A disk under the journal's own statements that remembers every write and sync, may refuse one, and loses power.

SQLite's own method: what was synced is there; of what was not, any subset is, torn at sectors of 512 bytes.
"""

import random
import sqlite3
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import apsw

from store.head import Head, HeadFile
from store.journal import Journal

SECTOR: Final = 512
KEEPS: Final = ("all", "none", "some", "sectors", "torn")
Fault = Callable[[str, str], Exception | None]
"""Of an operation (`write` or `sync`) on a file: what it comes to, None where it is done."""


def sound(_operation: str, _file: str) -> Exception | None:
    """Nothing fails."""
    return None


@dataclass(frozen=True, slots=True)
class Op:
    """What was done to a file; `data` of a write, `at` its place or the new size."""

    what: str
    file: str
    at: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """What one process after the other has done to the files of a directory, in order."""

    fault: Fault = sound
    log: list[Op] = field(default_factory=list)

    def does(self, op: Op) -> None:
        """Raises what the disk says to it."""
        if op.what in ("write", "sync") and (error := self.fault(op.what, op.file)):
            raise error
        self.log.append(op)

    def acknowledged(self, seq: int) -> None:
        """Somebody has been told that this entry is there."""
        self.log.append(Op("told", "", seq))


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._name = Path(name if isinstance(name, str) else name.filename()).name

    def xWrite(self, data: Any, offset: int) -> None:
        self._disk.does(Op("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._disk.does(Op("cut", self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        self._disk.does(Op("sync", self._name))
        super().xSync(flags)


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self.name = f"weak-{id(disk)}"
        super().__init__(self.name, "")
        self._disk = disk

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        return _File(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._disk.does(Op("gone", Path(filename).name))
        super().xDelete(filename, syncdir)
        if syncdir:
            self._disk.does(Op("sync", Path(filename).name))


class _Rows:
    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = list(rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


class _Connection:
    """What the journal uses of `sqlite3.Connection`. A VFS of ours has no shared memory: nobody else may have it."""

    def __init__(self, path: Path, vfs: _Vfs) -> None:
        self._vfs = vfs
        self._connection = apsw.Connection(str(path), vfs=vfs.name)
        self.execute("PRAGMA locking_mode=EXCLUSIVE")

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> _Rows:
        with _as_sqlite3():
            return _Rows(self._connection.execute(statement, values).fetchall())

    def executescript(self, script: str) -> None:
        self.execute(script)

    def executemany(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with _as_sqlite3():
            self._connection.executemany(statement, rows).fetchall()

    def close(self) -> None:
        """Says nothing, as the other does, of what could not be checkpointed."""
        with suppress(apsw.Error):
            self._connection.close(force=True)


@contextmanager
def _as_sqlite3() -> Generator[None, None, None]:
    try:
        yield
    except apsw.Error as error:
        told = sqlite3.OperationalError(str(error))
        told.sqlite_errorcode = getattr(error, "extendedresult", 0) or 1
        raise told from error


async def opened_on(disk: Disk, directory: Path) -> Journal:
    """The journal of a directory, on that disk."""

    class Witness(HeadFile):
        def write(self, head: Head) -> None:
            disk.does(Op("write", "perpdesk.head", 0, f"{head.seq:020d} {head.hash.hex()}\n".encode()))
            super().write(head)

    vfs, connect = _Vfs(disk), sqlite3.connect

    def opens(path: Path | str, **how: Any) -> Any:
        """Who only reads needs no disk of ours."""
        return connect(path, **how) if "uri" in how else _Connection(Path(path), vfs)

    with patch("store.journal.HeadFile", Witness), patch.object(sqlite3, "connect", opens):
        return await Journal.open(directory)


class _Contents:
    """A file: what is durable of it, and what has been done to it since."""

    def __init__(self) -> None:
        self.synced: bytearray | None = None
        self.since: list[Op] = []

    def do(self, op: Op) -> None:
        if op.what == "sync":
            for each in self.since:
                self.synced = _done(self.synced, each)
            self.since = []
        else:
            self.since.append(op)

    def entry_synced(self) -> None:
        """The directory has been synced: what was deleted stays so."""
        for number, op in reversed(list(enumerate(self.since))):
            if op.what == "gone":
                self.synced, self.since = None, self.since[number + 1 :]
                break

    def after(self, rng: random.Random, keep: str) -> bytearray | None:
        """What a power loss leaves."""
        found = None if self.synced is None else bytearray(self.synced)
        last = rng.randrange(len(self.since) + 1) if keep == "torn" else len(self.since)
        for number, op in enumerate(self.since[: last + 1]):
            if op.what == "write" and keep == "sectors":
                for each in _sectors(op):
                    found = _done(found, each) if rng.random() < 0.5 else found
            elif number == last:
                cut = rng.randrange(0, len(op.data) + 1, SECTOR) if op.what == "write" else 0
                found = _done(found, Op("write", op.file, op.at, op.data[:cut])) if cut else found
            elif keep in ("all", "torn") or (keep != "none" and rng.random() < 0.5):
                found = _done(found, op)
            elif op.what == "gone":
                break  # what follows was done to another file of that name
        return found


def _done(content: bytearray | None, op: Op) -> bytearray | None:
    if op.what == "gone":
        return None
    found = bytearray() if content is None else content
    if op.what == "cut":
        del found[op.at :]
        return found
    if len(found) < op.at:
        found.extend(bytes(op.at - len(found)))
    found[op.at : op.at + len(op.data)] = op.data
    return found


def _sectors(op: Op) -> list[Op]:
    """The write in pieces that no disk tears."""
    edges = [0, *range(SECTOR - op.at % SECTOR, len(op.data), SECTOR), len(op.data)]
    pairs = pairwise(edges)
    return [Op("write", op.file, op.at + start, op.data[start:end]) for start, end in pairs if end > start]


@dataclass(frozen=True, slots=True)
class Image:
    """The files that a power loss has left, and the newest entry somebody had been told of by then."""

    at: int
    keep: str
    files: dict[str, bytes]
    told: int

    def put(self, directory: Path) -> Path:
        directory.mkdir()
        for name, content in self.files.items():
            (directory / name).write_bytes(content)
        return directory


def moments(log: Sequence[Op], count: int, rng: random.Random) -> list[int]:
    """So many, drawn evenly, in order: operations done by then."""
    return sorted(rng.randrange(len(log) + 1) for _ in range(count))


def images(log: Sequence[Op], moments: Iterable[int], rng: random.Random) -> Generator[Image, None, None]:
    """What a power loss leaves at moments in ascending order."""
    files: dict[str, _Contents] = {}
    done = told = 0
    for moment in moments:
        for op in log[done:moment]:
            if op.what == "told":
                told = op.at
            else:
                done_to = files.setdefault(op.file, _Contents())
                if op.what == "sync" and done_to.synced is None and op.file.endswith(("-wal", "-journal")):
                    for each in files.values():  # SQLite syncs the directory with a new log or journal
                        each.entry_synced()
                done_to.do(op)
        done, keep = moment, rng.choice(KEEPS)
        left = {name: contents.after(rng, keep) for name, contents in files.items()}
        yield Image(moment, keep, {name: bytes(each) for name, each in left.items() if each is not None}, told)
