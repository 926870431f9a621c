"""The liquidation queue: which positions of the embedded exchange are nearest to their end."""

from collections.abc import Callable, Iterable

from engine.exchange_rows import Side
from engine.liquidations.book import LiquidationBook
from engine.liquidations.overdue import Overdue
from engine.snapshot import DeskRow, LiquidationRow, QueueCounts, QueueState
from venue.exchange.clearinghouse import liquidation_fee
from venue.exchange.fixed import WAD
from venue.exchange.health import Health, move_to_liquidation
from venue.exchange.state import Exchange, Market, Position

NEAR_SHARE = 0.8
SHOWN = 200


class LiquidationQueue:
    """Ranks open positions by loss as a share of the loss allowed, and notices those that nobody liquidates.

    `label` names an owner for the screen; `book` is the positions of the exchange it is asked about.
    """

    def __init__(self, label: Callable[[str], tuple[str, bool]], book: Callable[[Exchange], LiquidationBook]) -> None:
        self.label = label
        self._book = book
        self._overdue: Overdue[int] = Overdue()

    def rows(self, exchange: Exchange, now_ms: int) -> tuple[tuple[LiquidationRow, ...], QueueCounts]:
        """The nearest positions, and how many there are of each state."""
        book = self._book(exchange)
        due = [each.position_id for each in book.all_due(exchange) if each.open_block != exchange.current_block]
        self._overdue.look(due, now_ms)
        nearest = book.nearest(exchange, SHOWN)
        rows = tuple(self._row(position, exchange.markets[position.market], state) for position, state in nearest)
        near = sum(row.state is QueueState.NEAR for row in rows)
        oldest_id, oldest_ms = self._overdue.oldest(now_ms) or (None, None)
        overdue = self._overdue.overdue(now_ms)
        return rows, QueueCounts(len(due), near, len(book), overdue, oldest_ms, oldest_id)

    def _row(self, position: Position, market: Market, state: Health) -> LiquidationRow:
        owner, simulated = self.label(position.user_id)
        share = state.loss_share
        kind = QueueState.NEAR if share >= NEAR_SHARE else QueueState.WATCH
        return LiquidationRow(
            position_id=position.id,
            market=position.market,
            owner=owner,
            simulated=simulated,
            side=Side.LONG if position.is_long else Side.SHORT,
            notional=position.base_size * market.quote_reserve // market.base_reserve,
            leverage=state.leverage / WAD,
            loss_share=share,
            move=move_to_liquidation(market, position, state),
            fee=liquidation_fee(market, state.exit.close_notional),
            state=QueueState.READY if state.liquidatable else kind,
            entry=position.entry_price,
        )


def own_rows(desks: Iterable[DeskRow]) -> tuple[tuple[LiquidationRow, ...], QueueCounts]:
    """At a venue that shows nobody else's positions: those of the desks, nearest first.

    `loss_share` is how much of the way from entry to the liquidation price mark has gone, 0 when it went the other way.
    Positions whose mark or distance is not known are not ranked: their desks say that they are unknown.
    """
    rows = sorted(filter(None, map(_own, desks)), key=lambda row: row.move)
    ready, near = (sum(row.state is state for row in rows) for state in (QueueState.READY, QueueState.NEAR))
    return tuple(rows[:SHOWN]), QueueCounts(ready, near, len(rows))


def _own(desk: DeskRow) -> LiquidationRow | None:
    if desk.side is None or desk.market is None or not desk.mark or not desk.entry or desk.liq_move is None:
        return None
    direction = 1 if desk.side is Side.LONG else -1
    end = desk.mark * (1 - direction * desk.liq_move)
    allowed = (desk.entry - end) * direction
    share = 1.0 if desk.liq_move <= 0 or allowed <= 0 else max((desk.entry - desk.mark) * direction / allowed, 0.0)
    near = QueueState.NEAR if share >= NEAR_SHARE else QueueState.WATCH
    return LiquidationRow(
        position_id=desk.position_id or 0,
        market=desk.market,
        owner=desk.token,
        simulated=False,
        side=desk.side,
        notional=desk.notional or 0,
        leverage=desk.leverage or 0.0,
        loss_share=share,
        move=max(desk.liq_move, 0.0),
        fee=None,
        state=QueueState.READY if desk.liq_move <= 0 else near,
        entry=desk.entry,
    )
