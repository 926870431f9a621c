"""The benchmarks can be asked for by name, make a table, and have a server that speaks Hermes."""

import asyncio
import time

import pytest

from tests.bench.__main__ import BENCHES, main
from tests.bench.flood import serving
from tests.bench.flood_server import base
from tests.bench.report import report
from tests.bench.table import table
from venue.pyth import FEEDS, PriceBook, WireItem
from venue.pyth.hermes import HermesClient

ASKED_FOR = (
    "liquidation.step",
    "settlement.serial",
    "settlement.grouped",
    "feed.parse",
    "recovery.snapshot",
    "tui.bytes",
    "tui.cpu",
    "tui.key_latency",
    "start.first_paint",
)


def test_every_figure_has_its_name() -> None:
    assert set(ASKED_FOR) <= BENCHES.keys()


def test_a_name_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("nosuch") == 64
    out, err = capsys.readouterr()
    assert not out
    assert "'nosuch'" in err


def test_what_is_measured_together_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def both() -> None:
        ran.append("both")

    monkeypatch.setitem(BENCHES, "a.one", both)
    monkeypatch.setitem(BENCHES, "a.two", both)
    monkeypatch.setitem(BENCHES, "b", lambda: ran.append("b"))
    assert main("a.") == 0
    assert main("a.two") == 0
    assert ran == ["both", "both"]


def test_a_table_of_figures(capsys: pytest.CaptureFixture[str]) -> None:
    report("liquidation.step", "1000000", 9e-06, "s", "numpy full scan", 0.226)
    report("liquidation.step.p99", "1000000", 0.001, "s", "numpy full scan", 0.226)
    report("settlement.serial", "1 in flight", 2_000, "operations/s", "bare SQLite", 2_500)
    report("other", "any", 1.5, "ms", "stock", 3)
    assert table(capsys.readouterr().out.splitlines()).splitlines()[2:] == [
        "| `liquidation.step` | 1000000 | 0.000009 s | x100 | numpy full scan | 0.226 s | x25,100 |",
        "| `liquidation.step.p99` | 1000000 | 0.001 s |  | numpy full scan | 0.226 s | x226 |",
        "| `settlement.serial` | 1 in flight | 2,000 operations/s | 1,500 operations/s, x0.5 "
        "| bare SQLite | 2,500 operations/s | x0.8 |",
        "| `other` | any | 1.5 ms |  | stock | 3 ms | x2 |",
    ]


async def test_the_flood_is_one_that_an_engine_takes() -> None:
    book, enough = PriceBook(FEEDS), asyncio.Event()

    def take(item: WireItem, received_ms: int) -> None:
        book.apply(item, received_ms)
        if book.accepted >= 1_000:
            enough.set()

    with serving(5_000) as server:
        async with HermesClient(server.url, None, FEEDS, take, _now_ms) as client, asyncio.timeout(30):
            running = asyncio.create_task(client.run())
            await enough.wait()
            running.cancel()
            await asyncio.wait((running,))
    assert not book.refused
    for symbol in FEEDS:
        price = book.view(symbol, _now_ms()).price
        assert price is not None
        assert 0 <= price.mantissa - base(symbol) <= _now_ms() - server.start_ms


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
