"""Prices on an axis: where a position stands between its entry and its end; and its past with what happened on it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.exchange_rows import Side
from engine.snapshot import Event
from tests.tui.operator import watching
from tests.tui.scripted import NOW, ScriptedPort, address, desk, liquidation, market, points, usd
from tui.desk_chart import desk_chart_lines, signs
from tui.desk_figures import axis, desk_lines
from tui.figures import Pin, position_lines, price_axis, trigger
from tui.tones import Line
from tui.track import Known

PAST = points(240)


def text(line: Line) -> str:
    return "".join(text for text, _ in line)


def texts(lines: Sequence[Line]) -> list[str]:
    return [text(line) for line in lines]


def test_prices_grow_to_the_right_in_proportion() -> None:
    pins = [Pin("L", usd(100)), Pin("E", usd(150)), Pin("M", usd(175)), Pin("T", usd(200))]
    assert text(price_axis(pins, 21)) == " L─────────E────M────T"


def test_where_two_prices_share_a_cell_the_later_one_is_seen() -> None:
    assert text(price_axis([Pin("E", usd(1)), Pin("L", usd(2)), Pin("M", usd(1))], 5)) == " M───L"
    assert text(price_axis([Pin("E", usd(1)), Pin("M", usd(1))], 5)) == " M────"


def test_an_unknown_price_is_left_out_and_one_alone_is_no_axis() -> None:
    assert text(price_axis([Pin("T", None), Pin("E", usd(1)), Pin("M", usd(2))], 5)) == " E───M"
    assert "a price is unknown" in text(price_axis([Pin("T", None), Pin("M", usd(2))], 5))


def test_the_price_that_liquidates() -> None:
    assert trigger(usd(3_000), 0.02, Side.LONG) == usd(2_940)
    assert trigger(usd(3_000), 0.02, Side.SHORT) == usd(3_060)
    assert trigger(None, 0.02, Side.LONG) is None
    assert trigger(usd(3_000), None, Side.LONG) is None


def test_a_desk_has_its_end_entry_mark_and_profit_on_one_axis() -> None:
    row = desk(
        1, side=Side.LONG, entry=usd(3_000), mark=usd(3_050), liq_move=100 / 3_050, take_profit=usd(3_100), market="ETH"
    )
    line = text(axis(row, 50))
    assert [char for char in line if char in "LEMT"] == ["L", "E", "M", "T"]
    short = replace(row, side=Side.SHORT, take_profit=usd(2_900))
    assert [char for char in text(axis(short, 50)) if char in "LEMT"] == ["T", "E", "M", "L"]
    wide, narrow = texts(desk_lines(row, 70, 40)), texts(desk_lines(row, 50, 40))
    assert " E entry, M mark, L liquidation, 3.3% away, T take-profit 1.6%" in wide
    assert " E entry, M mark, L liq. 3.3%, T take-profit 1.6%" in narrow
    assert " E entry, M mark, L liquidation, 3.3% away" in texts(desk_lines(replace(row, take_profit=None), 50, 40))


@pytest.mark.parametrize("width", [58, 80])
def test_a_position_says_what_liquidates_it_and_how_far_that_is(width: int) -> None:
    row = liquidation(9, side=Side.LONG, market="ETH", move=0.01, entry=usd(3_100))
    lines = texts(position_lines(row, market(0, mark=usd(3_000)), False, width))
    assert any("liquidation" in line and "2,970.00" in line for line in lines)
    assert any("trigger" in line and "1.00%" in line for line in lines)
    assert any("entry" in line and "3,100.00" in line for line in lines)
    assert any([char for char in line if char in "LEM"] == ["L", "M", "E"] and "─" in line for line in lines)
    assert all(len(line) <= width for line in lines)


def test_of_a_position_whose_mark_is_unknown_the_end_is_unknown() -> None:
    lines = texts(position_lines(liquidation(9), None, False))
    assert any("liquidation" in line and "?" in line for line in lines)
    assert any("a price is unknown" in line for line in lines)


def event(number: int, kind: str, text: str) -> Event:
    return Event(number, NOW - 600_000 + number * 60_000, address(0), kind, text, "PEPE", "venue")


EVENTS = (
    event(1, "open", "short ETH 1,204.50 at 3,020.11"),
    event(2, "grow", "short ETH 240.00 at 3,021.00"),
    event(3, "reduce", "short ETH 100.00 at 3,011.00, 12.00 USDC back"),
    event(4, "close", "short ETH 1,344.50 at 3,009.00, 150.00 USDC back"),
    event(5, "open", "long ETH 1,000.00 at 3,009.00"),
    event(6, "open", "long BTC 1,000.00 at 64,000.00"),
    event(7, "liquidation", "desk liquidated, 12.00 USDC lost, 0.00 back"),
    event(8, "fees", "fees 3.00 USDC, 1.00 of it for the desk"),
    event(9, "open", ""),
)


def test_what_happened_is_told_apart_by_shape_and_other_markets_are_left_out() -> None:
    assert [sign.char for sign in signs(EVENTS, "ETH")] == ["▼", "▽", "◇", "×", "▲", "!"]
    assert [sign.char for sign in signs(EVENTS, "BTC")] == ["▲", "!"]


def test_the_legend_names_the_signs_that_are_there() -> None:
    title = text(desk_chart_lines(Known(PAST, "", True), "ETH", EVENTS[3:5], 120, 12)[0])
    assert "▲ opened × closed" in title
    assert "reduced" not in title


async def test_a_wide_page_of_a_desk_shows_its_life_on_the_price() -> None:
    port = ScriptedPort(past=PAST, history=list(EVENTS))
    async with watching(port, size=(120, 40)) as operator:
        await operator.press("enter")
        await operator.until(lambda: operator.sees("ETH price"))
        await operator.until(lambda: operator.sees("UTC└"))
        chart = "\n".join(line[58:] for line in operator.lines()[1:13])
        assert all(char in chart for char in "▼▽◇×▲!")
        assert operator.sees("Last plan")
        assert operator.sees("What happened")
        assert port.looked_back == [("ETH", NOW - 6 * 3_600_000)]
        port.show(at_ms=NOW + 200)
        await operator.frame()
        assert len(port.looked_back) == 1


async def test_where_there_is_no_room_for_it_the_past_is_not_asked_for() -> None:
    port = ScriptedPort(past=PAST, history=list(EVENTS))
    async with watching(port, size=(80, 24)) as operator:
        await operator.press("enter")
        assert operator.sees("take-profit")
        await operator.press("escape", "4", "enter")
        assert operator.sees("liquidation")
        assert port.looked_back == []


async def test_a_desk_in_another_market_has_that_market_s_past() -> None:
    port = ScriptedPort(past=PAST)
    async with watching(port, size=(120, 40)) as operator:
        await operator.press("enter")
        await operator.until(lambda: port.looked_back)
        port.change_desk(0, market="BTC")
        await operator.frame()
        await operator.until(lambda: operator.sees("BTC price"))
        assert [market for market, _ in port.looked_back] == ["ETH", "BTC"]


async def test_beside_a_position_is_the_past_of_its_market() -> None:
    port = ScriptedPort(past=PAST)
    async with watching(port, size=(120, 40)) as operator:
        await operator.press("4", "j", "enter")
        await operator.until(lambda: operator.sees("BTC price"))
        await operator.until(lambda: operator.sees("UTC└"))
        assert operator.sees("price that liquidates")
        await operator.resize(80, 24)
        assert not operator.sees("UTC└")
        assert operator.sees("price that liquidates it")
