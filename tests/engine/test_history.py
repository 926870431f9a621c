"""The past of markets: paced, bounded, with gaps where nothing was known, and the same over the control socket."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from engine.attached import Attached
from engine.desks.risk import History as Guarded
from engine.desks.risk import take_profit_price
from engine.exchange_rows import MarketPoint
from engine.history import COARSE, FINE, MOST_POINTS, History
from engine.remote import BadAnswer, NoEngine, RemotePort
from engine.snapshot import FeedHealth, MarketRow, Snapshot
from tests.engine.control import SECONDS, Recorder, answer, raw, served
from tests.tui.scripted import market, points, snapshot, usd
from venue.perp import PerpPosition, PositionRef, Profit, UnknownPnl

START = 1_700_000_040_000
"""A whole minute."""
PICTURE = snapshot()
EMPTY = replace(PICTURE, markets=())


def picture(at_ms: int, *rows: MarketRow) -> Snapshot:
    return replace(EMPTY, at_ms=at_ms, markets=rows)


def test_a_point_every_five_seconds_whatever_the_pace_of_the_pictures() -> None:
    history = History()
    for step in range(0, 60_000, 200):
        history.take(picture(START + step, market(0)))
    assert [point.at_ms for point in history.since("ETH", 0)] == list(range(START, START + 60_000, 5_000))
    assert [point.at_ms for point in history.since("ETH", START + 50_001)] == [START + 55_000]
    assert history.since("BTC", 0) == ()


def test_a_point_is_what_the_picture_said() -> None:
    history = History()
    row = market(0)
    history.take(picture(START, row))
    assert history.since("ETH", 0) == (
        MarketPoint(START, row.index, row.conf, row.mark, row.long_oi, row.short_oi, row.carry_per_hour),
    )


@pytest.mark.parametrize("health", FeedHealth)
def test_a_price_that_is_not_believed_is_a_gap_and_the_mark_goes_on(health: FeedHealth) -> None:
    history = History()
    row = market(0, health=health)
    history.take(picture(START, row))
    (point,) = history.since("ETH", 0)
    known = health in (FeedHealth.LIVE, FeedHealth.SLOW, FeedHealth.WIDE)
    assert (point.index, point.conf) == ((row.index, row.conf) if known else (None, None))
    assert point.mark == row.mark


def test_two_days_are_held_as_a_day_and_an_hour_and_no_more() -> None:
    history = History()
    end = START + 2 * 86_400_000
    for at_ms in range(START, end + 1, 5_000):
        history.take(picture(at_ms, market(0)))
    held = history.since("ETH", 0)
    assert len(held) <= MOST_POINTS
    times = [point.at_ms for point in held]
    assert times == sorted(set(times))
    fine, older = [at for at in times if at > end - 3_600_000], [at for at in times if at <= end - 3_600_000]
    assert len(fine) == FINE.most
    assert {later - at for at, later in pairwise(fine)} == {FINE.every_ms}
    assert {later - at for at, later in pairwise(older)} == {COARSE.every_ms}
    assert older[0] == end - (COARSE.most - 1) * COARSE.every_ms
    assert len(history._fine["ETH"]) == FINE.most
    assert len(history._coarse["ETH"]) == COARSE.most


def test_a_clock_that_is_set_back_leaves_no_points_in_the_future() -> None:
    history = History()
    for at_ms in (START, START + 5_000, START + 10_000):
        history.take(picture(at_ms, market(0)))
    history.take(picture(START + 3_000, market(0, mark=usd(1))))
    history.take(picture(START + 8_000, market(0)))
    assert [point.at_ms for point in history.since("ETH", 0)] == [START, START + 3_000, START + 8_000]


def test_what_was_read_does_not_change() -> None:
    history = History()
    history.take(picture(START, market(0)))
    before = history.since("ETH", 0)
    history.take(picture(START + 5_000, market(0)))
    assert len(before) == 1


async def test_it_crosses_the_control_socket_whole(tmp_path: Path) -> None:
    past = points(200)
    unknown = MarketPoint(past[-1].at_ms + 5_000, None, None, None, None, None, None)
    async with served(tmp_path, Recorder(points=(*past, unknown))):
        async with await RemotePort.connect(tmp_path, SECONDS) as remote:
            assert await remote.market_history("ETH", 0) == (*past, unknown)
            assert await remote.market_history("ETH", past[-1].at_ms) == (past[-1], unknown)
            assert await remote.market_history("nothing", 0) == ()
        engine = Attached(tmp_path, observe=True, every_s=0.05)
        await asyncio.to_thread(engine.start)
        try:
            assert await engine.market_history("ETH", past[-1].at_ms) == (past[-1], unknown)
        finally:
            await asyncio.to_thread(engine.stop)


async def test_without_an_engine_the_past_cannot_be_asked_for_and_that_is_said(tmp_path: Path) -> None:
    engine = Attached(tmp_path, observe=True, every_s=0.05)
    async with served(tmp_path):
        await asyncio.to_thread(engine.start)
    try:
        with pytest.raises(NoEngine, match="no engine runs"):
            await engine.market_history("ETH", 0)
    finally:
        await asyncio.to_thread(engine.stop)


@pytest.mark.parametrize(
    "message",
    [
        '{"ask":"history"}',
        '{"ask":"history","market":"ETH"}',
        '{"ask":"history","market":"ETH","since":0}',
        '{"ask":"history","market":7,"since":"0"}',
        '{"ask":"history","market":"' + "E" * 201 + '","since":"0"}',
        '{"ask":"history","market":"ETH","since":"0","more":1}',
    ],
)
async def test_other_shapes_of_the_question_are_refused(tmp_path: Path, message: str) -> None:
    async with served(tmp_path), raw(tmp_path) as connection:
        assert list(await answer(connection, message)) == ["error"]
        assert await answer(connection, '{"ask":"history","market":"ETH","since":"0"}') == {"ok": []}


async def test_a_refusal_is_one_line_for_people(tmp_path: Path) -> None:
    async with served(tmp_path), await RemotePort.connect(tmp_path, SECONDS) as remote:
        with pytest.raises(BadAnswer, match="did not understand"):
            await remote.market_history("E" * 201, 0)


def position(*, is_long: bool, net: int, unknown: bool = False) -> PerpPosition:
    pnl = UnknownPnl("no price") if unknown else Profit(net, 0)
    ref = PositionRef("ETH", is_long, 0, 1)
    return PerpPosition(ref, "desk", 100 * 10**6, 1_000 * 10**6, usd(10), usd(3_000), usd(3_000), pnl, None, None, None)


@pytest.mark.parametrize(
    ("is_long", "net", "taken", "price"),
    [
        (True, 0, 0, 3_090),  # 30 % of 100 is 30, 3 % of the notional
        (False, 0, 0, 2_910),
        (True, 10_000_000, 0, 3_060),
        (True, 0, 1, 3_180),  # the next multiple
        (True, 40_000_000, 0, 2_970),  # reached already: behind the mark
    ],
)
def test_where_profit_is_taken_next(is_long: bool, net: int, taken: int, price: float) -> None:
    assert take_profit_price(position(is_long=is_long, net=net), 300_000, Guarded(taken, False)) == usd(price)


def test_no_price_of_profit_where_it_is_off_or_unknown() -> None:
    assert take_profit_price(position(is_long=True, net=0), 0, Guarded(0, False)) is None
    assert take_profit_price(position(is_long=True, net=0, unknown=True), 300_000, Guarded(0, False)) is None
