"""What of Clanker may be signed at all: collecting our launches, and claiming for ourselves."""

from collections.abc import Collection, Mapping
from typing import Any

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.guard import Rule
from venue.clanker.contracts import CLAIM, CLANKER, COLLECT_REWARDS, Addresses


def rules(
    owner: ChecksumAddress,
    tokens: Collection[ChecksumAddress],
    currencies: Collection[ChecksumAddress],
    addresses: Addresses = CLANKER,
) -> Mapping[ChecksumAddress, tuple[Rule, ...]]:
    """The allow-list for the fees of `tokens` that `owner` earns in `currencies`."""
    launched, known = frozenset(tokens), frozenset(currencies)

    def not_ours(arguments: tuple[Any, ...]) -> str:
        token = to_checksum_address(arguments[0])
        return "" if token in launched else f"{token} is no token of ours"

    def not_for_us(arguments: tuple[Any, ...]) -> str:
        whom, currency = map(to_checksum_address, arguments)
        if whom != owner:
            return f"for {whom}: expected {owner}"
        return "" if currency in known else f"in {currency}: expected a currency of ours"

    collecting = (Rule(COLLECT_REWARDS, forbids=not_ours),)
    return {
        addresses.locker: collecting,
        addresses.older_locker: collecting,
        addresses.fee_locker: (Rule(CLAIM, forbids=not_for_us),),
    }
