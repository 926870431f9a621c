"""Real posts to a server on loopback: together, paced, again when refused, and none held up by another."""

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from engine.alerts.desk import AlertDesk, alert_desk, tried
from engine.alerts.rules import Alert, Kind, Watch
from engine.alerts.sinks import MOST_LINES, MOST_WAITING, Sink, told
from engine.clock import SystemClock
from engine.config import ConfigError
from engine.keeper_rows import KeeperHealth
from engine.sections import Alerts
from engine.worker import Cadence, Worker


class Hurried(SystemClock):
    """Waits a thousandth of what it is asked to."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 1000)


class Server:
    """Keeps what is posted; answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.posts: list[tuple[str, dict[str, object]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append((self.path, json.loads(body)))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_request(self, *_: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def places(url: str, dead: str = "") -> Alerts:
    return Alerts(
        every_s=1,  # type: ignore[arg-type]
        webhook=SecretStr(dead or f"{url}/hook"),
        ntfy_url=url,
        ntfy_topic=SecretStr("topic"),
        telegram_url=url,
        telegram_chat="42",
        telegram_token=SecretStr("1:secret"),
    )


@contextmanager
def running(desk: AlertDesk) -> Iterator[None]:
    loop, clock = asyncio.get_running_loop(), Hurried()
    tasks = [loop.create_task(worker(sink, clock).run()) for sink in desk.sinks]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


def worker(sink: Sink, clock: SystemClock) -> Worker:
    """As the assembly makes it."""
    return Worker(sink.name, Cadence(sink.every_s, sink.every_s), sink.pass_once, clock, random.Random(1), endless=True)


async def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def alerts(count: int) -> tuple[Alert, ...]:
    return tuple(Alert(Kind.HALTED, f"halted:{number}", f"desk {number} halted") for number in range(count))


async def test_every_place_gets_it_in_its_own_words(server: Server) -> None:
    desk = alert_desk(places(server.url), Hurried())
    with running(desk):
        desk.put(alerts(2))
        await until(lambda: len(server.posts) == 3)
    await desk.aclose()
    posts = dict(server.posts)
    assert posts["/hook"]["alerts"][1]["key"] == "halted:1"  # type: ignore[index]
    assert posts["/bot1:secret/sendMessage"] == {"chat_id": "42", "text": "perpdesk\ndesk 0 halted\ndesk 1 halted"}
    assert posts["/"]["topic"] == "topic"


async def test_a_place_that_is_gone_holds_up_no_other_and_says_so(server: Server) -> None:
    desk = alert_desk(places(server.url, dead="http://127.0.0.1:9/hook"), Hurried())
    with running(desk):
        desk.put(alerts(1))
        await until(lambda: len(server.posts) == 2)
        await until(lambda: desk.sinks[0].lost == 1)
        assert desk.alarms() == ["alerts do not reach webhook: UNREACHABLE"]
        desk.put(alerts(1))
        await until(lambda: len(server.posts) == 4)
    await desk.aclose()


async def test_what_is_refused_is_sent_again_with_what_came_since(server: Server) -> None:
    server.status = 500
    desk = alert_desk(Alerts(every_s=1, webhook=SecretStr(server.url)), Hurried())  # type: ignore[arg-type]
    with running(desk):
        desk.put(alerts(1))
        await until(lambda: server.posts)
        desk.put(alerts(1))
        # One of the tries may have been under way when the second came.
        await until(lambda: len(server.posts[-1][1]["alerts"]) == 2)  # type: ignore[arg-type]
        server.status = 204
        await until(lambda: not desk.alarms())
    assert len(server.posts[-1][1]["alerts"]) == 2  # type: ignore[arg-type]
    await desk.aclose()


class Broken:
    """A place whose code is at fault until it is mended."""

    name = "broken"

    def __init__(self) -> None:
        self.mended = False
        self.taken: list[Alert] = []

    async def send(self, batch: Sequence[Alert]) -> str:
        if not self.mended:
            raise KeyError("secret")
        self.taken += batch
        return ""


async def test_a_fault_in_a_sink_is_seen_counted_and_tried_again() -> None:
    post = Broken()
    desk = AlertDesk(Watch(1.0), (Sink(post, 1.0, Hurried()),), ())
    loop = worker(desk.sinks[0], Hurried())
    running = asyncio.create_task(loop.run())
    desk.put(alerts(2))
    with capture_logs() as told:
        await until(lambda: loop.row().failures >= 2)
    assert {line["event"] for line in told} == {"pass failed"}
    assert loop.row().health is KeeperHealth.FAILING
    assert desk.alarms() == ["alerts do not reach broken: a fault of perpdesk's own, KeyError"]
    post.mended = True
    await until(lambda: post.taken)
    await until(lambda: loop.row().health is KeeperHealth.OK)
    assert (post.taken, desk.alarms()) == ([*alerts(2)], [])
    running.cancel()


def test_queues_are_bounded_and_messages_short() -> None:
    sink = Sink(None, 1.0, SystemClock())  # type: ignore[arg-type]
    sink.put(alerts(MOST_WAITING + 5))
    assert sink.lost == 5
    assert told(alerts(MOST_LINES + 3)).splitlines()[-1] == "and 3 more"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            Alerts(webhook=SecretStr("http://elsewhere.example/secret")),
            "alerts.webhook: the webhook URL must be https",
        ),
        (Alerts(telegram_chat="42"), "alerts.telegram_chat: set, without a token"),
    ],
)
def test_bad_places_are_refused_and_no_secret_is_repeated(settings: Alerts, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        alert_desk(settings, SystemClock())
    assert "secret" not in str(refused.value)


async def test_a_test_message_goes_to_each_place(server: Server) -> None:
    assert await tried(places(server.url), SystemClock()) == {"webhook": "", "ntfy": "", "telegram": ""}
    server.status = 403
    assert set((await tried(places(server.url), SystemClock())).values()) == {"answered 403"}
    assert await tried(Alerts(), SystemClock()) == {}
