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

from tui.serve_gate import Acquaintances, Guesses, Password, given_password, is_here, is_ours
from tui.serve_peer import Address, owner_of
from tui.serve_tab import Tab, Tabs

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
_MOST_TYPED = 64 * 1024
"""Bytes of one message from the browser: more than anybody pastes into a form."""
_SIDES = range(1, 1001)
"""Columns or rows."""
_FONT_SIZES = range(8, 41)
_HEARTBEAT_S = 15.0
_PART_S = 1.0
"""For a browser to take what it is sent when all is over."""
_OwnerOf = Callable[[Address, Address], Awaitable[int | None]]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Gate:
    """The rules, and what is remembered of visitors."""

    password: Password
    owner_of: _OwnerOf
    """The user id behind a connection, of its ends."""
    guesses: Guesses = field(default_factory=Guesses)
    acquaintances: Acquaintances = field(default_factory=Acquaintances)

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
        who = self.known(request) or await self._stranger(request)
        return self._tried(who, given, time.monotonic())

    def _tried(self, who: str, given: str, now: float) -> web.Response | None:
        # No await in here: a hundred guesses at once are no faster.
        right = self.password.matches(given)
        if right and not self.password.guessable:
            return None
        if wait_s := self.guesses.wait_s(who, now):
            return web.Response(status=429, headers={"Retry-After": str(int(wait_s) + 1)})
        if right:
            return None
        self.guesses.wrong(who, now)
        log.warning("wrong password", who=who)
        return _ask()

    def known(self, request: web.Request) -> str | None:
        """Which browser it is that has given the password before."""
        return self.acquaintances.name(request.cookies.get(_cookie_name(request)))

    def remember(self, request: web.Request, response: web.StreamResponse) -> None:
        """Gives a browser that was let in its cookie."""
        cookie = self.acquaintances.cookie()
        response.set_cookie(_cookie_name(request), cookie, path="/", httponly=True, samesite="Strict")

    async def _stranger(self, request: web.Request) -> str:
        """Whose process it is: on loopback, what other servers tell strangers by is the same for all."""
        transport = request.transport
        theirs, ours = (transport and transport.get_extra_info(each) for each in ("peername", "sockname"))
        user = await self.owner_of(theirs, ours) if theirs and ours else None
        return "somebody" if user is None else f"user {user}"


def _cookie_name(request: web.Request) -> str:
    """By the port that the browser sees: all ports of a machine share its cookies."""
    return f"perpdesk-{request.host.rpartition(':')[2]}"


def _ask() -> web.Response:
    return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="perpdesk", charset="UTF-8"'})


class Site:
    """Pages and screens: each tab runs `command` with `environ`, the size of its terminal appended."""

    def __init__(
        self,
        password: Password,
        command: Sequence[str],
        environ: Mapping[str, str],
        most_tabs: int,
        owner_of: _OwnerOf = owner_of,
    ) -> None:
        self._gate = Gate(password, owner_of)
        self._tabs = Tabs(command, environ)
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
        app.on_cleanup.append(self._end)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        refused = await self._gate.refusal(request)
        if refused is not None:
            return refused
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_headers(request.host))
            if self._gate.known(request) is None:
                self._gate.remember(request, response)
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
            async with self._tabs.opened(f"{size[0]}x{size[1]}") as tab:
                painting = asyncio.create_task(_paint(tab, socket))
                try:
                    await _follow(socket, tab)
                finally:
                    painting.cancel()
        finally:
            self._sockets.discard(socket)
        return socket

    async def _close(self, _app: web.Application) -> None:
        if self._sockets:
            closing = [asyncio.create_task(socket.close(code=WSCloseCode.GOING_AWAY)) for socket in self._sockets]
            _, late = await asyncio.wait(closing, timeout=_PART_S)
            for each in late:
                each.cancel()  # a browser that takes nothing holds up nobody

    async def _end(self, _app: web.Application) -> None:
        await self._tabs.end()


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
