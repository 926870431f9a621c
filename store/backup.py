"""A journal copied to another place and back, so that every moment of it can lose power.

A backup is a folder with `perpdesk.db` and `perpdesk.head`, nothing else: index and snapshots are made anew, and a
keystore is no business of a copy that somebody may carry away.
"""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

from store import stills
from store.errors import StoreError
from store.files import sync
from store.head import Head, HeadFile, remembered
from store.journal import Mark, hash_at
from store.reader import Reader
from store.said import FAILURES

DB, HEAD = "perpdesk.db", "perpdesk.head"
_FRESH = f"{DB}.restored"
_BESIDE = (f"{DB}-wal", f"{DB}-shm", "index.db", "index.db-wal", "index.db-shm")


def draft(target: Path) -> Path:
    """The folder a backup is made in before it gets its name, empty. Raises StoreError when `target` is taken."""
    if target.exists() or target.is_symlink():
        raise StoreError("TARGET_TAKEN", f"{target}: there is something already; name a folder that does not exist")
    folder = target.with_name(f"{target.name}.partial")
    try:
        if folder.is_symlink() or (folder.exists() and not _ours(folder)):
            raise StoreError("TARGET_TAKEN", f"{folder}: there is something that no backup left; move it away")
        with suppress(FileNotFoundError):
            rmtree(folder)
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise StoreError("TARGET_UNUSABLE", f"{folder}: {error.strerror}") from error
    return folder


def _ours(folder: Path) -> bool:
    """Whether there is nothing but what a backup that was cut short leaves."""
    return folder.is_dir() and {each.name for each in folder.iterdir()} <= {*_copies(DB), HEAD, f"{HEAD}.new"}


def _copies(name: str) -> list[str]:
    """A copy, and what SQLite keeps beside it while it is made."""
    return [name, *(f"{name}{suffix}" for suffix in ("-journal", "-wal", "-shm"))]


def copy(source: Path, folder: Path) -> None:
    """Copies the journal of a state directory, running or not, into an empty folder. Raises StoreError."""
    try:
        with Reader(source) as reader:
            reader.copy_to(folder / DB)
    except StoreError:
        rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
        rmtree(folder, ignore_errors=True)
        raise StoreError("TARGET_UNUSABLE", f"{folder}: {error.strerror}") from error


def finish(folder: Path, target: Path, mark: Mark) -> None:
    """Writes the head and gives the folder its name, durably. Raises StoreError."""
    try:
        _write_head(folder, mark)
        sync(folder)
        folder.rename(target)
        sync(target.parent)
    except OSError as error:
        raise StoreError("TARGET_UNUSABLE", f"{target}: {error.strerror}") from error


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
    return {each.name for each in directory.iterdir()} <= {"perpdesk.lock", *_copies(_FRESH), f"{HEAD}.new"}


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
