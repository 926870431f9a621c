"""Numbers for a monitoring system, over HTTP on loopback while an engine runs; an idle one is not a dead one."""

import socket
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.config import Settings
from engine.demo.stage import Demo
from engine.engine import Options
from engine.metrics import HOST, Metrics
from engine.runtime import Runtime
from engine.snapshot import KeeperHealth, KeeperRow
from tests.tui.scripted import market, snapshot

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


def read(port: int) -> Samples:
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    families = text_string_to_metric_families(text)
    return {(each.name, frozenset(each.labels.items())): each.value for one in families for each in one.samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"perpdesk_{name}", frozenset(labels.items())]


@pytest.fixture
def served() -> tuple[int, Metrics, Callable[[], None], list[object]]:
    metrics, pictures, port = Metrics(), [snapshot()], free_port()
    stop = metrics.serve(port, lambda: pictures[-1], lambda: 7)
    return port, metrics, stop, pictures  # type: ignore[return-value]


def test_a_keeper_that_fails_and_one_that_has_nothing_to_do_look_different(served: tuple) -> None:  # type: ignore[type-arg]
    port, metrics, stop, pictures = served
    rows = (
        KeeperRow("idle", KeeperHealth.OK, 10, 1_000, "nothing to do"),
        KeeperRow("broken", KeeperHealth.FAILING, 3, None, "OSError"),
    )
    pictures.append(replace(snapshot(), keepers=rows))
    metrics.passed("idle", 0.002, failed=False)
    metrics.passed("broken", 0.5, failed=True)
    seen = read(port)
    stop()
    assert value(seen, "keeper_health", keeper="idle", state="ok") == 1
    assert value(seen, "keeper_health", keeper="broken", state="failing") == 1
    assert value(seen, "keeper_health", keeper="broken", state="ok") == 0
    assert value(seen, "keeper_last_pass_timestamp_seconds", keeper="idle") == 1.0
    assert ("perpdesk_keeper_last_pass_timestamp_seconds", frozenset({("keeper", "broken")})) not in seen
    assert value(seen, "passes_total", keeper="broken", outcome="failed") == 1
    assert value(seen, "pass_seconds_bucket", keeper="idle", le="0.003") == 1
    assert value(seen, "settlement_waiting") == 7


def test_what_is_unknown_is_left_out_and_never_nought(served: tuple) -> None:  # type: ignore[type-arg]
    port, _, stop, pictures = served
    pictures.append(replace(snapshot(), markets=(replace(market(0), age_ms=None, tradable=False),)))
    seen = read(port)
    stop()
    assert ("perpdesk_feed_age_seconds", frozenset({("market", "ETH")})) not in seen
    assert value(seen, "feed_tradable", market="ETH") == 0


def test_a_running_demo_counts_what_it_does_and_stops_serving_with_it(tmp_path: Path) -> None:
    port = free_port()
    settings = Settings.model_validate({"metrics": {"port": port}})
    runtime = Runtime(Options(settings, tmp_path, Demo(seed=5)))
    runtime.start()
    try:
        seen = read(port)
        assert value(seen, "facts_total") > 10
        assert value(seen, "commit_seconds_count") > 1
        assert value(seen, "fact_number") > 0
        assert value(seen, "desks", state="idle") > 0
    finally:
        runtime.stop()
    with pytest.raises(OSError, match="refused"):
        read(port)


def test_a_port_that_is_taken_is_an_alarm_and_the_engine_runs(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings.model_validate({"metrics": {"port": port}})
        runtime = Runtime(Options(settings, tmp_path, Demo(seed=5)))
        runtime.start()
        try:
            assert any(f"metrics: port {port}" in alarm for alarm in runtime.latest().status.alarms)
        finally:
            runtime.stop()
