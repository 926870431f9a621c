"""Where Avantis' services live, and how they are asked: a family of hosts after the other for reads, one for writes.

The venue has been renamed once, so every address is configuration. Which family answers is remembered per service.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, TypeVar

from pydantic import JsonValue

from venue.avantis.answers import fault
from venue.avantis.wire import AvantisCode, AvantisError
from venue.net.client import Client, NetFault, Reply
from venue.net.url import checked_url

CORE: Final = "core"
DATA: Final = "data"
RISK: Final = "risk/v2"
"""Prefixes of what stands behind the gateway."""

T = TypeVar("T")
Query = Sequence[tuple[str, str]]
Judge = Callable[[Reply], T]
"""Makes something of an answer. Raises AvantisError."""


class Service(StrEnum):
    """A server of the venue."""

    TX_BUILDER = "tx-builder"
    GATEWAY = "gateway"
    HISTORY = "history"
    FEED = "feed"


@dataclass(frozen=True, slots=True)
class Family:
    """One complete set of hosts. Raises ValueError for a URL that nothing may be sent to."""

    name: str
    tx_builder: str
    gateway: str
    history: str
    feed: str

    def __post_init__(self) -> None:
        for service in Service:
            checked_url(self.url(service), f"{self.name} {service}")

    def url(self, service: Service) -> str:
        """Where a service lives."""
        match service:
            case Service.TX_BUILDER:
                return self.tx_builder
            case Service.GATEWAY:
                return self.gateway
            case Service.HISTORY:
                return self.history
            case Service.FEED:
                return self.feed


def family_of(name: str) -> Family:
    """All hosts of a domain; or, for a URL, one server that plays them all below it. Raises ValueError."""
    if "://" in name:
        below = name.rstrip("/")
        return Family(name, f"{below}/tx-builder", f"{below}/gateway", f"{below}/history", f"{below}/feed")
    return _named(name)


def _named(domain: str) -> Family:
    return Family(
        name=domain,
        tx_builder=f"https://tx-builder.{domain}",
        gateway=f"https://prod-api.{domain}",
        history=f"https://api.{domain}",
        feed=f"https://feed-v3.{domain}",
    )


@dataclass(frozen=True, slots=True)
class Hosts:
    """The families in the order they are tried, and what one answer may take: seconds and bytes."""

    families: tuple[Family, ...] = (_named("veranta.xyz"), _named("avantisfi.com"))
    within_s: float = 8.0
    most_bytes: int = 2 * 1024 * 1024
    """The catalogue takes about 360 kB."""

    def __post_init__(self) -> None:
        if not self.families:
            raise ValueError("no family of Avantis hosts is given: expected at least one")
        if len({family.name for family in self.families}) != len(self.families):
            raise ValueError("two families of Avantis hosts have the same name")


_ELSEWHERE: Final = frozenset(
    (
        AvantisCode.UNREACHABLE,
        AvantisCode.TOO_SLOW,
        AvantisCode.TOO_LARGE,
        AvantisCode.COMPRESSED,
        AvantisCode.REDIRECTED,
        AvantisCode.NOT_JSON,
        AvantisCode.SERVER_FAILED,
        AvantisCode.UPSTREAM_ERROR,
    )
)
"""What another family may know better. A refusal is an answer: nobody is asked again to get around a limit or a law."""


@dataclass(slots=True)
class _Line:
    clients: dict[str, Client]
    current: str
    troubles: dict[str, AvantisError] = field(default_factory=dict)

    def order(self) -> list[str]:
        return [self.current, *(name for name in self.clients if name != self.current)]


class Api:
    """The venue's servers. Everything raises AvantisError."""

    def __init__(self, hosts: Hosts | None = None) -> None:
        self._hosts = hosts or Hosts()
        self._lines = {service: self._line(service) for service in Service}

    def _line(self, service: Service) -> _Line:
        clients = {
            family.name: Client(checked_url(family.url(service), service), within_s=self._hosts.within_s)
            for family in self._hosts.families
        }
        return _Line(clients, self._hosts.families[0].name)

    async def aclose(self) -> None:
        """Closes idle connections."""
        for line in self._lines.values():
            for client in line.clients.values():
                await client.aclose()

    def answering(self, service: Service) -> str:
        """The family that is asked first."""
        return self._lines[service].current

    def troubles(self, service: Service) -> Mapping[str, AvantisError]:
        """Why families did not answer when they were last asked."""
        return dict(self._lines[service].troubles)

    async def read(
        self,
        service: Service,
        path: str,
        judge: Judge[T],
        *,
        method: Literal["GET", "POST"] = "GET",
        query: Query = (),
        body: JsonValue = None,
    ) -> T:
        """What `judge` makes of the first answer that is one. `method` POST is for questions that change nothing."""
        line = self._lines[service]
        errors: list[AvantisError] = []
        for name in line.order():
            try:
                made = judge(await self._send(line.clients[name], method, path, query, body))
            except AvantisError as error:
                if error.code not in _ELSEWHERE:
                    raise
                line.troubles[name] = error
                errors.append(error)
            else:
                line.troubles.pop(name, None)
                line.current = name
                return made
        raise errors[0]

    async def _send(
        self, client: Client, method: Literal["GET", "POST"], path: str, query: Query, body: JsonValue
    ) -> Reply:
        try:
            return await client.send(method, path, query=query, body=body, limit=self._hosts.most_bytes)
        except NetFault as error:
            raise fault(error) from None
