"""The places of a run with real money."""

from dataclasses import dataclass

from engine.clock import Clock
from engine.config import Settings
from engine.feed import Feed
from engine.live.doors import ChainDoor, claims_of
from engine.live.wiring import reading, trading
from engine.places import Loop, Places
from engine.settlement import Settlement
from engine.worker import Cadence
from venue.avantis.claims import Claim
from venue.chain.signer import Signer

SENDER = Cadence(1.5, 2.0)
POSITIONS = Cadence(2.5, 3.5)
TRUST = Cadence(500, 700)


@dataclass(frozen=True, slots=True)
class Live:
    """A run with real money. Its key is open already."""

    signer: Signer


def live_places(settings: Settings, live: Live, settlement: Settlement, feed: Feed, clock: Clock) -> Places:
    """Raises ConfigError."""
    read = reading(settings, clock)

    async def claims() -> tuple[Claim, ...]:
        return await settlement.read(claims_of)

    def mark(symbol: str) -> int | None:
        price = feed.book.tradable(symbol, clock.now_ms())
        return price.wad if price else None

    trade = trading(settings, read, live.signer, ChainDoor(settlement), claims, mark, clock)

    async def close() -> None:
        await trade.builder.aclose()
        await read.aclose()

    return Places(
        mode="LIVE",
        name="avantis",
        venue=trade.venue,
        swaps=trade.swaps,
        purse=trade.purse,
        fees=trade.fees,
        simulated="",
        simulated_money="",
        loops=(
            Loop("sender", SENDER, trade.keep_sending),
            Loop("claims", POSITIONS, trade.watch.look),
            Loop("trust", TRUST, read.trust.pass_once),
        ),
        close=close,
    )
