"""Fees in and buybacks out, over the wallet's sender."""

from collections.abc import Collection
from dataclasses import dataclass

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from engine.clock import Clock
from engine.config import Settings
from engine.live.fees import LiveFees
from engine.settlement import Settlement
from engine.world import World
from venue.avantis import rules as avantis
from venue.avantis.addresses import AVANTIS
from venue.avantis.asked import LIMITS
from venue.chain.agreed import AgreedNode
from venue.chain.guard import Guard, Rule
from venue.chain.sender import Door, Sender
from venue.clanker import rules as clanker
from venue.clanker.claimer import Claimer, Parts
from venue.clanker.launches import Launches
from venue.clanker.reader import Reader
from venue.swap import SwapDeclined
from venue.uniswap import rules as uniswap
from venue.uniswap.addresses import UNISWAP, RouterVersion
from venue.uniswap.buyer import Buyer
from venue.uniswap.hops import Hops
from venue.uniswap.plan import Planner
from venue.uniswap.pools import AgeOf, Pools
from venue.uniswap.route import Limits

LONG_AGO_S = 2**40
WETH = 10**18


class Drain:
    """Spends the WETH that lay in the wallet when the process began, once; `most` in 1e-18."""

    def __init__(self, buyer: Buyer, most: int) -> None:
        self._buyer = buyer
        self._most = most
        self._done = not most
        self.why = ""
        """Why it could not be spent yet."""

    async def pass_once(self) -> str:
        """Tries until it is under way or there is none."""
        if self._done:
            return "drained"
        outcome = await self._buyer.drain(self._most)
        self._done = not isinstance(outcome, SwapDeclined)
        self.why = f"{outcome.code}: {outcome.detail}" if isinstance(outcome, SwapDeclined) else ""
        return self.why or ("no WETH" if outcome is None else "draining")


@dataclass(frozen=True, slots=True)
class Money:
    """What moves money besides orders."""

    buyer: Buyer
    drain: Drain
    claimer: Claimer
    fees: LiveFees


def protocol_token(settings: Settings) -> ChecksumAddress | None:
    """None: not configured."""
    text = settings.buybacks.protocol_token
    return to_checksum_address(text) if text else None


def allowed(
    settings: Settings, wallet: ChecksumAddress, tokens: Collection[ChecksumAddress]
) -> dict[ChecksumAddress, tuple[Rule, ...]]:
    """The whole allow-list of the wallet. USDC has one rule for all its spenders: lists joined by address lose one."""
    bought = frozenset(tokens) | {token for token in (protocol_token(settings),) if token}
    spenders = (AVANTIS.storage, UNISWAP.permit2, UNISWAP.v3_router)
    return {
        **avantis.rules(wallet),
        **uniswap.rules(wallet, bought, RouterVersion(settings.buybacks.router)),
        **clanker.rules(wallet, tokens, [UNISWAP.usdc]),
        AVANTIS.usdc: (uniswap.approval(spenders, LIMITS.most_collateral),),
    }


def money_of(
    settings: Settings, node: AgreedNode, guard: Guard, sender: Sender, door: Door, wallet: ChecksumAddress, age: AgeOf
) -> Money:
    """Buybacks keep to `buybacks.slippage_pct` per swap."""
    launches = Launches(node, wallet)
    planner = Planner(UNISWAP, RouterVersion(settings.buybacks.router), Limits(), wallet)
    slippage_ppm = int(settings.buybacks.slippage_pct * 10**6)
    hops = Hops(Pools(node, planner, launches.pool, age), guard, sender, slippage_ppm)
    reader = Reader(node, wallet, UNISWAP.usdc)
    claimer = Claimer(Parts(reader, launches, guard, sender, door, settings.chain.confirmations))
    buyer = Buyer(hops, door, protocol_token(settings))
    drain = Drain(buyer, int(settings.buybacks.drain_weth * WETH))
    return Money(buyer, drain, claimer, LiveFees(claimer))


def ages(settings: Settings, settlement: Settlement, clock: Clock) -> AgeOf:
    """A launch is at least as old as its enrolment; the protocol's own token is the operator's word."""

    async def age(token: ChecksumAddress) -> int | None:
        if token == protocol_token(settings):
            return LONG_AGO_S

        def enrolled(world: World) -> int | None:
            desk = world.house.desks.get(token.lower())
            return desk.enrolled_at_ms if desk else None

        at_ms = await settlement.read(enrolled)
        return None if at_ms is None else max(0, clock.now_ms() - at_ms) // 1000

    return age
