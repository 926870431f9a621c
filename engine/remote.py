"""A running engine from another process, over its control socket: connect, ask once or a few times, close."""

import asyncio
import os
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from engine import wire
from engine.commands import Command, Receipt
from engine.exchange_rows import MarketPoint
from engine.port import Info
from engine.snapshot import EventPage, Snapshot
from engine.where import NotPrivate, checked_path, peer_uid

T = TypeVar("T")
MOST_BYTES = 32 * 1024 * 1024


class RemoteError(Exception):
    """One line that says what to do."""


class NoEngine(RemoteError):
    """Nobody serves this state directory, or no longer."""


class NotYours(RemoteError):
    """The engine belongs to another user."""


class NoAnswer(RemoteError):
    """The engine did not answer in time, or the connection broke first: whether a command was done is not known."""


class Busy(RemoteError):
    """As many stay attached as may."""


class BadAnswer(RemoteError):
    """What came back is not what this perpdesk understands, or the engine did not understand the question."""


class RemotePort:
    """The Port's questions as coroutines; any number of tasks may ask, one question is under way at a time.

    Raises RemoteError from every question; after NoAnswer the connection is gone.
    """

    def __init__(self, connection: ClientConnection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._turn = asyncio.Lock()

    @classmethod
    async def connect(
        cls, directory: Path, seconds: float = 10.0, *, observe: bool = False, thin: bool = False
    ) -> Self:
        """Reaches the engine on a state directory; no question may take longer than `seconds`. `observe` gives up every
        right to command; `thin` packs what is sent."""
        try:
            connection = await unix_connect(
                str(checked_path(directory)),
                open_timeout=seconds,
                close_timeout=1,
                compression="deflate" if thin else None,
                max_size=MOST_BYTES,
            )
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            raise NoEngine(f"no engine runs on {directory}; start one or name another --state") from None
        except (PermissionError, NotPrivate) as error:
            raise NotYours(f"the engine on {directory} belongs to another user: {error.strerror or error}") from None
        except TimeoutError:
            raise NoAnswer(f"the engine on {directory} does not answer") from None
        except (OSError, EOFError, ConnectionClosed, InvalidHandshake):
            raise NoEngine(f"the engine on {directory} takes no connection; it is stopping or has too many") from None
        await _check_owner(connection, directory)
        port = cls(connection, seconds)
        if observe:
            await port._read(Info, {"ask": "observe"})
        return port

    async def info(self) -> Info:
        """What does not change; `operator` is who commands sent from here are journaled as."""
        return await self._read(Info, {"ask": "info"})

    async def latest(self) -> Snapshot:
        """The newest snapshot."""
        return await self._read(Snapshot, {"ask": "latest"})

    async def events(self, since: int, most: int | None = None) -> EventPage:
        """Events numbered above `since` that are still in the ring, the newest `most` of them."""
        few = {} if most is None else {"most": str(most)}
        return await self._read(EventPage, {"ask": "events", "since": str(since), **few})

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        """What is held of a market at or after `since_ms`, oldest first."""
        question = {"ask": "history", "market": market, "since": str(since_ms)}
        return await self._read(tuple[MarketPoint, ...], question)

    async def changes(self, want: Collection[str], *, whole: bool) -> object:
        """What changed since this was asked last on this connection, as `engine.delta` writes it, of these fields; the
        first time, and with `whole`, everything."""
        match await self._ask({"ask": "changes", "want": sorted(want), "whole": whole}):
            case {"change": change}:
                return change
        raise BadAnswer("the engine's answer cannot be read")

    async def submit(self, command: Command) -> Receipt:
        """The receipt. After NoAnswer the very same command may be sent again: it is not done twice."""
        return await self._read(Receipt, {"ask": "submit", "command": wire.tagged(command)})

    async def close(self) -> None:
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _read(self, kind: type[T], question: dict[str, Any]) -> T:
        try:
            return wire.read(kind, await self._ask(question))
        except wire.Unreadable as error:
            raise BadAnswer(f"the engine's answer cannot be read, it is another perpdesk: {error}") from None

    async def _ask(self, question: dict[str, Any]) -> object:
        async with self._turn:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._connection.send(wire.dumps(question))
                    text = await self._connection.recv()
            except TimeoutError:
                self._connection.transport.abort()  # a late answer must not be taken for the next one's
                raise NoAnswer(f"no answer within {self._seconds:g} s") from None
            except ConnectionClosed:
                raise NoAnswer("the connection to the engine broke before it answered") from None
            except asyncio.CancelledError:
                self._connection.transport.abort()
                raise
        answer = wire.loads(text) if isinstance(text, str) else None
        match answer:
            case {"ok": found}:
                return found
            case {"error": str() as words, "code": "BUSY"}:
                raise Busy(f"BUSY: {words}")
            case {"error": str() as words}:
                raise BadAnswer(f"the engine did not understand: {words}")
        raise BadAnswer("the engine's answer cannot be read")


async def _check_owner(connection: ClientConnection, directory: Path) -> None:
    """Commands go to an engine of this user only, whoever may have put the socket there."""
    if peer_uid(connection.transport.get_extra_info("socket")) == os.getuid():
        return
    connection.transport.abort()
    raise NotYours(f"the engine on {directory} belongs to another user")
