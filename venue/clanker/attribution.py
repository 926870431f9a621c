"""Which launch earned what. Pure.

The fee locker keeps one sum per owner and currency, over all launches, and anybody may collect or claim at any time: a
launch earned what the receipt of its own collection says was stored, and what arrives beyond that is nobody's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.clanker.contracts import CLAIM_TOKENS, STORE_TOKENS, Addresses
from venue.uniswap.receipts import Log


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collection stored for us. Amounts in each currency's smallest step."""

    token: ChecksumAddress
    """The launch."""
    usdc: int
    """Only this counts as fees."""
    other: Mapping[ChecksumAddress, int]
    """WETH, and the launched token itself."""


@dataclass(frozen=True, slots=True)
class Attributed:
    """What a claim brought, and what is still to come. USDC in 1e-6."""

    per_token: Mapping[ChecksumAddress, int]
    unattributed: int
    """Arrived, and no collection of ours says from where: somebody else collected."""
    pending: tuple[Collected, ...]
    """Collected and not arrived yet, oldest first."""


def collected(
    logs: Iterable[Log], token: ChecksumAddress, owner: ChecksumAddress, addresses: Addresses, usdc: ChecksumAddress
) -> Collected:
    """What the receipt of `token`'s collection says. Raises AbiError for logs that cannot be."""
    stored: dict[ChecksumAddress, int] = {}
    for log in logs:
        if log.address != addresses.fee_locker or log.topics[:1] != (STORE_TOKENS.topic,):
            continue
        _, for_whom, currency, _, amount = STORE_TOKENS.decode(log.topics, log.data)
        if to_checksum_address(for_whom) == owner:
            currency = to_checksum_address(currency)
            stored[currency] = stored.get(currency, 0) + amount
    fees = stored.pop(usdc, 0)
    return Collected(token, fees, MappingProxyType(stored))


def claimed(logs: Iterable[Log], owner: ChecksumAddress, addresses: Addresses) -> Mapping[ChecksumAddress, int]:
    """What claims paid to `owner`, per currency, whoever claimed. Raises AbiError for logs that cannot be."""
    paid: dict[ChecksumAddress, int] = {}
    for log in logs:
        if log.address != addresses.fee_locker or log.topics[:1] != (CLAIM_TOKENS.topic,):
            continue
        whom, currency, amount = CLAIM_TOKENS.decode(log.topics, log.data)
        if to_checksum_address(whom) == owner:
            currency = to_checksum_address(currency)
            paid[currency] = paid.get(currency, 0) + amount
    return MappingProxyType(paid)


def attribute(waiting: Iterable[Collected], arrived: int) -> Attributed:
    """Gives USDC that arrived to the launches that collected it, oldest first. What is missing stays pending: a
    stranger's claim paid us as well, and its log is still to come."""
    per_token: dict[ChecksumAddress, int] = {}
    pending: list[Collected] = []
    for each in waiting:
        given = min(each.usdc, arrived)
        arrived -= given
        if given:
            per_token[each.token] = per_token.get(each.token, 0) + given
        if each.usdc > given:
            pending.append(Collected(each.token, each.usdc - given, MappingProxyType({})))
    return Attributed(MappingProxyType(per_token), arrived, tuple(pending))
