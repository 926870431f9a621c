"""Lists the configured markets on the embedded exchange, each curve anchored at its first tradable price."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from engine.clock import Clock
from engine.feed import Feed
from engine.sections import ExchangeSettings
from engine.settlement import Settlement
from venue.exchange.commands import FundInsurance, ListMarket
from venue.exchange.fixed import wad
from venue.exchange.ledger import INSURANCE
from venue.exchange.params import MarketParams
from venue.exchange.pool.params import PoolParams
from venue.exchange.pool.units import FLOAT, SHARE, factor
from venue.exchange.requests.book import RequestRules
from venue.exchange.requests.commands import FoundExchange, ListPool, RegisterKeeper
from venue.exchange.scenario.config import configured
from venue.exchange.scenario.pool_config import pool_params


@dataclass(frozen=True, slots=True)
class _Tokens:
    index: str
    long: str
    short: str


POOLS = {"ETH-USD": _Tokens("WETH", "WETH", "USDC"), "BTC-USD": _Tokens("WBTC", "WBTC", "USDC")}
POOL_PARAMS = PoolParams(
    min_first_deposit=10 * SHARE,
    borrowing_per_second=factor("0.00000001"),
    impact_distribution_per_second=10**12 * FLOAT,
)


async def found_exchange(settlement: Settlement, settings: ExchangeSettings, keepers: Mapping[str, bool]) -> None:
    """Names the exchange once, lists what pools are missing, registers the engine's keepers. Raises nothing twice."""
    known = await settlement.read(lambda world: (bool(world.exchange.requests.keepers), set(world.exchange.pools)))
    if not known[0]:
        await settlement.submit(FoundExchange(uuid.uuid4().hex, RequestRules()))
    for symbol in settings.pools:
        if symbol not in known[1]:
            tokens, params = POOLS[symbol], pool_params(settings.pool.get(symbol, {}), POOL_PARAMS)
            await settlement.submit(ListPool(symbol, tokens.index, tokens.long, tokens.short, params))
    for keeper, special in keepers.items():
        await settlement.submit(RegisterKeeper(keeper, special))


class MarketLister:
    """Each pass lists what can be listed by now; markets of an earlier run are there already."""

    def __init__(self, settlement: Settlement, feed: Feed, settings: ExchangeSettings, clock: Clock) -> None:
        self._settlement = settlement
        self._feed = feed
        self._settings = settings
        self._clock = clock

    async def pass_once(self) -> str:
        listed, insured = await self._settlement.read(
            lambda world: (frozenset(world.exchange.markets), INSURANCE in world.exchange.ledger.balances)
        )
        if not insured and self._settings.insurance_usd:
            await self._settlement.submit(FundInsurance(wad(self._settings.insurance_usd)))
        count = len(listed)
        for symbol in self._settings.markets:
            price = self._feed.book.tradable(symbol, self._clock.now_ms())
            if symbol not in listed and price is not None:
                params = MarketParams.anchored(
                    price.wad, wad(self._settings.depth_usd), Fraction(self._settings.max_leverage)
                )
                if self._settings.profile == "seed-literal":
                    params = replace(params, max_open_move=None)
                params = configured(self._settings.market.get(symbol, {}), params)
                await self._settlement.submit(ListMarket(symbol, params))
                count += 1
        return f"{count} of {len(self._settings.markets)} listed"
