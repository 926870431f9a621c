"""Numbers for a monitoring system, over HTTP on loopback while an engine runs; an idle one is not a dead one."""

import socket
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.config import Settings
from engine.demo.stage import Demo
from engine.engine import Options
from engine.keeper_rows import KeeperHealth, KeeperRow, Vitals, Work
from engine.metrics import HOST, Timing, serve
from engine.runtime import Runtime
from engine.snapshot import Snapshot
from engine.vitals import Durations
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


def seen_of(picture: Snapshot, *timings: Timing) -> Samples:
    """What a monitoring system reads."""
    port = free_port()
    stop = serve(port, lambda: picture, lambda: timings)
    try:
        return read(port)
    finally:
        stop()


def test_a_keeper_that_fails_and_one_that_has_nothing_to_do_look_different() -> None:
    rows = (
        KeeperRow("idle", KeeperHealth.OK, 10, 1_000, "nothing to do"),
        KeeperRow("broken", KeeperHealth.FAILING, 3, None, "OSError", failures=1),
    )
    took = Durations()
    took.took(0.002)
    took.took(0.5)
    picture = replace(snapshot(), keepers=rows, vitals=Vitals(7, 0, None, None))
    seen = seen_of(picture, ("pass", {"keeper": "idle"}, took))
    assert value(seen, "keeper_health", keeper="idle", state="ok") == 1
    assert value(seen, "keeper_health", keeper="broken", state="failing") == 1
    assert value(seen, "keeper_health", keeper="broken", state="ok") == 0
    assert value(seen, "keeper_last_pass_timestamp_seconds", keeper="idle") == 1.0
    assert ("perpdesk_keeper_last_pass_timestamp_seconds", frozenset({("keeper", "broken")})) not in seen
    assert value(seen, "passes_total", keeper="broken", outcome="failed") == 1
    assert value(seen, "pass_seconds_bucket", keeper="idle", le="0.003") == 1
    assert value(seen, "pass_seconds_count", keeper="idle") == 2
    assert value(seen, "pass_seconds_sum", keeper="idle") == 0.502
    assert value(seen, "settlement_waiting") == 7


def test_what_a_keeper_did_is_told_by_outcome_and_what_it_left_by_reason() -> None:
    work = Work(1_000, 3, 12_500, (("done", 40), ("raced", 2)), (("unprofitable", 9),))
    row = KeeperRow("liquidator", KeeperHealth.OK, 10, 1_000, "", work=work)
    seen = seen_of(replace(snapshot(), keepers=(row,)))
    told = [value(seen, "acts_total", keeper="liquidator", outcome=name) for name in ("done", "raced")]
    assert told == [40, 2]
    assert value(seen, "skipped_total", keeper="liquidator", reason="unprofitable") == 9
    assert value(seen, "checked_total", keeper="liquidator") == 1_000
    assert value(seen, "ready", keeper="liquidator") == 3
    assert value(seen, "oldest_ready_seconds", keeper="liquidator") == 12.5


@pytest.mark.parametrize(("ready", "shown"), [(3, False), (0, True)])
def test_how_long_what_is_ready_has_waited_is_not_nought_where_nobody_knows(ready: int, shown: bool) -> None:
    row = KeeperRow("pools", KeeperHealth.OK, 10, 1_000, "", work=Work(9, ready, None, (), ()))
    seen = seen_of(replace(snapshot(), keepers=(row,)))
    assert (("perpdesk_oldest_ready_seconds", frozenset({("keeper", "pools")})) in seen) is shown


def test_what_is_unknown_is_left_out_and_never_nought() -> None:
    seen = seen_of(replace(snapshot(), markets=(replace(market(0), age_ms=None, tradable=False),)))
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
        assert value(seen, "pass_seconds_count", keeper="liquidator") >= 0
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
