"""The money of several wallets as one purse, one source of fees and one place to buy tokens.

What a desk owns lies in the wallet it is pinned to; the protocol's leg lies wherever its fees arrived, and is spent a
wallet at a time.
"""

from collections.abc import Awaitable, Callable, Mapping

import structlog

from engine.desks.accounts import HELD_PER_TOKEN
from engine.desks.state import House
from engine.fees import Earned, FeeSource
from engine.settlement import Settlement
from engine.wallet import Balances, Wallet
from engine.world import World
from venue.perp import Usdc
from venue.swap import PROTOCOL_TOKEN, SwapDeclined, SwapOrder, SwapOutcome, SwapVenue
from venue.uniswap.hops import SwapCode

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
MAYBE_SPENT = ("in_flight", "buying")
"""What a wallet may still hold for its desks, per token."""
Homes = Callable[[], Awaitable[Mapping[str, str]]]
"""The wallet of every desk that has one."""


def homes_of(world: World) -> Mapping[str, str]:
    """The wallet of every desk that has one."""
    return {desk.address: desk.wallet for desk in world.house.desks.values() if desk.wallet}


def owned(house: House, kinds: tuple[str, ...] = HELD_PER_TOKEN) -> dict[str, Usdc]:
    """What each wallet holds for its desks, by the books."""
    found: dict[str, Usdc] = {}
    for desk in house.desks.values():
        if desk.wallet:
            own = sum(house.ledger[f"{kind}:{desk.address}"] for kind in kinds)
            found[desk.wallet] = found.get(desk.wallet, 0) + own
    return found


class FleetPurse:
    """A `Wallet` that is all of them. `counted` is what each held at the last count."""

    def __init__(self, purses: Mapping[str, Wallet]) -> None:
        self._purses = purses
        self.counted: dict[str, Balances] = {}

    async def balances(self) -> Balances:
        """The sum, once every wallet has been counted; all or nothing. Raises what they raise."""
        counted = {wallet: await purse.balances() for wallet, purse in self._purses.items()}
        self.counted = counted
        return Balances(sum(each.usdc for each in counted.values()), sum(each.gas or 0 for each in counted.values()))


class FleetFees:
    """A `FeeSource` over that of each wallet; tokens without a wallet earn nothing yet."""

    def __init__(self, sources: Mapping[str, FeeSource], homes: Homes) -> None:
        self._sources = sources
        self._homes = homes

    async def claim_pooled_fees(self, last: dict[str, str]) -> tuple[Earned, ...]:
        """One wallet's fault does not hold up the others; it is raised when they brought nothing either."""
        if len(self._sources) == 1:
            return await next(iter(self._sources.values())).claim_pooled_fees(last)
        homes = await self._homes()
        found: list[Earned] = []
        fault: Exception | None = None
        for wallet, source in self._sources.items():
            its = {token: ref for token, ref in last.items() if homes.get(token) == wallet}
            try:
                found += await source.claim_pooled_fees(its) if its else ()
            except Exception as error:  # whatever it is, it is that wallet's
                log.warning("no fees", wallet=wallet, error=repr(error))
                fault = error
        if fault and not found:
            raise fault
        return tuple(found)


class FleetSwaps:
    """A `SwapVenue` over that of each wallet."""

    name = "uniswap"

    def __init__(self, venues: Mapping[str, SwapVenue], purse: FleetPurse, settlement: Settlement) -> None:
        self._venues = venues
        self._purse = purse
        self._settlement = settlement

    async def most(self, token: str) -> Usdc | None:
        """The protocol's leg is spent from one wallet at a time, and never what its desks own."""
        if token != PROTOCOL_TOKEN or len(self._venues) == 1:
            return None
        return max((await self._free()).values(), default=0)

    async def quote(self, token: str, amount: Usdc) -> int | None:
        wallet = await self._buyer(token)
        return await self._venues[wallet].quote(token, amount) if wallet in self._venues else None

    async def swap_usdc_for_token(self, order: SwapOrder) -> SwapOutcome:
        wallet = await self._buyer(order.token)
        if wallet not in self._venues:
            return SwapDeclined(order.order_id, "NO_WALLET", "its fees arrive in no wallet of this run")
        most = await self.most(order.token)
        if most is not None and order.amount > most:
            return SwapDeclined(order.order_id, "NOT_FREE", "no wallet has so much beyond what its desks own any more")
        return await self._venues[wallet].swap_usdc_for_token(order)

    async def outcome(self, order_id: str) -> SwapOutcome:
        """By whichever wallet signed for it: to the others it was never signed."""
        answers = [await venue.outcome(order_id) for venue in self._venues.values()]
        return next((answer for answer in answers if not _never_signed(answer)), answers[0])

    async def _buyer(self, token: str) -> str:
        if len(self._venues) == 1:
            return next(iter(self._venues))
        if token == PROTOCOL_TOKEN:
            free = await self._free()
            return max(free, key=lambda wallet: free[wallet], default="")
        return (await self._settlement.read(homes_of)).get(token, "")

    async def _free(self) -> dict[str, Usdc]:
        """What each wallet holds beyond what is its desks', counted now, by the books that leave less: money moves
        meanwhile."""
        before = await self._claimed()
        await self._purse.balances()
        after = await self._claimed()
        return {
            wallet: each.usdc - max(before.get(wallet, 0), after.get(wallet, 0))
            for wallet, each in self._purse.counted.items()
        }

    async def _claimed(self) -> dict[str, Usdc]:
        return await self._settlement.read(lambda world: owned(world.house, (*HELD_PER_TOKEN, *MAYBE_SPENT)))


def _never_signed(outcome: SwapOutcome) -> bool:
    return isinstance(outcome, SwapDeclined) and outcome.code == SwapCode.NEVER_SIGNED
