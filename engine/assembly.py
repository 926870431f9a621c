"""Which parts an engine has, and how they hang together."""

import random
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.acks import Acks
from engine.agent.decide import Agent
from engine.agent.venice import Venice
from engine.agent.venice_state import VeniceOptions
from engine.alerts.desk import AlertDesk, alert_desk
from engine.arming import Arming
from engine.buyback import BuybackEngine
from engine.clearing.commands import Role
from engine.clearing.counter import Counter
from engine.clock import Clock
from engine.config import ConfigError, Settings
from engine.demo.names import ARBITRAGEUR, LP_PREFIX, TRADER_PREFIX, is_simulated
from engine.demo.stage import Demo
from engine.desk_rows import AgentRow
from engine.desks.bounded import BoundedVenue
from engine.desks.guard import Guard
from engine.desks.manager import DeskManager
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
from engine.keepers.notes import Notes
from engine.keepers.requests import RequestKeeper
from engine.keepers.tally import Counts
from engine.liquidations.book import LiquidationBook
from engine.markets import MarketLister
from engine.operator import Operator
from engine.paper_wallet import DESK_PREFIX
from engine.places import Places, on_paper
from engine.queue import LiquidationQueue
from engine.requests.counter import RequestCounter
from engine.requests.hooks import Hooks
from engine.requests.prices import IndexPrices
from engine.settlement import Settlement
from engine.still_maker import StillMaker
from engine.view import Label, View
from engine.wallet import WalletWatch
from engine.who import local_operator
from engine.worker import Cadence, Worker
from venue.exchange.fixed import PPM
from venue.exchange.paper import MIN_NOTIONAL
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
_LOOKING = ("feed", "screen", "sampler", "wallet")
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
    """Told of every picture; it runs for as long as the engine does."""
    acks: Acks

    def all_workers(self) -> tuple[Worker, ...]:
        return (*self.workers, *self.later_workers)


def assemble(
    settings: Settings,
    demo: Demo | None,
    seed: int,
    settlement: Settlement,
    clock: Clock,
    publish: Callable[[], Awaitable[str]],
    hooks: Hooks,
    book: LiquidationBook,
    stills: StillMaker,
    live: "Live | None" = None,
    tokens: Collection[str] = (),
) -> Parts:
    """Every part, wired. `seed` drives jitter, and what a demo invents."""
    factor = demo.factor if demo else 1
    feed = Feed(settings.pyth, clock, settings.signal.momentum_lookback_ms)
    places = _places(settings, demo, live, seed, settlement, feed, clock, tokens)
    venue = BoundedVenue(places.venue)
    markets = tuple(symbol for symbol in settings.exchange.markets if symbol in AGENT_MARKETS)
    venice = venice_of(settings, clock)
    agent = Agent(feed, markets or settings.exchange.markets, settings.signal, venice)
    terms = Terms(settings.risk, settings.avantis_max_leverage)
    wallet = WalletWatch(settlement, places.purse, clock, writes=not (places.arming and places.arming.observing))
    arming = places.arming or Arming(armed=True)
    hold = arming.why_not
    manager = DeskManager(settlement, venue, agent, terms, clock, places.low_gas, hold)
    guard = Guard(settlement, venue, manager.courier, Limits.of(settings.risk), clock)
    buybacks = BuybackEngine(settlement, places.swaps, settings.buybacks, hold)
    prices = IndexPrices(feed, clock)
    notes: Notes[str] = Notes()
    alerts = alert_desk(settings.alerts, clock)
    money = FundsView(terms.caps, settings.buybacks, wallet, places.simulated_money, places.wallets)
    view = View(
        _label(settings, demo, places, venice),
        feed,
        terms,
        LiquidationQueue(owner_of, lambda _exchange: book),
        prices,
        notes,
        money,
        lambda: agent_row(settings, venice),
        places,
        lambda now_ms: filter(None, (*places.alarms(), wallet.alarm(now_ms), *alerts.alarms())),
    )

    def worker(name: str, cadence: Cadence, work: Callable[[], Awaitable[str]], counts: Counts | None = None) -> Worker:
        rng = random.Random(f"{seed}:{name}")  # noqa: S311 - jitter
        return Worker(name, cadence, work, clock, rng, counts)

    lister = MarketLister(settlement, feed, settings.exchange, clock)

    async def warm_up() -> None:
        await feed.prime()
        if places.embedded:
            await lister.pass_once()

    def paced(name: str, cadence: Cadence, work: Callable[[], Awaitable[str]]) -> Worker:
        return worker(name, cadence.faster(factor), work)

    workers = [
        worker("feed", ONCE_A_SECOND, feed.run),
        worker("positions", POSITION_WATCH, manager.watch),
        worker("callbacks", POSITION_WATCH, hooks.pass_once),
        worker("screen", SCREEN, publish),
        worker("snapshots", SNAPSHOTS, stills.pass_once),
    ]
    loops = [*places.loops]
    if places.embedded:
        loops += exchange_loops(settings, settlement, lister, prices, notes, book, clock, seed)
    if demo:
        loops += crowd_loops(settlement, feed, prices, clock, seed)
    workers += [worker(loop.name, loop.cadence, loop.work, loop.counts) for loop in loops]
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
        worker("wallet", WALLET_WATCH.faster(min(factor, 10)), wallet.pass_once),
    )
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
        await feed.close()
        await alerts.aclose()
        if venice is not None:
            await venice.aclose()
        await places.close()

    return _of_run(places, Parts(feed, venue, operator, view, tuple(workers), close, warm_up, later, alerts, acks))


def _of_run(places: Places, parts: Parts) -> Parts:
    """All of them, or only those that look."""
    if not (places.arming and places.arming.observing):
        return parts
    looking = {*_LOOKING, *(loop.name for loop in places.loops if loop.looks)}
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
    settlement: Settlement,
    feed: Feed,
    clock: Clock,
    tokens: Collection[str],
) -> Places:
    if live is None:
        return on_paper(settlement, demo, seed, clock)
    from engine.live.places import live_places  # the chain's libraries take most of a second to load

    return live_places(settings, live, settlement, feed, clock, tokens)


def venice_of(settings: Settings, clock: Clock) -> Venice | None:
    """The first tier, where it is switched on and there is a key or a wallet to get one. Raises ConfigError."""
    if not settings.venice_agent_enabled or not (settings.venice_api_key or settings.venice_auto_mint_key):
        return None
    venice = settings.venice
    try:
        options = VeniceOptions(
            url=venice.url,
            api_key=settings.venice_api_key,
            mint_key=settings.venice_auto_mint_key,
            model=venice.model,
            timeout_s=float(venice.timeout_s),
            in_flight=venice.in_flight,
            consumption_diem=venice.consumption_diem,
            consumption_usd=venice.consumption_usd,
        )
    except ValueError as error:
        raise ConfigError(f"venice: {error}") from error
    return Venice(options, clock)


def agent_row(settings: Settings, venice: Venice | None) -> AgentRow:
    """How the agent is doing."""
    degen = venice is None and not settings.signal.enabled
    if venice is None:
        off = "switched off" if not settings.venice_agent_enabled else "no key: set VENICE_API_KEY"
        return AgentRow(tier="degen" if degen else "signal", phase=off, degen=degen)
    state = venice.state()
    return AgentRow(
        tier="venice",
        phase=state.text,
        model=state.model,
        key_source=state.key_source,
        balance_diem="" if state.balance_diem is None else str(state.balance_diem),
        balance_usd="" if state.balance_usd is None else str(state.balance_usd),
        requests_left=state.requests_left,
        asked=state.asked,
        answered=state.answered,
        failed=state.failed,
        latency_ms=state.last_latency_ms,
    )


def _label(settings: Settings, demo: Demo | None, places: Places, venice: Venice | None) -> Label:
    degen = venice is None and not settings.signal.enabled
    return Label(
        mode=places.mode,
        venue=places.name,
        agent="DEGEN" if degen else "venice" if venice else "signal",
        simulated=places.simulated,
        time_factor=demo.factor if demo else 1,
        block_seconds=settings.exchange.block_seconds,
        markets=settings.exchange.markets,
        operator=local_operator(),
        standing_alarms=(*(("DEGEN: the entry filter is switched off",) if degen else ()), *_never(settings)),
    )


def _never(settings: Settings) -> tuple[str, ...]:
    """Settings under which no desk could ever open, said aloud."""
    risk = settings.risk
    most = min(risk.max_position_usdc, risk.max_market_usdc, risk.max_wallet_usdc, risk.max_daily_usdc)
    worth = most * min(risk.leverage, Decimal(settings.avantis_max_leverage))
    if worth < MIN_NOTIONAL // MICRO_USDC:
        return (f"no desk can open: {most} USDC at {risk.leverage:g}x is below the minimum notional",)
    if risk.min_deploy_usdc > most:
        return (f"no desk can open: risk.min_deploy_usdc {risk.min_deploy_usdc} is above the caps",)
    return ()


def owner_of(account: str) -> tuple[str, bool]:
    """Whose an account of the exchange is, and whether they are simulated."""
    return account.removeprefix(DESK_PREFIX), is_simulated(account)
