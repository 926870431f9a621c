"""Calls of Clanker's lockers and what they answer."""

from dataclasses import dataclass

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.abi import AbiError
from venue.chain.call import Call
from venue.clanker.contracts import (
    AVAILABLE_FEES,
    CLAIM,
    COLLECT_REWARDS,
    TOKEN_REWARDS,
    Addresses,
)
from venue.uniswap.v4 import PoolKey, pool_key


@dataclass(frozen=True, slots=True)
class Rewards:
    """A launch, as its locker knows it."""

    token: ChecksumAddress
    key: PoolKey
    """Where the token trades."""
    shares: tuple[tuple[ChecksumAddress, int], ...]
    """Recipients and their parts of the fees, in 1e-4; their order is that of their preferences."""

    @property
    def paired(self) -> ChecksumAddress:
        """What the pool pairs the token with."""
        return self.key.other(self.token)

    def indexes(self, owner: ChecksumAddress) -> tuple[int, ...]:
        """Under which indexes `owner` is paid."""
        return tuple(index for index, (recipient, _) in enumerate(self.shares) if recipient == owner)


def token_rewards(locker: ChecksumAddress, token: ChecksumAddress) -> Call:
    """To be called and never sent."""
    return Call(locker, TOKEN_REWARDS.encode(token))


def rewards(returned: bytes, token: ChecksumAddress) -> Rewards | None:
    """What the locker knows of `token`; None when it is not its launch. Raises AbiError for what cannot be."""
    ((named, raw, _, _, parts, _, recipients),) = TOKEN_REWARDS.decode_returned(returned)
    if not int(named, 16):
        return None
    try:
        key = pool_key(raw)
        key.other(token)
    except ValueError as error:
        raise AbiError(f"tokenRewards of {token}: {error}") from None
    if to_checksum_address(named) != token or len(parts) != len(recipients):
        raise AbiError(f"tokenRewards of {token}: the answer is about {named}, or its parts are not its recipients'")
    shares = zip(map(to_checksum_address, recipients), parts, strict=True)
    return Rewards(token, key, tuple(shares))


def available_fees(addresses: Addresses, owner: ChecksumAddress, currency: ChecksumAddress) -> Call:
    """To be called and never sent."""
    return Call(addresses.fee_locker, AVAILABLE_FEES.encode(owner, currency))


def available(returned: bytes) -> int:
    """In the currency's smallest step. Raises AbiError."""
    return int(AVAILABLE_FEES.decode_returned(returned)[0])


def collect(locker: ChecksumAddress, token: ChecksumAddress) -> Call:
    """Moves what a launch earned to the fee locker."""
    return Call(locker, COLLECT_REWARDS.encode(token))


def claim(addresses: Addresses, owner: ChecksumAddress, currency: ChecksumAddress) -> Call:
    """Pays `owner` all that is available; reverts when that is nothing."""
    return Call(addresses.fee_locker, CLAIM.encode(owner, currency))
