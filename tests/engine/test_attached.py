"""The screen of another process: pictures that follow, commands with their owner, a link that comes back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from engine import wire
from engine.attached import Attached
from engine.port import EVERYTHING
from engine.remote import BadAnswer, NoEngine
from engine.snapshot import Event, EventPage
from engine.thin import short
from tests.engine.control import ME, Recorder, answer, halt_all, raw, served
from tui.frame import Frame

EVERY_S = 0.02


@asynccontextmanager
async def attached(directory: Path, *, observe: bool = False) -> AsyncIterator[Attached]:
    engine = Attached(directory, observe=observe, every_s=EVERY_S)
    await asyncio.to_thread(engine.start)
    try:
        yield engine
    finally:
        await asyncio.to_thread(engine.stop)


async def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def show(port: Recorder, **changes: object) -> None:
    port.snapshot = replace(port.snapshot, seq=port.snapshot.seq + 1, **changes)  # type: ignore[arg-type]


async def test_the_picture_follows_and_only_what_is_looked_at_is_kept_up(tmp_path: Path) -> None:
    async with served(tmp_path) as port, attached(tmp_path) as engine:
        assert (engine.info().operator, engine.info().attached, engine.info().role) == (ME, True, "operator")
        assert short(engine.latest()) == short(port.snapshot)
        assert engine.lag_ms() is not None
        engine.want(("desks",))
        for _ in range(2):  # a question that was on its way asked for everything
            show(port, desks=port.snapshot.desks[1:])
            await until(lambda: len(engine.latest().desks) == len(port.snapshot.desks))
        show(port, desks=port.snapshot.desks[1:], markets=port.snapshot.markets[1:])
        await until(lambda: len(engine.latest().desks) == len(port.snapshot.desks))
        assert len(engine.latest().markets) == len(port.snapshot.markets) + 1
        engine.want(EVERYTHING)
        await until(lambda: len(engine.latest().markets) == len(port.snapshot.markets))
        same = engine.latest()
        await asyncio.sleep(5 * EVERY_S)
        assert engine.latest() is same, "nothing changed: the same object"


async def test_events_arrive_once(tmp_path: Path) -> None:
    async with served(tmp_path) as port:
        port.page = EventPage(tuple(Event(number, 0, "", "open", f"event {number}") for number in range(1, 301)), 0)
        async with attached(tmp_path) as engine:
            page = engine.events(0)
            assert [event.number for event in page.events] == list(range(101, 301))
            assert page.dropped == 0
            port.page = EventPage((Event(301, 0, "", "open", "newest"),), 0)
            show(port)
            await until(lambda: engine.events(300).events)
            assert [event.number for event in engine.events(299).events] == [300, 301]


async def test_commands_are_the_users_and_an_observer_has_none(tmp_path: Path) -> None:
    async with served(tmp_path) as port:
        async with attached(tmp_path) as engine:
            assert (await engine.submit(halt_all("1", who="satoshi"))).ok
        async with attached(tmp_path, observe=True) as engine:
            assert engine.info().role == "observer"
            receipt = await engine.submit(halt_all("2"))
            assert (receipt.ok, receipt.code) == (False, "OBSERVING")
        assert [(command.id, command.who) for command in port.asked] == [("1", ME)]


async def test_who_observes_stays_an_observer_on_that_connection(tmp_path: Path) -> None:
    async with served(tmp_path) as port, raw(tmp_path) as connection:
        assert (await answer(connection, '{"ask":"observe"}'))["ok"]["role"] == "observer"
        refused = await answer(connection, wire.dumps({"ask": "submit", "command": wire.tagged(halt_all("1"))}))
        assert refused["ok"]["code"] == "OBSERVING"
        assert (await answer(connection, '{"ask":"info"}'))["ok"]["role"] == "observer"
        assert port.asked == []


async def test_without_an_engine_there_is_nothing_to_attach_to(tmp_path: Path) -> None:
    engine = Attached(tmp_path, observe=False, every_s=EVERY_S)
    with pytest.raises(NoEngine):
        await asyncio.to_thread(engine.start)


async def test_a_link_that_breaks_is_made_again_and_says_so_meanwhile(tmp_path: Path) -> None:
    port = Recorder()
    engine = Attached(tmp_path, observe=False, every_s=EVERY_S)
    async with served(tmp_path, port):
        await asyncio.to_thread(engine.start)
    try:
        await until(lambda: any("no link" in text for text in engine.latest().status.alarms))
        assert engine.lag_ms() is None
        show(port)
        async with served(tmp_path, port):
            await until(lambda: engine.latest().seq == port.snapshot.seq)
            assert not any("no link" in text for text in engine.latest().status.alarms)
    finally:
        await asyncio.to_thread(engine.stop)


@pytest.mark.parametrize(
    "message",
    [
        '{"ask":"changes"}',
        '{"ask":"changes","want":"desks","whole":true}',
        '{"ask":"changes","want":["nothing"],"whole":true}',
        '{"ask":"changes","want":["desks","desks"],"whole":true}',
        '{"ask":"changes","want":[1],"whole":true}',
        '{"ask":"changes","want":["desks"],"whole":1}',
        '{"ask":"events","since":"0","most":5}',
        '{"ask":"observe","more":1}',
    ],
)
async def test_unknown_shapes_are_refused(tmp_path: Path, message: str) -> None:
    async with served(tmp_path), raw(tmp_path) as connection:
        assert list(await answer(connection, message)) == ["error"]
        assert "ok" in await answer(connection, '{"ask":"info"}')


async def test_an_engine_of_another_version_is_refused_in_one_line(tmp_path: Path) -> None:
    async with served(tmp_path) as port:
        port.version = "9.9"
        with pytest.raises(BadAnswer, match=r"the engine is perpdesk 9\.9, this is .*: attach with the same"):
            async with attached(tmp_path):
                pass


async def test_a_link_that_is_gone_says_nothing_new_of_the_engine(tmp_path: Path) -> None:
    async with served(tmp_path), attached(tmp_path) as engine:
        now = [1_000]
        frame = Frame(engine, lambda: now[0])
        frame.pull()
        shown = frame.now_ms()
        for _ in range(3):
            now[0] += 5_000
            engine._lost("broken")
            assert frame.pull()
        assert frame.silent_ms() == 15_000
        assert frame.now_ms() == shown + 15_000
        assert (frame.snapshot.status.feed, frame.snapshot.status.keepers) == ("unknown", "unknown")


async def test_who_stops_leaves_no_question_behind(tmp_path: Path) -> None:
    """Neither a task nor somebody who waits for an answer that will not come."""
    port = Recorder()
    async with served(tmp_path, port):
        port.gate.clear()
        async with attached(tmp_path) as engine:
            asked = asyncio.create_task(engine.submit(halt_all("a")))
            await port.came.wait()
        assert not engine._thread.is_alive()
        assert not asyncio.all_tasks(engine._loop)
        with pytest.raises(asyncio.CancelledError):
            await asked
        port.gate.set()
