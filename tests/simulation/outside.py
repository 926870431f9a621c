"""All that outlives the process: the disk, the markets, the chain, the relay; and the network between, which loses,
delays and repeats."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

from engine.agent.signals import Window
from tests.simulation.adversary import LEVERAGES, LOOKBACK_MS, MARKETS, Saboteur, WildFeed, WildPrices
from tests.simulation.bars import Bars
from tests.simulation.disk import Disk
from tests.simulation.loop import SimClock, SimLoop
from tests.simulation.venues import LuckyFees, SlowSwap, start_price
from tests.simulation.weather import Weather
from tests.venue.avantis_writes import intent_house
from tests.venue.avantis_writes.intent_house import FakeVenue, Line
from tests.venue.avantis_writes.relay_stand import NOW
from tests.venue.chain.fake_chain import GWEI, FakeChain
from venue.avantis.relay import OnAccepted, Outcome
from venue.avantis.typed_signer import SignedIntent
from venue.chain.answers import Head, Receipt, Sent
from venue.chain.envelope import RpcCode, RpcError
from venue.exchange.paper import PaperVenue
from venue.perp import (
    CloseOrder,
    OpenOrder,
    OrderOutcome,
    PerpPosition,
    PositionRef,
    ReduceOrder,
    Unsettled,
)
from venue.pyth import FEEDS, LinkPhase, PriceBook, WireItem, WirePrice

EPOCH_MS = NOW
BLOCK_S = 2
DEEPEST = 9
"""Blocks that a reorg may take back: what is believed lies deeper."""
JUMPS_MS = (1_500, 30_000, 90_000, -1_500, -30_000, -90_000)
STANDS_S = (3.0, 8.0, 40.0)
"""How long a process may be stopped; three seconds are nothing."""


class FarChain(FakeChain):
    """A chain that only a network reaches."""

    def __init__(self, weather: Weather) -> None:
        super().__init__(weather.rng)
        self.weather = weather
        self.held: set[str] = set()
        """Bytes the journal has."""
        self.early: list[str] = []
        """What was sent before the journal had it."""

    def _maybe_crash(self) -> None:
        """Processes die elsewhere."""

    def _lucky(self, chance: float) -> bool:
        return self.weather.lucky(self.weather.loss and chance)

    async def _reach(self) -> None:
        await self.weather.way(5.0)
        if self.weather.lucky(self.weather.loss):
            raise RpcError(RpcCode.TOO_SLOW, "no whole answer in time")

    async def head(self) -> Head:
        await self._reach()
        return await super().head()

    async def nonce(self, address: str, block: int | None = None) -> int:
        await self._reach()
        return await super().nonce(address, block)

    async def receipt(self, tx_hash: str) -> Receipt | None:
        await self._reach()
        return await super().receipt(tx_hash)

    async def send_raw(self, raw: bytes) -> Sent:
        if f"0x{raw.hex()}" not in self.held:
            self.early.append(f"transaction {raw.hex()[:16]} was sent and is not in the journal")
        await self._reach()
        sent = await super().send_raw(raw)
        await self._reach()
        return sent

    def second(self) -> None:
        """What others do to it."""
        weather, rng = self.weather, self.weather.rng
        if weather.lucky(weather.repeats) and self.seen:
            self._take(rng.choice(list(self.seen.values())))
        if weather.lucky(weather.reorgs):
            self.reorg(rng.randint(1, DEEPEST), keep=rng.random() < 0.7)
        if weather.lucky(weather.loss / 10):
            self.base_fee = rng.choice((GWEI // 1000, GWEI // 10, 3 * GWEI))


class Wire(intent_house.Process):
    """What the relay's line asks for luck and patience."""

    def __init__(self, weather: Weather) -> None:
        super().__init__(weather.rng)
        self.weather = weather

    async def step(self) -> None:
        await self.weather.way(5.0)

    def lucky(self, chance: float) -> bool:
        return self.weather.lucky(self.weather.loss and chance)


class FarLine(Line):
    """The relay behind a network; notes whoever hands over what the journal does not know of."""

    submitted: set[int]
    early: list[str]

    async def submit(self, signed: SignedIntent, on_accepted: OnAccepted) -> Outcome:
        if signed.intent.nonce not in self.submitted:
            self.early.append(f"intent {signed.intent.nonce} was handed over and is not in the journal")
        return await super().submit(signed, on_accepted)


class Blind(OSError):
    """Nobody sees what stands at the venue."""


class FarVenue(PaperVenue):
    """The embedded exchange behind a network: orders come late or not at all, and answers are lost."""

    weather: Weather
    intended: set[str]
    """Orders the journal has."""
    early: list[str]
    seen: Callable[[], None]
    """Told when somebody has seen what stands there."""

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        if asyncio.get_running_loop().time() < self.weather.blind_until:
            raise Blind("no route to host")
        found = await super().positions()
        self.seen()
        return found

    async def open(self, order: OpenOrder) -> OrderOutcome:
        return await self._far(order)

    async def reduce(self, order: ReduceOrder) -> OrderOutcome:
        return await self._far(order)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        return await self._far(order)

    async def _far(self, order: OpenOrder | ReduceOrder | CloseOrder) -> OrderOutcome:
        if order.order_id not in self.intended:
            self.early.append(f"order {order.order_id} was sent and is not in the journal")
        await self.weather.way()
        if self.weather.lucky(self.weather.loss):
            return Unsettled(order.order_id)
        outcome = await self._send(order)
        await self.weather.way()
        return Unsettled(order.order_id) if self.weather.lucky(self.weather.loss) else outcome

    async def outcome(self, order_id: str) -> OrderOutcome:
        await self.weather.way()
        return Unsettled(order_id) if self.weather.lucky(self.weather.loss) else await super().outcome(order_id)


@dataclass
class _Oracle:
    prices: dict[str, int] = field(default_factory=lambda: {market: start_price(market) for market in MARKETS})


class EveryFeed(WildFeed):
    """Prices of everything the exchange lists, from nowhere."""

    def __init__(self, clock: SimClock, lookback_ms: int = LOOKBACK_MS) -> None:
        super().__init__()
        self._clock = clock
        self.book = PriceBook(FEEDS)
        self.windows = {symbol: Window(lookback_ms) for symbol in (*MARKETS, "USDC")}
        self.client = SimpleNamespace(state=SimpleNamespace(phase=LinkPhase.LIVE, reason=""))  # type: ignore[assignment]

    async def prime(self) -> None:
        """The next second tells."""

    async def close(self) -> None:
        """There is nothing to close."""


class Prices(WildPrices):
    """Moves now and then; says every second where it stands."""

    def __init__(self, rng: random.Random, clock: SimClock) -> None:
        super().__init__(rng, clock, _Oracle(), EveryFeed(clock))  # type: ignore[arg-type]
        self._every = rng.choice((3, 10, 30))
        self._seconds = 0

    def told_to(self, feed: EveryFeed) -> None:
        """Another process listens."""
        self._feed = feed

    def second(self) -> None:
        now_ms = self._clock.now_ms()
        self._seconds += 1
        if self._seconds % self._every == 0:
            self.step()
        else:
            for market in MARKETS:
                self._tell(market, now_ms)
        said = WirePrice(price="99980000", conf="20000", expo=-8, publish_time=now_ms // 1000)
        self._feed.book.apply(WireItem(id=FEEDS["USDC"].id, price=said), now_ms)


class Outside:
    """Everything of one history that no kill reaches."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.clock = SimClock(EPOCH_MS)
        self.weather = Weather.drawn(rng)
        self.disk = Disk(rng, self.weather)
        self.prices = Prices(rng, self.clock)
        self.chain = FarChain(self.weather)
        self.relay = FakeVenue(rng)
        self.line = FarLine(self.relay, Wire(self.weather))
        self.fees = LuckyFees(rng)
        self.swaps = SlowSwap(rng)
        self.saboteur = Saboteur(rng, rng.choice((0.05, 0.3, 0.7)), rng.choice((None, *LEVERAGES)))
        self.wanted = 0
        """Orders and transactions asked for by now; each has its number."""
        self.refused: set[str] = set()
        """Orders that were said to have no effect."""
        self.bars = Bars()
        self.standing = random.Random(f"{seed}:stands")
        self.stands = self.standing.choice((0.0, 0.0, 0.005))
        """Chance in a second that the process is stopped."""
        self._seconds = 0

    def second(self) -> None:
        """A second passes."""
        self._seconds += 1
        weather, rng = self.weather, self.rng
        weather.mist(asyncio.get_running_loop().time(), weather.blind)
        self.prices.second()
        if self._seconds % BLOCK_S == 0:
            self.chain.mine()
        self.chain.second()
        if self._seconds % 5 == 0:
            self.relay.pass_time(5_000)
        if weather.lucky(weather.jumps):
            was_ms, self.clock.off_ms = self.clock.off_ms, rng.choice(JUMPS_MS)
            self.bars.jumped(self.clock.off_ms - was_ms)
        if self.standing.random() < self.stands:
            self._stand(self.standing.choice(STANDS_S))

    def _stand(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop)
        loop.stands_still(seconds)
        self.bars.stood(seconds)

    def calm(self) -> None:
        """From now on everybody keeps their word."""
        self.weather.calm()
        self.stands = 0.0
        self.prices.wild = False
        self.swaps.trouble = 0.0
        self.chain.base_fee = GWEI // 100
