"""The real program, loaded once and forked for every run, any number of them at a time; each may be killed."""

import ctypes
import gc
import json
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.cli.forge import ask, become
from tests.cli.perpdesk import environment
from tests.proof import plants

PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class Life:
    """One run of the program in a process of its own; its words are in files."""

    pid: int
    fd: int
    """Says when it has ended, and names it beyond doubt."""
    out: Path
    err: Path

    def ended(self, seconds: float = 0.0) -> bool:
        """Whether it has ended within so many seconds."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def send(self, number: signal.Signals) -> None:
        """Does nothing to one that has ended."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.fd, number)

    def status(self, seconds: float = 60.0) -> int:
        """How it ended, negative for a signal; once. Raises AssertionError when it has not by then."""
        assert self.ended(seconds), self.words()
        os.close(self.fd)
        return int(_asked({"wait": self.pid}))

    def kill(self) -> int:
        """Its status, as `kill -9` leaves it, or as it had ended by itself."""
        self.send(signal.SIGKILL)
        return self.status()

    def words(self) -> str:
        """What it has said on stderr."""
        return self.err.read_text()


def born(folder: Path, *arguments: str, plant: str = "", **env: str) -> Life:
    """A run of `perpdesk` with these arguments, and with a bug if one is named; there is no terminal."""
    number = len(list(folder.glob("out-*")))
    out, err = folder / f"out-{number}", folder / f"err-{number}"
    out.touch()
    err.touch()
    asked = {
        "argv": ["perpdesk", *arguments],
        "plant": plant,
        "env": environment(folder, **env),
        "out": str(out),
        "err": str(err),
    }
    pid = int(_asked(asked))
    return Life(pid, os.pidfd_open(pid), out, err)


def _asked(question: dict[str, Any]) -> str:
    return ask("tests.proof.zygote", question)


def _serve() -> None:
    """A line asks for a run and is answered with its process id, or for the status of one that has ended."""
    from engine import engine  # noqa: F401 - loaded for those who are forked
    from tui import audit_verbs, cli, run_verbs  # noqa: F401

    libc = ctypes.CDLL(None)
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            _, status = os.waitpid(asked["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        elif (answer := os.fork()) == 0:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody outlives the tests
            become(partial(_planted, cli.main, asked["plant"]), asked)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _planted(main: Callable[[], None], plant: str) -> None:
    if plant:
        getattr(plants, plant)()
    main()


if __name__ == "__main__":
    _serve()
