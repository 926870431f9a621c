"""Pictures of a past: built by the view of the living engine, on what the journal holds and on nothing else.

Prices of the index, the state of the feed, the keepers and the agent, and what a live venue said of positions are in no
journal: they are unknown here. Limits are those of the settings at hand, because no journal holds those either.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from engine.agent.signals import Window
from engine.arming import Arming
from engine.config import Settings
from engine.demo.stage import Demo, at_pace
from engine.desk_rows import AgentRow, WalletRow
from engine.desks.accounts import HELD_PER_TOKEN
from engine.desks.terms import Terms
from engine.funds_view import FundsView
from engine.keeper_rows import KeeperHealth
from engine.keepers.notes import Notes
from engine.labels import owner_of
from engine.liquidations.book import LiquidationBook
from engine.paper_wallet import DESK_PREFIX
from engine.places import Pair, invented
from engine.queue import LiquidationQueue
from engine.snapshot import FeedHealth, Snapshot
from engine.view import Label, View, world_alarms
from engine.wallet import Balances
from engine.who import local_operator
from engine.world import World
from venue.exchange.fixed import MICRO
from venue.exchange.paper import MIN_NOTIONAL, PositionViews, markets_of
from venue.exchange.pool.units import TokenPrice
from venue.pyth import FEEDS, PriceBook

REPLAY = "REPLAY"
UNWRITTEN = "not in the journal"


class Past:
    """Builds pictures of one journal. `newest` is its world as it ended."""

    def __init__(self, settings: Settings, newest: World) -> None:
        demo = newest.house.simulation
        if demo is not None:
            settings = at_pace(Demo(demo.seed), settings, demo.seed)
        self.block_seconds = settings.exchange.block_seconds
        self._is_live = bool(newest.wallets.chains)
        self._terms = Terms(settings.risk, settings.avantis_max_leverage)
        self._count = _Count()
        simulated, simulated_money = ("", "") if self._is_live else invented(demo is not None)
        label = Label(
            mode=REPLAY,
            venue="avantis" if self._is_live else "exchange",
            agent="?",
            simulated=simulated,
            time_factor=1,
            block_seconds=settings.exchange.block_seconds,
            markets=settings.exchange.markets,
            standing_alarms=(),
            operator=local_operator(),
        )
        self._positions = PositionViews(DESK_PREFIX)
        self._view = View(
            label,
            _NoPrices(settings.signal.momentum_lookback_ms),
            self._terms,
            LiquidationQueue(owner_of, LiquidationBook),
            _NoTokenPrices(),
            Notes(),
            FundsView(self._terms.caps, settings.buybacks, self._count, simulated_money, _wallets),
            lambda: AgentRow(tier="?", phase=UNWRITTEN),
            _Around(not self._is_live, _no_block if self._is_live else _exchange_block),
            tokens=(),
        )

    def picture(self, world: World, seq: int, now_ms: int) -> Snapshot:
        """As it was behind entry `seq`, looked at when it was `now_ms`."""
        exchange = world.exchange
        self._terms.learn({} if self._is_live else markets_of(exchange, MIN_NOTIONAL))
        self._count.take(world, None if self._is_live else now_ms)
        seen = self._view.build(world, self._positions.of(exchange), (), seq, now_ms)
        status = replace(
            seen.status,
            feed=FeedHealth.UNKNOWN,
            feed_text=UNWRITTEN,
            keepers=KeeperHealth.UNKNOWN,
            alarms=tuple(world_alarms(world, now_ms)),
        )
        markets = tuple(replace(row, health=FeedHealth.UNKNOWN) for row in seen.markets)
        return replace(seen, status=status, markets=markets)


class _NoPrices:
    """The feed of a past: nobody wrote down what it said."""

    def __init__(self, lookback_ms: int) -> None:
        self.book = PriceBook(FEEDS)
        self.windows: Mapping[str, Window] = {symbol: Window(lookback_ms) for symbol in FEEDS}

    def health(self, symbols: Iterable[str], now_ms: int) -> tuple[FeedHealth, int | None, str]:
        return FeedHealth.UNKNOWN, None, UNWRITTEN


class _NoTokenPrices:
    def one(self, name: str) -> TokenPrice | None:
        return None

    def of(self, tokens: Iterable[str]) -> tuple[TokenPrice, ...]:
        return ()


@dataclass(slots=True)
class _Count:
    """The wallet of a paper run, which the journal keeps; what a chain held is not in it."""

    counted: Balances | None = None
    counted_at_ms: int | None = None
    books: int = 0

    def take(self, world: World, now_ms: int | None) -> None:
        self.counted = None if now_ms is None else Balances(world.paper.balance)
        self.counted_at_ms = now_ms
        self.books = world.house.held()


@dataclass(frozen=True, slots=True)
class _Around:
    embedded: bool
    block: Callable[[World], int | None]
    pairs: Callable[[], Mapping[str, Pair]] = dict
    arming: Arming | None = field(default=None)


def _wallets(world: World) -> tuple[WalletRow, ...]:
    """Of a live run: what its desks own and where they stand; what the wallets held, no journal says."""
    if not world.wallets.chains:
        return ()
    from venue.avantis.adapter import MAX_POSITIONS  # the chain's libraries take most of a second to load

    return tuple(_wallet(world, wallet, MAX_POSITIONS) for wallet in world.wallets.chains)


def _wallet(world: World, wallet: str, most: int) -> WalletRow:
    desks = [desk for desk in world.house.desks.values() if desk.wallet == wallet]
    markets = Counter(desk.ref.market for desk in desks if desk.ref)
    fullest, count = markets.most_common(1)[0] if markets else ("", 0)
    owned = sum(world.house.ledger[f"{kind}:{desk.address}"] for desk in desks for kind in HELD_PER_TOKEN)
    return WalletRow(
        address=wallet,
        usdc=None,
        owned=owned * MICRO,
        gas=None,
        least_gas=0,
        desks=len(desks),
        positions=markets.total(),
        most=most,
        fullest=fullest,
        fullest_count=count,
        sending=len(world.wallets.of(wallet).open),
        state="as the journal knows it",
    )


def _no_block(_: World) -> int | None:
    return None


def _exchange_block(world: World) -> int:
    return world.exchange.current_block
