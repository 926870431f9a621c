"""The loops that keep the embedded exchange going, and the crowd that trades there in a demo."""

import random

from engine.alerts.rules import POOL_LIQUIDATOR
from engine.clock import Clock
from engine.config import Settings
from engine.demo.crowd import PoolCrowd
from engine.demo.traders import Traders
from engine.feed import Feed
from engine.keepers.carry import CarryKeeper
from engine.keepers.liquidator import Liquidator
from engine.keepers.notes import Notes
from engine.keepers.pool_liquidator import PoolLiquidator
from engine.keepers.requests import RequestKeeper
from engine.liquidations.book import LiquidationBook
from engine.markets import MarketLister
from engine.paper_wallet import DESK_PREFIX
from engine.places import Loop
from engine.requests.prices import IndexPrices
from engine.settlement import Settlement
from engine.worker import Cadence
from engine.world import World
from venue.exchange.fixed import wad
from venue.exchange.requests.request import OrderRequest, Request

KEEPER_PREFIX = "keeper-"
FROZEN_KEEPER = "keeper-f"
"""Tries frozen orders and limit swaps, at its leisure."""
RETRY_KEEPER = "keeper-op"
"""Executes what an operator retries."""

POSITION_WATCH = Cadence(0.5, 0.7)
REQUEST_WATCH = Cadence(0.3, 0.5)
FROZEN_WATCH = Cadence(4.0, 6.0)
ONCE_A_SECOND = Cadence(1.0, 1.0)


def exchange_loops(
    settings: Settings,
    settlement: Settlement,
    lister: MarketLister,
    prices: IndexPrices,
    notes: Notes[str],
    book: LiquidationBook,
    clock: Clock,
    seed: int,
) -> list[Loop]:
    """Listing, carry, liquidation and the request keepers. `seed` drives jitter."""
    block = float(settings.exchange.block_seconds)
    pools = PoolLiquidator(settlement, prices, clock, f"{KEEPER_PREFIX}1", random.Random(f"{seed}:pools"))  # noqa: S311
    loops = [
        Loop("markets", ONCE_A_SECOND, lister.pass_once),
        Loop("carry", Cadence(block, block), CarryKeeper(settlement).pass_once),
        Loop(POOL_LIQUIDATOR, POSITION_WATCH, pools.pass_once, counts=pools.tally.work),
    ]
    cost = wad(settings.exchange.liquidation_cost_usd)
    for number in range(1, settings.exchange.liquidation_keepers + 1):
        liquidator = Liquidator(settlement, book, clock, f"{KEEPER_PREFIX}{number}", cost)
        name = "liquidator" if number == 1 else f"liquidator-{number}"
        loops.append(Loop(name, POSITION_WATCH, liquidator.pass_once, counts=liquidator.tally.work))
    for account, special in request_keepers(settings).items():
        keeper = RequestKeeper(settlement, prices, clock, account, notes, special=special, revoked=halted)
        pace = FROZEN_WATCH if special else REQUEST_WATCH
        loops.append(Loop(account, pace, keeper.pass_once, counts=keeper.tally.work))
    return loops


def crowd_loops(settlement: Settlement, feed: Feed, prices: IndexPrices, clock: Clock, seed: int) -> list[Loop]:
    """Everybody else, invented."""
    traders = Traders(settlement, feed, clock, random.Random(f"{seed}:traders"))  # noqa: S311 - a simulation
    crowd = PoolCrowd(settlement, prices, clock, random.Random(f"{seed}:crowd"))  # noqa: S311
    return [Loop("traders", Cadence(0.4, 0.8), traders.pass_once), Loop("crowd", Cadence(0.7, 1.4), crowd.pass_once)]


def request_keepers(settings: Settings) -> dict[str, bool]:
    """The engine's own keepers, and whether they may try frozen orders and limit swaps."""
    count = settings.exchange.request_keepers
    return {f"{KEEPER_PREFIX}{number}": False for number in range(1, count + 1)} | {FROZEN_KEEPER: True}


def halted(world: World, request: Request) -> str:
    """A halt reaches the orders that already wait: none of them may add risk any more."""
    desk = world.house.desks.get(request.account.removeprefix(DESK_PREFIX))
    if desk is None or not desk.halted or not isinstance(request, OrderRequest) or not request.type.is_increase:
        return ""
    return f"halted by {desk.halted_by}"
