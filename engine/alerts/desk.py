"""Alerts in a run: looks at each picture and hands what is new to every place."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.alerts.rules import Alert, Kind, Watch
from engine.alerts.sinks import Post, Sink, ntfy, telegram, webhook
from engine.clock import Clock
from engine.config import ConfigError
from engine.sections import Alerts
from engine.snapshot import Snapshot
from venue.net.client import Client
from venue.net.url import checked_url

WITHIN_S = 10.0
CONNECTIONS = 2


@dataclass(slots=True)
class AlertDesk:
    """Everything between a picture and a pager."""

    watch: Watch
    sinks: tuple[Sink, ...]
    clients: tuple[Client, ...]

    def look(self, picture: Snapshot) -> None:
        """Never waits, and never fails for a place's sake."""
        if self.sinks and (alerts := self.watch.look(picture)):
            self.put(alerts)

    def put(self, alerts: Sequence[Alert]) -> None:
        """To every place."""
        for sink in self.sinks:
            sink.put(alerts)

    def alarms(self) -> list[str]:
        """Places that take nothing: whoever relies on them should know."""
        return [f"alerts do not reach {sink.post.name}: {sink.failing}" for sink in self.sinks if sink.failing]

    async def aclose(self) -> None:
        """Closes idle connections."""
        for client in self.clients:
            await client.aclose()


def alert_desk(settings: Alerts, clock: Clock) -> AlertDesk:
    """The places that the settings name. Raises ConfigError, which shows no URL: it may hold a key."""
    posts: list[Post] = []
    clients: list[Client] = []

    def client(url: str, name: str) -> tuple[Client, str]:
        try:
            whole = checked_url(url, name)
        except ValueError as error:
            raise ConfigError(f"alerts.{name}: {error}") from None
        clients.append(Client(whole.copy_with(path="/"), within_s=WITHIN_S, connections=CONNECTIONS))
        return clients[-1], whole.path

    if settings.webhook:
        posts.append(webhook(*client(settings.webhook.get_secret_value(), "webhook")))
    if settings.ntfy_topic:
        posts.append(ntfy(client(settings.ntfy_url, "ntfy_url")[0], settings.ntfy_topic.get_secret_value()))
    if settings.telegram_chat:
        if not settings.telegram_token:
            raise ConfigError("alerts.telegram_chat: set, without a token; expected PERPDESK_ALERTS__TELEGRAM_TOKEN")
        token = settings.telegram_token.get_secret_value()
        posts.append(telegram(client(settings.telegram_url, "telegram_url")[0], token, settings.telegram_chat))
    sinks = tuple(Sink(post, float(settings.every_s), clock) for post in posts)
    return AlertDesk(Watch(float(settings.near_liquidation_pct)), sinks, tuple(clients))


async def tried(settings: Alerts, clock: Clock) -> dict[str, str]:
    """Sends one test message to each place; why it was not taken, by place, empty where it was."""
    desk = alert_desk(settings, clock)
    try:
        test = (Alert(Kind.TEST, "test", "this is a test: alerts of perpdesk arrive here"),)
        return {sink.post.name: await sink.post.send(test) for sink in desk.sinks}
    finally:
        await desk.aclose()
