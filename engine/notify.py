"""Tells the service manager that started us how we are (sd_notify): ready, alive, stopping. Without one: silence."""

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress

MICROS = 10**6


class Notify:
    """`environ` is what the service manager gave: NOTIFY_SOCKET, and WATCHDOG_USEC where it wants to hear from us."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        watchdog = environ.get("WATCHDOG_USEC", "")
        usec = int(watchdog) if watchdog.isdecimal() and watchdog.isascii() else 0
        self._every_s = usec / MICROS / 2 if self._address and usec else None

    def say(self, words: str) -> None:
        """`READY=1`, `STOPPING=1`, `STATUS=...`. A manager that is gone is no error."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(1.0)
            sender.sendto(words.encode(), self._address)

    async def keep_saying(self) -> None:
        """That the loop this runs on still turns, twice in each interval of the watchdog; returns without one."""
        while self._every_s is not None:
            self.say("WATCHDOG=1")
            await asyncio.sleep(self._every_s)
