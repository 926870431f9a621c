"""What the service manager hears."""

import asyncio
import socket
from pathlib import Path

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
        alive = asyncio.create_task(notify.keep_saying())
        heard = [await asyncio.to_thread(listener.recv, 100) for _ in range(3)]
        alive.cancel()
        assert heard == [b"WATCHDOG=1"] * 3


async def test_without_a_manager_or_a_watchdog_nothing_happens(tmp_path: Path) -> None:
    Notify({}).say("READY=1")
    Notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}).say("READY=1")
    for environ in ({}, {"WATCHDOG_USEC": "1000"}, {"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "x"}):
        await asyncio.wait_for(Notify(environ).keep_saying(), 5)
