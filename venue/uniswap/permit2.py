"""What must be allowed before a swap: the version 3 router takes by its own allowance, the universal one by Permit2's.

Exact amounts: what is allowed and not swapped is at risk for nothing.
"""

from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress

from venue.chain.call import Call
from venue.chain.erc20 import ALLOWANCE, APPROVE
from venue.uniswap.addresses import Addresses, RouterVersion
from venue.uniswap.contracts import PERMIT2_ALLOWANCE, PERMIT2_APPROVE

EXPIRES_S: Final = 600
"""How long Permit2 may be used; the swap follows at once."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What Permit2 lets a router take, until when (seconds)."""

    amount: int
    expires: int


NOTHING: Final = Allowed(0, 0)


def allowance(token: ChecksumAddress, owner: ChecksumAddress, spender: ChecksumAddress) -> Call:
    """Asks the token; to be called and never sent."""
    return Call(token, ALLOWANCE.encode(owner, spender))


def allowed_by_token(returned: bytes) -> int:
    """Raises AbiError."""
    return int(ALLOWANCE.decode_returned(returned)[0])


def allowance_of_router(
    addresses: Addresses, version: RouterVersion, token: ChecksumAddress, owner: ChecksumAddress
) -> Call:
    """Asks Permit2; to be called and never sent."""
    return Call(addresses.permit2, PERMIT2_ALLOWANCE.encode(owner, token, addresses.universal[version]))


def allowed_by_permit2(returned: bytes) -> Allowed:
    """Raises AbiError."""
    amount, expires, _ = PERMIT2_ALLOWANCE.decode_returned(returned)
    return Allowed(amount, expires)


def approve(token: ChecksumAddress, spender: ChecksumAddress, amount: int) -> Call:
    """By the token itself. Raises AbiError."""
    return Call(token, APPROVE.encode(spender, amount))


def approve_router(
    addresses: Addresses, version: RouterVersion, token: ChecksumAddress, amount: int, expires: int
) -> Call:
    """By Permit2, until `expires` (seconds). Raises AbiError."""
    return Call(addresses.permit2, PERMIT2_APPROVE.encode(token, addresses.universal[version], amount, expires))


def suffices(standing: Allowed, amount: int, deadline: int) -> bool:
    """Whether a swap of `amount` may still happen at its deadline."""
    return standing.amount >= amount and standing.expires >= deadline
