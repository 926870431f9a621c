"""Where a test puts what only this process reads."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of a name that nobody knows is made in it


@contextmanager
def in_memory(otherwise: Path) -> Generator[Path, None, None]:
    """A folder where nothing waits for a disk; where there is none, one in another folder."""
    with TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else otherwise) as folder:
        yield Path(folder)
