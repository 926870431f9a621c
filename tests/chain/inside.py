"""The venue's servers in this process, without a wire between."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

import httpx

from tests.chain.avantis_servers import ETH, ChainWorld, faithful
from tests.chain.paper_chain import PRICE, PaperChain
from tests.venue.avantis.server import Asked, AvantisServer
from venue.avantis.hosts import Api, Service, _Line
from venue.net.client import Client, Reply


class Inside(Client):
    """The servers without a wire between."""

    def __init__(self, server: AvantisServer, prefix: str) -> None:
        self._server = server
        self._prefix = prefix

    @property
    def host(self) -> str:
        return "inside"

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def send(self, method: str, path: str, *, query: Any = (), body: Any = None, **_: Any) -> Reply:
        path = f"{self._prefix}/{path.lstrip('/')}"
        for pattern, route in self._server._routes.items():
            if match := re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), path):
                asked = Asked(method, path, {key: str(value) for key, value in query}, body, match.groupdict())
                status, told = route(asked)
                headers = httpx.Headers({"Content-Type": "application/json"})
                return Reply(status, headers, json.dumps(told).encode())
        raise AssertionError(f"no route {path}")


PREFIXES: Final = {
    Service.TX_BUILDER: "/tx-builder",
    Service.GATEWAY: "/gateway",
    Service.HISTORY: "/history",
    Service.FEED: "/feed",
}


class InsideApi(Api):
    """All of them."""

    def __init__(self, server: AvantisServer) -> None:
        self._server = server
        super().__init__()

    def _line(self, service: Service) -> _Line:
        return _Line({"inside": Inside(self._server, PREFIXES[service])}, "inside")


def servers(chain: PaperChain, now_ms: Callable[[], int]) -> AvantisServer:
    """What tells the truth about it. Wants a running loop."""
    world = ChainWorld(chain, now_ms, 0)  # type: ignore[arg-type]
    world.price[ETH] = PRICE
    return faithful(world)
