"""What the claimer asks of the chain: what collecting would bring, what waits, what collections and claims did."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.abi import AbiError, Function
from venue.chain.agreed import LOG_BLOCKS, AgreedNode
from venue.chain.answers import Log, Receipt
from venue.chain.call import Call
from venue.chain.envelope import RpcError
from venue.clanker import locker
from venue.clanker.attribution import Collected, claimed, collected
from venue.clanker.contracts import CLAIM_TOKENS, CLANKER, STORE_TOKENS, Addresses

MULTICALL: Final = to_checksum_address("0xcA11bde05977b3631167028862bE2a173976CA11")
"""Runs several calls as one; the same everywhere. It is only ever asked, never sent to."""
AGGREGATE: Final = Function("aggregate3((address,bool,bytes)[])", ("(bool,bytes)[]",))
"""Address, whether it may fail, calldata; whether it succeeded, what it returned."""
MOST_LOG_BLOCKS: Final = 5 * LOG_BLOCKS
Source = tuple[ChecksumAddress, ChecksumAddress]
"""A launch and its locker."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a collection that is done stored for us."""

    ref: str
    """Where its USDC was stored; grows with every collection. Empty when there was none."""
    what: Collected


@dataclass(frozen=True, slots=True)
class Reader:
    """Raises RpcError throughout, and AbiError for answers that cannot be."""

    node: AgreedNode
    wallet: ChecksumAddress
    usdc: ChecksumAddress
    addresses: Addresses = CLANKER
    _found: dict[str, Found] = field(default_factory=dict)

    async def available(self, block: int | None = None) -> int:
        """USDC that waits to be claimed, now or as of a block."""
        asked = locker.available_fees(self.addresses, self.wallet, self.usdc)
        return locker.available(await self.node.call(asked, self.wallet, block))

    async def would_bring(self, sources: Sequence[Source]) -> dict[ChecksumAddress, int] | None:
        """USDC that collecting each launch now would store for us; None when nobody can tell before it is done. A
        launch that cannot be collected brings nothing."""
        ask = locker.available_fees(self.addresses, self.wallet, self.usdc)
        calls = [ask]
        for token, at in sources:
            calls += [locker.collect(at, token), ask]
        asked = Call(MULTICALL, AGGREGATE.encode([(call.to, True, call.data) for call in calls]))
        try:
            (answers,) = AGGREGATE.decode_returned(await self.node.call(asked, self.wallet))
            sums = [locker.available(data) for _, data in answers[::2]]
        except AbiError:
            return None  # no such contract here
        except RpcError as error:
            if error.revert is None:
                raise
            return None
        after = zip(sources, sums, sums[1:], strict=False)
        return {token: now - before for (token, _), before, now in after}

    async def found(self, tx_hash: str, token: ChecksumAddress) -> Found | None:
        """What the collection of that hash stored; None when no node in reach has its receipt."""
        if known := self._found.get(tx_hash):
            return known
        receipt = await self.node.receipt(tx_hash)
        if receipt is None:
            return None
        what = collected(receipt.logs, token, self.wallet, self.addresses, self.usdc)
        self._found[tx_hash] = Found(self._ref(receipt) if what.usdc else "", what)
        return self._found[tx_hash]

    @property
    def others(self) -> dict[ChecksumAddress, int]:
        """WETH and launched tokens that the collections read so far stored for us."""
        sums: dict[ChecksumAddress, int] = {}
        for found in self._found.values():
            for currency, amount in found.what.other.items():
                sums[currency] = sums.get(currency, 0) + amount
        return sums

    async def paid(self, first: int, last: int) -> tuple[Log, ...]:
        """Claims of USDC for us in those blocks, whoever claimed, in the order of the chain."""
        topics = [[CLAIM_TOKENS.topic], [_word(self.wallet)], [_word(self.usdc)]]
        return await self.node.logs(self.addresses.fee_locker, topics, first, last)

    def sum_of(self, claims: Sequence[Log]) -> int:
        """USDC that those claims paid us."""
        return claimed(claims, self.wallet, self.addresses).get(self.usdc, 0)

    async def block_of(self, tx_hash: str) -> int | None:
        """None: no node in reach has its receipt."""
        receipt = await self.node.receipt(tx_hash)
        return receipt.block if receipt else None

    def _ref(self, receipt: Receipt) -> str:
        at = [
            log.index
            for log in receipt.logs
            if log.address == self.addresses.fee_locker
            and log.topics[:1] == (STORE_TOKENS.topic,)
            and log.topics[2:] == (_word(self.wallet), _word(self.usdc))
        ]
        return reference(receipt.block, max(at))


def reference(block: int, index: int) -> str:
    """Where a log is; later ones sort behind."""
    return f"{block:012d}:{index:06d}"


def _word(address: ChecksumAddress) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])
