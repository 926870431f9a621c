"""Builds the snapshot: the committed world, the venue's positions and the prices, as one picture."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.desks.manager import DeskManager
from engine.desks.state import Desk, House, deployed, pending, realised
from engine.exchange_rows import Side, Wad
from engine.feed import Feed
from engine.keepers.requests import Notes
from engine.queue import LiquidationQueue
from engine.requests.account import account_of
from engine.requests.pool_rows import pool_row
from engine.requests.prices import PriceSource
from engine.requests.rows import RequestRows, request_counts
from engine.snapshot import (
    DecisionRow,
    DeskPhase,
    DeskRow,
    ExitQuote,
    FeedHealth,
    KeeperHealth,
    KeeperRow,
    MarketRow,
    Outcome,
    Snapshot,
    Status,
)
from engine.text import money
from engine.world import World
from venue.exchange.clearinghouse import fee_rate
from venue.exchange.fixed import WAD
from venue.exchange.machine import carry_step
from venue.exchange.state import Exchange
from venue.exchange.tokens import TOKENS
from venue.perp import PerpPosition, PositionRef, Usdc

MICRO = 10**12
HOUR_S = 3_600


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


class View:
    """Makes snapshots on demand; keeps nothing but where its parts are."""

    def __init__(
        self,
        label: Label,
        feed: Feed,
        manager: DeskManager,
        queue: LiquidationQueue,
        prices: PriceSource,
        notes: Notes,
    ) -> None:
        self._label = label
        self._feed = feed
        self._manager = manager
        self._queue = queue
        self._prices = prices
        self._requests = RequestRows(notes, self._label_of)
        self._names: dict[str, str] = {}

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
        desks = tuple(self._desk(desk, world.house, positions) for desk in world.house.desks.values())
        liquidations, counts = self._queue.rows(world.exchange)
        return Snapshot(
            seq=seq,
            at_ms=now_ms,
            status=self._status(world, desks, keepers, now_ms),
            desks=desks,
            markets=tuple(self._market(symbol, world.exchange, now_ms) for symbol in self._feed.windows),
            decisions=_decisions(world.house),
            liquidations=liquidations,
            queue=counts,
            keepers=keepers,
            funds=funds(world),
            requests=self._requests.build(world.exchange, {token: self._prices.one(token) for token in TOKENS}, now_ms),
            request_counts=request_counts(world.exchange),
            mine=account_of(world.exchange, self._label.operator, self._prices),
            pools=tuple(
                pool_row(world.exchange, pool, self._prices.of(pool.tokens), now_ms)
                for pool in world.exchange.pools.values()
            ),
        )

    def _label_of(self, account: str) -> tuple[str, bool]:
        """A desk by its token's name, everybody else as they are."""
        owner, simulated = self._queue.label(account)
        return self._names.get(owner, owner), simulated

    def _desk(self, desk: Desk, house: House, positions: Mapping[PositionRef, PerpPosition]) -> DeskRow:
        held = house.ledger[pending(desk.address)]
        leverage = self._manager.leverage(desk.ref.market if desk.ref else "")
        needed = self._manager.min_deploy(leverage)
        row = DeskRow(
            address=desk.address,
            token=desk.name,
            phase=desk.phase,
            version=desk.version,
            pending=held * MICRO,
            min_deploy=needed * MICRO,
            note=self._note(desk, held, needed, leverage, house),
            halted_by=desk.halted_by,
            halted_at_ms=desk.halted_at_ms,
            market=desk.ref.market if desk.ref else None,
            side=_side(desk.ref.is_long) if desk.ref else None,
            position_id=desk.ref.trade_index if desk.ref else None,
            fees_total=desk.fees_total * MICRO,
            realised=house.ledger[realised(desk.address)] * MICRO,
        )
        position = positions.get(desk.ref) if desk.ref else None
        return row if position is None else _with_position(row, position)

    def _note(self, desk: Desk, held: Usdc, needed: Usdc, leverage: int, house: House) -> str:
        if desk.order is not None:
            return f"{desk.order.kind} order has no answer yet"
        if desk.ref is not None:
            return "at the position cap" if self._manager.at_cap(house.ledger[deployed(desk.address)]) else ""
        if not self._manager.knows_markets:
            return "waiting for the venue's markets"
        if held < needed:
            return f"{money(held * leverage // WAD)} of {money(needed * leverage // WAD)} min notional, waiting"
        if desk.word and desk.word.outcome in (Outcome.NONE, Outcome.REFUSED):
            return "no entry, asked again at the next pass"
        return "waiting for the next pass"

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
        label = self._label
        return Status(
            mode=label.mode,
            venue=label.venue,
            block=world.exchange.current_block,
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
            alarms=(*label.standing_alarms, *_alarms(world, health, troubled)),
            simulated=label.simulated,
            time_factor=label.time_factor,
            liquidations=world.exchange.liquidations,
        )


_BADNESS = (KeeperHealth.OK, KeeperHealth.LATE, KeeperHealth.FAILING, KeeperHealth.STOPPED)


def _alarms(world: World, feed: FeedHealth, troubled: Iterable[KeeperRow]) -> list[str]:
    found = [f"{keeper.name} {keeper.health}: {keeper.detail}" for keeper in troubled]
    if feed not in (FeedHealth.LIVE, FeedHealth.SLOW):
        found.append(f"feed {feed}: nothing is opened")
    if world.exchange.uncovered_bad_debt:
        found.append(f"uncovered bad debt {money(world.exchange.uncovered_bad_debt, WAD)} USD")
    unknown = [desk.name for desk in world.house.desks.values() if desk.phase is DeskPhase.UNKNOWN]
    if unknown:
        found.append(f"outcome unknown: {', '.join(unknown)}")
    return found


def funds(world: World) -> tuple[tuple[str, Wad], ...]:
    """Both ledgers by kind of account, in 1e-18; the sum over all of them is zero."""
    totals: dict[str, int] = {}
    for prefix, ledger, unit in (("desks", world.house.ledger, MICRO), ("exchange", world.exchange.ledger, 1)):
        for account, amount in ledger.balances.items():
            name = f"{prefix}.{account.partition(':')[0]}"
            totals[name] = totals.get(name, 0) + amount * unit
    return tuple(sorted(totals.items()))


def _decisions(house: House) -> tuple[DecisionRow, ...]:
    rows = [
        DecisionRow(
            desk.address, desk.name, desk.word.at_ms, desk.word.source, desk.word.outcome, desk.word.text, desk.word.seq
        )
        for desk in house.desks.values()
        if desk.word
    ]
    return tuple(sorted(rows, key=lambda row: -row.seq))


def _with_position(row: DeskRow, position: PerpPosition) -> DeskRow:
    return replace(
        row,
        leverage=position.leverage / WAD,
        collateral=position.collateral * MICRO,
        notional=position.notional * MICRO,
        entry=position.entry,
        mark=position.mark,
        pnl=_wad(position.pnl),
        pnl_price=_wad(position.pnl_price),
        pnl_carry=_wad(position.pnl_carry),
        liq_move=position.liq_move,
        exit=_exit(position),
    )


def _exit(position: PerpPosition) -> ExitQuote | None:
    if position.exit_price is None or position.exit_payout is None or not position.mark:
        return None
    move = position.exit_price / position.mark - 1
    return ExitQuote(position.exit_price, move if position.ref.is_long else -move, position.exit_payout * MICRO)


def _side(is_long: bool) -> Side:
    return Side.LONG if is_long else Side.SHORT


def _wad(amount: Usdc | None) -> Wad | None:
    return None if amount is None else amount * MICRO
