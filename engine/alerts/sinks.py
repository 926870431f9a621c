"""Where alerts go: each place with its own queue and pace, so that one that is slow or gone costs no other."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from pydantic import JsonValue

from engine.alerts.rules import Alert
from engine.clock import Clock
from venue.net.client import Client, NetFault

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
MOST_WAITING = 200
MOST_LINES = 12
TRIES = 5
OK = range(200, 300)


class Post(Protocol):
    """One place. Returns nothing, or why it was not taken."""

    name: str

    async def send(self, alerts: Sequence[Alert]) -> str: ...


@dataclass(slots=True)
class HttpPost:
    """A place that takes JSON over HTTP. The URL may hold a secret: no error repeats it."""

    name: str
    client: Client
    path: str
    body: Callable[[Sequence[Alert]], JsonValue]

    async def send(self, alerts: Sequence[Alert]) -> str:
        try:
            reply = await self.client.send("POST", self.path, body=self.body(alerts))
        except NetFault as fault:
            return str(fault.code)
        return "" if reply.status in OK else f"answered {reply.status}"


def told(alerts: Sequence[Alert]) -> str:
    """As a person reads it: a line each, and how many more."""
    lines = [alert.text for alert in alerts[:MOST_LINES]]
    more = len(alerts) - MOST_LINES
    return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def webhook(client: Client, path: str) -> HttpPost:
    """The whole alert, for programs; `path` as it was given, because no server takes another."""

    def body(alerts: Sequence[Alert]) -> JsonValue:
        return {
            "source": "perpdesk",
            "alerts": [{"kind": each.kind, "key": each.key, "text": each.text, "over": each.over} for each in alerts],
        }

    return HttpPost("webhook", client, path, body)


def telegram(client: Client, token: str, chat: str) -> HttpPost:
    """A message of a bot."""
    return HttpPost(
        "telegram",
        client,
        f"bot{token}/sendMessage",
        lambda alerts: {"chat_id": chat, "text": f"perpdesk\n{told(alerts)}"},
    )


def ntfy(client: Client, topic: str) -> HttpPost:
    """A notification; what is over is no alarm."""

    def body(alerts: Sequence[Alert]) -> JsonValue:
        priority = 2 if all(alert.over for alert in alerts) else 4
        return {"topic": topic, "title": "perpdesk", "message": told(alerts), "priority": priority}

    return HttpPost("ntfy", client, "", body)


@dataclass(slots=True)
class Sink:
    """Hands alerts to one place, at most once in `every_s`, together if several came; the oldest go when too many
    wait, and a message that is refused again and again goes as well. `pass_once` is for a Worker of its own."""

    post: Post
    every_s: float
    clock: Clock
    failing: str = ""
    """Why the newest message was not taken, or nothing."""
    lost: int = 0
    _waiting: deque[Alert] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    _come: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """Of its loop."""
        return f"alerts {self.post.name}"

    def put(self, alerts: Sequence[Alert]) -> None:
        """Never waits."""
        self.lost += max(0, len(self._waiting) + len(alerts) - MOST_WAITING)
        self._waiting.extend(alerts)
        if alerts:
            self._come.set()

    async def pass_once(self) -> str:
        """Hands over once there is something. What it raises is a fault of perpdesk's own; what waits is kept."""
        await self._come.wait()
        try:
            await self._hand_over()
        except Exception as error:
            self.failing = f"a fault of perpdesk's own, {type(error).__name__}"
            raise
        if not self._waiting:
            self._come.clear()
        return self.failing or "all handed over"

    async def _hand_over(self) -> None:
        for attempt in range(1, TRIES + 1):
            batch = tuple(self._waiting)
            self.failing = await self.post.send(batch)
            if not self.failing:
                for _ in range(min(len(batch), len(self._waiting))):
                    self._waiting.popleft()
                return
            log.warning("alert not taken", sink=self.post.name, why=self.failing, attempt=attempt)
            if attempt < TRIES:
                await self.clock.sleep(self.every_s * 2**attempt)
        self.lost += len(self._waiting)
        self._waiting.clear()
