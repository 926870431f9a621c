"""Which parts an engine has, and how they hang together."""

import random
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.acks import Acks
from engine.agent.decide import Agent
from engine.alerts.desk import AlertDesk, alert_desk
from engine.arming import Arming
from engine.buyback import BuybackEngine
from engine.clearing.commands import Role
from engine.clearing.counter import Counter
from engine.config import Settings
from engine.core import Core
from engine.demo.names import ARBITRAGEUR, LP_PREFIX, TRADER_PREFIX
from engine.demo.stage import Demo
from engine.desks.bounded import BoundedVenue
from engine.desks.guard import Guard
from engine.desks.manager import DeskManager
from engine.desks.reconcile import Reconciler
from engine.desks.risk import Limits
from engine.desks.terms import Terms
from engine.exchange_loops import (
    KEEPER_PREFIX,
    ONCE_A_SECOND,
    POSITION_WATCH,
    RETRY_KEEPER,
    crowd_loops,
    exchange_loops,
)
from engine.feed import Feed
from engine.fees import FeeClaimer
from engine.funds_view import FundsView
from engine.holds import Holds
from engine.keepers.notes import Notes
from engine.keepers.requests import RequestKeeper
from engine.keepers.tally import Counts
from engine.labels import agent_row, label_of, owner_of, venice_of
from engine.markets import MarketLister
from engine.operator import Operator
from engine.paper_wallet import DESK_PREFIX
from engine.places import Places, on_paper
from engine.queue import LiquidationQueue
from engine.requests.counter import RequestCounter
from engine.requests.prices import IndexPrices
from engine.view import View
from engine.wallet import WalletWatch
from engine.who import local_operator
from engine.worker import Cadence, Worker
from venue.exchange.fixed import PPM
from venue.perp import PerpVenue

if TYPE_CHECKING:
    from engine.live.places import Live

MICRO_USDC = 10**6
AGENT_MARKETS = ("ETH", "BTC")
"""What the agent may choose from (seed desk-agent), as far as the exchange lists it."""

PRICE_SAMPLER = Cadence(40, 70)
FEE_CLAIMER = Cadence(180, 300)
DESK_MANAGER = Cadence(300, 480)
"""Intervals in seconds as the seed's deployment runs them; a demo divides them by its time factor."""
PROFIT_CHECKER = Cadence(12, 18)
DESK_RISK = Cadence(300, 600)
CREATOR_BUYBACK = Cadence(600, 1200)
BUYBACK_ENGINE = Cadence(900, 1800)
WALLET_WATCH = Cadence(25, 35)
SCREEN = Cadence(0.2, 0.2)
SNAPSHOTS = Cadence(55, 65)
_LOOKING = ("pulse", "feed", "screen", "sampler", "wallet")
"""What also runs where nothing is written; loops of places say it themselves."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A whole engine, not yet running."""

    feed: Feed
    venue: PerpVenue
    operator: Operator
    view: View
    workers: tuple[Worker, ...]
    close: Callable[[], Awaitable[None]]
    """Closes what is open to the outside."""
    warm_up: Callable[[], Awaitable[None]]
    """Prices, their history and the markets: to be awaited before the later workers start."""
    later_workers: tuple[Worker, ...]
    """The price sampler, whose live samples must follow the history, and the desk manager."""
    alerts: AlertDesk
    """Told of every picture."""
    acks: Acks

    def all_workers(self) -> tuple[Worker, ...]:
        return (*self.workers, *self.later_workers)


def assemble(
    settings: Settings,
    demo: Demo | None,
    seed: int,
    core: Core,
    live: "Live | None" = None,
    tokens: Collection[str] = (),
) -> Parts:
    """Every part, wired. `seed` drives jitter, and what a demo invents."""
    settlement, clock, book = core.settlement, core.clock, core.book
    factor = demo.factor if demo else 1
    feed = Feed(settings.pyth, clock, settings.signal.momentum_lookback_ms)
    places = _places(settings, demo, live, seed, core, feed, tokens)
    venue = BoundedVenue(places.venue)
    markets = tuple(symbol for symbol in settings.exchange.markets if symbol in AGENT_MARKETS)
    venice = venice_of(settings, clock)
    agent = Agent(feed, markets or settings.exchange.markets, settings.signal, venice)
    terms = Terms(settings.risk, settings.avantis_max_leverage)
    wallet = WalletWatch(settlement, places.purse, clock, writes=not (places.arming and places.arming.observing))
    arming = places.arming or Arming(armed=True)
    holds = Holds(arming.why_not, core.pulse.why_not, settlement.why_not)
    hold = holds.why_not
    manager = DeskManager(
        settlement, venue, agent, terms, clock, places.low_gas, lambda: hold() or reconciler.why_not()
    )
    reconciler = Reconciler(settlement, venue, manager.courier, clock, places.unseen, writes=not arming.observing)
    guard = Guard(settlement, venue, manager.courier, Limits.of(settings.risk), clock)
    buybacks = BuybackEngine(settlement, places.swaps, settings.buybacks, hold)
    prices = IndexPrices(feed, clock)
    notes: Notes[str] = Notes()
    alerts = alert_desk(settings.alerts, clock)
    money = FundsView(terms.caps, settings.buybacks, wallet, places.simulated_money, places.wallets)
    view = View(
        label_of(settings, demo, places, venice),
        feed,
        terms,
        LiquidationQueue(owner_of, lambda _exchange: book),
        prices,
        notes,
        money,
        lambda: agent_row(settings, venice),
        places,
        lambda now_ms: filter(
            None,
            (*places.alarms(), wallet.alarm(now_ms), *alerts.alarms(), *holds.alarms(), *reconciler.alarms()),
        ),
        ours=core.watched.of,
    )

    def worker(
        name: str,
        cadence: Cadence,
        work: Callable[[], Awaitable[str]],
        counts: Counts | None = None,
        *,
        endless: bool = False,
    ) -> Worker:
        rng = random.Random(f"{seed}:{name}")  # noqa: S311 - jitter
        return Worker(name, cadence, work, clock, rng, counts, endless=endless)

    lister = MarketLister(settlement, feed, settings.exchange, clock)

    async def warm_up() -> None:
        await feed.prime()
        if places.embedded:
            await lister.pass_once()
        await reconciler.first()

    def paced(name: str, cadence: Cadence, work: Callable[[], Awaitable[str]]) -> Worker:
        return worker(name, cadence.faster(factor), work)

    workers = [
        worker("pulse", ONCE_A_SECOND, core.pulse.run, endless=True),
        *(
            worker(sink.name, Cadence(sink.every_s, sink.every_s), sink.pass_once, endless=True)
            for sink in alerts.sinks
        ),
        worker("feed", ONCE_A_SECOND, feed.run, endless=True),
        worker("positions", POSITION_WATCH, reconciler.pass_once),
        worker("callbacks", POSITION_WATCH, core.hooks.pass_once),
        worker("screen", SCREEN, core.publish),
        worker("snapshots", SNAPSHOTS, core.stills.pass_once),
    ]
    loops = [*places.loops]
    if places.embedded:
        loops += exchange_loops(settings, settlement, lister, prices, notes, book, clock, seed)
    if demo:
        loops += crowd_loops(settlement, feed, prices, clock, seed)
    workers += [worker(loop.name, loop.cadence, loop.work, loop.counts, endless=loop.endless) for loop in loops]
    if places.fees is not None:
        fees = FeeClaimer(settlement, places.fees, int(settings.risk.reserve_pct * PPM), hold)
        workers.append(paced("fees", FEE_CLAIMER, fees.claim_pooled_fees_cycle))
    later = (
        paced("sampler", PRICE_SAMPLER, feed.sample),
        paced("desks", DESK_MANAGER, manager.manage_all),
        paced("profits", PROFIT_CHECKER, guard.check_desk_profits),
        paced("risk", DESK_RISK, guard.check_desk_risk),
        paced("creator buybacks", CREATOR_BUYBACK, buybacks.run_creator_buyback_cycle),
        paced("buybacks", BUYBACK_ENGINE, buybacks.run_buyback_cycle),
        worker("swaps", WALLET_WATCH, buybacks.ask_after),
        worker("wallet", WALLET_WATCH.faster(min(factor, 10)), wallet.pass_once),
    )
    holds.guarded_by((*workers, *later))
    roles = dict.fromkeys(settings.exchange.liquidators, Role.LIQUIDATOR)
    roles |= dict.fromkeys((*settings.exchange.operators, local_operator()), Role.OPERATOR)
    reserved = (
        (DESK_PREFIX, KEEPER_PREFIX, TRADER_PREFIX, LP_PREFIX, ARBITRAGEUR) if demo else (DESK_PREFIX, KEEPER_PREFIX)
    )
    counter = Counter(settlement, reserved, roles)
    by_hand = RequestKeeper(settlement, prices, clock, RETRY_KEEPER, notes, special=True)
    requests = RequestCounter(settlement, by_hand, clock, reserved, roles)
    acks = Acks()
    operator = Operator(settlement, manager.courier, counter, requests, clock, places.arming, acks)

    async def close() -> None:
        async with AsyncExitStack() as each:  # one that fails keeps none of the others open
            each.push_async_callback(places.close)
            if venice is not None:
                each.push_async_callback(venice.aclose)
            each.push_async_callback(alerts.aclose)
            each.push_async_callback(feed.close)

    return _of_run(places, Parts(feed, venue, operator, view, tuple(workers), close, warm_up, later, alerts, acks))


def _of_run(places: Places, parts: Parts) -> Parts:
    """All of them, or only those that look."""
    if not (places.arming and places.arming.observing):
        return parts
    looking = {*_LOOKING, *(loop.name for loop in places.loops if loop.looks), *(s.name for s in parts.alerts.sinks)}
    return replace(
        parts,
        workers=tuple(worker for worker in parts.workers if worker.name in looking),
        later_workers=tuple(worker for worker in parts.later_workers if worker.name in looking),
    )


def _places(
    settings: Settings,
    demo: Demo | None,
    live: "Live | None",
    seed: int,
    core: Core,
    feed: Feed,
    tokens: Collection[str],
) -> Places:
    if live is None:
        return on_paper(core.settlement, demo, seed, core.clock, core.watched.of)
    from engine.live.places import live_places  # the chain's libraries take most of a second to load

    return live_places(settings, live, core.settlement, feed, core.clock, tokens)
