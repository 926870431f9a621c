"""No bad price moves money: each case of `bad_prices.jsonl` goes through the real book, agent and desk manager.

A case is what came before, one update, and the moment a desk looks. `outcome` is "tradable", "not tradable <state>"
(the update was taken, but nobody may act on it), or "refused <code>", with ", still tradable" where the price before
it still stands.
"""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from engine.agent.decide import Agent
from engine.agent.signals import Window
from engine.desks import commands, facts
from engine.desks.manager import DeskManager
from engine.desks.terms import Terms
from engine.sections import Risk, Signal
from engine.world import Fact, World
from tests.simulation.adversary import LOOKBACK_MS, WildFeed
from tests.simulation.memory import MemorySettlement, VirtualClock
from tests.simulation.venues import start_price
from tests.venue.perp.reference import ReferenceVenue
from venue.exchange.fixed import WAD
from venue.perp import OpenOrder
from venue.pyth import FEEDS, Price, Refusal
from venue.pyth.wire import parse_updates

Case = dict[str, Any]
CASES: list[Case] = [
    json.loads(line) for line in Path(__file__).with_name("bad_prices.jsonl").read_bytes().splitlines()
]
DESK = "0xa1"
MONEY = 200 * 10**6


class Nobody:
    """Looks at nothing."""

    def before(self, state: World, fact: Fact) -> None: ...

    def after(self, state: World, fact: Fact) -> None: ...


def tell(feed: WildFeed, update: Case) -> Price | Refusal | None:
    """An update as it comes over the wire; None when it is none."""
    price = {name: update[name] for name in ("price", "conf", "expo", "publish_time")}
    found = parse_updates(json.dumps({"parsed": [{"id": update["id"], "price": price}]}).encode())
    return feed.book.apply(found[0], update["received_ms"]) if found else None


def symbol(case: Case) -> str:
    found: str = case.get("symbol", "ETH")
    return found


def fed(case: Case) -> tuple[WildFeed, Price | Refusal | None]:
    """A feed that has heard it all, with a window in which the market rises steadily up to the moment of the look."""
    feed = WildFeed()
    for update in case["before"]:
        tell(feed, update)
    answer = tell(feed, case["update"])
    for window in feed.windows.values():
        fill(window, case["at_ms"])
    return feed, answer


def fill(window: Window, now_ms: int) -> None:
    for step in range(31):
        window.add(now_ms - LOOKBACK_MS * (30 - step) // 30, 2_000 + step)


def expects_trade(case: Case) -> bool:
    outcome: str = case["outcome"]
    return outcome.endswith("tradable") and not outcome.startswith("not ")


def named(case: Case) -> str:
    name: str = case["name"]
    return name


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_book_says_what_became_of_it(case: Case) -> None:
    feed, answer = fed(case)
    view = feed.book.view(symbol(case), case["at_ms"])
    tradable = feed.book.tradable(symbol(case), case["at_ms"])
    outcome: str = case["outcome"]
    if outcome.startswith("refused "):
        code = answer.code.value if isinstance(answer, Refusal) else "malformed"
        assert f"refused {code}" == outcome.removesuffix(", still tradable")
        assert not isinstance(answer, Price)
    elif outcome.startswith("not "):
        assert outcome == f"not tradable {view.state}"
    else:
        assert isinstance(answer, Price)
        assert tradable == answer
    assert (tradable is not None) == expects_trade(case)


async def managed(case: Case, signal: Signal, *, grows: bool = False) -> list[Fact]:
    """The facts of a management pass over a desk with money, at the moment of the look."""
    feed, _ = fed(case)
    clock = VirtualClock(case["at_ms"])
    settlement = MemorySettlement(clock, random.Random(1), Nobody())
    venue = ReferenceVenue(random.Random(1), {market: start_price(market) for market in ("ETH", "BTC")})
    desks = DeskManager(settlement, venue, Agent(feed, (symbol(case),), signal), Terms(Risk(), 75), clock)
    await settlement.submit(commands.EnrollToken(DESK, "PEPE"))
    await settlement.submit(commands.BookFees(DESK, "1", MONEY))
    if grows:
        plan = commands.IntendOpen(DESK, "1", symbol(case), True, 10 * WAD, MONEY // 4)
        await settlement.submit(plan)
        order = OpenOrder("1", DESK, plan.market, plan.is_long, plan.collateral, plan.leverage)
        await desks.courier.record(DESK, await venue.open(order))
        venue.act()
        await desks.watch()
        assert settlement.world.house.opened == 1
    known = settlement.seq
    await desks.manage_all()
    return [entry.fact for entry in settlement.recorded[known:]]


def opened(found: list[Fact]) -> list[facts.OrderIntended]:
    return [fact for fact in found if isinstance(fact, facts.OrderIntended)]


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_the_signal_engine_opens_only_on_a_tradable_price_and_says_why_not(case: Case) -> None:
    found = await managed(case, Signal())
    assert len(opened(found)) == expects_trade(case)
    if not expects_trade(case):
        feed, _ = fed(case)
        state = feed.book.view(symbol(case), case["at_ms"]).state
        reasons = [fact.reason for fact in found if isinstance(fact, facts.Decided) and not fact.opens]
        assert reasons == [f"{symbol(case)}: no tradable price, the feed is {state}"]


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_without_a_filter_it_opens_only_on_a_tradable_price_and_says_why_not(case: Case) -> None:
    found = await managed(case, Signal(enabled=False))
    assert len(opened(found)) == expects_trade(case)
    if not expects_trade(case):
        reasons = [fact.reason for fact in found if isinstance(fact, facts.Decided) and not fact.opens]
        assert reasons == [f"{symbol(case)}: no tradable price"]


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_a_position_grows_only_on_a_tradable_price(case: Case) -> None:
    found = await managed(case, Signal(enabled=False), grows=True)
    assert len(opened(found)) == expects_trade(case)


def test_there_are_enough_cases_and_none_twice() -> None:
    assert len(CASES) >= 110
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert {FEEDS["ETH"].id, FEEDS["BTC"].id} <= {update["id"] for case in CASES for update in case["before"]}
    prices = [update["price"] for case in CASES for update in (*case["before"], case["update"])]
    assert str(start_price("ETH") * 10**8 // WAD) in prices
