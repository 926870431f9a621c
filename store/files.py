"""Files that must be there after a power loss."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Makes a file, or the names in a folder, durable. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def missing(path: Path) -> list[Path]:
    """A folder and those above it, as far as they are not there; the innermost first."""
    return [each for each in (path, *path.parents) if not each.exists()]


def make_folder(path: Path, mode: int = 0o777) -> None:
    """Makes a folder, and those above it, durably; only the last has the mode. Raises OSError."""
    new = missing(path)
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    for each in new:
        sync(each.parent)
