"""A headless Chromium in front of `perpdesk serve`. `python -m tests.terminal.browser FILE` draws the docs' picture."""

import asyncio
import base64
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import aiohttp

from tests.cli.perpdesk import COMMAND, environment, perpdesk
from tests.patient import PATIENCE_S

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SIZE = (1460, 900)
SECONDS = 13.0


@contextmanager
def engine(tmp_path: Path) -> Iterator[None]:
    """A demo without a screen in `tmp_path / "state"`, ready to be asked."""
    command = [*COMMAND, "demo", "--headless", "--seed", "11", "--state", str(tmp_path / "state")]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment(tmp_path), stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            end = monotonic() + 30
            while perpdesk(tmp_path, "desks", "--state", str(tmp_path / "state")).returncode:
                assert monotonic() < end, "the engine does not answer"
                assert process.poll() is None, "the engine ended"
            yield
        finally:
            process.terminate()


@contextmanager
def served(tmp_path: Path, *arguments: str) -> Iterator[tuple[str, str, "subprocess.Popen[str]"]]:
    """`perpdesk serve` on any free port, over that engine: where it is, its password, itself."""
    password = secrets.token_urlsafe(18)
    file = tmp_path / "serve.password"
    file.write_text(password)
    file.chmod(0o600)
    command = [*COMMAND, "serve", "--port", "0", "--state", str(tmp_path / "state")]
    command += ["--password-file", str(file), *arguments]
    log = tmp_path / "serve.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command, env=environment(tmp_path), stdin=subprocess.DEVNULL, stderr=stderr, text=True
        )
        try:
            end = monotonic() + 30
            while "may " not in (told := log.read_text()):
                assert monotonic() < end, told
                assert process.poll() is None, told
            where = re.search(r"^perpdesk: (http://127\.0\.0\.1:\d+)/$", told, re.MULTILINE)
            assert where, told
            assert password not in told
            yield where[1], password, process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


class Page:
    """One tab of the browser, over its debugging protocol."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._socket = socket
        self._number = 0
        self.asked: list[str] = []
        """Every address the page has asked for."""

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """One call of the protocol; events that come first are noted."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json(timeout=PATIENCE_S)
            if answer.get("method") in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                params_ = answer["params"]
                self.asked.append(params_.get("url") or params_["request"]["url"])
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                found: dict[str, Any] = answer["result"]
                return found

    async def until(self, expression: str, true: Callable[[Any], bool]) -> None:
        """Waits until a JavaScript expression has a value that will do."""
        end = monotonic() + PATIENCE_S
        while not true(found := (await self.call("Runtime.evaluate", expression=expression))["result"].get("value")):
            assert monotonic() < end, f"{expression} is {found!r}"
            await asyncio.sleep(0.1)

    async def key(self, key: str) -> None:
        """One character typed."""
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def picture(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def browsing(tmp_path: Path) -> AsyncIterator[Page]:
    """An empty tab of a Chromium that knows no proxy and keeps nothing."""
    assert CHROMIUM is not None
    profile = tmp_path / "chromium"
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--no-proxy-server", "--remote-debugging-port=0"]
    command += [f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}", "--use-angle=swiftshader"]
    command += ["--enable-unsafe-swiftshader", "--disable-background-networking", "--no-first-run", "about:blank"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        port = await asyncio.to_thread(_debugging_port, profile / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                tab = next(each for each in await answer.json() if each["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                await page.call("Network.enable")
                await page.call("Page.enable")
                yield page
    finally:
        process.terminate()
        await process.wait()


def _debugging_port(file: Path) -> int:
    end = monotonic() + 30
    while not file.exists() or "\n" not in (text := file.read_text()):
        assert monotonic() < end, "Chromium does not start"
        sleep(0.05)
    return int(text.splitlines()[0])


async def opened(page: Page, url: str, password: str) -> None:
    """Opens the desk, and waits until it is painted."""
    await page.call("Page.navigate", url=url.replace("http://", f"http://operator:{password}@") + "/")
    await page.until("document.body.className", lambda found: "-first-byte" in (found or ""))


async def _drawn(tmp_path: Path) -> bytes:
    with served(tmp_path) as (url, password, _):
        async with browsing(tmp_path) as page:
            await opened(page, url, password)
            await asyncio.sleep(SECONDS)
            return await page.picture()


def main(file: Path) -> None:
    """Over a demo of its own in a temporary directory."""
    with tempfile.TemporaryDirectory() as directory, engine(Path(directory)):
        file.write_bytes(asyncio.run(_drawn(Path(directory))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
