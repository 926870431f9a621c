"""Wallets that say what a test wants, over a real settlement."""

from dataclasses import dataclass, field

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from engine.desks.commands import BookFees, EnrollToken, IntendOpen, PinDesk
from engine.settlement import Settlement
from engine.wallet import Balances
from tests.engine.house import OTHER, TOKEN, done
from venue.chain.abi import AbiError
from venue.clanker.launches import Launch, Launches
from venue.clanker.locker import Rewards
from venue.exchange.fixed import WAD
from venue.perp import (
    Capabilities,
    CloseOrder,
    Declined,
    Ended,
    Filled,
    MarketTerms,
    OpenOrder,
    Order,
    OrderOutcome,
    PerpPosition,
    PositionRef,
    Quote,
    ReduceOrder,
    UnknownPnl,
)
from venue.swap import SwapDeclined, SwapOrder, SwapOutcome, Swapped
from venue.uniswap.addresses import UNISWAP
from venue.uniswap.v4 import PoolKey

FIRST = to_checksum_address("0x" + "11" * 20)
SECOND = to_checksum_address("0x" + "22" * 20)
THIRD = to_checksum_address("0x" + "33" * 20)
DOLLAR = 10**6
BARE = PositionRef("ETH", True, 7, 0)
HOOK = to_checksum_address("0x" + "44" * 20)


class ScriptedVenue:
    """One wallet's: everything is filled at the first slot, and what was asked is kept."""

    name = "avantis"

    def __init__(self, *, gas: bool = True) -> None:
        self.capabilities = Capabilities(reduces=True, worst_price=True, max_positions=3, gas=gas)
        self.asked: list[Order] = []
        self.outcomes: dict[str, OrderOutcome] = {}
        self.held: dict[PositionRef, PerpPosition] = {BARE: position()}
        self.gone: Ended | None = None

    async def markets(self) -> dict[str, MarketTerms]:
        return {"ETH": MarketTerms("ETH", 40 * WAD, 100 * DOLLAR)}

    async def quote(self, order: Order) -> Quote | Declined:
        self.asked.append(order)
        return Quote(2000 * WAD, 2000 * WAD, 100 * DOLLAR, 0)

    async def open(self, order: OpenOrder) -> OrderOutcome:
        return self._filled(order)

    async def reduce(self, order: ReduceOrder) -> OrderOutcome:
        return self._filled(order)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        return self._filled(order)

    async def outcome(self, order_id: str) -> OrderOutcome:
        return self.outcomes.get(order_id, Declined(order_id, "NEVER_SENT", "nothing was sent"))

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        return dict(self.held)

    async def ended(self, ref: PositionRef) -> Ended | None:
        return self.gone if ref in self.held else None

    def _filled(self, order: Order) -> Filled:
        self.asked.append(order)
        return filled(order.order_id)


def filled(order_id: str) -> Filled:
    return Filled(order_id, BARE, 2000 * WAD, 100 * DOLLAR, 0, 0)


def position() -> PerpPosition:
    unknown = UnknownPnl("no price")
    return PerpPosition(BARE, "", 10 * DOLLAR, 100 * DOLLAR, 10 * WAD, 2000 * WAD, None, unknown, None, None, None)


class ScriptedSwaps:
    """One wallet's buyer: it buys whatever it is asked to."""

    name = "uniswap"

    def __init__(self) -> None:
        self.bought: list[SwapOrder] = []
        self.outcomes: dict[str, SwapOutcome] = {}
        self.quoted: list[str] = []

    async def quote(self, token: str, amount: int) -> int | None:
        self.quoted.append(token)
        return amount

    async def most(self, token: str) -> int | None:
        return None

    async def swap_usdc_for_token(self, order: SwapOrder) -> SwapOutcome:
        self.bought.append(order)
        self.outcomes[order.order_id] = Swapped(order.order_id, order.least, order.burn)
        return self.outcomes[order.order_id]

    async def outcome(self, order_id: str) -> SwapOutcome:
        never = SwapDeclined(order_id, "NEVER_SIGNED", "nothing was ever signed for it")
        return self.outcomes.get(order_id, never)


@dataclass
class ScriptedPurse:
    """One wallet's money."""

    usdc: int
    gas: int | None = WAD
    broken: bool = False

    async def balances(self) -> Balances:
        if self.broken:
            raise TimeoutError
        return Balances(self.usdc, self.gas)


@dataclass
class Paid(Launches):
    """Launches and whom they pay, without a chain."""

    shares: dict[str, tuple[tuple[ChecksumAddress, int], ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    unreadable: str = ""

    async def find(self, token: ChecksumAddress) -> Launch | None:
        self.asked.append(token.lower())
        if token.lower() == self.unreadable:
            raise AbiError("not what a locker says")
        shares = self.shares.get(token.lower())
        key = PoolKey(UNISWAP.usdc, token, 0x800000, 200, HOOK)
        return Launch(token, Rewards(token, key, shares)) if shares is not None else None


async def desk(settlement: Settlement, address: str, wallet: str = "", fees: int = 0) -> None:
    """A desk that is pinned to a wallet, if one is named."""
    await done(settlement, EnrollToken(address, address[2:6]))
    if wallet:
        await done(settlement, PinDesk(address, wallet))
    if fees:
        await done(settlement, BookFees(address, "f1", fees))


async def pair(settlement: Settlement, fees: int = 1000 * DOLLAR) -> None:
    """A desk in each of two wallets."""
    await desk(settlement, TOKEN, FIRST, fees)
    await desk(settlement, OTHER, SECOND, fees)


async def intended(settlement: Settlement, address: str, order_id: str = "o", collateral: int = 100 * DOLLAR) -> None:
    """An order that has no answer yet."""
    await done(settlement, IntendOpen(address, order_id, "ETH", True, 10 * WAD, collateral))


def opening(address: str, order_id: str = "o", increase: PositionRef | None = None) -> OpenOrder:
    return OpenOrder(order_id, address, "ETH", True, 100 * DOLLAR, 10 * WAD, increase)
