"""Who decides on an entry: no fault of any tier ever opens more than a tier that works."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.agent.decide import Agent
from engine.agent.plan import NoPlan, NoPlanCode, Plan, Sight
from engine.feed import Feed
from engine.sections import Pyth, Signal
from tests.engine.house import ManualClock
from venue.pyth import FEEDS
from venue.pyth.wire import WireItem, WirePrice

CLOCK = ManualClock()
NOW = CLOCK.now_ms()
CAPS = {"ETH": 10, "BTC": 7}
VENICE_PLAN = Plan("venice", True, "BTC", False, 3, "the model says so", 9)


class Venice:
    """A first tier that answers, or does not."""

    name = "venice"

    def __init__(self, answers: bool) -> None:
        self.answers = answers

    async def plan(self, sight: Sight) -> Plan:
        if self.answers:
            return VENICE_PLAN
        raise NoPlan(NoPlanCode.TIMED_OUT, "no answer in 10 s")


def tick(feed: Feed, market: str, usd: int) -> None:
    price = WirePrice(price=str(usd * 10**8), conf="1", expo=-8, publish_time=NOW // 1000)
    feed.book.apply(WireItem(id=FEEDS[market].id, price=price), NOW)


@asynccontextmanager
async def feed_of(*markets: str, momentum: float = 0.01) -> AsyncIterator[Feed]:
    """Tradable prices, and a full window that moved by `momentum`."""
    feed = Feed(Pyth(), CLOCK, 900_000)
    for market in markets:
        tick(feed, market, 2_000)
        for step in range(16):
            feed.windows[market].add(NOW - (15 - step) * 60_000, 2_000.0 * (1 + momentum * step / 15))
    try:
        yield feed
    finally:
        await feed.close()


async def decided(feed: Feed, venice: Venice | None, *, enabled: bool, caps: dict[str, int] | None = None) -> Plan:
    agent = Agent(feed, ("ETH", "BTC"), Signal(enabled=enabled), venice)
    return await agent.decide_desk_entry(agent.look("r", NOW, 50_000_000, CAPS if caps is None else caps))


def expected(set_up: bool, answers: bool, enabled: bool, tradable: bool) -> tuple[str, bool]:
    """Who speaks, and whether it opens."""
    if set_up and answers:
        return "venice", True
    if enabled:
        return "signal", tradable
    if set_up:
        return "none", False
    return "degen", tradable


@pytest.mark.parametrize(("set_up", "answers", "enabled", "tradable"), list(itertools.product((True, False), repeat=4)))
async def test_every_way_tiers_can_stand(set_up: bool, answers: bool, enabled: bool, tradable: bool) -> None:
    async with feed_of(*(("ETH", "BTC") if tradable else ())) as feed:
        plan = await decided(feed, Venice(answers) if set_up else None, enabled=enabled)
        assert (plan.source, plan.allow) == expected(set_up, answers, enabled, tradable)
        failed = set_up and not answers
        assert plan.degraded == ("venice TIMED_OUT: no answer in 10 s" if failed else "")
        if plan.allow:
            assert 1 <= plan.leverage <= CAPS[plan.market]
        else:
            assert (plan.market, plan.leverage) == ("", 0)
            assert plan.reason
        if failed:
            alone = await decided(feed, None, enabled=True)
            assert plan.source != "degen"
            assert not plan.allow or (plan.market, plan.is_long, plan.leverage) == (
                alone.market,
                alone.is_long,
                alone.leverage,
            )


async def test_a_fault_of_venice_opens_nothing_where_the_signal_would_not() -> None:
    async with feed_of("ETH", "BTC", momentum=0.001) as feed:
        plan = await decided(feed, Venice(False), enabled=True)
        assert (plan.source, plan.allow) == ("signal", False)
        assert plan.degraded.startswith("venice TIMED_OUT")


@pytest.mark.parametrize(("momentum", "is_long"), [(0.01, True), (-0.01, False)])
async def test_the_signal_takes_the_side_of_the_move_at_the_markets_cap(momentum: float, is_long: bool) -> None:
    async with feed_of("BTC", momentum=momentum) as feed:
        plan = await decided(feed, None, enabled=True)
        assert (plan.market, plan.is_long, plan.leverage) == ("BTC", is_long, 7)


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_cap_below_one_opens_nothing(enabled: bool) -> None:
    async with feed_of("ETH", "BTC") as feed:
        plan = await decided(feed, None, enabled=enabled, caps={"ETH": 0, "BTC": 0})
        assert (plan.allow, plan.leverage) == (False, 0)


@pytest.mark.parametrize(("venice", "enabled"), [(None, True), (None, False), (Venice(True), True)])
async def test_without_a_market_nobody_is_asked(venice: Venice | None, enabled: bool) -> None:
    async with feed_of("ETH") as feed:
        plan = await decided(feed, venice, enabled=enabled, caps={"DOGE": 10})
        assert not plan.allow
        assert "opens none of ETH, BTC" in plan.reason


async def test_degen_is_long_the_first_market_and_waits_for_its_price() -> None:
    async with feed_of("ETH", "BTC", momentum=-0.01) as feed:
        plan = await decided(feed, None, enabled=False)
        assert (plan.source, plan.market, plan.is_long, plan.leverage) == ("degen", "ETH", True, 10)
    async with feed_of("BTC") as feed:
        assert not (await decided(feed, None, enabled=False)).allow


async def test_what_is_not_known_is_shown_as_unknown() -> None:
    async with feed_of("ETH") as feed:
        agent = Agent(feed, ("ETH", "BTC"), Signal(), None)
        eth, btc = agent.look("r", NOW, 5, CAPS).markets
        assert (eth.momentum, btc.index, btc.momentum, btc.volatility) == (10_000, None, None, None)
        assert agent.tradable("ETH", NOW)
        assert not agent.tradable("BTC", NOW)
