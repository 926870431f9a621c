"""Data that cannot be told: the line, the status, and that what was going on has ended in order."""

import os
import subprocess
from pathlib import Path
from typing import IO

import pytest

from tests.cli.perpdesk import COMMAND, environment

VERBS = [("--help",), ("demo", "--headless", "--for", "1s")]


def told_to(out: int | IO[bytes], tmp_path: Path, *arguments: str) -> tuple[int, list[str]]:
    """The status, and what stderr has beside the log."""
    run = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        timeout=90,
        check=False,
    )
    return run.returncode, [line for line in run.stderr.splitlines() if not line.startswith("timestamp=")]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_a_full_disk_is_one_line(tmp_path: Path, verb: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        assert told_to(full, tmp_path, *verb) == (74, ["perpdesk: stdout: No space left on device"])


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_a_reader_that_is_gone_is_no_word(tmp_path: Path, verb: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert told_to(writing, tmp_path, *verb) == (141, [])
    finally:
        os.close(writing)


def test_a_full_pipe_that_may_not_be_waited_for_is_one_line(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            try:
                os.write(writing, b"x" * 65536)
            except BlockingIOError:
                break
        status = told_to(writing, tmp_path, "--help")
    finally:
        os.close(reading)
        os.close(writing)
    assert status == (74, ["perpdesk: stdout: Resource temporarily unavailable"])


def test_without_a_stdout_nothing_is_told(tmp_path: Path) -> None:
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "--help"]
    run = subprocess.run(closed, env=environment(tmp_path), capture_output=True, text=True, timeout=90, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
