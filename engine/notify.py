"""Tells the service manager that started us how we are (sd_notify): ready, alive, stopping. Without one: silence."""

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from engine.disk import Disk

MICROS = 10**6
STATUS_EVERY_S = 5.0
"""Where nobody waits for a sign of life."""


class Notify:
    """`environ` is what the service manager gave: NOTIFY_SOCKET, and WATCHDOG_USEC where it wants to hear from us, or
    from the one process that WATCHDOG_PID names."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        watchdog = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        usec = int(watchdog) if ours and watchdog.isdecimal() and watchdog.isascii() else 0
        self._interval_s = usec / MICROS if usec else None

    def say(self, words: str) -> None:
        """`READY=1`, `STOPPING=1`, `STATUS=...`. A manager that is gone, or does not keep up, is no error and is not
        waited for."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            sender.sendto(words.encode(), self._address)

    async def keep_saying(self, disk: Disk) -> None:
        """That the loop this runs on turns and no commit is older than the interval of the watchdog, twice in each;
        and what is the matter with the disk, until it is over. Returns without a manager."""
        told = ""
        while self._address:
            if self._interval_s is not None and disk.committing_s <= self._interval_s:
                self.say("WATCHDOG=1")
            if (words := "".join(disk.alarms())) or told:
                self.say(f"STATUS={words}")
            told = words
            await asyncio.sleep(STATUS_EVERY_S if self._interval_s is None else self._interval_s / 2)
