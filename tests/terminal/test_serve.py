"""The screen in a browser: who gets in, what they may do, and that nothing is left behind."""

import array
import asyncio
import base64
import fcntl
import json
import os
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import IO, Any

import aiohttp
import psutil
import pyte
import pytest

from tests.cli.perpdesk import COMMAND, environment, perpdesk
from tests.terminal.browser import CHROMIUM, browsing, engine, opened, served

WIDE = {"width": "160", "height": "40"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running engine; nobody has halted anything."""
    tmp_path = tmp_path_factory.mktemp("house")
    with engine(tmp_path):
        yield tmp_path


def basic(password: str, user: str = "operator") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def tabs(server: Any) -> list[psutil.Process]:
    """The processes behind the tabs of a server."""
    return psutil.Process(server.pid).children()


def halted_by(house: Path) -> set[str | None]:
    """As the engine says it."""
    run = perpdesk(house, "desks", "--json", "--state", str(house / "state"))
    assert run.returncode == 0, run.stderr
    return {row["halted_by"] for row in json.loads(run.stdout)}


async def until(true: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, what
        await asyncio.sleep(0.05)


class Screen:
    """A tab as a browser has it: keys out, a terminal in."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[bool]", size: tuple[int, int] = (160, 40)) -> None:
        self._socket = socket
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self.received = bytearray()
        self.closed: int | None = None
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            assert message.type is aiohttp.WSMsgType.BINARY
            self.received += message.data
            self._stream.feed(message.data)
        self.closed = self._socket.close_code

    def text(self) -> str:
        return "\n".join(self._screen.display)

    async def shows(self, words: str) -> None:
        await until(lambda: words in self.text(), f"no {words!r}:\n{self.text()}")

    async def keys(self, keys: str) -> None:
        await self._socket.send_json(["stdin", keys])

    async def resize(self, width: int, height: int) -> None:
        self._screen.resize(height, width)
        await self._socket.send_json(["resize", {"width": width, "height": height}])


async def test_nothing_is_shown_without_the_password(house: Path) -> None:
    with served(house) as (url, _, server):
        async with aiohttp.ClientSession() as session:
            for path in ("/", "/page.js", "/static/js/textual.js", "/ws", "/nothing"):
                for headers in ({}, basic("wrong"), {"Authorization": "Bearer x"}, {"Authorization": "Basic !"}):
                    async with session.get(url + path, headers=headers | {"Origin": url}) as answer:
                        assert answer.status in (401, 429)
                        assert await answer.text() == ""
        assert tabs(server) == []


async def test_the_page_asks_nothing_of_any_other_address(house: Path) -> None:
    with served(house) as (url, password, _):
        async with aiohttp.ClientSession(headers=basic(password)) as session:
            async with session.get(url + "/") as answer:
                assert answer.status == 200
                page = await answer.text()
                policy = answer.headers["Content-Security-Policy"]
            assert page.count("//") == page.count("ws://127.0.0.1"), "addresses are its own"
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            for path in ("/static/css/xterm.css", "/static/js/textual.js", "/page.js"):
                assert path in page
                async with session.get(url + path) as answer:
                    assert answer.status == 200
                    assert answer.headers["Content-Security-Policy"] == policy
            async with session.get(url + "/static/") as answer:
                assert answer.status == 403, "no listing"


async def test_a_page_from_elsewhere_gets_no_screen(house: Path) -> None:
    with served(house) as (url, password, server):
        port = url.rpartition(":")[2]
        async with aiohttp.ClientSession(headers=basic(password)) as session:
            strange: list[tuple[int, dict[str, str]]] = [
                (403, {}),
                (403, {"Origin": "http://evil.example"}),
                (403, {"Origin": "http://127.0.0.1:1"}),
                (403, {"Origin": "null"}),
                (403, {"Origin": f"https://127.0.0.1:{port}"}),
                (421, {"Origin": f"http://evil.example:{port}", "Host": f"evil.example:{port}"}),
                (421, {"Origin": f"http://127.0.0.1.evil.example:{port}", "Host": f"127.0.0.1.evil.example:{port}"}),
            ]
            for status, headers in strange:
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await session.ws_connect(url + "/ws", params=WIDE, headers=headers)
                assert refused.value.status == status, headers
            async with session.get(url + "/", headers={"Host": "evil.example"}) as answer:
                assert answer.status == 421
        assert tabs(server) == []


async def test_guessing_is_slowed_down(house: Path) -> None:
    with served(house) as (url, password, _):
        async with aiohttp.ClientSession() as session:

            async def guess(word: str) -> int:
                async with session.get(url + "/", headers=basic(word)) as answer:
                    if answer.status == 429:
                        assert 1 <= int(answer.headers["Retry-After"]) <= 7
                    return answer.status

            found = await asyncio.gather(*(guess(f"guess {number}") for number in range(20)))
            assert sorted(found) == [401] * 5 + [429] * 15
            assert await guess(password) == 429, "a right guess tells nothing then"


async def test_an_observer_looks_and_commands_nothing(house: Path) -> None:
    with served(house) as (url, password, server):
        async with (
            aiohttp.ClientSession(headers=basic(password)) as session,
            session.ws_connect(url + "/ws", params=WIDE, origin=url) as socket,
        ):
            screen = Screen(socket)
            await screen.shows("Desks 12")
            await screen.keys("HH")
            await screen.shows("halt all: observer: may only look")
            await screen.resize(100, 30)
            await until(lambda: "quit" in screen.text().splitlines()[-1], "not drawn for another size")
            await screen.keys("q")
            await until(lambda: screen.closed is not None, "the tab is not closed")
            assert screen.closed == 1000
        await until(lambda: not tabs(server), "a process was left behind")
    assert halted_by(house) <= {None, "circuit breaker"}


async def test_an_operator_commands(house: Path) -> None:
    file = house / "password"
    file.write_text("correct horse battery\n")
    file.chmod(0o600)
    with served(house, "--operate", "--password-file", str(file)) as (url, fresh, _):
        assert fresh == "", "a password that was chosen is not printed"
        async with (
            aiohttp.ClientSession(headers=basic("correct horse battery")) as session,
            session.ws_connect(url + "/ws", params=WIDE, origin=url) as socket,
        ):
            screen = Screen(socket)
            await screen.shows("Desks 12")
            await screen.keys("HH")
            await screen.shows("12 halted")
            assert b"38;2;" in screen.received, "a browser paints every colour"
    assert None not in halted_by(house)


async def test_a_closed_tab_leaves_no_process_and_the_engine_runs_on(house: Path) -> None:
    with served(house) as (url, password, server):
        async with aiohttp.ClientSession(headers=basic(password)) as session:
            sockets = [await session.ws_connect(url + "/ws", params=WIDE, origin=url) for _ in range(2)]
            screens = [Screen(each) for each in sockets]
            for screen in screens:
                await screen.shows("Desks 12")
            assert len(tabs(server)) == 2
            await sockets[0].close()
            await until(lambda: len(tabs(server)) == 1, "a process was left behind")
            os.kill(tabs(server)[0].pid, signal.SIGKILL)
            await screens[1].shows("the screen ended with status -9")
            await until(lambda: screens[1].closed is not None, "the tab is not closed")
        await until(lambda: not tabs(server), "a process was left behind")
    assert perpdesk(house, "desks", "--state", str(house / "state")).returncode == 0


def packet(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "big") + payload


@contextmanager
def tab_alone(house: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The process behind a tab, without a server, once it has begun to paint."""
    command = [*COMMAND, "attach", "--state", str(house / "state"), "--browser", "300x100"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(house), stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as process:
        try:
            assert process.stdout is not None
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
            assert process.stdout.read(len(b"__GANGLION__\n")) == b"__GANGLION__\n"
            yield process
        finally:
            process.kill()


def waiting(pipe: IO[bytes]) -> int:
    """Bytes in a pipe that nobody has read."""
    found = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, found)
    return found[0]


async def test_a_browser_that_takes_nothing_holds_up_nobody(house: Path) -> None:
    with tab_alone(house) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdout = process.stdout
        await until(lambda: waiting(stdout) > 2048, "nothing is painted")
        await asyncio.sleep(1)  # many frames: by now whoever would wait for the pipe does
        process.stdin.write(packet(b"M", b'{"type": "quit"}'))
        assert await asyncio.to_thread(process.wait, 20) == 0


def test_a_tab_that_is_told_nothing_more_ends(house: Path) -> None:
    with tab_alone(house) as process:
        process.communicate(timeout=20)  # closes its stdin, and takes all that it paints
        assert process.returncode == 129


async def test_a_server_that_is_killed_leaves_no_process(house: Path) -> None:
    with served(house) as (url, password, server):
        async with aiohttp.ClientSession(headers=basic(password)) as session:
            socket = await session.ws_connect(url + "/ws", params=WIDE, origin=url)
            await Screen(socket).shows("Desks 12")
            (behind,) = tabs(server)
            os.kill(server.pid, signal.SIGKILL)
            await until(lambda: not behind.is_running() or behind.status() == "zombie", "a process was left behind")


async def test_what_a_browser_does_not_say_ends_the_tab(house: Path) -> None:
    words: list[Any] = [["resize", {"width": 10**9, "height": 1}], ["exec", "sh"], "x", ["stdin", 1], ["ping", 1]]
    with served(house) as (url, password, server):
        async with aiohttp.ClientSession(headers=basic(password)) as session:
            for each in words:
                async with session.ws_connect(url + "/ws", params=WIDE, origin=url) as socket:
                    await socket.send_json(each)
                    end = await socket.receive(timeout=10)
                    while end.type is aiohttp.WSMsgType.BINARY:
                        end = await socket.receive(timeout=10)
                    assert end.data == aiohttp.WSCloseCode.POLICY_VIOLATION, each
            for size in ({}, {"width": "0", "height": "9"}, {"width": "9;id", "height": "9"}):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await session.ws_connect(url + "/ws", params=size, origin=url)
                assert refused.value.status == 400
        await until(lambda: not tabs(server), "a process was left behind")


async def test_the_ninth_screen_is_told_why_not(house: Path) -> None:
    with served(house) as (url, password, server):
        async with aiohttp.ClientSession(headers=basic(password)) as session:
            held = [await session.ws_connect(url + "/ws", params=WIDE, origin=url) for _ in range(8)]
            ninth = Screen(await session.ws_connect(url + "/ws", params=WIDE, origin=url))
            await ninth.shows("8 screens are open already")
            await until(lambda: ninth.closed == aiohttp.WSCloseCode.TRY_AGAIN_LATER, "it is not closed")
            for each in held:
                await each.close()
        await until(lambda: not tabs(server), "a process was left behind", 30)


def test_what_is_refused_is_refused_in_one_line(house: Path, tmp_path: Path) -> None:
    state = str(house / "state")
    weak, shared = tmp_path / "weak", tmp_path / "shared"
    weak.write_text("short\n")
    weak.chmod(0o600)
    shared.write_text("long enough to be one\n")
    shared.chmod(0o644)
    for status, words, arguments in (
        (69, "no engine runs on", ["--state", str(tmp_path)]),
        (64, "the password is short", ["--state", state, "--password-file", str(weak)]),
        (80, "others can read", ["--state", state, "--password-file", str(shared)]),
    ):
        done = perpdesk(tmp_path, "serve", *arguments)
        assert (done.returncode, done.stdout) == (status, "")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
async def test_a_real_browser_shows_the_desks(house: Path, tmp_path: Path) -> None:
    with served(house) as (url, password, server):
        async with browsing(tmp_path) as page:
            await opened(page, url, password)
            bare = [each.replace(f"operator:{password}@", "") for each in page.asked]
            assert all(each.startswith((url + "/", url.replace("http", "ws") + "/")) for each in bare), page.asked
            await until(lambda: len(tabs(server)) == 1, "no screen")
            assert (await page.picture()).startswith(b"\x89PNG")
            await page.key("q")
            await page.until("document.body.className", lambda found: "-closed" in (found or ""))
        await until(lambda: not tabs(server), "a process was left behind")
