"""Whether the chain moves and its contracts are what they were: what bars new risk, and what leaves the rest to people.

Two states beside the usual one. Reducing: nothing is opened. Halted: no rule closes anything either; an operator may.
"""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress

from engine.clock import Clock
from engine.config import ConfigError, Settings
from venue.avantis.addresses import AVANTIS, BASE
from venue.chain.agreed import AgreedNode
from venue.chain.endpoints import Endpoints
from venue.chain.heads import Connect, EndpointBlocks, Heads
from venue.chain.pins import Door, Pins
from venue.chain.stall import Stall
from venue.clanker.contracts import CLANKER
from venue.net.url import checked_url
from venue.uniswap.addresses import UNISWAP, RouterVersion

VENUE: Final = (AVANTIS.trading, AVANTIS.storage, AVANTIS.usdc)
"""What every order relies on."""
_SCHEMES: Final = {"wss": "https", "ws": "http"}


def contracts(settings: Settings) -> Mapping[ChecksumAddress, str]:
    """Everything that is sent to or trusted with money, and its name."""
    return {
        AVANTIS.trading: "trading",
        AVANTIS.storage: "storage",
        AVANTIS.usdc: "usdc",
        UNISWAP.permit2: "permit2",
        UNISWAP.v3_router: "v3 router",
        UNISWAP.universal[RouterVersion(settings.buybacks.router)]: "universal router",
        CLANKER.fee_locker: "fee locker",
        CLANKER.locker: "locker",
        CLANKER.older_locker: "older locker",
    }


def announcing(settings: Settings) -> Connect | None:
    """The subscription to new blocks; None: they are asked for. Raises ConfigError, which shows no URL."""
    if settings.base_ws_url is None:
        return None
    url = settings.base_ws_url.get_secret_value().strip()
    scheme, _, rest = url.partition("://")
    if scheme not in _SCHEMES:
        raise ConfigError("BASE_WS_URL: expected a URL that starts with wss://")
    try:
        checked_url(f"{_SCHEMES[scheme]}://{rest}", "BASE_WS_URL")
    except ValueError as error:
        raise ConfigError(f"BASE_WS_URL: {str(error).replace('https', 'wss')}") from None
    from venue.chain.subscription import subscribed  # its library takes most of a second to load

    return lambda: subscribed(url, BASE)


@dataclass(frozen=True, slots=True)
class ChainWatch:
    """What is known of both."""

    heads: Heads
    pins: Pins
    clock: Clock

    async def follow(self) -> str:
        """Keeps to the newest blocks until cancelled."""
        async with aclosing(self.heads.events()) as events:
            async for _ in events:
                pass
        return "no more blocks"

    def why_not(self) -> str:
        """Why nothing may be opened, or nothing."""
        return self.heads.pulse.why_not(self.clock.monotonic()) or self.pins.why_not(*VENUE)

    def why_stay(self) -> str:
        """Why no rule may leave a position, or nothing."""
        return self.heads.pulse.why_stay(self.clock.monotonic()) or self.pins.changed(*VENUE)

    def changed(self, address: ChecksumAddress) -> str:
        """Why nothing is sent to a contract that orders do not rely on; orders are judged before they are built."""
        return "" if address in VENUE else self.pins.changed(address)

    def alarms(self) -> tuple[str, ...]:
        """For people."""
        now_s, pulse = self.clock.monotonic(), self.heads.pulse
        found = []
        if (stall := pulse.stall(now_s)) is not Stall.NONE:
            bars = "HALTED, only you can close" if stall is Stall.FROZEN else "REDUCING, nothing is opened"
            found.append(f"{bars}: {pulse.why_not(now_s)}")
        for address, change in self.pins.changes.items():
            bars = "HALTED, only you can close" if address in VENUE else "not called any more"
            remedy = "avantis.pins expects another" if change.by_setting else "see `venue avantis accept-upgrade`"
            found.append(f"{bars}: {change}; {remedy}")
        return tuple(found)


def chain_watch(settings: Settings, endpoints: Endpoints, node: AgreedNode, door: Door, clock: Clock) -> ChainWatch:
    """Knows nothing yet. Raises ConfigError."""
    blocks = EndpointBlocks(endpoints)
    heads = Heads(blocks, announcing(settings), clock=clock.monotonic, sleep=clock.sleep)
    pins = Pins(node, door, contracts(settings), settings.avantis.pins, clock.now_ms)
    return ChainWatch(heads, pins, clock)
