"""What one account has on the exchange: free tokens, and open positions on pools and curves."""

from engine.exchange_rows import Account, HeldPosition, Holding, Side
from engine.requests.prices import PriceSource
from engine.watched import Ours
from venue.exchange.fixed import WAD, down
from venue.exchange.health import health
from venue.exchange.ledger import wallet
from venue.exchange.paper import everybody
from venue.exchange.pool.state import PoolPosition
from venue.exchange.pool.units import FLOAT
from venue.exchange.state import Exchange
from venue.exchange.tokens import CLEARING, whole


def account_of(exchange: Exchange, name: str, prices: PriceSource, ours: Ours = everybody) -> Account:
    """The account at these prices, whose positions are among `ours`; profit is unknown where a price is missing."""
    amounts = [(token, exchange.book(token)[wallet(name)]) for token in ("", *exchange.tokens)]
    holdings = tuple(Holding(token or CLEARING.symbol, whole(amount, token)) for token, amount in amounts if amount)
    pooled = (
        _in_pool(exchange, position, prices) for key, position in exchange.pool_positions.items() if key.account == name
    )
    return Account(name, holdings, (*pooled, *_on_curves(exchange, name, ours)))


def _in_pool(exchange: Exchange, position: PoolPosition, prices: PriceSource) -> HeldPosition:
    price = prices.one(exchange.pools[position.market].index)
    pnl = None
    if price is not None:
        worth = position.tokens * (price.min if position.is_long else price.max)
        pnl = down((worth - position.size if position.is_long else position.size - worth) * WAD, FLOAT)
    return HeldPosition(
        0,
        position.market,
        Side.LONG if position.is_long else Side.SHORT,
        position.collateral_token,
        whole(position.collateral, position.collateral_token),
        down(position.size * WAD, FLOAT),
        pnl,
    )


def _on_curves(exchange: Exchange, name: str, ours: Ours) -> tuple[HeldPosition, ...]:
    found = []
    for position in ours(exchange):
        if position.user_id == name:
            leaving = health(exchange.markets[position.market], position).exit
            side = Side.LONG if position.is_long else Side.SHORT
            pnl = leaving.pnl_trade + leaving.pnl_carry
            found.append(
                HeldPosition(
                    position.id,
                    position.market,
                    side,
                    CLEARING.symbol,
                    position.margin,
                    position.entry_notional,
                    pnl,
                )
            )
    return tuple(found)
