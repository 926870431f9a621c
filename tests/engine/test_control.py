"""Nothing a client of the control socket says or does reaches beyond its own answer."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from engine import control, seats
from engine.attached import Attached
from engine.commands import HaltAll
from engine.remote import BadAnswer, Busy, NoAnswer, RemotePort
from engine.seats import MOST_SEATS, MOST_STAYING
from engine.snapshot import Event, EventPage
from engine.where import control_path
from tests.cli.perpdesk import perpdesk
from tests.engine.control import ME, SECONDS, Recorder, answer, halt_all, raw, served, works

CHANGES = '{"ask":"changes","want":["desks"],"whole":true}'


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


async def stayer(directory: Path) -> ClientConnection:
    """Somebody who is shown pictures."""
    connection = await unix_connect(str(control_path(directory)), max_size=2**26, close_timeout=1)
    await answer(connection, CHANGES)
    return connection


async def test_a_hundred_silent_connections_shut_nobody_out(tmp_path: Path) -> None:
    async with served(tmp_path), AsyncExitStack() as stack:
        opened = [await asyncio.open_unix_connection(str(control_path(tmp_path))) for _ in range(100)]
        for _, writer in opened:
            stack.callback(writer.close)
        async with asyncio.timeout(SECONDS):
            let_go = [await reader.read() for reader, _ in opened[:-MOST_SEATS]]
        assert let_go == [b""] * (100 - MOST_SEATS), "the oldest of them"
        await works(tmp_path)


async def test_a_halt_finds_a_seat_whoever_stays_and_whoever_is_silent(tmp_path: Path) -> None:
    """As many screens as may be, as many that idle as there is room for, with and without a question."""
    state = tmp_path / "state"
    state.mkdir()
    async with served(state) as port, AsyncExitStack() as stack:
        path = str(control_path(state))
        stay = [await stack.enter_async_context(await stayer(state)) for _ in range(MOST_STAYING)]
        for _ in range(MOST_SEATS):
            idle = await stack.enter_async_context(await unix_connect(path, close_timeout=1))
            await answer(idle, '{"ask":"info"}')
        for _ in range(MOST_SEATS):
            _, writer = await asyncio.open_unix_connection(path)
            stack.callback(writer.close)
        run = await asyncio.to_thread(perpdesk, tmp_path, "halt", "--all", "--state", str(state))
        assert (run.returncode, run.stderr) == (0, "perpdesk: done\n")
        assert [type(command) for command in port.asked] == [HaltAll]
        for each in stay:
            assert "ok" in await answer(each, CHANGES), "who stays is not let go"


async def test_who_stays_while_as_many_do_is_refused_in_one_line_until_one_goes(tmp_path: Path) -> None:
    async with served(tmp_path), AsyncExitStack() as stack:
        for _ in range(MOST_STAYING - 1):
            await stack.enter_async_context(await stayer(tmp_path))
        async with await stayer(tmp_path):
            engine = Attached(tmp_path, observe=False, every_s=1.0)
            with pytest.raises(Busy, match=f"^BUSY: {MOST_STAYING} screens and followers are attached already"):
                await asyncio.to_thread(engine.start)
            run = await asyncio.to_thread(perpdesk, tmp_path, "attach", "--browser", "80x24", "--state", str(tmp_path))
            assert (run.returncode, run.stdout) == (79, "")
            assert run.stderr.startswith("perpdesk: BUSY: ")
            assert run.stderr.count("\n") == 1
            await works(tmp_path)
        engine = Attached(tmp_path, observe=False, every_s=1.0)
        await asyncio.to_thread(engine.start)
        await asyncio.to_thread(engine.stop)


async def test_who_follows_stays_and_who_asks_once_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path) as port, AsyncExitStack() as stack:
        follower = await stack.enter_async_context(await RemotePort.connect(tmp_path))
        once = await stack.enter_async_context(await RemotePort.connect(tmp_path))
        await follower.events(0)
        for _ in range(MOST_STAYING):
            await stack.enter_async_context(await stayer(tmp_path))
        monkeypatch.setattr(seats, "STAYS_S", 0.0)
        with pytest.raises(Busy):
            await follower.events(0)
        assert (await follower.submit(halt_all("1"))).ok, "a halt is no stay"
        assert (await once.submit(halt_all("2"))).ok
        assert len(port.asked) == 2


async def test_who_waits_for_a_receipt_is_not_let_go(tmp_path: Path) -> None:
    async with served(tmp_path) as port, await RemotePort.connect(tmp_path) as remote, AsyncExitStack() as stack:
        port.gate.clear()
        waiting = asyncio.create_task(remote.submit(halt_all("1")))
        await port.came.wait()
        for _ in range(2 * MOST_SEATS):
            _, writer = await asyncio.open_unix_connection(str(control_path(tmp_path)))
            stack.callback(writer.close)
        await works(tmp_path)
        port.gate.set()
        assert (await waiting).ok


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
