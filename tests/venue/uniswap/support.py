"""What the Uniswap tests share."""

import json
from pathlib import Path
from typing import Final

from eth_utils.address import to_checksum_address

from venue.uniswap.addresses import UNISWAP
from venue.uniswap.v4 import PoolKey

WALLET: Final = to_checksum_address(f"0x{'11' * 20}")
STRANGER: Final = to_checksum_address(f"0x{'22' * 20}")
TOKEN: Final = to_checksum_address("0xa000000000000000000000000000000000000aaa")
HOOK: Final = to_checksum_address("0xd60D6B218116cFd801E28F78d011a203D2b068Cc")
KEY: Final = PoolKey(UNISWAP.usdc, TOKEN, 0x800000, 200, HOOK)
WETH_KEY: Final = PoolKey(UNISWAP.weth, TOKEN, 0x800000, 200, HOOK)
DEADLINE: Final = 1_800_000_000
TEN: Final = 10 * 10**6
"""USDC."""


def vectors() -> dict[str, bytes]:
    """Calldata by name, made by another encoder."""
    path = Path(__file__).parents[2] / "fixtures" / "calldata.json"
    return {name: bytes.fromhex(text[2:]) for name, text in json.loads(path.read_text(encoding="utf-8")).items()}
