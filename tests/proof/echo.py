"""A server that repeats every key it is sent, in words, in hex and in base64, under every status; and a node that is
honest but for that."""

import base64
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.request import Request, urlopen

from tests.proof.canaries import RPC_KEY

STATUSES: Final = (403, 500, 400, 429, 302, 404, 200, 451, 402, 503, 401)


class Echo(ThreadingHTTPServer):
    """`node` is asked for whatever is asked at the path of a node, most of the time."""

    daemon_threads = True

    def __init__(self, node: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.node = node
        self.statuses = itertools.cycle(STATUSES)
        self.asked: set[str] = set()
        """The first segment of every path."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Echo
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        first = self.path.split("/")[1].partition("?")[0]
        self.server.asked.add(first)
        status = next(self.server.statuses)
        if first == RPC_KEY and self.server.node and status != 400:
            self._say(200, self._of_node(body), {})
            return
        said = self._said(body)
        where = {"Location": f"{self.server.url}/{said[:2000]}"} if status == 302 else {}
        self._say(status, json.dumps(self._error(said, body)).encode(), {**where, "X-Echo": said[:4000]})

    do_POST = do_GET  # noqa: N815 - the library's name

    def _said(self, body: bytes) -> str:
        keys = [self.headers.get("Authorization", "").removeprefix("Bearer "), *self.path.split("/"), *_texts(body)]
        said = [form for key in keys if len(key) > 15 for form in (key, key.upper(), f"{key[:9]}\u200b{key[9:]}")]
        said += [key.encode().hex() for key in keys if len(key) > 15]
        said += [base64.b64encode(key.encode()).decode() for key in keys if len(key) > 15]
        return " ".join(said).encode("ascii", "ignore").decode()

    def _error(self, said: str, body: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(body).get("id")
        except (ValueError, AttributeError):
            asked = None
        return {"jsonrpc": "2.0", "id": asked, "error": {"code": -32000, "message": f"bad key {said}"}, "message": said}

    def _of_node(self, body: bytes) -> bytes:
        asked = Request(self.server.node, body, {"Content-Type": "application/json"})  # noqa: S310 - our own node
        with urlopen(asked, timeout=10) as answer:  # noqa: S310
            found: bytes = answer.read()
        return found

    def _say(self, status: int, body: bytes, more: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**more, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""


def _texts(body: bytes) -> list[str]:
    try:
        said = json.loads(body)
    except ValueError:
        return []
    return [each for each in said.values() if isinstance(each, str)] if isinstance(said, dict) else []


@contextmanager
def echoing(node: str = "") -> Iterator[Echo]:
    server = Echo(node)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
