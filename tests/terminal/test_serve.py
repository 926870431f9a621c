"""The screen in a browser: who gets in, what they may do, and that nothing is left behind."""

import array
import asyncio
import base64
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic
from typing import IO, Any

import aiohttp
import psutil
import pyte
import pytest
from aiohttp import web

from tests.cli.perpdesk import COMMAND, environment, perpdesk
from tests.patient import PATIENCE_S
from tests.terminal.browser import CHROMIUM, browsing, engine, opened, served
from tui.serve_gate import Password
from tui.serve_peer import Address
from tui.serve_web import Site

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


def exports(house: Path) -> list[Path]:
    """Whatever was written for an operator."""
    return list(house.rglob("exports"))


async def until(true: Callable[[], object], what: str) -> None:
    end = monotonic() + PATIENCE_S
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


async def status(session: aiohttp.ClientSession, url: str, password: str) -> int:
    """What a guess is answered with."""
    async with session.get(url, headers=basic(password)) as answer:
        if answer.status == 429:
            assert 1 <= int(answer.headers["Retry-After"]) <= 7
        return answer.status


@asynccontextmanager
async def on_loopback(site: Site) -> AsyncIterator[str]:
    """The site as `serve` runs it, in this process."""
    runner = web.AppRunner(site.app(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_guessing_is_slowed_down(house: Path) -> None:
    with served(house) as (url, password, _):
        # Cookies of addresses are kept only if one asks for it.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            assert await status(browser, url, password) == 200
            (cookie,) = browser.cookie_jar
            assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
            async with aiohttp.ClientSession() as session:
                found = await asyncio.gather(*(status(session, url, f"guess {number}") for number in range(20)))
                assert sorted(found) == [401] * 5 + [429] * 15
                assert await status(session, url, password) == 429, "a right guess tells nothing then"
                headers = {"Cookie": f"{cookie.key}={cookie.value}", "Origin": url}
                async with session.get(url + "/", headers=headers) as answer:
                    assert answer.status == 401, "the cookie opens nothing"
            for path in ("/", "/page.js", "/static/js/textual.js"):
                assert await status(browser, url + path, password) == 200, "who knows it is kept out by nobody"
            async with browser.ws_connect(url + "/ws", params=WIDE, origin=url, headers=basic(password)) as socket:
                await Screen(socket).shows("Desks 12")
            found = [await status(browser, url, "wrong") for _ in range(6)]
            assert found == [401] * 5 + [429], "and may not guess faster either"


async def test_a_password_that_nobody_chose_always_opens() -> None:
    site = Site(Password.of("x" * 24, guessable=False), ["false"], {}, 8)
    async with on_loopback(site) as url, aiohttp.ClientSession() as session:
        found = await asyncio.gather(*(status(session, url, f"guess {number}") for number in range(20)))
        assert sorted(found) == [401] * 5 + [429] * 15
        assert await status(session, url, "x" * 24) == 200


async def test_another_user_of_the_machine_keeps_nobody_out() -> None:
    users = iter([1001] * 10 + [1002])

    async def owner_of(theirs: Address, ours: Address) -> int | None:
        assert theirs[0] == ours[0] == "127.0.0.1"
        return next(users)

    site = Site(Password.of("correct horse"), ["false"], {}, 8, owner_of)
    async with on_loopback(site) as url, aiohttp.ClientSession() as session:
        found = [await status(session, url, "wrong") for _ in range(10)]
        assert found == [401] * 5 + [429] * 5
        assert await status(session, url, "correct horse") == 200


async def test_a_header_that_is_no_text_is_no_password() -> None:
    async with on_loopback(Site(Password.of("correct horse"), ["false"], {}, 8)) as url:
        for header in (
            "Authorization: Basic é",
            "Cookie: perpdesk-1=é",
            "Cookie: \x01",
            "Authorization: Basic é\udcff",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            text = f"GET / HTTP/1.1\r\nHost: {url.removeprefix('http://')}\r\n{header}\r\n\r\n"
            writer.write(text.encode("utf-8", "surrogateescape"))
            answer = await reader.readline()
            writer.close()
            assert answer.split()[1] in (b"400", b"401"), (header, answer)


STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.stdout.buffer.write(b"__GANGLION__\\nD" + (4).to_bytes(4, "big") + b"here")
sys.stdout.flush()
time.sleep(120)
"""


async def test_a_server_that_stops_leaves_no_process_however_stubborn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.serve_tab.END_S", 1.5)  # longer than handlers are waited for
    site = Site(Password.of("correct horse"), [sys.executable, "-c", STUBBORN], dict(os.environ), 8)
    me = psutil.Process()
    before = set(me.children())
    async with aiohttp.ClientSession(headers=basic("correct horse")) as session:
        async with on_loopback(site) as url:
            sockets = [await session.ws_connect(url + "/ws", params=WIDE, origin=url) for _ in range(3)]
            for socket in sockets:
                assert (await socket.receive(timeout=PATIENCE_S)).data == b"here"
            stubborn = set(me.children()) - before
            assert len(stubborn) == 3
            begin = monotonic()
        assert not any(each.is_running() for each in stubborn), "a process was left behind"
        assert monotonic() - begin < 8, "all of them at once"


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
            await screen.keys("e")
            await screen.shows("export: in a browser: use perpdesk desks --json")
            await screen.resize(100, 30)
            await until(lambda: "quit" in screen.text().splitlines()[-1], "not drawn for another size")
            await screen.keys("q")
            await until(lambda: screen.closed is not None, "the tab is not closed")
            assert screen.closed == 1000
        await until(lambda: not tabs(server), "a process was left behind")
    assert halted_by(house) <= {None, "circuit breaker"}
    assert not exports(house), "nothing is written on this machine"


async def test_an_operator_commands(house: Path) -> None:
    file = house / "password"
    file.write_text("correct horse battery\n")
    file.chmod(0o600)
    with served(house, "--operate", "--password-file", str(file)) as (url, _, _):
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
        assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0


def test_a_tab_that_is_told_nothing_more_ends(house: Path) -> None:
    with tab_alone(house) as process:
        process.communicate(timeout=PATIENCE_S)  # closes its stdin, and takes all that it paints
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
                    end = await socket.receive(timeout=PATIENCE_S)
                    while end.type is aiohttp.WSMsgType.BINARY:
                        end = await socket.receive(timeout=PATIENCE_S)
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
        await until(lambda: not tabs(server), "a process was left behind")


def test_what_is_refused_is_refused_in_one_line(house: Path, tmp_path: Path) -> None:
    state = str(house / "state")
    weak, shared = tmp_path / "weak", tmp_path / "shared"
    weak.write_text("short\n")
    weak.chmod(0o600)
    shared.write_text("long enough to be one\n")
    shared.chmod(0o644)
    for status, words, arguments in (
        (69, "no engine runs on", ["--state", str(tmp_path)]),
        (64, "no terminal to show a password on: name one with --password-file", ["--state", state]),
        (64, "the password is short", ["--state", state, "--password-file", str(weak)]),
        (80, "others can read", ["--state", state, "--password-file", str(shared)]),
    ):
        done = perpdesk(tmp_path, "serve", *arguments)
        assert (done.returncode, done.stdout) == (status, "")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_fresh_password_is_shown_on_the_terminal(house: Path) -> None:
    master, slave = os.openpty()
    command = [*COMMAND, "serve", "--port", "0", "--state", str(house / "state")]
    with subprocess.Popen(command, env=environment(house), stdin=subprocess.DEVNULL, stderr=slave) as server:
        os.close(slave)
        try:
            with os.fdopen(master) as told:
                assert re.fullmatch(r"perpdesk: http://127\.0\.0\.1:\d+/\n", told.readline())
                assert re.fullmatch(r"perpdesk: password \S{24}\n", told.readline())
                assert told.readline() == "perpdesk: any user name; they may only look\n"
                server.terminate()
                assert server.wait(PATIENCE_S) == 0
        finally:
            server.kill()


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
