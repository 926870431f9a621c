"""A journal copied to another place and back, so that every moment of it can lose power.

A backup is a folder with `perpdesk.db` and `perpdesk.head`, nothing else: index and snapshots are made anew, and a
keystore is no business of a copy that somebody may carry away.
"""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

from store import stills
from store.errors import StoreError
from store.files import sync
from store.head import Head, HeadFile
from store.journal import Mark
from store.reader import Reader

DB, HEAD = "perpdesk.db", "perpdesk.head"
_BESIDE = (f"{DB}-wal", f"{DB}-shm", "index.db", "index.db-wal", "index.db-shm")


def draft(target: Path) -> Path:
    """The folder a backup is made in before it gets its name, empty. Raises StoreError when `target` is taken."""
    if target.exists() or target.is_symlink():
        raise StoreError("TARGET_TAKEN", f"{target}: there is something already; name a folder that does not exist")
    folder = target.with_name(f"{target.name}.partial")
    try:
        with suppress(FileNotFoundError):
            rmtree(folder)
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise StoreError("TARGET_UNUSABLE", f"{folder}: {error.strerror}") from error
    return folder


def copy(source: Path, folder: Path) -> None:
    """Copies the journal of a state directory, running or not, into an empty folder. Raises StoreError."""
    try:
        with Reader(source) as reader:
            reader.copy_to(folder / DB)
    except StoreError:
        rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
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
    folder, which is returned. The head goes first: while the journal it speaks of is not there an engine refuses to
    start, and doing this again completes it. Raises StoreError.
    """
    fresh = directory / f"{DB}.restored"
    try:
        fresh.unlink(missing_ok=True)
        with Reader(backup) as reader:
            reader.copy_to(fresh)
        aside = _folder_aside(directory)
        _write_head(directory, mark)
        sync(directory)
        if aside is not None:
            _set_aside(directory, aside)
        fresh.rename(directory / DB)
        sync(directory)
    except OSError as error:
        raise StoreError("STATE_UNUSABLE", f"{directory}: {error.strerror}") from error
    return aside


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
