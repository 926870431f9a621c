"""Where Uniswap is on Base. Pinned: nobody is asked for these."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address


class RouterVersion(StrEnum):
    """Of the universal router; they want different words for the same swap."""

    V2_0 = "2.0"
    V2_1_1 = "2.1.1"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Contracts of Uniswap, and the tokens that are paid with."""

    usdc: ChecksumAddress
    weth: ChecksumAddress
    v3_router: ChecksumAddress
    """SwapRouter02: takes tokens by what it is allowed itself."""
    v3_quoter: ChecksumAddress
    v4_quoter: ChecksumAddress
    pool_manager: ChecksumAddress
    """Holds the tokens of all pools of version 4."""
    state_view: ChecksumAddress
    permit2: ChecksumAddress
    universal: Mapping[RouterVersion, ChecksumAddress]
    """Takes tokens by what Permit2 allows it."""


UNISWAP: Final = Addresses(
    usdc=to_checksum_address("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
    weth=to_checksum_address("0x4200000000000000000000000000000000000006"),
    v3_router=to_checksum_address("0x2626664c2603336E57B271c5C0b26F421741e481"),
    v3_quoter=to_checksum_address("0x3d4e44Eb1374240CE5F1B871ab261CD16335B76a"),
    v4_quoter=to_checksum_address("0x0d5e0f971ed27fbff6c2837bf31316121532048d"),
    pool_manager=to_checksum_address("0x498581ff718922c3f8e6a244956af099b2652b2b"),
    state_view=to_checksum_address("0xa3c0c9b65bad0b08107aa264b0f3db444b867a71"),
    permit2=to_checksum_address("0x000000000022D473030F116dDEE9F6B43aC78BA3"),
    universal=MappingProxyType(
        {
            RouterVersion.V2_0: to_checksum_address("0x6ff5693b99212da76ad316178a184ab56d299b43"),
            RouterVersion.V2_1_1: to_checksum_address("0xfdf682f51fe81aa4898f0ae2163d8a55c127fbc7"),
        }
    ),
)

DEAD: Final = to_checksum_address("0x000000000000000000000000000000000000dEaD")
"""Nobody can spend what is there. Burning is a transfer to it: the supply stays as it is."""
