"""Snapshot files: whole or not at all, any damage is seen, and only the newest two stay."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from store import stills
from store.chain import Mark
from store.errors import Locked, StoreError
from store.stills import StillFile, Unfit, alone, found, read

AT = bytes(range(32))
BODY = b"body" * 1_000
HEADER = 80

HOLD = """
import sys
from pathlib import Path
from store.stills import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def put(directory: Path, seq: int, body: bytes = BODY) -> Path:
    with alone(directory) as draft:
        return draft.put(Mark(seq, AT), body)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_it_comes_back_as_it_was_put(tmp_path: Path) -> None:
    path = put(tmp_path, 7)
    assert read(path) == StillFile(Mark(7, AT), BODY)
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["perpdesk.still-7"]


@pytest.mark.parametrize("size", [0, 1, stills.PIECE, stills.PIECE + 1])
def test_any_size(tmp_path: Path, size: int) -> None:
    assert read(put(tmp_path, 7, bytes(size))).body == bytes(size)


@pytest.mark.parametrize("at", [*range(HEADER), HEADER, HEADER + 1, HEADER + 2_000, HEADER + len(BODY) - 1])
def test_a_flipped_bit_anywhere_is_seen(tmp_path: Path, at: int) -> None:
    path = put(tmp_path, 7)
    damaged = bytearray(path.read_bytes())
    for bit in (0, 7):
        damaged[at] ^= 1 << bit
        path.write_bytes(damaged)
        with pytest.raises(Unfit):
            read(path)
        damaged[at] ^= 1 << bit
    path.write_bytes(damaged)
    assert read(path).body == BODY


@pytest.mark.parametrize("left", [0, 1, 8, HEADER - 1, HEADER, HEADER + 1, HEADER + len(BODY) - 1])
def test_one_that_was_cut_short_is_seen(tmp_path: Path, left: int) -> None:
    path = put(tmp_path, 7)
    os.truncate(path, left)
    with pytest.raises(Unfit, match=f"{path}: (damaged|not a snapshot)"):
        read(path)


def test_one_that_something_was_added_to_is_seen(tmp_path: Path) -> None:
    path = put(tmp_path, 7)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(Unfit, match="damaged"):
        read(path)


def test_one_under_another_name_is_not_believed(tmp_path: Path) -> None:
    path = put(tmp_path, 7).rename(tmp_path / "perpdesk.still-8")
    with pytest.raises(Unfit, match="damaged"):
        read(path)


def test_one_that_others_may_write_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path, 7)
    path.chmod(0o620)
    with pytest.raises(Unfit, match="somebody else"):
        read(path)


def test_a_link_a_folder_and_nothing_are_not_read(tmp_path: Path) -> None:
    real = put(tmp_path, 7)
    (tmp_path / "perpdesk.still-8").symlink_to(real)
    (tmp_path / "perpdesk.still-9").mkdir()
    for seq in (8, 9, 10):
        with pytest.raises(Unfit):
            read(tmp_path / f"perpdesk.still-{seq}")


def test_a_pipe_of_that_name_keeps_nobody_waiting(tmp_path: Path) -> None:
    path = tmp_path / "perpdesk.still-8"
    os.mkfifo(path, 0o600)
    with pytest.raises(Unfit, match="not a regular file"):
        read(path)


def test_what_cannot_be_taken_away_harms_nothing(tmp_path: Path) -> None:
    for seq in (1, 2, 3):
        (tmp_path / f"perpdesk.still-{seq}").mkdir()
    put(tmp_path, 4)
    put(tmp_path, 5)
    assert names(tmp_path) == [f"perpdesk.still-{seq}" for seq in (1, 2, 3, 4, 5)]
    assert read(put(tmp_path, 6)).mark.seq == 6
    assert not (tmp_path / "perpdesk.still-4").exists()


def test_the_newest_two_stay_and_none_that_claims_to_be_newer(tmp_path: Path) -> None:
    for seq in (9, 10, 100):
        put(tmp_path, seq)
    assert [path.name for path in found(tmp_path)] == ["perpdesk.still-100", "perpdesk.still-10"]
    put(tmp_path, 50)
    assert [path.name for path in found(tmp_path)] == ["perpdesk.still-50", "perpdesk.still-10"]


def test_what_is_no_snapshot_is_left_alone(tmp_path: Path) -> None:
    for name in ("perpdesk.db", "perpdesk.still-x", "perpdesk.still-1.bak", "xperpdesk.still-1"):
        (tmp_path / name).write_bytes(b"")
    put(tmp_path, 3)
    put(tmp_path, 4)
    put(tmp_path, 5)
    assert len(names(tmp_path)) == 4 + 2


def test_giving_up_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(tmp_path):
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_a_disk_that_refuses_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, 7)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(OSError, match="No space"):
        put(tmp_path, 8)
    assert names(tmp_path) == ["perpdesk.still-7"]


def test_it_is_synced_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool]] = []
    fsync = os.fsync

    def noted(fd: int) -> None:
        seen.append((Path(f"/proc/self/fd/{fd}").readlink().name, (tmp_path / "perpdesk.still-7").exists()))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", noted)
    put(tmp_path, 7)
    assert seen == [("perpdesk.still.new", False), (tmp_path.name, True)]


def test_one_maker_at_a_time_and_a_killed_one_is_no_hindrance(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Locked, match="another process"), alone(tmp_path):
            pass
        assert names(tmp_path) == ["perpdesk.still.new"], "it is the other's"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    (tmp_path / "perpdesk.still.new").write_bytes(b"half" * 10_000)
    assert read(put(tmp_path, 7)).body == BODY
    assert names(tmp_path) == ["perpdesk.still-7"]


def test_whoever_comes_while_another_ends_does_not_write_into_what_that_one_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def late(fd: int, operation: int) -> None:
        (tmp_path / "perpdesk.still.new").rename(tmp_path / "perpdesk.still-7")
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    (tmp_path / "perpdesk.still.new").write_bytes(b"whole")
    with pytest.raises(Locked), alone(tmp_path):
        pass
    assert (tmp_path / "perpdesk.still-7").read_bytes() == b"whole"


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(StoreError), alone(tmp_path / "gone"):
        pass
    with pytest.raises(StoreError):
        found(tmp_path / "gone")
