"""A control socket over a Port that a test writes, and clients that say what they like."""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, unix_connect

from engine import wire
from engine.clock import SystemClock
from engine.commands import Command, HaltAll, Receipt
from engine.control import listening
from engine.exchange_rows import MarketPoint
from engine.port import Info
from engine.remote import RemotePort
from engine.snapshot import EventPage, Snapshot
from engine.where import control_path
from engine.who import local_info
from tests.tui import scripted

ME = pwd.getpwuid(os.getuid()).pw_name
SECONDS = 10.0


def halt_all(command_id: str, **changes: Any) -> HaltAll:
    until = SystemClock().now_ms() + 60_000
    return replace(HaltAll(id=command_id, who=ME, seen_seq=0, expires_at_ms=until), **changes)


@dataclass
class Recorder:
    """A Port that keeps what it was asked for; a gate that is closed holds every command up."""

    snapshot: Snapshot = field(default_factory=lambda: scripted.ScriptedPort().latest())
    page: EventPage = field(default_factory=lambda: EventPage((), 0))
    points: tuple[MarketPoint, ...] = ()
    version: str = field(default_factory=lambda: local_info().version)
    asked: list[Command] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def want(self, names: Collection[str]) -> None:
        """Everything is at hand."""

    def lag_ms(self) -> int | None:
        return None

    def info(self) -> Info:
        return replace(local_info(), version=self.version, operator="somebody")

    def latest(self) -> Snapshot:
        return self.snapshot

    def events(self, since: int) -> EventPage:
        return self.page

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        return tuple(point for point in self.points if point.at_ms >= since_ms) if market == "ETH" else ()

    async def submit(self, command: Command) -> Receipt:
        self.asked.append(command)
        self.came.set()
        await self.gate.wait()
        return Receipt(command.id, True, "", "done", 1)


@asynccontextmanager
async def served(directory: Path, port: Recorder | None = None) -> AsyncIterator[Recorder]:
    port = port or Recorder()
    port.gate.set()

    def failed(text: str) -> None:
        raise AssertionError(text)

    async with listening(port, directory, failed):
        yield port


@asynccontextmanager
async def raw(directory: Path) -> AsyncIterator[ClientConnection]:
    """A client that says what it likes."""
    async with unix_connect(
        str(control_path(directory)), max_size=2**26, close_timeout=1, compression=None
    ) as connection:
        yield connection


async def answer(connection: ClientConnection, message: str | bytes) -> Any:
    await connection.send(message)
    async with asyncio.timeout(SECONDS):
        return wire.loads(str(await connection.recv()))


async def works(directory: Path) -> None:
    """Somebody else is still served."""
    async with await RemotePort.connect(directory, SECONDS) as remote:
        assert (await remote.info()).operator == ME
