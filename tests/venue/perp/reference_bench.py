"""The reference venue on a bench."""

import random
from collections.abc import Hashable
from fractions import Fraction

from tests.venue.perp.bench import WAD
from tests.venue.perp.reference import ReferenceVenue
from tests.venue.perp.reference_book import FOR_EVER, Faults, Rules
from venue.perp import PositionRef


class ReferenceBench:
    """The oracle is the bench's."""

    market = "ETH"
    other_market = "BTC"

    def __init__(self, rules: Rules | None = None, faults: Faults | None = None, seed: int = 1) -> None:
        prices = {"BTC": 60_000 * WAD, "ETH": 2_000 * WAD}
        self.venue = ReferenceVenue(random.Random(seed), prices, rules, faults)

    async def keep(self) -> None:
        self.venue.act()

    async def move_price(self, market: str, factor: float) -> None:
        self.venue.prices[market] = round(self.venue.prices[market] * Fraction(factor))

    async def liquidate(self, ref: PositionRef) -> None:
        for _ in range(200):
            if await self.venue.ended(ref) is not None:
                return
            await self.move_price(ref.market, 0.99 if ref.is_long else 1.01)
            self.venue.act()
        raise AssertionError("the position outlives everything")

    async def blind(self, market: str) -> bool:
        self.venue.blind_until[market] = FOR_EVER
        return True

    async def close_market(self, market: str) -> bool:
        self.venue.closed_until[market] = FOR_EVER
        return True

    async def strangers(self) -> None:
        """It has none."""

    async def wallet(self) -> int | None:
        return self.venue.wallet

    async def fingerprint(self) -> Hashable:
        return repr(vars(self.venue))
