"""The transactions of one hop, in order: what must be allowed, then the swap. Pure.

A route of two hops is two plans, because only the first one's receipt says how much there is to go on with.
"""

from dataclasses import dataclass
from enum import StrEnum

from eth_typing import ChecksumAddress

from venue.chain.call import Call
from venue.chain.erc20 import TRANSFER
from venue.uniswap import permit2, v3, v4
from venue.uniswap.addresses import DEAD, Addresses, RouterVersion
from venue.uniswap.permit2 import EXPIRES_S, NOTHING, Allowed
from venue.uniswap.route import Hop, Limits, RouteCode, RouteRefused, V3Hop, V4Hop, check


class StepName(StrEnum):
    """What a step is for; stable."""

    APPROVE = "approve"
    """The token lets a router, or Permit2, take it."""
    APPROVE_ROUTER = "approve router"
    """Permit2 lets the router take it."""
    SWAP = "swap"
    BURN = "burn"


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction. The next one waits for its receipt."""

    name: StepName
    call: Call
    buys: ChecksumAddress | None = None
    """The token that `receipts.bought` finds in the receipt."""


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """Steps in their order."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is swapped for what, in each token's smallest step."""

    amount: int
    quote: int
    """What the amount would buy now."""
    least: int
    """Fewer bought is no trade."""
    deadline: int
    """In seconds; after it the swap is void."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is allowed already: of the token that is paid with."""

    by_token: int
    """To the router of version 3, or to Permit2."""
    by_permit2: Allowed = NOTHING
    """To the universal router."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes plans for one wallet."""

    addresses: Addresses
    version: RouterVersion
    limits: Limits
    wallet: ChecksumAddress

    def plan(self, hop: Hop, terms: Terms, standing: Standing) -> SwapPlan:
        """Raises RouteRefused, or AbiError for amounts that no contract takes."""
        check(self.limits, terms.amount, terms.quote, terms.least)
        steps = self._in_v3(hop, terms, standing) if isinstance(hop, V3Hop) else self._in_v4(hop, terms, standing)
        return SwapPlan(steps)

    def burn(self, token: ChecksumAddress, amount: int) -> Step:
        """Sends what was bought where nobody can spend it. Raises RouteRefused for money, and for nothing."""
        if amount <= 0:
            raise RouteRefused(RouteCode.ZERO_AMOUNT, f"burn of {amount}")
        if token in (self.addresses.usdc, self.addresses.weth):
            raise RouteRefused(RouteCode.UNKNOWN_PAIR, f"{token} is what we pay with: it is never burned")
        return Step(StepName.BURN, Call(token, TRANSFER.encode(DEAD, amount)))

    def _in_v3(self, hop: V3Hop, terms: Terms, standing: Standing) -> tuple[Step, ...]:
        swap = v3.V3Swap(hop.token_in, hop.token_out, hop.fee, self.wallet, terms.amount, terms.least)
        return (
            *_approval(hop.token_in, self.addresses.v3_router, terms, standing),
            Step(StepName.SWAP, v3.swap(self.addresses, swap, terms.deadline), hop.token_out),
        )

    def _in_v4(self, hop: V4Hop, terms: Terms, standing: Standing) -> tuple[Step, ...]:
        steps = [*_approval(hop.token_in, self.addresses.permit2, terms, standing)]
        if not permit2.suffices(standing.by_permit2, terms.amount, terms.deadline):
            until = terms.deadline + EXPIRES_S
            call = permit2.approve_router(self.addresses, self.version, hop.token_in, terms.amount, until)
            steps.append(Step(StepName.APPROVE_ROUTER, call))
        swap = v4.V4Swap(hop.key, hop.token_in, terms.amount, terms.least)
        call = v4.swap(self.addresses, self.version, swap, terms.deadline)
        return *steps, Step(StepName.SWAP, call, hop.token_out)


def _approval(token: ChecksumAddress, spender: ChecksumAddress, terms: Terms, standing: Standing) -> tuple[Step, ...]:
    if standing.by_token >= terms.amount:
        return ()
    return (Step(StepName.APPROVE, permit2.approve(token, spender, terms.amount)),)
