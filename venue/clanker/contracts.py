"""Functions and events of Clanker's lockers, and where they are."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.abi import Event, Function
from venue.uniswap.contracts import POOL_KEY


@dataclass(frozen=True, slots=True)
class Addresses:
    """Contracts of Clanker."""

    fee_locker: ChecksumAddress
    """Keeps what owners earned, pooled over all their launches."""
    locker: ChecksumAddress
    """Holds the liquidity of launches, and gives their fees to the fee locker."""
    older_locker: ChecksumAddress


CLANKER: Final = Addresses(
    fee_locker=to_checksum_address("0xF3622742b1E446D92e45E22923Ef11C2fcD55D68"),
    locker=to_checksum_address("0x63D2DfEA64b3433F4071A98665bcD7Ca14d93496"),
    older_locker=to_checksum_address("0x29d17C1A8D851d7d4cA97FAe97AcAdb398D9cCE0"),
)


class FeeIn(IntEnum):
    """In what a recipient wants its fees."""

    BOTH = 0
    PAIRED = 1
    """In what the pool pairs the launched token with."""
    CLANKER = 2
    """In the launched token."""


COLLECT_REWARDS: Final = Function("collectRewards(address)")
"""Of the locker, for a launched token; anybody may."""
TOKEN_REWARDS: Final = Function(
    "tokenRewards(address)", (f"(address,{POOL_KEY},uint256,uint256,uint16[],address[],address[])",)
)
"""Of the locker: token, pool, position, how many positions, parts in 1e-4, admins, recipients."""
FEE_PREFERENCES: Final = Function("feePreferences(address,uint256)", ("uint8",))
"""Of the newer locker, for a launched token and the index of a recipient: `FeeIn`."""
AVAILABLE_FEES: Final = Function("availableFees(address,address)", ("uint256",))
"""Of the fee locker, for an owner and a currency."""
CLAIM: Final = Function("claim(address,address)")
"""Of the fee locker, for an owner and a currency; anybody may, the owner is paid."""

STORE_TOKENS: Final = Event("StoreTokens(address indexed,address indexed,address indexed,uint256,uint256)")
"""Locker, owner, currency, what the owner has now, what was added."""
CLAIM_TOKENS: Final = Event("ClaimTokens(address indexed,address indexed,uint256)")
"""Owner, currency, amount."""
