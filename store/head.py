"""A witness beside the journal: the number and hash of its newest entry, so that a journal cut short is noticed.

It is written after the transaction it speaks of and not synced, so a power loss may leave it behind the journal, which
is harmless; it can never be ahead of a journal that is whole.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

_RECORD = re.compile(rb"(\d{20}) ([0-9a-f]{64})\n")


@dataclass(frozen=True, slots=True)
class Head:
    """An entry that was durable once."""

    seq: int
    hash: bytes


def remembered(directory: Path) -> Head | None:
    """What `perpdesk.head` says to somebody who only reads; None too where there is no such file."""
    try:
        return _said((directory / "perpdesk.head").read_bytes())
    except FileNotFoundError:
        return None


def _said(record: bytes) -> Head | None:
    found = _RECORD.fullmatch(record)
    return Head(int(found[1]), bytes.fromhex(found[2].decode())) if found else None


class HeadFile:
    """`perpdesk.head` in a state directory."""

    def __init__(self, directory: Path, name: str = "perpdesk.head") -> None:
        self._fd = os.open(directory / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def read(self) -> Head | None:
        """What it says, or None when it says nothing: new, or torn by a power loss."""
        return _said(os.pread(self._fd, 128, 0))

    def write(self, head: Head) -> None:
        """Replaces what it says."""
        os.pwrite(self._fd, f"{head.seq:020d} {head.hash.hex()}\n".encode(), 0)

    def fileno(self) -> int:
        """For whoever makes it durable."""
        return self._fd

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._fd)
