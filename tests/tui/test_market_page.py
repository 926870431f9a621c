"""The page of a market: figures of now, its past as charts, and what the curve would ask."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchange_rows import MarketPoint, Side
from engine.snapshot import FeedHealth
from tests.tui.operator import Operator, watching
from tests.tui.scripted import NOW, ScriptedPort, market, points, usd
from tui import market_figures
from tui.market_figures import charts, cost, curve_lines, filled, imbalance, market_lines
from tui.market_page import MarketPage
from tui.settings import UiSettings
from tui.tones import Line
from tui.track import MOST, Track, window
from venue.exchange import curve

PAST = points(240)


def texts(lines: Sequence[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def later(port: ScriptedPort, by_ms: int, **changes: object) -> None:
    """Publishes a picture of a later time."""
    port.show(at_ms=port.picture.at_ms + by_ms, **changes)


async def opened(operator: Operator) -> None:
    await operator.press("2", "enter")
    await operator.until(lambda: operator.sees("Price  ⠤⠒ index"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=str)
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "mono"])
async def test_enter_on_a_market_shows_its_figures_and_its_past(size: tuple[int, int], colour: bool) -> None:
    port = ScriptedPort(past=PAST)
    async with watching(port, size=size, ui=UiSettings(colour=colour)) as operator:
        await opened(operator)
        assert isinstance(operator.app.screen, MarketPage)
        assert port.looked_back == [("ETH", NOW - 900_000)]
        for words in ("3,020.41", "±0.91", "traded on", "+1bp", "longs pay", "900,000.00", "+28.6%", "more longs"):
            assert operator.sees(words), words
        assert operator.sees("+ mark")
        assert operator.sees("UTC└")
        await operator.press("escape")
        assert operator.sees("Markets 24")


async def test_the_past_is_asked_for_again_only_when_there_must_be_more_of_it() -> None:
    port = ScriptedPort(past=PAST)
    async with watching(port) as operator:
        await opened(operator)
        before = operator.lines()
        for _ in range(4):
            later(port, 200)
            await operator.frame()
        assert len(port.looked_back) == 1
        assert operator.lines() == before
        new = replace(PAST[-1], at_ms=NOW + 5_000, index=usd(3_100), mark=usd(3_100))
        port.past = (*PAST, new)
        later(port, 5_000)
        await operator.frame()
        await operator.until(lambda: operator.sees("index 3,100.00"))
        assert port.looked_back[1:] == [("ETH", PAST[-1].at_ms + 1)]


async def test_a_longer_span_asks_further_back_and_a_shorter_one_not_at_all() -> None:
    port = ScriptedPort(past=points(500, 60_000))
    async with watching(port, size=(120, 40)) as operator:
        await opened(operator)
        for hours, words in ((1, " 1 h "), (6, " 6 h "), (24, " 24 h ")):
            await operator.press("l")
            await operator.until(partial(operator.sees, words))
            assert port.looked_back[-1] == ("ETH", NOW - hours * 3_600_000)
        await operator.until(lambda: operator.sees("24 h since 05:44:22"))
        asked = len(port.looked_back)
        await operator.press("l")
        assert operator.sees("15 min")
        assert len(port.looked_back) == asked


async def test_tab_makes_the_next_chart_the_large_one() -> None:
    async with watching(ScriptedPort(past=PAST), size=(80, 24)) as operator:
        await opened(operator)
        for words in ("Open interest  ⠤⠒ long", "Carry/h", "To open now", "Price  ⠤⠒ index"):
            await operator.press("tab")
            assert operator.sees(words)
        await operator.press("tab", "tab", "tab")
        await operator.resize(160, 45)
        assert sum("To open now" in line for line in operator.lines()) == 1
        assert operator.sees("Price  ⠤⠒ index")
        assert operator.sees("To open now"), "beside the charts where there is room"
        before = operator.lines().index(operator.line("Open interest"))
        await operator.press("tab")
        assert operator.lines().index(operator.line("Open interest")) < before


async def test_a_past_that_cannot_be_read_is_told_in_words_and_tried_again() -> None:
    port = ScriptedPort(past=RuntimeError("no engine runs on /nowhere; \x1b[31mstart one"))
    async with watching(port, size=(120, 40)) as operator:
        await operator.press("2", "enter")
        await operator.until(lambda: operator.sees("the past cannot be read: no engine runs on /nowhere"))
        assert operator.sees("3,020.41"), "the figures do not wait for the past"
        assert not operator.sees("\x1b")
        later(port, 200)
        await operator.frame()
        assert len(port.looked_back) == 1, "not at once"
        port.past = PAST
        later(port, 1_000)
        await operator.frame()
        await operator.until(lambda: operator.sees("Price  ⠤⠒ index"))
        assert not operator.sees("cannot be read")


async def test_what_is_held_stays_when_the_newest_cannot_be_read() -> None:
    port = ScriptedPort(past=PAST)
    async with watching(port, size=(120, 40)) as operator:
        await opened(operator)
        port.past = RuntimeError("the link broke")
        later(port, 5_000)
        await operator.frame()
        await operator.until(lambda: operator.sees("the newest cannot be read: the link broke"))
        assert operator.sees("Price  ⠤⠒ index")


@dataclass
class SlowPort(ScriptedPort):
    """Answers about the past when the gate opens."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def market_history(self, market: str, since_ms: int) -> tuple[MarketPoint, ...]:
        await self.gate.wait()
        return await super().market_history(market, since_ms)


async def test_the_screen_does_not_wait_for_the_past() -> None:
    port = SlowPort(past=PAST)
    async with watching(port, size=(120, 40)) as operator:
        await operator.press("2", "enter")
        assert operator.sees("3,020.41")
        later(port, 5_000, markets=(market(0, mark=usd(3_333.33)),))
        await operator.frame()
        assert operator.sees("3,333.33")
        assert port.looked_back == [], "one question at a time"
        port.gate.set()
        await operator.until(lambda: operator.sees("Price  ⠤⠒ index"))


async def test_leaving_while_the_past_is_on_its_way_leaves_nothing_behind() -> None:
    port = SlowPort(past=PAST)
    async with watching(port) as operator:
        await operator.press("2", "enter", "escape")
        assert operator.sees("Markets 24")
        port.gate.set()
        await operator.frame()
        assert operator.sees("Markets 24")


async def test_before_the_first_point_it_says_what_it_waits_for() -> None:
    async with watching(size=(120, 40)) as operator:
        await operator.press("2", "enter")
        await operator.until(lambda: operator.sees("the engine has kept no price yet"))


async def test_a_feed_without_a_market_says_so() -> None:
    past = tuple(replace(point, mark=None, long_oi=None, short_oi=None, carry_per_hour=None) for point in PAST)
    async with watching(ScriptedPort(past=past), size=(120, 40)) as operator:
        await operator.press("2", "j", "j", "enter")
        await operator.until(lambda: operator.sees("SOL  stale"))
        assert operator.sees("not traded on")
        assert operator.sees("the venue has no market on this feed")
        await operator.until(lambda: operator.sees("Price  3,0"))
        assert not operator.sees("+ mark")


async def test_a_market_that_is_gone_keeps_its_last_figures_and_says_so() -> None:
    port = ScriptedPort(past=PAST)
    async with watching(port, size=(120, 40)) as operator:
        await opened(operator)
        port.show(markets=())
        await operator.frame()
        assert operator.sees("no longer listed")
        assert operator.sees("3,020.41")


async def test_back_in_time_the_past_is_read_anew() -> None:
    track = Track(ScriptedPort(past=PAST), "ETH")
    assert await track.ask(NOW, NOW - 900_000)
    port = ScriptedPort(past=PAST[:100])
    track._port = port
    then = PAST[99].at_ms
    assert track.claim(then, then - 900_000)
    assert not track.claim(then + 60_000, then - 900_000), "one question at a time"
    assert await track.ask(then, then - 900_000)
    assert track.points == PAST[:100]


async def test_more_of_the_past_that_cannot_be_read_is_not_asked_for_at_every_frame() -> None:
    port = ScriptedPort(past=PAST)
    track = Track(port, "ETH")
    assert track.claim(NOW, NOW - 900_000)
    await track.ask(NOW, NOW - 900_000)
    port.past = RuntimeError("too many connections")
    assert track.claim(NOW + 200, NOW + 200 - 3_600_000), "another span, at once"
    await track.ask(NOW + 200, NOW + 200 - 3_600_000)
    assert not track.claim(NOW + 400, NOW + 400 - 3_600_000)
    assert track.claim(NOW + 1_200, NOW + 1_200 - 3_600_000)


async def test_a_page_that_is_left_open_does_not_grow_without_end() -> None:
    port = ScriptedPort(past=points(MOST + 1))
    track = Track(port, "ETH")
    await track.ask(NOW, NOW - 86_400_000)
    port.past = points(10)
    await track.ask(NOW + 5_000, NOW + 5_000 - 86_400_000)
    assert port.looked_back[-1] == ("ETH", NOW + 5_000 - 86_400_000), "begun anew"
    assert track.points == points(10)


def test_a_short_past_has_a_short_axis_that_grows_in_steps() -> None:
    def reach(past: tuple[MarketPoint, ...], span: int) -> int:
        return window(past, span).last_ms - window(past, span).first_ms

    assert reach((), 0) == 900_000
    assert reach(points(25), 0) == reach(points(2), 0) == 120_000
    assert reach(points(26), 0) == 300_000
    assert reach(points(62), 0) == 900_000
    assert reach(points(200), 0) == 900_000, "never more than was asked for"
    assert reach(points(200), 3) == 3_600_000
    assert reach(points(1_500, 60_000), 3) == 86_400_000
    assert window(points(25), 0).words == "15 min since 14:01:22"
    assert window(points(200), 0).words == "15 min"


reserves = st.integers(10**18, 10**30)


@given(base=reserves, quote=reserves, share=st.floats(1e-6, 0.5))
def test_the_curve_asks_what_the_exchange_would(base: int, quote: int, share: float) -> None:
    size = max(int(quote * share), 10**12)
    mark = curve.mark(base, quote)
    long, short = filled(mark, quote, Side.LONG, size), filled(mark, quote, Side.SHORT, size)
    assert long is not None
    assert short is not None
    bought, sold = curve.base_out(base, quote, size), curve.base_in(base, quote, size)
    assert long * bought / 10**18 == pytest.approx(size, rel=1e-6, abs=10**18 * 10)
    assert short * sold / 10**18 == pytest.approx(size, rel=1e-6, abs=10**18 * 10)
    assert short <= mark <= long


def test_what_an_opening_costs() -> None:
    mark, depth, size = usd(3_000), usd(1_000_000), usd(100_000)
    average = filled(mark, depth, Side.LONG, size)
    assert average == usd(3_300)
    # 100,000 at 3,300 is 30.30 units, worth 90,909.09 at mark; and 0.1 % of 100,000.
    assert cost(mark, average, size, 0.001) == pytest.approx(usd(9_090.909091 + 100), rel=1e-9)
    average = filled(mark, depth, Side.SHORT, size)
    assert average == usd(2_700)
    assert cost(mark, average, size, 0.0) == pytest.approx(usd(11_111.111111), rel=1e-9)
    assert filled(mark, depth, Side.SHORT, depth) is None


def test_the_curve_says_what_it_does_not_hold_and_where_there_is_none() -> None:
    lines = texts(curve_lines(market(0, depth=usd(50_000)), 46))
    assert [line.split()[0] for line in lines if "more than the curve holds" in line] == ["100,000", "1,000,000"]
    assert any("fills at its own price" in line for line in texts(curve_lines(market(0, depth=None), 46)))
    assert any("no market on this feed" in line for line in texts(curve_lines(market(5), 46)))
    for row in (market(0), market(0, depth=None), market(5)):
        assert len(curve_lines(row, 46)) <= market_figures.CURVE_LINES


@pytest.mark.parametrize("health", FeedHealth)
@pytest.mark.parametrize("height", [8, 40])
def test_figures_of_any_market_can_be_drawn(health: FeedHealth, height: int) -> None:
    nothing: dict[str, None] = dict.fromkeys(("age_ms", "index", "conf", "change", "basis", "carry_per_hour"))
    for row in (market(0), market(9), market(0, depth=None), market(0, **nothing), market(0, long_oi=0, short_oi=0)):
        lines = texts(market_lines(replace(row, health=health), 80 if height == 8 else 46, height))
        assert len(lines) <= height
        assert all("None" not in line for line in lines)


def test_an_imbalance_is_known_or_unknown() -> None:
    assert imbalance(market(0, long_oi=usd(3), short_oi=usd(1))) == 0.5
    assert imbalance(market(0, long_oi=usd(0), short_oi=usd(0))) is None
    assert imbalance(market(0, long_oi=None)) is None


def test_a_figure_that_is_no_number_is_a_gap() -> None:
    past = [replace(point, carry_per_hour=float("nan")) for point in PAST]
    assert all(value is None for _, value in charts(past, 0, listed=True)[2].traces[0].dots)
