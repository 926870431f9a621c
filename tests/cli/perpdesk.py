"""Runs the real program in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "tui.cli")


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """An environment without anybody's configuration."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return kept | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")} | more


def perpdesk(tmp_path: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """The finished run; there is no terminal."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(tmp_path, **env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def summary(run: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    """The one JSON object on stdout."""
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@contextmanager
def running(tmp_path: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A run in the background, killed at the end if it still runs."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
