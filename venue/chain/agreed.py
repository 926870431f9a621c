"""The chain as those see it who act on money: agreed by most endpoints, or chosen so that one lie does no harm."""

from collections.abc import Sequence

from eth_typing import ChecksumAddress

from venue.chain.answers import Head, Log, Receipt, Sent
from venue.chain.call import Call, Wei
from venue.chain.endpoints import Endpoints
from venue.chain.envelope import RpcCode, RpcError
from venue.chain.rpc import Rpc, Topics

LOG_BLOCKS = 2_000
"""Most blocks that logs are asked for at once; nodes refuse more, or answer too much."""


class AgreedNode:
    """A `sender.Node`, and what adapters ask besides. Raises RpcError throughout."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    async def head(self) -> Head:
        """The newest block that enough endpoints have, agreed."""
        return await self.deep(0)

    async def deep(self, depth: int) -> Head:
        """The block that lies `depth` under the newest that enough endpoints have, agreed."""
        agreed = await self._endpoints.quorum(lambda rpc, newest: rpc.head(max(0, newest - depth)))
        if agreed.value is None:
            raise RpcError(RpcCode.MALFORMED, f"no block {depth} under block {agreed.block}")
        return agreed.value

    async def block(self, number: int) -> Head:
        """One block, agreed."""
        head = (await self._endpoints.quorum(lambda rpc, _: rpc.head(number))).value
        if head is None:
            raise RpcError(RpcCode.MALFORMED, f"no block {number}")
        return head

    async def max_priority_fee(self) -> Wei:
        """The tip that one in the middle suggests: neither a lie of nothing nor one of too much counts."""
        found = sorted(await self._endpoints.answers(lambda rpc: rpc.max_priority_fee()))
        return found[len(found) // 2]

    async def nonce(self, address: ChecksumAddress, block: int | None = None) -> int:
        """The next nonce, agreed; as of the newest block that enough endpoints have, or of an older one."""
        agreed = await self._endpoints.quorum(
            lambda rpc, newest: rpc.nonce(address, newest if block is None else min(block, newest))
        )
        return agreed.value

    async def receipt(self, tx_hash: str) -> Receipt | None:
        """Whether a block holds it, agreed."""
        return (await self._endpoints.quorum(lambda rpc, _: rpc.receipt(tx_hash))).value

    async def estimate_gas(self, call: Call, sender: ChecksumAddress) -> int:
        """The most that anybody thinks: it is a limit, and what is not used is not paid."""
        return max(await self._endpoints.answers(lambda rpc: rpc.estimate_gas(call, sender)))

    async def send_raw(self, raw: bytes) -> Sent:
        """To all of them."""
        return await self._endpoints.send_raw(raw)

    async def balance(self, address: ChecksumAddress) -> Wei:
        """Native coin, agreed."""
        return (await self._endpoints.quorum(lambda rpc, block: rpc.balance(address, block))).value

    async def code(self, address: ChecksumAddress) -> bytes:
        """What stands at an address, agreed."""
        return (await self._endpoints.quorum(lambda rpc, block: rpc.code(address, block))).value

    async def storage(self, address: ChecksumAddress, slot: int) -> bytes:
        """One word of a contract's storage, agreed."""
        return (await self._endpoints.quorum(lambda rpc, block: rpc.storage(address, slot, block))).value

    async def call(self, call: Call, sender: ChecksumAddress, block: int | None = None) -> bytes:
        """What a call returns, agreed; as of `block`, or of the newest that enough endpoints have."""
        agreed = await self._endpoints.quorum(
            lambda rpc, newest: rpc.call(call, sender, newest if block is None else min(block, newest))
        )
        return agreed.value

    async def call_at(self, call: Call, sender: ChecksumAddress, block: int) -> bytes:
        """What a call returned as of `block` and no other, agreed."""
        return (await self._endpoints.quorum(lambda rpc, _: rpc.call(call, sender, block))).value

    async def would_revert(self, call: Call, sender: ChecksumAddress) -> str:
        """Why a call would revert now, or nothing; either agreed, in whatever words each puts it."""
        reasons: list[tuple[int, str]] = []

        async def reverts(rpc: Rpc, block: int) -> bool:
            try:
                await rpc.call(call, sender, block)
            except RpcError as error:
                if error.revert is None:
                    raise
                reasons.append((block, error.revert.reason))
                return True
            return False

        agreed = await self._endpoints.quorum(reverts)
        said = [reason for block, reason in reasons if block == agreed.block]
        return max(said, key=said.count) if agreed.value else ""

    async def logs(self, address: ChecksumAddress, topics: Topics, first: int, last: int) -> tuple[Log, ...]:
        """Logs of a contract in blocks `first` to `last`, agreed, in the order of the chain."""
        found: list[Log] = []
        for start in range(first, last + 1, LOG_BLOCKS):
            found += await self._logs([address], topics, start, min(start + LOG_BLOCKS - 1, last))
        return tuple(found)

    async def _logs(
        self, addresses: Sequence[ChecksumAddress], topics: Topics, first: int, last: int
    ) -> tuple[Log, ...]:
        return (await self._endpoints.quorum(lambda rpc, _: rpc.logs(addresses, topics, first, last))).value
