"""Pools as rows of the snapshot."""

from engine.exchange_rows import PoolRow, Wad
from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.fixed import WAD, down
from venue.exchange.ledger import EXTERNAL
from venue.exchange.pool import state as accounts
from venue.exchange.pool import value
from venue.exchange.pool.state import Pool
from venue.exchange.pool.units import FLOAT, Prices, TokenPrice
from venue.exchange.state import Exchange
from venue.exchange.tokens import whole


def pool_row(exchange: Exchange, pool: Pool, prices: tuple[TokenPrice, ...], now_ms: int) -> PoolRow:
    """A pool at these prices; where one is missing, what is worth USD is unknown."""
    draft = Draft(exchange, now_ms)
    symbol, params = pool.symbol, pool.params

    def held(token: str, account: str) -> Wad:
        return whole(exchange.book(token)[account], token)

    found = Prices(prices)
    is_priced = all(token in found for token in pool.tokens)
    worth = token_price = pnl = reserved = None
    if is_priced:
        try:
            worth = down(value.pool_value(draft, pool, found, params.max_pnl_deposits, maximize=True) * WAD, FLOAT)
            token_price = down(
                value.market_token_price(draft, pool, found, params.max_pnl_deposits, maximize=True) * WAD, FLOAT
            )
            pnl = down(sum(value.side_pnl(pool, found, side, maximize=True) for side in value.SIDES) * WAD, FLOAT)
            reserved = max(value.reserved_share(draft, pool, found, side) for side in value.SIDES) / FLOAT
        except Refused:
            is_priced = False
    return PoolRow(
        symbol=symbol,
        enabled=pool.enabled,
        priced=is_priced,
        index=pool.index,
        long=pool.long,
        short=pool.short,
        long_amount=held(pool.long, accounts.liquidity(symbol)),
        short_amount=held(pool.short, accounts.liquidity(symbol)),
        value=worth,
        token_price=token_price,
        supply=-exchange.book(pool.market_token)[EXTERNAL],
        impact_long=held(pool.long, accounts.impact_pool(symbol)),
        impact_short=held(pool.short, accounts.impact_pool(symbol)),
        impact_position=whole(pool.position_impact, pool.index) if pool.index else 0,
        fees_long=held(pool.long, accounts.fees(symbol)),
        fees_short=held(pool.short, accounts.fees(symbol)),
        long_oi=down(pool.long_interest.usd * WAD, FLOAT),
        short_oi=down(pool.short_interest.usd * WAD, FLOAT),
        traders_pnl=pnl,
        reserved=reserved,
        positions=sum(key.market == symbol for key in exchange.pool_positions),
    )
