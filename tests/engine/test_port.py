"""One contract for the engine in this process and for the one behind a control socket."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from engine import wire
from engine.clock import SystemClock
from engine.commands import Command, HaltDesk, Receipt
from engine.config import Settings
from engine.demo.stage import Demo
from engine.engine import Options
from engine.exchange_rows import MarketPoint
from engine.plain import plain
from engine.port import Info
from engine.remote import RemotePort
from engine.runtime import Runtime
from engine.snapshot import EventPage, Snapshot
from tests.engine.control import ME, halt_all


class Asked(Protocol):
    """The Port's questions as coroutines."""

    async def info(self) -> Info: ...

    async def latest(self) -> Snapshot: ...

    async def events(self, since: int) -> EventPage: ...

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]: ...

    async def submit(self, command: Command) -> Receipt: ...


class Embedded:
    """A runtime in this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def info(self) -> Info:
        return self._runtime.info()

    async def latest(self) -> Snapshot:
        return self._runtime.latest()

    async def events(self, since: int) -> EventPage:
        return self._runtime.events(since)

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        return await self._runtime.market_history(market, since_ms)

    async def submit(self, command: Command) -> Receipt:
        return await self._runtime.submit(command)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def runtime(state: Path) -> Iterator[Runtime]:
    started = Runtime(Options(Settings(), state, Demo(seed=3)))
    started.start()
    yield started
    started.stop()
    assert started.failure is None
    assert not (state / "control.sock").exists()


@pytest.fixture(params=["embedded", "remote"])
async def port(runtime: Runtime, state: Path, request: pytest.FixtureRequest) -> AsyncIterator[Asked]:
    if request.param == "embedded":
        yield Embedded(runtime)
        return
    async with await RemotePort.connect(state) as remote:
        yield remote


async def test_contract_info(port: Asked) -> None:
    info = await port.info()
    assert (info.role, info.operator, info.past) == ("operator", ME, False)


async def test_contract_latest(port: Asked, runtime: Runtime) -> None:
    before = runtime.latest().seq
    snapshot = await port.latest()
    assert before <= snapshot.seq <= runtime.latest().seq
    assert {desk.address for desk in snapshot.desks} == {desk.address for desk in runtime.latest().desks}
    assert wire.read(Snapshot, wire.loads(wire.dumps(plain(snapshot)))) == snapshot


async def test_contract_events(port: Asked) -> None:
    page = await port.events(0)
    assert page.events
    assert page.dropped == 0
    numbers = [event.number for event in page.events]
    assert numbers == sorted(numbers)
    later = await port.events(numbers[2])
    assert later.events[: len(numbers) - 3] == page.events[3:]
    assert await port.events(10**30) == EventPage((), 0)


async def test_contract_history(port: Asked, runtime: Runtime) -> None:
    (first, *_) = await port.market_history("ETH", 0)
    assert first.at_ms <= runtime.latest().at_ms
    assert await port.market_history("ETH", first.at_ms + 1_000_000) == ()
    assert await port.market_history("no such market", 0) == ()


async def test_positions_near_their_end_say_where_they_began(runtime: Runtime) -> None:
    end = time.monotonic() + 30
    while not runtime.latest().liquidations:
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    picture = runtime.latest()
    marks = {row.symbol: row.mark for row in picture.markets}
    for row in picture.liquidations:
        mark = marks[row.market]
        assert mark is not None
        assert row.entry is not None
        assert mark / 2 < row.entry < mark * 2


async def test_contract_submit(port: Asked, request: pytest.FixtureRequest) -> None:
    command = halt_all(f"halt {request.node.callspec.id}")
    receipt = await port.submit(command)
    assert (receipt.ok, receipt.code, receipt.command_id) == (True, "", command.id)
    assert (await port.latest()).seq <= (await port.submit(replace(command, id=command.id + "'"))).seq
    assert await port.submit(command) == receipt, "the same command again has the same receipt"
    assert await port.submit(replace(command, seen_seq=1)) == receipt, "whatever was seen by then"
    reused = HaltDesk(id=command.id, who=ME, seen_seq=0, expires_at_ms=command.expires_at_ms, address="0xnobody")
    other = await port.submit(reused)
    assert (other.ok, other.code) == (False, "ID_REUSED")


async def test_contract_refusals(port: Asked, request: pytest.FixtureRequest) -> None:
    name = f"refused {request.node.callspec.id}"
    late = await port.submit(halt_all(name, expires_at_ms=1))
    assert (late.ok, late.code) == (False, "EXPIRED")
    until = SystemClock().now_ms() + 60_000
    unknown = HaltDesk(id=name + "'", who=ME, seen_seq=0, expires_at_ms=until, address="0xnobody")
    assert await port.submit(unknown) == replace(await port.submit(unknown), code="UNKNOWN_DESK", ok=False)


def test_an_engine_that_cannot_listen_runs_on_and_raises_an_alarm(tmp_path: Path) -> None:
    (tmp_path / "control.sock").mkdir()
    runtime = Runtime(Options(Settings(), tmp_path, Demo(seed=3)))
    runtime.start()
    try:
        assert any("control socket: " in alarm for alarm in runtime.latest().status.alarms)
    finally:
        runtime.stop()
    assert runtime.failure is None
