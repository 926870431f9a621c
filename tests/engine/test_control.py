"""Nothing a client of the control socket says or does reaches beyond its own answer."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from engine import control
from engine.control import MOST_CONNECTIONS
from engine.remote import BadAnswer, NoAnswer, NoEngine, RemotePort
from engine.snapshot import Event, EventPage
from engine.where import control_path
from tests.engine.control import ME, SECONDS, Recorder, answer, halt_all, raw, served, works


async def test_who_is_who_the_kernel_says(tmp_path: Path) -> None:
    async with served(tmp_path) as port, await RemotePort.connect(tmp_path) as remote:
        await remote.submit(halt_all("1", who="satoshi"))
        assert [command.who for command in port.asked] == [ME]
        assert (await remote.info()).operator == ME


@pytest.mark.parametrize(
    "message",
    [
        "",
        "\x00",
        "null",
        "[]",
        "{}",
        "[" * 60_000,
        '{"ask":"info","ask":"latest"}',
        '{"ask":"info","more":1}',
        '{"ask":"rm -rf"}',
        '{"ask":["info"]}',
        '{"ask":"events"}',
        '{"ask":"events","since":0}',
        '{"ask":"events","since":"-"}',
        '{"ask":"submit"}',
        '{"ask":"submit","command":{}}',
        '{"ask":"submit","command":{"Quit":{}}}',
        '{"ask":"submit","command":{"HaltAll":{"id":"1"}}}',
        b'{"ask":"info"}',
        b"\xff" * 1000,
    ],
)
async def test_unknown_shapes_are_refused_with_one_line(tmp_path: Path, message: str | bytes) -> None:
    async with served(tmp_path) as port, raw(tmp_path) as connection:
        refused = await answer(connection, message)
        assert list(refused) == ["error"]
        assert refused["error"].isprintable()
        assert len(refused["error"]) < 200
        assert "ok" in await answer(connection, '{"ask":"info"}'), "the connection is as good as it was"
        assert port.asked == []


async def test_a_huge_message_ends_its_connection_only(tmp_path: Path) -> None:
    async with served(tmp_path) as port:
        async with raw(tmp_path) as connection:
            with pytest.raises(ConnectionClosed):
                await answer(connection, '{"ask":"' + "x" * control.MOST_BYTES)
        await works(tmp_path)
        assert port.asked == []


async def test_garbage_instead_of_a_handshake(tmp_path: Path) -> None:
    async with served(tmp_path):
        reader, writer = await asyncio.open_unix_connection(str(control_path(tmp_path)))
        writer.write(b"\x16\x03\x01" + b"\x00garbage\r\n\r\n" * 100)
        async with asyncio.timeout(SECONDS):
            await reader.read()
        writer.close()
        await works(tmp_path)


async def test_half_a_message_and_gone(tmp_path: Path) -> None:
    async with served(tmp_path) as port:
        async with raw(tmp_path) as connection:
            connection.transport.write(b"\x81\xfe\x10\x00" + b"mask" + b'{"ask"')
            connection.transport.abort()
        await works(tmp_path)
        assert port.asked == []


async def test_silence_instead_of_a_handshake_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "OPEN_SECONDS", 0.05)
    async with served(tmp_path):
        reader, writer = await asyncio.open_unix_connection(str(control_path(tmp_path)))
        async with asyncio.timeout(SECONDS):
            assert await reader.read() == b""
        writer.close()


async def test_an_idle_connection_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "IDLE_SECONDS", 0.05)
    async with served(tmp_path), raw(tmp_path) as connection:
        async with asyncio.timeout(SECONDS):
            await connection.wait_closed()


async def test_a_client_that_does_not_read_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "SEND_SECONDS", 0.1)
    ended = [asyncio.Event(), asyncio.Event()]
    serve = control.Control.serve

    async def noted(self: control.Control, connection: ServerConnection) -> None:
        await serve(self, connection)
        next(event for event in ended if not event.is_set()).set()

    monkeypatch.setattr(control.Control, "serve", noted)
    page = EventPage(tuple(Event(number, 0, "", "x", "y" * 1000) for number in range(5_000)), 0)
    async with served(tmp_path, Recorder(page=page)), raw(tmp_path) as connection:
        connection.transport.pause_reading()
        await connection.send('{"ask":"events","since":"0"}')
        await works(tmp_path)
        async with asyncio.timeout(SECONDS):
            for event in ended:
                await event.wait()
        connection.transport.resume_reading()
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(SECONDS):
                await connection.recv()


async def test_a_command_that_takes_long_holds_nobody_else_up(tmp_path: Path) -> None:
    async with served(tmp_path) as port, await RemotePort.connect(tmp_path) as remote:
        port.gate.clear()
        waiting = asyncio.create_task(remote.submit(halt_all("1")))
        await port.came.wait()
        await works(tmp_path)
        port.gate.set()
        assert (await waiting).ok


async def test_a_hundred_connections(tmp_path: Path) -> None:
    async with served(tmp_path):
        async with AsyncExitStack() as stack:
            opened = [await asyncio.open_unix_connection(str(control_path(tmp_path))) for _ in range(100)]
            for _, writer in opened:
                stack.callback(writer.close)
            async with asyncio.timeout(SECONDS):
                refused = [await reader.read() for reader, _ in opened[MOST_CONNECTIONS:]]
            assert refused == [b""] * (100 - MOST_CONNECTIONS)
            with pytest.raises(NoEngine, match="too many"):
                await RemotePort.connect(tmp_path)
        async with asyncio.timeout(SECONDS):
            while True:  # those that held the places are gone; the engine notices on its next turns
                try:
                    return await works(tmp_path)
                except NoEngine:
                    continue


async def test_closing_waits_for_nobody(tmp_path: Path) -> None:
    async with asyncio.timeout(SECONDS):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(served(tmp_path))
            connection = await stack.enter_async_context(raw(tmp_path))
            connection.transport.pause_reading()
            _, writer = await asyncio.open_unix_connection(str(control_path(tmp_path)))
        writer.close()


async def test_an_engine_that_does_not_answer(tmp_path: Path) -> None:
    async with served(tmp_path) as port, await RemotePort.connect(tmp_path, 0.1) as remote:
        port.gate.clear()
        with pytest.raises(NoAnswer, match=r"no answer within 0.1 s"):
            await remote.submit(halt_all("1"))
        with pytest.raises(NoAnswer, match="broke"):
            await remote.info()
        port.gate.set()


async def test_a_question_the_engine_does_not_know(tmp_path: Path) -> None:
    async with served(tmp_path), await RemotePort.connect(tmp_path) as remote:
        with pytest.raises(BadAnswer, match=r"did not understand: HaltAll\.id"):
            await remote.submit(halt_all("x" * 500))
