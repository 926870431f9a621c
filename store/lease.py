"""One writer for a state directory: an flock held for as long as the process lives, released by the kernel."""

import fcntl
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from store.errors import Locked, StoreError
from store.files import make_folder

FILE = "perpdesk.lock"


def others_in(directory: Path) -> str:
    """What other users of the machine may do in a directory, by its mode; empty when nothing. Raises OSError."""
    mode = stat.S_IMODE(directory.stat().st_mode)
    if not mode & (stat.S_IRWXG | stat.S_IRWXO):
        return ""
    may = "write to" if mode & (stat.S_IWGRP | stat.S_IWOTH) else "look into"
    return f"mode {mode:04o}: others may {may} {directory}; chmod 700 it"


class Lease:
    """Holds `perpdesk.lock` in a directory. Raises Locked, naming the holder, when somebody else has it."""

    def __init__(self, directory: Path) -> None:
        try:
            make_folder(directory, 0o700)
            # A link that somebody left there would have another file emptied.
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.open(directory / FILE, flags, 0o600)
            self._directory = directory
        except OSError as error:
            raise StoreError("STATE_UNUSABLE", f"state directory {directory}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise Locked(
                "STATE_LOCKED",
                f"state directory {directory} is in use by perpdesk process {holder}; stop it or name another --state",
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode("ascii"))

    def is_in_place(self) -> bool:
        """Whether the lock that is held is still the one whoever comes next would find."""
        try:
            return (self._directory / FILE).stat(follow_symlinks=False).st_ino == os.fstat(self._file).st_ino
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Gives the directory back; also happens when the process dies."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
