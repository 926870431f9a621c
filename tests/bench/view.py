"""The picture of 10,000 desks, four in five of them in a position, as it is made five times a second.

The baseline is the same picture by parts that have made none before. Measured are a picture before which nothing has
happened, one before which a fact touched one desk in two hundred, and one before which the curve moved under every
position.
"""

import asyncio
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from engine.config import Settings
from engine.desks.commands import Note
from engine.desks.terms import Terms
from engine.feed import Feed
from engine.funds_view import FundsView
from engine.keepers.notes import Notes
from engine.labels import agent_row, owner_of
from engine.liquidations.book import LiquidationBook
from engine.paper_wallet import DESK_PREFIX
from engine.places import on_paper
from engine.queue import LiquidationQueue
from engine.requests.prices import IndexPrices
from engine.settlement import Settlement
from engine.view import Label, View
from engine.wallet import WalletWatch
from engine.world import World, decide, evolve
from tests.bench.desks import staged
from tests.bench.report import best_of, report, timed
from tests.engine.house import ManualClock, settled
from venue.exchange.commands import Rejection
from venue.exchange.fixed import WAD
from venue.exchange.paper import MIN_NOTIONAL, PositionViews, markets_of

DESKS, EMPTY, TOUCHED = 10_000, 2_000, 50
TIMES = 5


def build() -> None:
    """Milliseconds a picture takes, with the views of the positions it shows."""
    asyncio.run(_measured())


async def _measured() -> None:
    with tempfile.TemporaryDirectory() as folder:
        await staged(Path(folder), DESKS, EMPTY)
        async with settled(Path(folder)) as settlement:
            world = await settlement.read(lambda world: world)
            book = LiquidationBook(world.exchange)
            kept = _Pictures(settlement, world, book)
            for case, happens in (("", _nothing), (f", {TOUCHED} touched", _touch), (", all positions moved", _move)):
                ours = best_of(TIMES, partial(_after, happens, world, kept))
                afresh = best_of(TIMES, lambda: _Pictures(settlement, world, book).take())
                name = f"{DESKS:,} desks{case}"
                report("view.build", name, ours * 1000, "ms", "everything made anew", afresh * 1000)


class _Pictures:
    """A view with all its parts, as an engine on paper has them."""

    def __init__(self, settlement: Settlement, world: World, book: LiquidationBook) -> None:
        settings, self._clock, self._world, self.seq = Settings(), ManualClock(), world, 0
        places = on_paper(settlement, None, 0, self._clock)
        feed = Feed(settings.pyth, self._clock, settings.signal.momentum_lookback_ms)
        terms = Terms(settings.risk, settings.avantis_max_leverage)
        terms.learn(markets_of(world.exchange, MIN_NOTIONAL))
        wallet = WalletWatch(settlement, places.purse, self._clock)
        self._positions = PositionViews(DESK_PREFIX)
        self._view = View(
            Label("PAPER", "exchange", "signal", "", 1, settings.exchange.block_seconds, settings.exchange.markets, ()),
            feed,
            terms,
            LiquidationQueue(owner_of, lambda _: book),
            IndexPrices(feed, self._clock),
            Notes(),
            FundsView(terms.caps, settings.buybacks, wallet, places.simulated_money, places.wallets),
            lambda: agent_row(settings, None),
            places,
        )

    def take(self) -> float:
        """Seconds one picture takes."""
        return timed(self._take)

    def _take(self) -> None:
        positions = self._positions.of(self._world.exchange)
        picture = self._view.build(self._world, positions, (), self.seq, self._clock.now_ms())
        assert picture.status.desks_open == DESKS - EMPTY


def _after(happens: Callable[[World], int], world: World, pictures: _Pictures) -> float:
    pictures.seq += happens(world)
    return pictures.take()


def _nothing(_: World) -> int:
    """Time goes by; as the others, how many facts it took."""
    return 0


def _touch(world: World) -> int:
    for address in [*world.house.desks][:: DESKS // TOUCHED]:
        desk = world.house.desks[address]
        noted = decide(world, Note(address, "" if desk.memo else "odd", "ops", "c"))
        assert not isinstance(noted, Rejection)
        for fact in noted:
            evolve(world, fact, desk.touched + 1, 0)
    return TOUCHED


def _move(world: World) -> int:
    world.exchange.markets["ETH"].quote_reserve += WAD
    return 1
