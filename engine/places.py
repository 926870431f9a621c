"""Where money is: the venue of the desks, where tokens are bought, where fees come from, and the wallet."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from engine.arming import Arming
from engine.clock import Clock
from engine.demo.fees import SimulatedFees
from engine.demo.names import TRADERS
from engine.demo.stage import Demo
from engine.demo.swap import PaperSwap
from engine.desk_rows import WalletRow
from engine.fees import FeeSource
from engine.keeper_rows import Work
from engine.paper_wallet import DESK_PREFIX
from engine.settlement import ExchangeDoor, Settlement
from engine.wallet import PaperPurse, Wallet
from engine.watched import Ours
from engine.worker import Cadence
from engine.world import World
from venue.exchange.paper import MIN_NOTIONAL, PaperVenue, everybody
from venue.perp import PerpVenue
from venue.swap import SwapVenue


@dataclass(frozen=True, slots=True)
class Pair:
    """A market at a live venue; mark and open interest (USD) in 1e-18, rates and fees as fractions."""

    mark: int | None
    carry_per_hour: float | None
    long_oi: int | None
    short_oi: int | None
    open_fee: float


@dataclass(frozen=True, slots=True)
class Loop:
    """Something a place needs done again and again."""

    name: str
    cadence: Cadence
    work: Callable[[], Awaitable[str]]
    looks: bool = False
    """Only reads, so that a run that observes has it as well."""
    counts: Callable[[], Work] | None = None
    endless: bool = False
    """Its work goes on until it fails."""


async def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Places:
    """Everything that touches money, on paper or for real."""

    mode: str
    """PAPER or LIVE."""
    name: str
    """Of the venue, for the status line."""
    venue: PerpVenue
    swaps: SwapVenue
    purse: Wallet
    fees: FeeSource | None
    """None: no fees arrive."""
    simulated: str
    """What is invented, for the status line; and which of it moves the desks' money."""
    simulated_money: str
    embedded: bool = True
    """Whether the embedded exchange runs: where it does not, nothing on the screen may look as if it did."""
    loops: tuple[Loop, ...] = ()
    alarms: Callable[[], tuple[str, ...]] = tuple
    """What a person should know now."""
    pairs: Callable[[], Mapping[str, Pair]] = dict
    """What is known of markets beyond their prices, by symbol, where the venue is not the embedded exchange."""
    block: Callable[[World], int | None] = lambda world: world.exchange.current_block
    """The newest block; None is unknown."""
    wallets: Callable[[World], tuple[WalletRow, ...]] = lambda _: ()
    """The wallets of a live run, each by itself."""
    low_gas: Callable[[str], str] = lambda _: ""
    """Why a wallet of a live run opens nothing for want of gas, or empty; orders that need none are never held up."""
    unseen: Callable[[], str] = lambda: ""
    """Why the venue does not know what stands there, or nothing."""
    arming: Arming | None = None
    """Whether orders may be begun; None: no real money is at stake."""
    close: Callable[[], Awaitable[None]] = _nothing


def invented(demo: bool) -> tuple[str, str]:
    """What is simulated on paper, and which of it moves the desks' money."""
    return (f"prices, fees, {TRADERS} traders", "fees and swaps") if demo else ("", "swaps")


def on_paper(settlement: Settlement, demo: Demo | None, seed: int, clock: Clock, ours: Ours = everybody) -> Places:
    """The embedded exchange, an invented market for tokens, and a wallet the journal keeps."""
    simulated, simulated_money = invented(demo is not None)
    return Places(
        mode="PAPER",
        name="exchange",
        venue=PaperVenue(ExchangeDoor(settlement), MIN_NOTIONAL, DESK_PREFIX, clock.now_ms, ours),
        swaps=PaperSwap(seed, clock.now_ms),
        purse=PaperPurse(settlement),
        fees=SimulatedFees(seed, random.Random(f"{seed}:fees")) if demo else None,  # noqa: S311 - a simulation
        simulated=simulated,
        simulated_money=simulated_money,
    )
