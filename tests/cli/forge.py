"""The real program, loaded once and forked for every run: the chain's libraries take longer to load than to use."""

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import psutil

from tests.cli.perpdesk import environment

THIS: Final = "tests.cli.forge"


def forged(tmp_path: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """As `perpdesk` runs it, in a process of its own; there is no terminal."""
    out, err = tmp_path / "stdout", tmp_path / "stderr"
    argv = ["perpdesk", *arguments]
    asked = {"argv": argv, "env": environment(tmp_path, **env), "out": str(out), "err": str(err)}
    status = int(ask(THIS, asked))
    return subprocess.CompletedProcess(argv, status, out.read_text(), err.read_text())


def running() -> psutil.Process:
    """The program that `forged` waits for in another thread."""
    (program,) = psutil.Process(_server(THIS).pid).children()
    return program


def ask(module: str, question: dict[str, Any]) -> str:
    """The line that a module's server, one per process, answers a question with."""
    server = _server(module)
    if server.stdin is None or server.stdout is None:
        raise AssertionError("started with pipes")
    server.stdin.write(f"{json.dumps(question)}\n")
    server.stdin.flush()
    return server.stdout.readline()


@cache
def _server(module: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", module]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.kill)
    return server


def _serve() -> None:
    """A line asks for a run and is answered with its exit status, until there are none."""
    from engine.live import doctor  # noqa: F401 - loaded for those who are forked
    from tui import cli
    from tui.live import venue_orders, venue_read  # noqa: F401
    from venue.chain import keystore  # noqa: F401

    for line in sys.stdin:
        asked = json.loads(line)
        if (pid := os.fork()) == 0:
            become(cli.main, asked)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def become(main: Callable[[], None], asked: dict[str, Any]) -> None:
    """Turns a fork into the run that was asked for; never returns."""
    status = 0
    try:
        os.environ.clear()
        os.environ.update(asked["env"])
        for number, path, flags in (
            (0, os.devnull, os.O_RDONLY),
            (1, asked["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            (2, asked["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ):
            os.dup2(os.open(path, flags, 0o600), number)
        sys.argv = asked["argv"]
        main()
    except SystemExit as done:
        status = done.code if isinstance(done.code, int) else 0 if done.code is None else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
