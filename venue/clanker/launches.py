"""Which locker holds a launch, and what it says of it: asked of the chain, agreed."""

from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress

from venue.chain.agreed import AgreedNode
from venue.clanker import locker
from venue.clanker.contracts import CLANKER
from venue.clanker.locker import Rewards
from venue.uniswap.v4 import PoolKey

LOCKERS: Final = (CLANKER.locker, CLANKER.older_locker)


@dataclass(frozen=True, slots=True)
class Launch:
    """A launched token and who locks its liquidity."""

    locker: ChecksumAddress
    rewards: Rewards


class Launches:
    """Remembers what it found: a pool never changes. Raises RpcError, and AbiError for answers that cannot be."""

    def __init__(
        self, node: AgreedNode, wallet: ChecksumAddress, lockers: tuple[ChecksumAddress, ...] = LOCKERS
    ) -> None:
        self._node = node
        self._wallet = wallet
        self._lockers = lockers
        self._known: dict[ChecksumAddress, Launch] = {}

    async def find(self, token: ChecksumAddress) -> Launch | None:
        """None: no locker knows it, for now."""
        if known := self._known.get(token):
            return known
        for each in self._lockers:
            returned = await self._node.call(locker.token_rewards(each, token), self._wallet)
            if returned and (found := locker.rewards(returned, token)):  # nothing returned: no contract there
                self._known[token] = Launch(each, found)
                return self._known[token]
        return None

    async def pool(self, token: ChecksumAddress) -> PoolKey | None:
        """Where it trades."""
        found = await self.find(token)
        return found.rewards.key if found else None
