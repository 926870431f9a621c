"""The cursor of who looks back: the same picture whichever way one comes, and nothing to command."""

import random
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from engine.config import Settings
from engine.demo.stage import Demo
from engine.engine import Options
from engine.rewind import REFUSED, Rewind
from engine.runtime import Runtime
from engine.snapshot import Snapshot
from store.reader import entries
from tests.engine.control import halt_all


def test_pictures_are_equal_whichever_way_one_comes(past: Rewind) -> None:
    forward: dict[int, Snapshot] = {}
    for seq in range(1, past.newest + 1):
        past.go_to(seq)
        forward[seq] = past.latest()
        assert forward[seq].seq == seq
    for seq in range(past.newest, 0, -1):
        past.go_to(seq)
        assert past.latest() == forward[seq]
    for _ in range(100):
        seq = random.Random(past.seq).randint(1, past.newest)
        past.go_to(seq)
        assert past.latest() == forward[seq]
    assert forward[past.newest].funds != forward[1].funds


def test_times_lead_to_the_last_entry_written_by_then(past: Rewind, state: Path) -> None:
    written = [entry.at_ms for entry in entries(state)]
    assert (past.first_ms, past.last_ms) == (written[0], written[-1])
    past.go_to_time(written[0] - 5_000)
    assert (past.at_ms, past.seq) == (written[0], written.count(written[0]))
    past.go_to_time(written[200] + 1)
    assert past.seq == sum(at_ms <= written[200] for at_ms in written)
    assert past.latest().status.now_ms == written[200] + 1, "the clock goes on between two entries"
    past.go_to_time(written[-1] + 10**9)
    assert (past.at_ms, past.seq) == (written[-1], len(written))
    past.go_to(-3)
    assert (past.seq, past.at_ms) == (1, written[0])


def test_the_same_picture_is_the_same_object(past: Rewind) -> None:
    past.go_to(100)
    shown = past.latest()
    past.go_to(100)
    assert past.latest() is shown


async def test_nothing_can_be_commanded(past: Rewind) -> None:
    info = past.info()
    assert (info.past, info.role, info.attached) == (True, "observer", True)
    receipt = await past.submit(halt_all("x"))
    assert (receipt.ok, receipt.code, receipt.command_id) == (False, REFUSED, "x")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Snapshot, Any]:
    """The last picture of a demo, once desks have opened, and its events."""
    directory: Path = tmp_path_factory.mktemp("ran")
    runtime = Runtime(Options(Settings(), directory, Demo(seed=3)))
    runtime.start()
    end = monotonic() + 60
    pulled = runtime.latest()
    while not (pulled.status.desks_open and pulled.request_counts.executed > 3):
        assert monotonic() < end, "no desk has opened"
        pulled = runtime.latest()
    runtime.stop()
    assert runtime.failure is None
    return directory, runtime.latest(), runtime.events(0)


def test_it_ends_where_the_engine_ended(ran: tuple[Path, Snapshot, Any]) -> None:
    directory, last, told = ran
    past = Rewind(directory, Settings())
    seen = past.latest()
    assert seen.seq == last.seq
    assert [desk for desk in seen.desks if desk.position_id is not None]
    for mine, theirs in zip(seen.desks, last.desks, strict=True):
        assert mine == theirs
    assert (seen.decisions, seen.liquidations, seen.queue, seen.funds) == (
        last.decisions,
        last.liquidations,
        last.queue,
        last.funds,
    )
    assert seen.request_counts == last.request_counts
    assert [(row.key, row.state, row.amount) for row in seen.requests] == [
        (row.key, row.state, row.amount) for row in last.requests
    ]
    unpriced: dict[str, Any] = {
        "priced": False,
        "value": None,
        "token_price": None,
        "traders_pnl": None,
        "reserved": None,
    }
    assert seen.pools == tuple(replace(row, **unpriced) for row in last.pools)
    assert (seen.mine.holdings, seen.flow.accounts) == (last.mine.holdings, last.flow.accounts)
    for mark, row in zip(seen.markets, last.markets, strict=True):
        assert (mark.symbol, mark.mark, mark.long_oi, mark.depth) == (row.symbol, row.mark, row.long_oi, row.depth)
        assert mark.carry_per_hour == row.carry_per_hour
    for name in ("block", "desks_open", "desks_halted", "desks_waiting", "simulated", "liquidations", "venue"):
        assert getattr(seen.status, name) == getattr(last.status, name)
    assert past.events(0) == told, "numbered as the engine numbers them"
    past.go_to(1)
    past.go_to(past.newest)
    assert past.latest() == seen
    past.close()
