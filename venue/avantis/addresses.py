"""What perpdesk trades with on Base. Pinned: a server that names another address is not believed."""

from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

BASE: Final = 8453
"""Chain id. A constant: no server is asked for it, they are only compared with it."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Contracts of the venue."""

    trading: ChecksumAddress
    """Router: every order goes here. It also verifies signed intents."""
    storage: ChecksumAddress
    """Holds positions; the only spender USDC is ever approved for."""
    pair_storage: ChecksumAddress
    pair_infos: ChecksumAddress
    multicall: ChecksumAddress
    usdc: ChecksumAddress


AVANTIS: Final = Addresses(
    trading=to_checksum_address("0x44914408af82bC9983bbb330e3578E1105e11d4e"),
    storage=to_checksum_address("0x8a311D7048c35985aa31C131B9A13e03a5f7422d"),
    pair_storage=to_checksum_address("0x5db3772136e5557EFE028Db05EE95C84D76faEC4"),
    pair_infos=to_checksum_address("0x81F22d0Cc22977c91bEfE648C9fddf1f2bd977e5"),
    multicall=to_checksum_address("0xA7cFc43872F4D7B0E6141ee8c36f1F7FEe5d099e"),
    usdc=to_checksum_address("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
)
