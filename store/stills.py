"""Snapshots beside a journal, as files: a header that says behind which entry, and a body nobody looks into here.

`perpdesk.still-SEQ` is written under another name, synced and renamed, so it is there whole or not at all. Whatever
else is wrong with one is found by its digest. They only save time: each may be deleted whenever one likes.
"""

import fcntl
import os
import re
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from store.chain import Mark
from store.errors import Locked, StoreError
from store.files import sync

KEPT = 2
"""How many are kept."""
PIECE = 4 << 20
"""Bytes between two syncs: a writer of the journal on the same disk waits for no more than these."""
_MAGIC = b"PERPSTL1"
_HEADER = struct.Struct(">8sQ32s32s")  # magic, number of the entry, its hash, digest of those three and the body
_NAME = re.compile(r"perpdesk\.still-(\d{1,19})")
_DRAFT = "perpdesk.still.new"
_OF_OTHERS = 0o022


class Unfit(StoreError):
    """A snapshot that cannot be used; why, in one line. Never a reason to stop."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__("STILL_UNFIT", f"{path}: {why}; it is not used")


@dataclass(frozen=True, slots=True)
class StillFile:
    """What a file said: the place in the journal it was made at, and its body."""

    mark: Mark
    body: bytes


def found(directory: Path) -> tuple[Path, ...]:
    """Those there are, newest first. Raises StoreError when the directory cannot be read."""
    try:
        names = [path for path in directory.iterdir() if _NAME.fullmatch(path.name)]
    except OSError as error:
        raise StoreError("STATE_UNUSABLE", f"{directory}: {error.strerror}") from error
    return tuple(sorted(names, key=seq_of, reverse=True))


def seq_of(path: Path) -> int:
    """The number of the entry a file says by its name that it was made behind."""
    return int(path.name.rpartition("-")[2])


def read(path: Path) -> StillFile:
    """A whole file, checked. Raises Unfit for one that is cut short, changed, misnamed or not ours alone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would keep us waiting
        try:
            of = os.fstat(fd)
            if not stat.S_ISREG(of.st_mode):
                raise Unfit(path, "not a regular file")
            with os.fdopen(fd, "rb", closefd=False) as file:
                header, body = file.read(_HEADER.size), file.read()
        finally:
            os.close(fd)
    except OSError as error:
        raise Unfit(path, error.strerror or "cannot be read") from error
    if of.st_uid != os.geteuid() or of.st_mode & _OF_OTHERS:
        raise Unfit(path, "somebody else may have written it")
    if len(header) < _HEADER.size or not header.startswith(_MAGIC):
        raise Unfit(path, "not a snapshot")
    _, seq, at, digest = _HEADER.unpack(header)
    if seq != seq_of(path) or _digest(header[: -len(digest)], body) != digest:
        raise Unfit(path, "damaged")
    return StillFile(Mark(seq, at), body)


def _digest(head: bytes, body: bytes) -> bytes:
    digest = blake2b(head, digest_size=32)
    digest.update(body)
    return digest.digest()


class Draft:
    """The next one, while it is made. Use `alone`."""

    def __init__(self, directory: Path, fd: int) -> None:
        self._directory = directory
        self._fd = fd

    def put(self, mark: Mark, body: bytes) -> Path:
        """Writes it, puts it in its place, and takes away all but it and the one before. Raises OSError; then there is
        nothing new."""
        head = struct.pack(">8sQ32s", _MAGIC, mark.seq, mark.hash)
        self._write(head + _digest(head, body))
        for start in range(0, len(body), PIECE):
            self._write(memoryview(body)[start : start + PIECE])
            os.fdatasync(self._fd)
        os.fsync(self._fd)
        path = self._directory / f"perpdesk.still-{mark.seq}"
        (self._directory / _DRAFT).rename(path)
        sync(self._directory)
        self._prune(mark.seq)
        return path

    def _write(self, data: bytes | memoryview) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def _prune(self, seq: int) -> None:
        """One that claims to be newer is of another journal: this one has just been read to its end."""
        older = [path for path in found(self._directory) if seq_of(path) < seq][: KEPT - 1]
        for path in found(self._directory):
            if seq_of(path) != seq and path not in older:
                with suppress(OSError):  # what cannot go, a folder of that name, is no fault of the one just made
                    path.unlink()


@contextmanager
def alone(directory: Path) -> Iterator[Draft]:
    """Holds the one place where a snapshot is made; what a killed maker left there is written over.

    Raises Locked while another process holds it, StoreError when the directory refuses.
    """
    path = directory / _DRAFT
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError("STATE_UNUSABLE", f"{path}: {error.strerror}") from error
    try:
        _hold(path, fd)
        try:
            os.ftruncate(fd, 0)
            yield Draft(directory, fd)
        finally:
            if _is_at(path, fd):
                path.unlink()
    finally:
        os.close(fd)


def _hold(path: Path, fd: int) -> None:
    held = Locked("STILL_LOCKED", f"{path}: another process is making a snapshot")
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise held from None
    if not _is_at(path, fd):  # put in its place, or given up, by who held it until just now
        raise held


def _is_at(path: Path, fd: int) -> bool:
    try:
        return path.stat(follow_symlinks=False).st_ino == os.fstat(fd).st_ino
    except FileNotFoundError:
        return False
