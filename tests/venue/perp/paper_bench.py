"""The embedded exchange on a bench: a real settlement on a real journal."""

from collections.abc import Hashable
from fractions import Fraction

from engine.settlement import ExchangeDoor, Settlement
from tests.engine.house import ManualClock, done, kept
from venue.exchange import commands, curve
from venue.exchange.fixed import wad
from venue.exchange.health import health
from venue.exchange.ledger import EXTERNAL
from venue.exchange.paper import MIN_NOTIONAL, PaperVenue
from venue.exchange.requests.commands import SwitchFeature
from venue.exchange.requests.request import OrderType
from venue.exchange.state import Exchange, Market
from venue.perp import PositionRef

MICRO = 10**12
INSURANCE = wad(1_000_000)


class PaperBench:
    """Others trade against the desks with money the bench has counted."""

    market = "ETH"
    other_market = "BTC"

    def __init__(self, settlement: Settlement) -> None:
        self.settlement = settlement
        self.door = ExchangeDoor(settlement)
        self.venue = PaperVenue(self.door, MIN_NOTIONAL, "desk:", ManualClock().now_ms)
        self._others = 0
        """What others than desks have brought, 1e-18."""
        self._whales = 0

    async def look(self) -> Exchange:
        """The exchange itself, for a test to look at."""
        return await self.settlement.read(lambda world: world.exchange)

    async def insure(self) -> None:
        self._others += INSURANCE
        await done(self.settlement, commands.FundInsurance(INSURANCE))

    async def keep(self) -> None:
        await kept(self.settlement)

    async def move_price(self, market: str, factor: float) -> None:
        target = round((await self._market(market)).mark * Fraction(factor))
        for _ in range(500):
            here = await self._market(market)
            quote = curve.quote_to_reach(here.base_reserve, here.quote_reserve, target)
            most = here.quote_reserve // 70
            if abs(quote) < wad(10):
                return
            await self._whale(market, quote > 0, min(abs(quote), most))
        raise AssertionError("the price does not get there")

    async def liquidate(self, ref: PositionRef) -> None:
        for _ in range(100):
            exchange = await self.look()
            position = exchange.positions[ref.trade_index]
            if health(exchange.markets[ref.market], position).liquidatable:
                break
            await self.move_price(ref.market, 0.98 if ref.is_long else 1.02)
        await done(self.settlement, commands.AdvanceBlock())
        await done(self.settlement, commands.LiquidatePosition("liquidator", ref.trade_index))

    async def blind(self, market: str) -> bool:
        return False  # a curve always has a price; the one position it cannot price takes a state no order leads to

    async def close_market(self, market: str) -> bool:
        await done(self.settlement, SwitchFeature(f"create:{OrderType.MARKET_INCREASE}", False))
        return True

    async def strangers(self) -> None:
        for market in (self.market, self.other_market):
            await self._whale(market, True, wad(100))

    async def wallet(self) -> int | None:
        ledger = (await self.look()).ledger
        assert ledger.total() == 0
        paid, dust = divmod(ledger[EXTERNAL] + self._others, MICRO)
        assert dust == 0
        return paid

    async def fingerprint(self) -> Hashable:
        return self.settlement.seq, await self.settlement.read(repr)

    async def _market(self, symbol: str) -> Market:
        return (await self.look()).markets[symbol]

    async def _whale(self, market: str, is_long: bool, notional: int) -> None:
        """Somebody opens that much, a little less for the fee, without leverage."""
        self._whales += 1
        self._others += notional
        whale = f"whale-{self._whales}"
        order = commands.OpenPosition(
            user=whale, market=market, is_long=is_long, total=notional, leverage=Fraction(1), deposit=notional
        )
        await done(self.settlement, order)
