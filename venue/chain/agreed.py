"""The chain as those see it who act on money: what decides is agreed by most endpoints, the rest is one's word."""

from collections.abc import Sequence

from eth_typing import ChecksumAddress

from venue.chain.answers import Head, Log, Receipt, Sent
from venue.chain.call import Call, Wei
from venue.chain.endpoints import Endpoints
from venue.chain.envelope import RpcCode, RpcError
from venue.chain.rpc import Topics

LOG_BLOCKS = 2_000
"""Most blocks that logs are asked for at once; nodes refuse more, or answer too much."""


class AgreedNode:
    """A `sender.Node`, and what adapters ask besides. Raises RpcError throughout."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    async def head(self) -> Head:
        """The newest block."""
        head = await self._endpoints.read(lambda rpc: rpc.head())
        if head is None:
            raise RpcError(RpcCode.MALFORMED, "no newest block")
        return head

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
        return await self._endpoints.read(lambda rpc: rpc.max_priority_fee())

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
        return await self._endpoints.read(lambda rpc: rpc.estimate_gas(call, sender))

    async def send_raw(self, raw: bytes) -> Sent:
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
        """Why a call would revert now, or nothing."""
        try:
            await self._endpoints.read(lambda rpc: rpc.call(call, sender))
        except RpcError as error:
            if error.revert is None:
                raise
            return error.revert.reason
        return ""

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
