"""A call before anybody has looked at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # 50 ms, for engines that never touch a chain
    from eth_typing import ChecksumAddress

Wei = int
"""Native coin in its smallest step, 1e-18."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction would do. Nothing signs it before the guard has passed it."""

    to: ChecksumAddress
    data: bytes
    value: Wei = 0
