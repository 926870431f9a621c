"""What the tests of secrets share: the program with faults in it, and where it leaves its words."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.cli.perpdesk import environment

FAULTY: Final = (sys.executable, "-m", "tests.proof.faulty")
SOUND: Final = (0, 66, 69, 76, 78, 79, 80, 81)
"""Statuses that are one line or a table."""


@contextmanager
def faulty(folder: Path, faults: tuple[str, ...], *arguments: str, **env: str) -> Iterator["subprocess.Popen[str]"]:
    """The program with faults in it, allowed to leave a core file; its words go to `out` and `err` in the folder."""
    with (folder / "out").open("a") as out, (folder / "err").open("a") as err:
        process = subprocess.Popen(
            [*FAULTY, *faults, "--", *arguments],
            env=environment(folder, **env) | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONFAULTHANDLER": "1"},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
            preexec_fn=cores,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def cores() -> None:
    """Allows core files; between fork and exec."""
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def words(folder: Path) -> str:
    """What it has said on stderr."""
    return (folder / "err").read_text()
