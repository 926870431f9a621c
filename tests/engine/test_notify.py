"""What the service manager hears."""

import asyncio
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from engine.disk import Disk
from engine.notify import Notify


def manager(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(path))
    listener.settimeout(5)
    return listener


async def test_it_hears_words_and_that_the_loop_turns(tmp_path: Path) -> None:
    with manager(tmp_path / "n") as listener:
        notify = Notify({"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "20000"})
        notify.say("READY=1")
        assert listener.recv(100) == b"READY=1"
        alive = asyncio.create_task(notify.keep_saying(Disk()))
        heard = [await asyncio.to_thread(listener.recv, 100) for _ in range(3)]
        alive.cancel()
        assert heard == [b"WATCHDOG=1"] * 3


async def test_without_a_manager_or_a_watchdog_nothing_happens(tmp_path: Path) -> None:
    Notify({}).say("READY=1")
    Notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}).say("READY=1")
    for environ in ({}, {"WATCHDOG_USEC": "1000"}):
        await asyncio.wait_for(Notify(environ).keep_saying(Disk()), 5)


async def test_a_manager_that_does_not_keep_up_holds_nothing_up(tmp_path: Path) -> None:
    with manager(tmp_path / "n") as listener:
        notify = Notify({"NOTIFY_SOCKET": str(tmp_path / "n")})
        filled = 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, suppress(BlockingIOError):
            sender.setblocking(False)
            while True:
                sender.sendto(b"x", str(tmp_path / "n"))
                filled += 1
        began = time.monotonic()
        notify.say("READY=1")
        assert time.monotonic() - began < 0.5
        assert {listener.recv(100) for _ in range(filled)} == {b"x"}
        notify.say("STOPPING=1")
        assert listener.recv(100) == b"STOPPING=1", "the one that found no room is dropped"


@pytest.mark.parametrize(("pid", "hears"), [(os.getpid(), True), (os.getppid(), False)], ids=["ours", "another's"])
async def test_a_watchdog_of_another_process_hears_nothing_of_ours(tmp_path: Path, pid: int, hears: bool) -> None:
    with manager(tmp_path / "n") as listener:
        listener.setblocking(False)
        environ = {"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "20000", "WATCHDOG_PID": str(pid)}
        alive = asyncio.create_task(Notify(environ).keep_saying(Disk()))
        await asyncio.sleep(0)  # its first word is said at once
        heard = b""
        with suppress(BlockingIOError):
            heard = listener.recv(100)
        alive.cancel()
        assert heard == (b"WATCHDOG=1" if hears else b"")


class Writing:
    """A commit in progress."""

    committing_s = 0.0


async def test_a_commit_older_than_the_interval_is_no_sign_of_life_and_the_reason_is_told(tmp_path: Path) -> None:
    with manager(tmp_path / "n") as listener:
        disk, writing = Disk(), Writing()
        disk.below(writing)
        alive = asyncio.create_task(
            Notify({"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "20000"}).keep_saying(disk)
        )

        async def heard_until(words: bytes) -> set[bytes]:
            heard = {await asyncio.to_thread(listener.recv, 200)}
            async with asyncio.timeout(10):
                while words not in heard:
                    heard.add(await asyncio.to_thread(listener.recv, 200))
            return heard

        assert await heard_until(b"WATCHDOG=1") == {b"WATCHDOG=1"}
        writing.committing_s = 12.0
        reason = b"STATUS=the disk has not answered for 12 s: nothing is written, nothing new is begun"
        await heard_until(reason)
        assert {await asyncio.to_thread(listener.recv, 200) for _ in range(5)} == {reason}
        writing.committing_s = 0.0
        assert await heard_until(b"STATUS=") <= {reason, b"WATCHDOG=1", b"STATUS="}
        assert await asyncio.to_thread(listener.recv, 200) == b"WATCHDOG=1"
        alive.cancel()


async def test_below_the_interval_a_commit_may_last(tmp_path: Path) -> None:
    with manager(tmp_path / "n") as listener:
        disk, writing = Disk(), Writing()
        disk.below(writing)
        writing.committing_s = 29.0
        notify = Notify({"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "30000000"})
        alive = asyncio.create_task(notify.keep_saying(disk))
        assert await asyncio.to_thread(listener.recv, 200) == b"WATCHDOG=1"
        alive.cancel()


async def test_without_a_watchdog_the_reason_is_told_all_the_same(tmp_path: Path) -> None:
    with manager(tmp_path / "n") as listener:
        disk, writing = Disk(), Writing()
        disk.below(writing)
        writing.committing_s = 12.0
        alive = asyncio.create_task(Notify({"NOTIFY_SOCKET": str(tmp_path / "n")}).keep_saying(disk))
        assert (await asyncio.to_thread(listener.recv, 200)).startswith(b"STATUS=the disk has not answered for 12 s")
        alive.cancel()
