"""What a transaction did, read from its logs. Pure."""

from collections.abc import Iterable
from typing import Protocol

from eth_typing import ChecksumAddress

from venue.chain.erc20 import TRANSFERRED


class Log(Protocol):
    """What a log must have to be read here."""

    @property
    def address(self) -> ChecksumAddress: ...

    @property
    def topics(self) -> tuple[bytes, ...]: ...

    @property
    def data(self) -> bytes: ...


def bought(logs: Iterable[Log], token: ChecksumAddress, wallet: ChecksumAddress) -> int:
    """What `wallet` has more of `token` after the transaction, in the token's smallest step; negative when less.
    Raises AbiError for a transfer that is none."""
    change = 0
    for log in logs:
        if log.address != token or log.topics[:1] != (TRANSFERRED.topic,):
            continue
        sender, receiver, amount = TRANSFERRED.decode(log.topics, log.data)
        change += amount * ((receiver == wallet.lower()) - (sender == wallet.lower()))
    return change
