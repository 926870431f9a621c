"""The money of several wallets as one purse, one source of fees and one place to buy tokens.

What a desk owns lies in the wallet it is pinned to; the protocol's leg lies wherever its fees arrived, and is spent a
wallet at a time.
"""

from collections.abc import Awaitable, Callable, Mapping

from engine.desks.accounts import HELD_PER_TOKEN
from engine.desks.state import House
from engine.fees import Earned, FeeSource
from engine.settlement import Settlement
from engine.wallet import Balances, Wallet
from engine.world import World
from venue.perp import Usdc
from venue.swap import PROTOCOL_TOKEN, SwapDeclined, SwapOrder, SwapOutcome, SwapVenue

Homes = Callable[[], Awaitable[Mapping[str, str]]]
"""The wallet of every desk that has one."""


def homes_of(world: World) -> Mapping[str, str]:
    """The wallet of every desk that has one."""
    return {desk.address: desk.wallet for desk in world.house.desks.values() if desk.wallet}


def owned(house: House) -> dict[str, Usdc]:
    """What each wallet holds for its desks, by the books."""
    found: dict[str, Usdc] = {}
    for desk in house.desks.values():
        if desk.wallet:
            own = sum(house.ledger[f"{kind}:{desk.address}"] for kind in HELD_PER_TOKEN)
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
        homes = await self._homes()
        found: list[Earned] = []
        for wallet, source in self._sources.items():
            its = {token: ref for token, ref in last.items() if homes.get(token) == wallet}
            found += await source.claim_pooled_fees(its) if its else ()
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
        return await self._venues[wallet].swap_usdc_for_token(order)

    async def outcome(self, order_id: str) -> SwapOutcome:
        """By whichever wallet signed for it: to the others it was never signed."""
        answer: SwapOutcome = SwapDeclined(order_id, "NEVER_SIGNED", "nothing was ever signed for it")
        for venue in self._venues.values():
            answer = await venue.outcome(order_id)
            if not isinstance(answer, SwapDeclined):
                return answer
        return answer

    async def _buyer(self, token: str) -> str:
        if len(self._venues) == 1:
            return next(iter(self._venues))
        if token == PROTOCOL_TOKEN:
            free = await self._free()
            return max(free, key=lambda wallet: free[wallet], default="")
        return (await self._settlement.read(homes_of)).get(token, "")

    async def _free(self) -> dict[str, Usdc]:
        """What each wallet holds beyond what is its desks', as last counted."""
        books = await self._settlement.read(lambda world: owned(world.house))
        return {wallet: each.usdc - books.get(wallet, 0) for wallet, each in self._purse.counted.items()}
