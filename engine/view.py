"""Builds the snapshot: the committed world, the venue's positions and the prices, as one picture."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from engine.agent.signals import Window
from engine.arming import Arming
from engine.desk_rows import AgentRow
from engine.desk_view import DeskRows
from engine.desks.accounts import DIFFERENCE
from engine.desks.terms import Terms
from engine.exchange_rows import Wad
from engine.funds_view import FundsView
from engine.keeper_rows import KeeperHealth, KeeperRow
from engine.keepers.notes import Notes
from engine.places import Pair
from engine.queue import LiquidationQueue, own_rows
from engine.requests.account import account_of
from engine.requests.pool_rows import pool_row
from engine.requests.prices import PriceSource
from engine.requests.rows import RequestRows, request_counts
from engine.snapshot import DeskPhase, DeskRow, FeedHealth, MarketRow, Snapshot, Status
from engine.text import called, money
from engine.watched import Ours
from engine.world import World
from venue.exchange.clearinghouse import fee_rate
from venue.exchange.fixed import MICRO, WAD
from venue.exchange.machine import carry_step
from venue.exchange.paper import everybody
from venue.exchange.state import Exchange
from venue.exchange.tokens import TOKENS
from venue.perp import PerpPosition, PositionRef
from venue.pyth import PriceBook

HOUR_S = 3_600
LATE_ORDER_MS = 180_000
"""An order that waits so long is worth an alarm: keepers act within seconds, a chain within a minute."""
AgentState = Callable[[], AgentRow]


@dataclass(frozen=True, slots=True)
class Label:
    """What the status line says that does not change while the engine runs."""

    mode: str
    venue: str
    agent: str
    simulated: str
    time_factor: int
    block_seconds: Decimal
    markets: tuple[str, ...]
    standing_alarms: tuple[str, ...]
    operator: str = ""
    """Whose account is shown as their own."""


class Prices(Protocol):
    """What is known of prices; `engine.feed.Feed` where there is one."""

    @property
    def book(self) -> PriceBook: ...

    @property
    def windows(self) -> Mapping[str, Window]: ...

    def health(self, symbols: Iterable[str], now_ms: int) -> tuple[FeedHealth, int | None, str]: ...


class Surroundings(Protocol):
    """What is known of the venue beyond the world; `engine.places.Places` where it is there."""

    @property
    def arming(self) -> Arming | None: ...

    @property
    def pairs(self) -> Callable[[], Mapping[str, Pair]]: ...

    @property
    def block(self) -> Callable[[World], int | None]: ...

    @property
    def embedded(self) -> bool: ...


class View:
    """Makes snapshots on demand, of one journal; rows that have not changed are the same objects as before."""

    def __init__(
        self,
        label: Label,
        feed: Prices,
        terms: Terms,
        queue: LiquidationQueue,
        prices: PriceSource,
        notes: Notes[str],
        money: FundsView,
        agent: AgentState,
        places: Surroundings,
        more_alarms: Callable[[int], Iterable[str]] = lambda _: (),
        tokens: Iterable[str] = TOKENS,
        ours: Ours = everybody,
    ) -> None:
        """`tokens`: whose prices somebody watches; requests say nothing about the prices of others. `ours`: the open
        positions that the operator's are among."""
        self._label = label
        self._feed = feed
        self._desks = DeskRows(terms)
        self._queue = queue
        self._prices = prices
        self._requests = RequestRows(notes, self._label_of)
        self._money = money
        self._agent = agent
        self._places = places
        self._more_alarms = more_alarms
        self._tokens = tuple(tokens)
        self._ours = ours
        self._names: dict[str, str] = {}
        self._books: tuple[int, tuple[tuple[str, Wad], ...]] = (-1, ())
        """The funds, and the number of the entry they are behind."""

    def build(
        self,
        world: World,
        positions: Mapping[PositionRef, PerpPosition],
        keepers: tuple[KeeperRow, ...],
        seq: int,
        now_ms: int,
    ) -> Snapshot:
        """The picture at `now_ms`, on the world as committed up to fact `seq`."""
        self._names = {desk.address: desk.name for desk in world.house.desks.values()}
        desks, decisions = self._desks.build(world.house, positions)
        liquidations, counts = self._queue.rows(world.exchange, now_ms) if self._places.embedded else own_rows(desks)
        return Snapshot(
            seq=seq,
            at_ms=now_ms,
            status=self._status(world, desks, keepers, now_ms),
            desks=desks,
            markets=tuple(self._market(symbol, world.exchange, now_ms) for symbol in self._feed.windows),
            decisions=decisions,
            liquidations=liquidations,
            queue=counts,
            keepers=keepers,
            funds=self._funds(world, seq),
            requests=self._requests.build(
                world.exchange, {token: self._prices.one(token) for token in self._tokens}, now_ms
            ),
            request_counts=request_counts(world.exchange),
            agent=self._agent(),
            flow=self._money.build(world, seq, now_ms),
            mine=account_of(world.exchange, self._label.operator, self._prices, self._ours),
            pools=tuple(
                pool_row(world.exchange, pool, self._prices.of(pool.tokens), now_ms)
                for pool in world.exchange.pools.values()
            ),
        )

    def _funds(self, world: World, seq: int) -> tuple[tuple[str, Wad], ...]:
        if self._books[0] != seq:
            self._books = seq, funds(world)
        return self._books[1]

    def _label_of(self, account: str) -> tuple[str, bool]:
        """A desk by its token's name, everybody else as they are."""
        owner, simulated = self._queue.label(account)
        return self._names.get(owner, owner), simulated

    def _market(self, symbol: str, exchange: Exchange, now_ms: int) -> MarketRow:
        view = self._feed.book.view(symbol, now_ms)
        tradable = self._feed.book.tradable(symbol, now_ms) is not None
        row = MarketRow(
            symbol=symbol,
            health=FeedHealth(view.state),
            age_ms=view.age_ms,
            index=view.price.wad if view.price else None,
            conf=view.price.conf_wad if view.price else None,
            change=self._feed.windows[symbol].change(),
            tradable=tradable,
        )
        if pair := self._places.pairs().get(symbol):
            return replace(
                row,
                mark=pair.mark,
                basis=pair.mark / row.index - 1 if pair.mark and row.index and tradable else None,
                carry_per_hour=pair.carry_per_hour,
                long_oi=pair.long_oi,
                short_oi=pair.short_oi,
                open_fee=pair.open_fee,
            )
        market = exchange.markets.get(symbol)
        if market is None:
            return row
        blocks_per_hour = HOUR_S / float(self._label.block_seconds)
        numerator, denominator = fee_rate(market)
        return replace(
            row,
            mark=market.mark,
            basis=market.mark / row.index - 1 if row.index and tradable else None,
            carry_per_hour=carry_step(market, 1) / market.params.index_scale * blocks_per_hour,
            long_oi=market.long_open_interest,
            short_oi=market.short_open_interest,
            open_fee=numerator / denominator,
            depth=market.quote_reserve,
        )

    def _status(self, world: World, desks: tuple[DeskRow, ...], keepers: tuple[KeeperRow, ...], now_ms: int) -> Status:
        health, age, text = self._feed.health(self._label.markets, now_ms)
        troubled = [keeper for keeper in keepers if keeper.health is not KeeperHealth.OK]
        label, arming = self._label, self._places.arming
        return Status(
            mode=label.mode,
            venue=label.venue,
            armed=arming.armed if arming else True,
            observing=bool(arming and arming.observing),
            block=self._places.block(world),
            now_ms=now_ms,
            feed=health,
            feed_age_ms=age,
            feed_text=text,
            agent=label.agent,
            keepers=max((keeper.health for keeper in keepers), key=_BADNESS.index, default=KeeperHealth.OK),
            keepers_text=", ".join(f"{keeper.name} {keeper.health}" for keeper in troubled),
            desks_open=sum(desk.position_id is not None for desk in desks),
            desks_halted=sum(desk.halted_by is not None for desk in desks),
            desks_waiting=sum(desk.position_id is None and desk.halted_by is None for desk in desks),
            alarms=(*self._more_alarms(now_ms), *label.standing_alarms, *_alarms(world, health, troubled, now_ms)),
            simulated=label.simulated,
            time_factor=label.time_factor,
            liquidations=world.exchange.liquidations,
        )


_BADNESS = (KeeperHealth.OK, KeeperHealth.LATE, KeeperHealth.FAILING, KeeperHealth.STOPPED)


def _alarms(world: World, feed: FeedHealth, troubled: Iterable[KeeperRow], now_ms: int) -> list[str]:
    found = [f"{keeper.name} {keeper.health}: {keeper.detail}" for keeper in troubled]
    if feed not in (FeedHealth.LIVE, FeedHealth.SLOW):
        found.append(f"feed {feed}: nothing is opened")
    return [*found, *world_alarms(world, now_ms)]


def world_alarms(world: World, now_ms: int) -> list[str]:
    """Those that follow from the journal alone."""
    found = []
    if world.exchange.uncovered_bad_debt:
        found.append(f"uncovered bad debt {money(world.exchange.uncovered_bad_debt, WAD)} USD")
    unknown = [
        called(desk.name, desk.address) for desk in world.house.desks.values() if desk.phase is DeskPhase.UNKNOWN
    ]
    if unknown:
        found.append(f"outcome unknown: {', '.join(unknown)}")
    late = [desk for desk in world.house.desks.values() if desk.order and now_ms - desk.ordered_at_ms >= LATE_ORDER_MS]
    if late:
        minutes = (now_ms - min(desk.ordered_at_ms for desk in late)) // 60_000
        found.append(f"no answer for {minutes} min: {', '.join(called(desk.name, desk.address) for desk in late)}")
    aside = [desk for desk in world.house.desks.values() if desk.quarantine]
    found += [f"{called(desk.name, desk.address)} quarantined: {desk.quarantine}" for desk in aside]
    if off := world.house.ledger[DIFFERENCE]:
        found.append(f"wallet {money(off)} USDC off the books")
    return found


def funds(world: World) -> tuple[tuple[str, Wad], ...]:
    """Both ledgers by kind of account, in 1e-18; the sum over all of them is zero."""
    totals: dict[str, int] = {}
    for prefix, ledger, unit in (("desks", world.house.ledger, MICRO), ("exchange", world.exchange.ledger, 1)):
        for account, amount in ledger.balances.items():
            name = f"{prefix}.{account.partition(':')[0]}"
            totals[name] = totals.get(name, 0) + amount * unit
    return tuple(sorted(totals.items()))
