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
