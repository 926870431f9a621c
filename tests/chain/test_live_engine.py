"""The whole engine with real money on a chain of its own: from a launch's fees to a position and to buybacks."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path

import pytest

from engine import assembly
from engine.arming import Arming
from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.config import Settings, load
from engine.engine import Engine, Options
from engine.live import places
from engine.live.places import Live
from engine.sections import Buybacks, Desks, Pyth, Risk, Signal, Token
from engine.snapshot import DeskPhase
from engine.worker import Cadence
from store.errors import WrongState
from tests.chain.avantis_servers import ETH
from tests.chain.node import KEYS
from tests.chain.stage import TOKEN, TRADER, USDC_KEY
from tests.cli.conftest import live
from tests.cli.live import MONEY, LiveVenue
from tests.patient import PATIENCE_S
from venue.avantis.addresses import AVANTIS, BASE
from venue.avantis.units import TEN
from venue.chain.pins import IMPLEMENTATION
from venue.chain.signer import Signer, account_of
from venue.pyth import FEEDS, PricePath
from venue.pyth.simulator import HermesSimulator
from venue.uniswap.addresses import UNISWAP

__all__ = ["live"]
SOON = Cadence(1.0, 1.2)
FEES = 200 * 10**6


def now_ms() -> int:
    return time.time_ns() // 10**6


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch, live: LiveVenue) -> None:
    for name in ("FEE_CLAIMER", "DESK_MANAGER", "CREATOR_BUYBACK", "BUYBACK_ENGINE", "PRICE_SAMPLER"):
        monkeypatch.setattr(assembly, name, SOON)
    monkeypatch.setattr(places, "PINS", Cadence(2.0, 2.2))
    for name, value in live.env().items():
        if not name.startswith(("PERPDESK_PYTH", "PERPDESK_VENUE")):
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="module", autouse=True)
def launched(live: LiveVenue) -> None:
    async def prepare() -> None:
        await live.stage.launch(TOKEN, USDC_KEY, [(TRADER, 10_000)])
        await live.stage.accrue_fees(TOKEN, UNISWAP.usdc, FEES)
        await live.stage.rate(USDC_KEY, UNISWAP.usdc, 10**18, 10**6)

    live.do(prepare())
    live.approve(MONEY)


@asynccontextmanager
async def oracle(live: LiveVenue) -> AsyncIterator[str]:
    """Hermes on loopback, and a venue that sees the same prices."""
    simulator = HermesSimulator(PricePath(1, now_ms(), speed=5.0), FEEDS, None, now_ms)
    await simulator.start()

    async def follow() -> None:
        while True:
            live.world.price[ETH] = simulator.path.at("ETH", now_ms())[0] * TEN // 10 ** -FEEDS["ETH"].expo
            await asyncio.sleep(0.2)

    task = asyncio.create_task(follow())
    try:
        yield simulator.url
    finally:
        task.cancel()
        await simulator.stop()


def settings(url: str) -> Settings:
    """An agent that enters whatever moves, on a small launch."""
    return load().model_copy(
        update={
            "pyth": Pyth(url=url),
            "desks": Desks(tokens=(Token(address=str(TOKEN), name="CAT"),)),
            "signal": Signal(entry_momentum_pct=Decimal(0), max_volatility_pct=Decimal(1), momentum_lookback_ms=15_000),
            "risk": Risk(open_interval_s=0),
            "buybacks": Buybacks(protocol_token=str(TOKEN)),
            "exchange": load().exchange.model_copy(update={"markets": ("ETH",)}),
        }
    )


def implement(live: LiveVenue, address: bytes) -> None:
    """Trading stands for another from now on."""
    live.do(live.node.set_storage(AVANTIS.trading, IMPLEMENTATION, address))


class Run:
    """One process's engine."""

    def __init__(self, url: str, directory: Path, *, live: bool = True) -> None:
        signer = Signer(account_of(bytes.fromhex(KEYS[0][2:])), BASE)
        options = Options(settings(url), directory, None, Live((signer,), Arming(armed=True)) if live else None)
        self.engine = Engine(options, SystemClock(), Chronicle())
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(self.engine.run(self.ready.set, self.stop))

    async def until(self, seen: Callable[[], bool]) -> None:
        """Raises AssertionError with the history when it does not come."""
        end = time.monotonic() + PATIENCE_S
        while not (self.ready.is_set() and seen()):
            assert not self.task.done(), self.task.exception()
            assert time.monotonic() < end, self.history()
            await asyncio.sleep(0.05)

    def history(self) -> str:
        told = [f"{event.kind}: {event.text}" for event in self.engine.chronicle.since(0).events]
        loops = [f"{each.row().name}: {each.row().detail}" for each in self.engine.parts.all_workers()]
        return "\n".join([*told, *loops])

    @property
    def phase(self) -> DeskPhase:
        return self.engine.snapshot.desks[0].phase

    def alarms(self, start: str) -> list[str]:
        return [text for text in self.engine.snapshot.status.alarms if text.startswith(start)]

    def told(self, kind: str) -> list[str]:
        return [event.text for event in self.engine.chronicle.since(0).events if event.kind == kind]

    async def die(self) -> None:
        """Without a word to anybody."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def test_fees_become_a_position_and_buybacks_across_two_deaths(live: LiveVenue, tmp_path: Path) -> None:
    async with oracle(live) as url:
        live.keeping = False
        first = Run(url, tmp_path)
        await first.until(lambda: first.phase is DeskPhase.OPENING)
        await first.die()
        second = Run(url, tmp_path)
        await second.until(lambda: second.phase is DeskPhase.OPENING)
        await asyncio.sleep(0)
        await second.die()
        live.keeping = True
        third = Run(url, tmp_path)
        await third.until(lambda: third.phase is DeskPhase.OPEN)
        await third.until(lambda: any("burned" in text for text in third.told("buyback")))
        await third.until(lambda: third.engine.snapshot.desks[0].position_id is not None)
        implement(live, b"\2" * 20)
        await third.until(lambda: any("trading" in text for text in third.alarms("HALTED, only you can close")))
        implement(live, b"")
        await third.until(lambda: not third.alarms("HALTED"))
        third.stop.set()
        await third.task
        status = third.engine.snapshot.status
        assert (status.mode, status.venue, status.simulated) == ("LIVE", "avantis", "")
        assert len(third.told("open")) == 1
        assert [text for text in third.told("fees") if "200.00" in text]
        assert sum(order.status == "executed" for order in live.reader.orders().values()) == 1
        with pytest.raises(WrongState, match="belongs to the wallet"):
            await Run(url, tmp_path, live=False).task
