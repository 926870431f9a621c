"""What a journal tells of a past: its events and the marks of its markets, as far as the cursor."""

from pathlib import Path

import pytest

from engine.bygone import Bygones
from engine.config import Settings
from engine.reel import Reel
from engine.rewind import Rewind


def test_events_are_those_up_to_the_cursor(past: Rewind) -> None:
    everything = past.events(0)
    assert everything.dropped == 0
    assert [event.number for event in everything.events] == list(range(1, len(everything.events) + 1))
    for seq in (past.newest, 300, 120, 30, 2, 1):
        past.go_to(seq)
        told = sum(event.at_ms <= past.at_ms for event in everything.events)
        page = past.events(0)
        assert page.events == everything.events[: len(page.events)]
        assert told - 5 <= len(page.events) <= told, "of one moment there may be several"
        assert past.events(len(page.events)).events == ()
    past.go_to(past.newest)
    assert past.events(7).events == everything.events[7:]


@pytest.mark.parametrize(("page", "ring"), [(3, 1_000), (4, 10), (1, 7)])
async def test_packed_events_are_the_events(state: Path, monkeypatch: pytest.MonkeyPatch, page: int, ring: int) -> None:
    plainly = Rewind(state, Settings())
    everything = plainly.events(0).events
    plainly.close()
    monkeypatch.setattr("engine.bygone.PAGE", page)
    monkeypatch.setattr("engine.bygone.RING", ring)
    packed = Rewind(state, Settings())
    newest = len(everything)
    bygones: Bygones = packed._reel.bygones
    assert len(bygones._pages) == newest // page
    for last in (newest, newest - 1, newest // 2, page, 1):
        for since in (0, 1, page, last - 1, last):
            found = bygones.between(since, last)
            wanted = everything[max(since, last - ring) : last]
            assert found.events == wanted
            assert found.dropped == max(0, last - ring - since)
    packed.close()


async def test_marks_go_as_far_as_the_cursor(past: Rewind, monkeypatch: pytest.MonkeyPatch) -> None:
    points = await past.market_history("ETH", 0)
    assert len(points) > 20
    assert [point.at_ms for point in points] == sorted({point.at_ms for point in points})
    assert {point.index for point in points} == {None}
    past.go_to(200)
    earlier = await past.market_history("ETH", 0)
    assert earlier == tuple(point for point in points if point.at_ms <= past.at_ms)
    assert await past.market_history("ETH", earlier[5].at_ms) == earlier[5:]
    assert await past.market_history("NOPE", 0) == ()


def test_too_many_marks_are_thinned_out(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.bygone.MOST_POINTS", 8)
    tape = Reel(state)
    assert 4 <= len(tape.marks._series["ETH"]) <= 8
    tape.close()
