"""A journal copied to another place and back, so that every moment of it can lose power.

A backup is a folder with `perpdesk.db` and `perpdesk.head`, nothing else: index and snapshots are made anew, and a
keystore is no business of a copy that somebody may carry away.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from store import stills
from store.chain import Mark, hash_at
from store.errors import Locked, StoreError
from store.files import make_folder, missing, sync
from store.head import Head, HeadFile, remembered
from store.lease import FILE as LOCK
from store.lease import Lease
from store.reader import Reader
from store.said import FAILURES

DB, HEAD = "perpdesk.db", "perpdesk.head"
_PARTIAL = ".partial-"
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
_FRESH = f"{DB}.restored"
_BESIDE = (f"{DB}-wal", f"{DB}-shm", "index.db", "index.db-wal", "index.db-shm")


class Draft:
    """A folder that a backup is made in before it gets its name. Use `draft`."""

    def __init__(self, folder: Path, target: Path, lease: Lease) -> None:
        self.folder = folder
        self._target = target
        self._lease = lease

    def finish(self, mark: Mark) -> None:
        """Writes the head and gives the folder its name, durably. Raises StoreError when it cannot, or somebody else
        was first."""
        folder, target = self.folder, self._target
        try:
            _write_head(folder, mark)
            sync(folder)
            folder.rename(target)
            (target / LOCK).unlink()
            sync(target)
            sync(target.parent)
        except OSError as error:
            if error.errno in _TAKEN:
                raise _taken(target) from error
            raise StoreError("TARGET_UNUSABLE", f"{target}: {error.strerror}") from error

    def leave(self) -> None:
        """What was not finished goes."""
        if self._lease.is_in_place():
            rmtree(self.folder, ignore_errors=True)
        self._lease.release()


@contextmanager
def draft(target: Path) -> Iterator[Draft]:
    """The folder a backup is made in, empty and nobody else's; it goes unless it is finished, and so do the folders
    made for it, and what backups to the same place left that were killed. Raises StoreError when `target` is taken."""
    if target.exists() or target.is_symlink():
        raise _taken(target)
    new = missing(target.parent)
    try:
        made = _begun_in_place(target)
        try:
            yield made
        finally:
            made.leave()
    finally:
        with suppress(OSError):  # there is something in it: this backup, or somebody else's
            for each in new:
                each.rmdir()


def _begun_in_place(target: Path) -> Draft:
    try:
        make_folder(target.parent)
        _tidy(target)
        return _begun(target)
    except OSError as error:
        raise StoreError("TARGET_UNUSABLE", f"{target}: {error.strerror}") from error


def _taken(target: Path) -> StoreError:
    return StoreError("TARGET_TAKEN", f"{target}: there is something already; name a folder that does not exist")


def _begun(target: Path) -> Draft:
    """A folder that no tidying takes away: who holds its lease, and has it in its place, is alone with it."""
    while True:
        folder = Path(mkdtemp(prefix=f"{target.name}{_PARTIAL}", dir=target.parent))
        try:
            lease = Lease(folder)
        except Locked:  # somebody who tidies up was there first, and takes it away
            continue
        if lease.is_in_place():
            return Draft(folder, target, lease)
        lease.release()


def _tidy(target: Path) -> None:
    """Takes away what backups left that nobody makes any more."""
    for folder in target.parent.glob(f"{escape(target.name)}{_PARTIAL}*"):
        if not _ours(folder):
            continue
        with suppress(StoreError, OSError), Lease(folder) as lease:
            if lease.is_in_place():
                rmtree(folder)


def _ours(folder: Path) -> bool:
    """Whether there is nothing but what a backup that was cut short leaves."""
    left = {*_copies(DB), HEAD, f"{HEAD}.new", LOCK}
    try:
        return not folder.is_symlink() and {each.name for each in folder.iterdir()} <= left
    except OSError:
        return False


def _copies(name: str) -> list[str]:
    """A copy, and what SQLite keeps beside it while it is made."""
    return [name, *(f"{name}{suffix}" for suffix in ("-journal", "-wal", "-shm"))]


def copy(source: Path, folder: Path) -> None:
    """Copies the journal of a state directory, running or not, into an empty folder. Raises StoreError."""
    try:
        with Reader(source) as reader:
            reader.copy_to(folder / DB)
    except OSError as error:
        raise StoreError("TARGET_UNUSABLE", f"{folder}: {error.strerror}") from error


def is_finished(folder: Path) -> bool:
    """Whether nothing says that a folder with a journal is a backup that was cut short."""
    return (folder / HEAD).exists() and not (_PARTIAL in folder.name and (folder / LOCK).exists())


def put_back(backup: Path, directory: Path, mark: Mark) -> Path | None:
    """Makes a backup the journal of a state directory whose Lease the caller holds; what was there is set aside in a
    folder, which is returned. A head is there first and all the way, the old one as long as the old journal: while the
    journal it speaks of is not there an engine refuses to start, and doing this again completes it. Raises StoreError.
    """
    fresh = directory / _FRESH
    aside = None
    try:
        for name in _copies(_FRESH):
            (directory / name).unlink(missing_ok=True)
        with Reader(backup) as reader:
            reader.copy_to(fresh)
        if _end_of(fresh) != mark:
            fresh.unlink()
            raise StoreError("BACKUP_CHANGED", f"{backup}: written to while it was copied; restore from a backup of it")
        aside = _folder_aside(directory)
        if remembered(directory) is None:  # nobody would miss the journal
            _write_head(directory, mark)
            sync(directory)
        if aside is not None:
            _set_aside(directory, aside)
        _write_head(directory, mark)
        sync(directory)
        fresh.rename(directory / DB)
        sync(directory)
    except OSError as error:
        where = f"; what was there is in {aside}" if aside else ""
        raise StoreError("STATE_UNUSABLE", f"{directory}: {error.strerror}{where}") from error
    return aside


def is_untouched(directory: Path) -> bool:
    """Whether nothing is in a state directory but its lock, and what a restore leaves that put nothing back."""
    return {each.name for each in directory.iterdir()} <= {LOCK, *_copies(_FRESH), f"{HEAD}.new"}


def _end_of(file: Path) -> Mark | None:
    """None where it has become no journal."""
    with suppress(*FAILURES), closing(sqlite3.connect(file)) as connection:
        (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()
        return Mark(seq, hash_at(connection, seq) or b"")
    return None


def _old(directory: Path) -> list[Path]:
    """What is there already. The journal goes before what belongs to it: alone, its log would be another's."""
    named = [directory / name for name in (DB, *_BESIDE)]
    return [path for path in (*named, *stills.found(directory)) if path.exists()]


def _folder_aside(directory: Path) -> Path | None:
    head = directory / HEAD
    if not _old(directory) and not head.exists():
        return None
    aside = directory / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    aside.mkdir(mode=0o700)
    if head.exists():
        (aside / HEAD).write_bytes(head.read_bytes())
    return aside


def _set_aside(directory: Path, aside: Path) -> None:
    for path in _old(directory):
        path.rename(aside / path.name)
    sync(aside)
    sync(directory)


def _write_head(folder: Path, mark: Mark) -> None:
    """In one step, so that a head is never half an old one."""
    made = folder / f"{HEAD}.new"
    file = HeadFile(folder, made.name)
    try:
        file.write(Head(mark.seq, mark.hash))
        os.fsync(file.fileno())
    finally:
        file.close()
    made.rename(folder / HEAD)
