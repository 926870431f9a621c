"""The liquidation queue: which positions of the embedded exchange are nearest to their end."""

from collections.abc import Callable
from heapq import nlargest

from engine.exchange_rows import Side
from engine.snapshot import LiquidationRow, QueueCounts, QueueState
from venue.exchange.clearinghouse import liquidation_fee
from venue.exchange.fixed import WAD
from venue.exchange.health import Health, health, move_to_liquidation
from venue.exchange.state import Exchange, Market, Position

NEAR_SHARE = 0.8
SHOWN = 200


class LiquidationQueue:
    """Ranks open positions by loss as a share of the loss allowed. `label` names an owner for the screen."""

    def __init__(self, label: Callable[[str], tuple[str, bool]]) -> None:
        self.label = label

    def rows(self, exchange: Exchange) -> tuple[tuple[LiquidationRow, ...], QueueCounts]:
        """The nearest positions, and how many there are of each state."""
        found = []
        ready = near = 0
        for position in exchange.open_positions.values():
            market = exchange.markets[position.market]
            state = health(market, position)
            ready += state.liquidatable
            near += not state.liquidatable and state.loss_share >= NEAR_SHARE
            found.append((state.loss_share, position.id, position, market, state))
        nearest = nlargest(SHOWN, found, key=lambda item: item[:2])
        rows = tuple(self._row(position, market, state) for _, _, position, market, state in nearest)
        return rows, QueueCounts(ready, near, len(found))

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
