"""The engine's numbers for a monitoring system: counted where they happen, read from the newest picture when asked for.

Idle and broken never look the same: a keeper that does nothing goes on passing, and its last pass grows no older.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.observer import Observer
from engine.snapshot import DeskPhase, FeedHealth, KeeperHealth, Snapshot

HOST = "127.0.0.1"
_QUICK = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Seconds: from a commit to a pass that waits for a slow node."""
_WAD = 10**18


class Metrics(Observer):
    """What one run counts. Recording never waits and never fails for a reader's sake."""

    def __init__(self) -> None:
        here = self.registry = CollectorRegistry()
        by = ("keeper", "outcome")
        self._passes = Counter("perpdesk_passes", "Passes of a keeper.", by, registry=here)
        self._acts = Counter("perpdesk_acts", "What keepers did, by outcome.", by, registry=here)
        self._facts = Counter("perpdesk_facts", "Facts made durable.", registry=here)
        self._pass_s = Histogram(
            "perpdesk_pass_seconds", "How long a pass took.", ("keeper",), buckets=_QUICK, registry=here
        )
        self._commit_s = Histogram(
            "perpdesk_commit_seconds", "How long a durable transaction took.", buckets=_QUICK, registry=here
        )

    def passed(self, keeper: str, seconds: float, *, failed: bool) -> None:
        """A pass has ended."""
        self._passes.labels(keeper, "failed" if failed else "ok").inc()
        self._pass_s.labels(keeper).observe(seconds)

    def acted(self, keeper: str, outcome: str) -> None:
        """A keeper attempted something: `done`, `raced`, or the code of a refusal."""
        self._acts.labels(keeper, outcome).inc()

    def committed(self, facts: int, seconds: float) -> None:
        """A transaction is durable."""
        self._facts.inc(facts)
        self._commit_s.observe(seconds)

    def serve(self, port: int, latest: Callable[[], Snapshot | None], waiting: Callable[[], int]) -> Callable[[], None]:
        """Answers on loopback, in a thread of its own, until what is returned is called. Raises OSError.

        `latest` is the newest picture, None before the first; `waiting` is how many commands and reads the settlement
        has in its queue.
        """
        self.registry.register(Picture(latest, waiting))
        server, thread = start_http_server(port, addr=HOST, registry=self.registry)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop


class Picture(Collector):
    """Gauges of the newest picture, at the moment somebody asks."""

    def __init__(self, latest: Callable[[], Snapshot | None], waiting: Callable[[], int]) -> None:
        self._latest = latest
        self._waiting = waiting

    def describe(self) -> Iterable[Metric]:
        """Nothing: the picture need not be there yet when this is registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All gauges; none before the first picture."""
        picture = self._latest()
        if picture is not None:
            yield from _status(picture, self._waiting())
            yield from _keepers(picture)
            yield from _feeds(picture)
            yield _desks(picture)


def _gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"perpdesk_{name}", words, labels=labels)


def _status(picture: Snapshot, waiting: int) -> Iterator[Metric]:
    at_s = picture.at_ms / 1000
    figures: dict[str, tuple[str, float]] = {
        "fact_number": ("Number of the newest fact.", picture.seq),
        "picture_timestamp_seconds": ("When the newest picture was made; an old one is an engine that stands.", at_s),
        "settlement_waiting": ("Commands and reads that wait for the writer.", waiting),
        "alarms": ("Alarms nobody has acknowledged.", len(picture.status.alarms)),
        "alarms_acknowledged": ("Alarms somebody knows of.", len(picture.status.acknowledged)),
        "liquidatable": ("Positions that may be liquidated now.", picture.queue.ready),
        "near_liquidation": ("Positions that have lost 80 % of what they may.", picture.queue.near),
        "positions_watched": ("Open positions.", picture.queue.watched),
        "requests_pending": ("Requests that wait for a keeper.", picture.request_counts.pending),
        "requests_frozen": ("Requests that are frozen.", picture.request_counts.frozen),
        "wallet_difference_usd": ("What the wallet holds beyond the books.", picture.flow.difference / _WAD),
    }
    oldest = picture.request_counts.oldest_ms
    figures["request_oldest_seconds"] = (
        "How long the oldest request has waited that waits for nothing but a keeper.",
        0 if oldest is None else at_s - oldest / 1000,
    )
    for name, (words, value) in figures.items():
        gauge = _gauge(name, words)
        gauge.add_metric((), value)
        yield gauge


def _keepers(picture: Snapshot) -> Iterator[Metric]:
    health = _gauge("keeper_health", "1 for the state a keeper is in.", "keeper", "state")
    last = _gauge("keeper_last_pass_timestamp_seconds", "When its last pass ended well.", "keeper")
    for row in picture.keepers:
        for state in KeeperHealth:
            health.add_metric((row.name, state.value), row.health is state)
        if row.last_ms is not None:
            last.add_metric((row.name,), row.last_ms / 1000)
    return iter((health, last))


def _feeds(picture: Snapshot) -> Iterator[Metric]:
    age = _gauge("feed_age_seconds", "How old a price is.", "market")
    tradable = _gauge("feed_tradable", "Whether a price may be traded on.", "market")
    health = _gauge("feed_health", "1 for the state a price is in.", "market", "state")
    for row in picture.markets:
        if row.age_ms is not None:
            age.add_metric((row.symbol,), row.age_ms / 1000)
        tradable.add_metric((row.symbol,), row.tradable)
        for state in FeedHealth:
            health.add_metric((row.symbol, state.value), row.health is state)
    return iter((age, tradable, health))


def _desks(picture: Snapshot) -> Metric:
    desks = _gauge("desks", "Desks by what they are at; halted ones once more as halted.", "state")
    for phase in DeskPhase:
        desks.add_metric((phase.value,), sum(desk.phase is phase for desk in picture.desks))
    desks.add_metric(("halted",), sum(desk.halted_by is not None for desk in picture.desks))
    return desks
