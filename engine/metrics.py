"""The engine's numbers for a monitoring system, read from the newest picture and the durations when asked for.

Idle and broken never look the same: a keeper that does nothing goes on passing, and its last pass grows no older.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.keeper_rows import KeeperHealth
from engine.snapshot import DeskPhase, FeedHealth, Snapshot
from engine.vitals import Durations

HOST = "127.0.0.1"
_WAD = 10**18
Timing = tuple[str, Mapping[str, str], Durations]


def serve(port: int, latest: Callable[[], Snapshot], timings: Callable[[], Iterable[Timing]]) -> Callable[[], None]:
    """Answers on loopback, in a thread of its own, until what is returned is called. Raises OSError.

    `latest` is the newest picture, `timings` what takes time: a name, its labels, and the durations.
    """
    figures = CollectorRegistry()
    figures.register(Picture(latest, timings))
    server, thread = start_http_server(port, addr=HOST, registry=figures)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


class Picture(Collector):
    """Everything, at the moment somebody asks. Nothing is counted for the sake of being asked."""

    def __init__(self, latest: Callable[[], Snapshot], timings: Callable[[], Iterable[Timing]]) -> None:
        self._latest = latest
        self._timings = timings

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is need not be looked at when this is registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All of it."""
        picture = self._latest()
        yield from _status(picture)
        yield from _keepers(picture)
        yield from _work(picture)
        yield from _feeds(picture)
        yield _desks(picture)
        yield from _histograms(self._timings())


def _histograms(timings: Iterable[Timing]) -> Iterator[Metric]:
    families: dict[str, HistogramMetricFamily] = {}
    for name, labels, durations in timings:
        family = families.get(name)
        if family is None:
            words = f"Seconds that one {name.replace('_', ' ')} took."
            family = families[name] = HistogramMetricFamily(f"perpdesk_{name}_seconds", words, labels=tuple(labels))
        family.add_metric(tuple(labels.values()), durations.buckets(), durations.total_s)
    return iter(families.values())


def _work(picture: Snapshot) -> Iterator[Metric]:
    passes = _counter("passes", "Passes of a keeper.", "keeper", "outcome")
    checked = _counter("checked", "Looks at single positions or requests.", "keeper")
    acts = _counter("acts", "What keepers attempted, by what became of it.", "keeper", "outcome")
    skipped = _counter("skipped", "What was ready and left alone, by the reason.", "keeper", "reason")
    ready = _gauge("ready", "What the last pass found ready.", "keeper")
    oldest = _gauge("oldest_ready_seconds", "How long what waits longest has been ready.", "keeper")
    for row in picture.keepers:
        passes.add_metric((row.name, "ok"), row.passes)
        passes.add_metric((row.name, "failed"), row.failures)
        if row.work is None:
            continue
        checked.add_metric((row.name,), row.work.checked)
        ready.add_metric((row.name,), row.work.ready)
        if row.work.oldest_ms is not None or not row.work.ready:  # what is ready and not measured is not nought
            oldest.add_metric((row.name,), (row.work.oldest_ms or 0) / 1000)
        for outcome, count in row.work.acts:
            acts.add_metric((row.name, outcome), count)
        for reason, count in row.work.skipped:
            skipped.add_metric((row.name, reason), count)
    return iter((passes, checked, acts, skipped, ready, oldest))


def _counter(name: str, words: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"perpdesk_{name}", words, labels=labels)


def _gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"perpdesk_{name}", words, labels=labels)


def _status(picture: Snapshot) -> Iterator[Metric]:
    at_s = picture.at_ms / 1000
    figures: dict[str, tuple[str, float]] = {
        "fact_number": ("Number of the newest fact.", picture.seq),
        "picture_timestamp_seconds": ("When the newest picture was made; an old one is an engine that stands.", at_s),
        "settlement_waiting": ("Commands and reads that wait for the writer.", picture.vitals.waiting),
        "alarms": ("Alarms nobody has acknowledged.", len(picture.status.alarms)),
        "alarms_acknowledged": ("Alarms somebody knows of.", len(picture.status.acknowledged)),
        "liquidatable": ("Positions that may be liquidated now.", picture.queue.ready),
        "near_liquidation": ("Positions that have lost 80 % of what they may; of the 200 nearest.", picture.queue.near),
        "positions_watched": ("Open positions.", picture.queue.watched),
        "positions_overdue": (
            "Positions past their limit for longer than a keeper should need.",
            picture.queue.overdue,
        ),
        "requests_pending": ("Requests that wait for a keeper.", picture.request_counts.pending),
        "requests_frozen": ("Requests that are frozen.", picture.request_counts.frozen),
        "wallet_difference_usd": ("What the wallet holds beyond the books.", picture.flow.difference / _WAD),
    }
    oldest = picture.request_counts.oldest_ms
    figures["request_oldest_seconds"] = (
        "How long the oldest request has waited that waits for nothing but a keeper.",
        0 if oldest is None else at_s - oldest / 1000,
    )
    facts = _counter("facts", "Facts made durable.")
    facts.add_metric((), picture.vitals.facts)
    yield facts
    stalls = _counter("loop_stalls", "How often the event loop stood still for seconds.")
    stalls.add_metric((), picture.vitals.stalls)
    yield stalls
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
