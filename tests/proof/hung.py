"""A disk that does not answer while somebody has made a pipe on it, and how to tell that nothing was lost."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.audit import audit
from store.lease import Lease
from tests.cli.perpdesk import perpdesk
from tests.proof.plants import PIPE
from tests.proof.zygote import Life, born
from tests.scale import scaled

STOPS: Final = (signal.SIGTERM, signal.SIGINT)[: scaled(1, 2, 2)]
SILENT: Final = "the disk has not answered for"


def demo(folder: Path, plant: str = "hangs", *more: str, **env: str) -> Life:
    arguments = ("demo", "--headless", "--seed", "3", "--state", str(folder / "state"), *more)
    return born(folder, *arguments, plant=plant, **env)


@contextmanager
def hung(state: Path) -> Iterator[None]:
    """The disk does not answer; afterwards it does."""
    os.mkfifo(state / PIPE)
    try:
        yield
    finally:
        answers = os.open(state / PIPE, os.O_RDWR)
        (state / PIPE).unlink()
        os.close(answers)


def goes_on(folder: Path) -> None:
    """The directory is free, nothing in it is wrong, and the next run continues."""
    state = folder / "state"
    with Lease(state):
        pass
    verified = perpdesk(folder, "verify", str(state))
    assert verified.returncode == 0, verified.stderr
    again = demo(folder, "", "--for", "0s")
    assert again.status() == 0, again.words()
    assert json.loads(again.out.read_text())["facts"] >= audit(state).mark.seq > 0
