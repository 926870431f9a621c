"""The page of a desk and its websocket, on loopback, for whoever knows the password.

Of textual-serve this takes the browser's half: the terminal, its styles and its fonts. Its server has no password, lets
a shell start the program, leaves processes behind, and its page asks a font server on the network.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from string import Template

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from tui.serve_gate import Guesses, Password, given_password, is_here, is_ours
from tui.serve_tab import Tab, opened

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
_MOST_TYPED = 64 * 1024
"""Bytes of one message from the browser: more than anybody pastes into a form."""
_SIDES = range(1, 1001)
"""Columns or rows."""
_FONT_SIZES = range(8, 41)
_HEARTBEAT_S = 15.0
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Gate:
    """The rules, and who waits to be let in: one guess at a time, so that a hundred at once are no faster."""

    password: Password
    guesses: Guesses = field(default_factory=Guesses)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refusal(self, request: web.Request) -> web.Response | None:
        """Why somebody is not let in; None lets them in."""
        host, origin = request.headers.get("Host"), request.headers.get("Origin")
        if not is_here(host):
            return web.Response(status=421, text="perpdesk is served on 127.0.0.1 and localhost only\n")
        # A browser names the page that asks; what opens a screen has to come from a page of ours.
        if not is_ours(origin, host) and (origin is not None or request.path == "/ws"):
            return web.Response(status=403, text="not asked by a page of perpdesk\n")
        given = given_password(request.headers.get("Authorization"))
        if given is None:
            return _ask()
        async with self.turn:
            if wait_s := self.guesses.wait_s(time.monotonic()):
                return web.Response(status=429, headers={"Retry-After": str(int(wait_s) + 1)})
            if await asyncio.to_thread(self.password.matches, given):
                return None
            self.guesses.wrong(time.monotonic())
            log.warning("wrong password")
            return _ask()


def _ask() -> web.Response:
    return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="perpdesk", charset="UTF-8"'})


class Site:
    """Pages and screens: each tab runs `command` with `environ`, the size of its terminal appended."""

    def __init__(self, password: Password, command: Sequence[str], environ: Mapping[str, str], most_tabs: int) -> None:
        self._gate = Gate(password)
        self._command = command
        self._environ = environ
        self._most_tabs = most_tabs
        self._sockets: set[web.WebSocketResponse] = set()
        self._page = Template(_text("serve_page.html"))
        self._page_js = _text("serve_page.js")

    def app(self) -> web.Application:
        """The application of an aiohttp server."""
        app = web.Application(middlewares=[self._guarded])
        app.router.add_get("/", self._index)
        app.router.add_get("/page.js", self._script)
        app.router.add_get("/ws", self._screen)
        app.router.add_static("/static", Path(str(files("textual_serve") / "static")))
        app.on_shutdown.append(self._close)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        refused = await self._gate.refusal(request)
        if refused is not None:
            return refused
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_headers(request.host))
        return response

    async def _index(self, request: web.Request) -> web.Response:
        asked = request.query.get("fontsize", "")
        size = int(asked) if asked.isdecimal() and len(asked) < 3 and int(asked) in _FONT_SIZES else 16
        text = self._page.substitute(host=request.host, size=size)
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def _script(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._page_js, content_type="text/javascript")

    async def _screen(self, request: web.Request) -> web.StreamResponse:
        size = _size(request.query.get("width"), request.query.get("height"))
        if size is None:
            return web.Response(status=400, text="width and height: expected two numbers from 1 to 1000\n")
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_MOST_TYPED)
        await socket.prepare(request)
        if len(self._sockets) >= self._most_tabs:
            await _part(socket, f"{self._most_tabs} screens are open already: close one", WSCloseCode.TRY_AGAIN_LATER)
            return socket
        self._sockets.add(socket)
        try:
            async with opened([*self._command, f"{size[0]}x{size[1]}"], self._environ) as tab:
                painting = asyncio.create_task(_paint(tab, socket))
                try:
                    await _follow(socket, tab)
                finally:
                    painting.cancel()
        finally:
            self._sockets.discard(socket)
        return socket

    async def _close(self, _app: web.Application) -> None:
        for socket in set(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)


def _text(name: str) -> str:
    return (files("tui") / name).read_text(encoding="utf-8")


def _headers(host: str) -> dict[str, str]:
    # The terminal writes styles of its own into the page; scripts come from us alone, and nothing from elsewhere.
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
        f"img-src 'self' data:; connect-src ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def _size(width: object, height: object) -> tuple[int, int] | None:
    """Columns and rows of a terminal; None if that is no size."""
    try:
        size = int(str(width)), int(str(height))
    except ValueError:
        return None
    return size if size[0] in _SIDES and size[1] in _SIDES else None


async def _paint(tab: Tab, socket: web.WebSocketResponse) -> None:
    """From the process to the browser, until one of them ends."""
    with suppress(ConnectionError, RuntimeError):
        async for packet in tab.packets():
            await socket.send_bytes(packet)
    await _part(socket, await tab.last_words(), WSCloseCode.OK)


async def _part(socket: web.WebSocketResponse, words: str, code: int) -> None:
    with suppress(ConnectionError, RuntimeError):
        if words:
            await socket.send_bytes(f"\x1b[0m\x1b[2J\x1b[H{words}\r\n".encode())
        await socket.close(code=code)


async def _follow(socket: web.WebSocketResponse, tab: Tab) -> None:
    """From the browser to the process, until the tab is closed; what cannot be read ends it."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT or not await _obey(socket, tab, message.data):
            await socket.close(code=WSCloseCode.POLICY_VIOLATION)
            return


async def _obey(socket: web.WebSocketResponse, tab: Tab, text: str) -> bool:
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        return False
    match asked:
        case ["stdin", str(keys)]:
            await tab.type(keys)
        case ["resize", {"width": width, "height": height}]:
            size = _size(width, height)
            if size is None:
                return False
            await tab.say(type="resize", width=size[0], height=size[1])
        case ["focus" | "blur" as what]:
            await tab.say(type=what)
        case ["ping", str(stamp)]:
            with suppress(ConnectionError, RuntimeError):
                await socket.send_json(["pong", stamp])
        case _:
            return False
    return True
