"""The chain as the signed route knows it: who used a nonce, which order that registered, and how it ended.

The block in which the nonce was used is the proof: the bit is clear one block before, and exactly one order like the
one that was signed was registered in it.
"""

from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.avantis.addresses import AVANTIS, Addresses
from venue.avantis.asked import Order
from venue.avantis.contracts import MARKET_EXECUTED, MARKET_ORDER_INITIATED, NONCE_BITMAP
from venue.avantis.endings import History, ending_of
from venue.avantis.intent_facts import IntentSigned
from venue.avantis.intent_state import OpenIntent
from venue.avantis.intent_words import asked_of
from venue.avantis.positions import ChainFault, Silent, read_slots
from venue.avantis.registered import Ambiguous, Cancellation, Execution, Registration, ending, like
from venue.avantis.signed_ports import Deep
from venue.avantis.tracking import nonce_slot
from venue.avantis.typed_signer import LATEST_MS
from venue.avantis.wire import AvantisCode, AvantisError, wrong
from venue.chain.abi import AbiError
from venue.chain.agreed import LOG_BLOCKS, AgreedNode
from venue.chain.answers import Log
from venue.chain.call import Call
from venue.chain.envelope import RpcError

APART_S: Final = 60
"""How far the clocks of chain and machine may be apart."""
_Found = tuple[Registration, str]
"""An order, and the transaction that registered it."""


class IntentChain:
    """`signed_ports.Chain` of one wallet. What lies `confirmations` deep is believed to stay."""

    def __init__(
        self,
        wallet: ChecksumAddress,
        node: AgreedNode,
        history: History,
        confirmations: int,
        addresses: Addresses = AVANTIS,
    ) -> None:
        self._wallet = wallet
        self._node = node
        self._history = history
        self._confirmations = confirmations
        self._addresses = addresses
        self._spans: dict[int, tuple[int, int]] = {}  # by nonce: in which blocks it can have been used
        self._orders: dict[int, _Found] = {}  # by nonce: what it was used for, in a block that will stay

    async def deep(self) -> Deep:
        head = await self._node.deep(self._confirmations)
        return Deep(head.number, head.timestamp_s)

    async def nonce_word(self, slot: int, block: int) -> int:
        """As of this block and no other: an older one with this one's time would say too early that it is too late."""
        call = Call(self._addresses.trading, NONCE_BITMAP.encode(self._wallet, slot))
        returned = await self._node.call_at(call, self._wallet, block)
        try:
            (word,) = NONCE_BITMAP.decode_returned(returned)
        except AbiError as error:
            raise wrong("nonceBitmap", str(error), "a word") from None
        return int(word)

    async def opened_at(self, pair_index: int, trade_index: int) -> int | None:
        slot = pair_index, trade_index
        answer = await read_slots(self, self._wallet, [slot], self._addresses.storage)
        if isinstance(answer, Silent):
            raise AvantisError(AvantisCode.UNREACHABLE, f"the chain does not tell what stands in {slot}: {answer.why}")
        held = answer.at(slot)
        return held.opened_at_s if held else None

    async def history(self, order: OpenIntent) -> Execution | Cancellation | None:
        if order.taken_block is None:
            return None
        found, tx_hash = await self._registered(order.signed, order.taken_block)
        last = min((await self.deep()).block, found.block + LOG_BLOCKS - 1)
        return await ending_of(self._node, self._history, found, tx_hash, last, self._addresses)

    async def execution(self, signed: IntentSigned, venue_order: int, block: int) -> Execution | None:
        """What a block that will stay says of an order of the venue's, if it executed that one there.

        Raises Ambiguous when that is not what was signed.
        """
        if block > (await self.deep()).block:
            raise Ambiguous(f"block {block} is not {self._confirmations} blocks deep yet")
        logs = await self._node.logs(self._addresses.trading, [MARKET_EXECUTED.topic], block, block)
        found = ending(logs, Registration(venue_order, block, asked_of(signed)), self._addresses)
        return found if isinstance(found, Execution) else None

    async def call(self, call: Call) -> bytes:
        """As `positions.Reader`."""
        try:
            return await self._node.call(call, self._wallet)
        except RpcError as error:
            raise ChainFault(f"{error.code}: {error}") from None

    async def _registered(self, signed: IntentSigned, taken_block: int) -> _Found:
        """The order that the nonce was used for. Raises Ambiguous."""
        if known := self._orders.get(signed.nonce):
            return known
        first, last = await self._span(signed, taken_block)
        topics = [MARKET_ORDER_INITIATED.topic, bytes(12) + bytes.fromhex(self._wallet[2:])]
        logs = await self._node.logs(self._addresses.trading, topics, first, last)
        alike = _alike(logs, asked_of(signed))
        for block in dict.fromkeys(found.block for found, _ in alike):
            if await self._used(signed.nonce, block) and not await self._used(signed.nonce, block - 1):
                here = [each for each in alike if each[0].block == block]
                if len(here) == 1:
                    return self._orders.setdefault(signed.nonce, here[0])
                raise Ambiguous(f"block {block}, which used the nonce, registered {len(here)} orders like it")
        raise Ambiguous(
            f"the nonce was used by block {taken_block}, and blocks {first} to {last} registered no order like it"
        )

    async def _span(self, signed: IntentSigned, taken_block: int) -> tuple[int, int]:
        """The blocks between signature and deadline, widely."""
        if known := self._spans.get(signed.nonce):
            return known
        deadline_s = signed.deadline_ms // 1000
        earliest_s = deadline_s - LATEST_MS // 1000 - APART_S
        taken = await self._node.block(taken_block)
        oldest = max(0, taken_block - max(0, taken.timestamp_s - earliest_s))  # no chain of ours has two in a second
        first = await self._newest_by(earliest_s, oldest, taken_block)
        last = await self._newest_by(deadline_s + APART_S, first, taken_block)
        self._spans[signed.nonce] = first, last
        return first, last

    async def _newest_by(self, time_s: int, low: int, high: int) -> int:
        """The newest block of `low` to `high` that is not younger, or `low`."""
        while low < high:
            middle = (low + high + 1) // 2
            if (await self._node.block(middle)).timestamp_s <= time_s:
                low = middle
            else:
                high = middle - 1
        return low

    async def _used(self, nonce: int, block: int) -> bool:
        slot, bit = nonce_slot(nonce)
        return bool(await self.nonce_word(slot, max(0, block)) >> bit & 1)


def _alike(logs: tuple[Log, ...], asked: Order) -> list[_Found]:
    return [(found, log.tx_hash) for log in logs if (found := like(log, asked)) is not None]


def chain_of(
    signed: IntentSigned, node: AgreedNode, history: History, confirmations: int, addresses: Addresses = AVANTIS
) -> IntentChain:
    """The chain of the wallet that signed."""
    return IntentChain(to_checksum_address(signed.trader), node, history, confirmations, addresses)
