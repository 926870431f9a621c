"""One process per state directory, whatever happens to that process."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from store.errors import Locked, StoreError
from store.lease import Lease

HOLD = """
import sys
from pathlib import Path
from store.lease import Lease
lease = Lease(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def hold(directory: Path) -> "subprocess.Popen[str]":
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        with pytest.raises(Locked, match=f"process {holder.pid}; stop it or name another --state"):
            Lease(tmp_path)
        holder.kill()


def test_a_killed_holder_leaves_the_directory_free(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        holder.send_signal(signal.SIGKILL)
    with Lease(tmp_path):
        assert (tmp_path / "perpdesk.lock").stat().st_mode & 0o077 == 0


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"state directory .*file/x: Not a directory"):
        Lease(tmp_path / "file" / "x")
