"""Lists the configured markets on the embedded exchange, each curve anchored at its first tradable price."""

from dataclasses import replace
from fractions import Fraction

from engine.clock import Clock
from engine.config import ExchangeSettings
from engine.feed import Feed
from engine.settlement import Settlement
from venue.exchange.commands import FundInsurance, ListMarket
from venue.exchange.fixed import wad
from venue.exchange.ledger import INSURANCE
from venue.exchange.params import MarketParams
from venue.exchange.scenario.config import configured


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
