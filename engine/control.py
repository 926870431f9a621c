"""The engine's Port over a unix socket, for commands from other processes of the same user.

A message is one JSON object: `{"ask": "info"}`, `{"ask": "latest"}`, `{"ask": "events", "since": "12"}`,
`{"ask": "history", "market": "ETH", "since": "0"}` or `{"ask": "submit", "command": {"HaltAll": {...}}}`. The answer
is `{"ok": ...}` or `{"error": "one line"}`. Who stays asks for `{"ask": "changes", "want": ["desks"], "whole": false}`,
and is told what changed since it asked last.

The socket lives on the engine's loop, so nothing here may hold it up: messages, seats and waiting are bounded, what is
large is written out on a thread, one at a time, and a connection is answered at a limited rate. Every command is
journaled under the name of the user whose process sent it, whatever the message says.
"""

import asyncio
import contextlib
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from websockets.asyncio.server import Server, ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from engine import wire
from engine.chronicle import RING
from engine.commands import Command, Receipt, leads_out
from engine.desks.commands import Code
from engine.plain import plain
from engine.port import EVERYTHING, Info, Port
from engine.seats import MOST_COMMANDS, MOST_STAYING, Seat, Seats
from engine.snapshot import EventPage, Snapshot
from engine.where import checked_path, control_path, peer_uid
from engine.who import user_name

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
MOST_BYTES = 64 * 1024
OPEN_SECONDS = 2.0
IDLE_SECONDS = 60.0
SEND_SECONDS = 5.0
CLOSE_SECONDS = 1.0
PACE_SECONDS = 0.01
"""Least time between two answers on one connection."""
_LOOKS = ("latest", "events", "history")

_quiet = logging.Logger("perpdesk.control")
"""Outside the tree of loggers: a stray line would tear the screen."""
_quiet.addHandler(logging.NullHandler())


class _Full(Exception):
    """No seat for who wants to stay."""


class _Connection(ServerConnection):
    """Lets go at once of strangers, and of who finds no seat, before a byte of theirs is read."""

    seats: Seats
    seat: Seat | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        uid = peer_uid(transport.get_extra_info("socket"))
        seat = Seat(user_name(uid), self.transport.abort, self.loop.time()) if uid == os.getuid() else None
        if seat is not None and self.seats.take(seat):
            self.seat = seat
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.seat is not None:
            self.seats.leave(self.seat)
        super().connection_lost(exc)


class Control:
    """Answers what other processes ask of a Port. The Port must live on the loop this runs on."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._writing = asyncio.Lock()
        self._written: tuple[Snapshot, str] | None = None
        self.seats = Seats()
        self._none_owed = asyncio.Event()
        self._none_owed.set()

    async def serve(self, connection: ServerConnection) -> None:
        """One connection, until it closes, idles, or does not read what it asked for."""
        seat = connection.seat if isinstance(connection, _Connection) else None
        if seat is None:
            return  # let go of before it began
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            try:
                while True:
                    async with asyncio.timeout(IDLE_SECONDS):
                        message = await connection.recv()
                    seat.heard_s = loop.time()
                    text = await self._answer(message, seat)
                    async with asyncio.timeout(SEND_SECONDS):
                        await connection.send(text)
                    self._settled(seat)
                    await asyncio.sleep(PACE_SECONDS)
            except TimeoutError:
                connection.transport.abort()  # an orderly close would wait for the one that does not answer
            finally:
                self._settled(seat)

    async def all_settled(self) -> None:
        """Returns when every command has its receipt, and in any case soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._none_owed.wait()

    def _settled(self, seat: Seat) -> None:
        self.seats.owed.discard(seat)
        if not self.seats.owed:
            self._none_owed.set()

    async def _answer(self, message: str | bytes, seat: Seat) -> str:
        try:
            return await self._ask(_question(message), seat)
        except wire.Unreadable as error:
            return wire.dumps({"error": str(error)})
        except _Full:
            text = f"{MOST_STAYING} screens and followers are attached already, which is all there may be: end one"
            return wire.dumps({"error": text, "code": Code.BUSY})
        except Exception as error:  # told to who asked; the others go on
            log.error("control failed", error=repr(error)[:200])
            return wire.dumps({"error": f"perpdesk failed at this question: {type(error).__name__}"})

    async def _ask(self, asked: dict[str, Any], seat: Seat) -> str:
        if asked.get("ask") in _LOOKS and not self.seats.look(seat):
            raise _Full
        match asked:
            case {"ask": "info", **rest} if not rest:
                return wire.dumps({"ok": plain(self._info(seat))})
            case {"ask": "observe", **rest} if not rest:
                seat.observes = True  # for good: nothing gives it back
                return wire.dumps({"ok": plain(self._info(seat))})
            case {"ask": "changes", "want": list() as want, "whole": bool() as whole, **rest} if not rest:
                names = _names(want)
                if not self.seats.stay(seat):
                    raise _Full
                return await self._changes(seat, names, whole)
            case {"ask": "latest", **rest} if not rest:
                return await self._latest()
            case {"ask": "events", "since": str() as since, **rest} if not rest.keys() - {"most"}:
                number, most = wire.read_number(since, "since"), wire.read_number(rest.get("most", str(RING)), "most")
                async with self._writing:
                    return await asyncio.to_thread(lambda: _ok(_newest(self._port.events(number), most)))
            case {"ask": "history", "market": market, "since": since, **rest} if not rest:
                points = await self._port.market_history(
                    wire.read_text(market, "market"), wire.read_number(since, "since")
                )
                async with self._writing:
                    return await asyncio.to_thread(_ok, points)
            case {"ask": "submit", "command": dict() as command, **rest} if not rest:
                return await self._submit(wire.read_command(command), seat)
        raise wire.Unreadable(
            "expected ask info, observe, latest, changes with want and whole, events with since, "
            "history with market and since, or submit with command"
        )

    def _info(self, seat: Seat) -> Info:
        info = self._port.info()
        return replace(info, operator=seat.who, role="observer" if seat.observes else info.role)

    async def _submit(self, command: Command, seat: Seat) -> str:
        if seat.observes:
            return self._refused(
                command, Code.OBSERVING, "this connection only looks; attach without --observe to command"
            )
        if len(self.seats.owed) >= MOST_COMMANDS and not leads_out(command):
            text = f"{MOST_COMMANDS} commands of other processes are under way: nothing was begun, ask again"
            return self._refused(command, Code.BUSY, text)
        self.seats.owed.add(seat)
        self._none_owed.clear()
        receipt = await self._port.submit(replace(command, who=seat.who))
        return wire.dumps({"ok": wire.receipt_out(receipt)})

    def _refused(self, command: Command, code: Code, text: str) -> str:
        seq = self._port.latest().seq
        return wire.dumps({"ok": wire.receipt_out(Receipt(command.id, False, code, text, seq))})

    async def _changes(self, seat: Seat, want: frozenset[str], whole: bool) -> str:
        async with self._writing:
            snapshot = self._port.latest()
            return await asyncio.to_thread(
                lambda: wire.dumps({"ok": {"change": seat.thin.change(snapshot, want, whole=whole)}})
            )

    async def _latest(self) -> str:
        async with self._writing:
            snapshot = self._port.latest()
            if self._written is None or self._written[0] is not snapshot:
                self._written = snapshot, await asyncio.to_thread(_ok, snapshot)
            return self._written[1]


def _names(want: list[object]) -> frozenset[str]:
    names = frozenset(name for name in want if isinstance(name, str))
    if len(want) > len(EVERYTHING) or names - EVERYTHING or len(names) != len(want):
        raise wire.Unreadable("want: expected names of fields of a snapshot, each once")
    return names


def _newest(page: EventPage, most: int) -> EventPage:
    cut = page.events[-most:] if most > 0 else ()
    return EventPage(cut, page.dropped + len(page.events) - len(cut))


def _question(message: str | bytes) -> dict[str, Any]:
    asked = wire.loads(message) if isinstance(message, str) else None
    if not isinstance(asked, dict):
        raise wire.Unreadable("expected one JSON object as text")
    return asked


def _ok(value: object) -> str:
    return wire.dumps({"ok": plain(value)})


@asynccontextmanager
async def listening(port: Port, directory: Path, failed: Callable[[str], None]) -> AsyncIterator[None]:
    """Serves the port for as long as the context is open. What keeps it from listening goes to `failed`, and it is
    open all the same. The caller holds the Lease of the directory: a socket that is there is a dead process's."""
    path = control_path(directory)
    try:
        listener = _listener(path, directory)
    except OSError as error:
        log.error("control socket failed", path=str(path), error=str(error))
        failed(f"control socket: {error.strerror or error}")
        yield
        return
    inode = path.lstat().st_ino
    try:
        control = Control(port)
        server = await _start(control, listener)
        log.info("control socket open", path=str(path))
        try:
            yield
        finally:
            await control.all_settled()
            await _stop(server)
    finally:
        listener.close()
        with contextlib.suppress(OSError):
            if path.lstat().st_ino == inode:
                path.unlink()


async def _start(control: Control, listener: socket.socket) -> Server:
    class Seated(_Connection):
        seats = control.seats

    return await unix_serve(
        control.serve,
        sock=listener,
        create_connection=Seated,
        compression="deflate",  # for who asks for it: those who stay
        open_timeout=OPEN_SECONDS,
        close_timeout=CLOSE_SECONDS,
        max_size=MOST_BYTES,
        max_queue=1,
        logger=_quiet,
    )


async def _stop(server: Server) -> None:
    """Bounded, whatever the clients do."""
    server.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(OPEN_SECONDS + 2 * CLOSE_SECONDS):
            await server.wait_closed()
            return
    for task in server.handler_tasks:
        task.cancel()
    await server.wait_closed()


def _listener(path: Path, directory: Path) -> socket.socket:
    """A bound socket that was never open to others: the mode is set before there is a file. Raises OSError."""
    if path.parent != directory.resolve():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        checked_path(directory)
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(f"{path} is there and is no socket")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), 0o600)  # Linux gives the file the mode of the socket
        listener.bind(os.fspath(path))
        if stat.S_IMODE(path.lstat().st_mode) != 0o600:
            path.unlink()
            raise OSError(f"{path} cannot be kept from other users")
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
