"""The runner of the proofs counts what was tried, and nothing else."""

import subprocess
from pathlib import Path

import pytest

from tests.proof import __main__ as runner

SKIPPED = """
import pytest

def test_one():
    pytest.skip("no node here")
"""
PASSES = """
def test_two():
    pass
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tests of a check named "ours" are to be written."""
    path = tmp_path / "test_ours.py"
    monkeypatch.setitem(runner.CHECKS, "ours", (str(path),))
    return path


def test_a_check_that_tried_nothing_is_a_violation(check: Path, capfd: pytest.CaptureFixture[str]) -> None:
    check.write_text(SKIPPED)
    found = runner.proof("ours", 1, short=True)
    assert (found.cases, found.violations) == (0, 1)
    (told,) = (line for line in capfd.readouterr().err.splitlines() if line.startswith("ours: skipped "))
    assert told.endswith("test_ours.test_one: no node here")


def test_one_that_is_skipped_beside_one_that_passes_is_told(check: Path, capfd: pytest.CaptureFixture[str]) -> None:
    check.write_text(SKIPPED + PASSES)
    found = runner.proof("ours", 1, short=True)
    assert (found.cases, found.violations) == (1, 0)
    assert "test_one: no node here" in capfd.readouterr().err


def test_a_commit_made_meanwhile_is_not_the_one_that_was_tried(
    check: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> None:
        names = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(("git", *names, *arguments), cwd=tmp_path, check=True, capture_output=True)

    git("init")
    check.write_text(PASSES)
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    git("add", ".")
    git("commit", "-m", "one")
    monkeypatch.chdir(tmp_path)
    first = runner.proof("ours", 1, short=True).commit
    assert first == runner.commit()
    assert not first.endswith("+")
    check.write_text(
        """
import subprocess

def test_two():
    names = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(("git", *names, "commit", "--allow-empty", "-m", "two"), check=True)
"""
    )
    git("commit", "-am", "it commits")
    second = runner.commit()
    assert runner.proof("ours", 1, short=True).commit == f"{second}+"
    assert runner.commit() not in (second, f"{second}+")
