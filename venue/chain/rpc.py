"""One JSON-RPC endpoint of one chain, as typed questions. Nothing is retried here, and nothing is believed unread."""

import itertools
from collections.abc import Sequence
from typing import Final, Literal

import httpx
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak
from pydantic import JsonValue, TypeAdapter

from venue.chain.answers import (
    Data,
    Hash,
    Head,
    Log,
    Quantity,
    Receipt,
    SendOutcome,
    Sent,
    Transaction,
    WireHead,
    WireLog,
    WireReceipt,
    WireTransaction,
    Word,
)
from venue.chain.call import Call, Wei
from venue.chain.envelope import RpcCode as RpcCode
from venue.chain.envelope import RpcError as RpcError
from venue.chain.envelope import malformed, of_net, read_as, result_of
from venue.chain.reverts import Errors
from venue.net.client import Client, NetFault
from venue.net.hide import RUN, Hidden

MAX_ANSWER: Final = 2 * 1024 * 1024

Tag = Literal["latest", "safe", "finalized", "pending"]
Block = int | Tag
Topics = Sequence[bytes | Sequence[bytes] | None]
"""What each topic of a log must be: one word, one of several, or anything."""


_QUANTITY: Final = TypeAdapter[int](Quantity)
_DATA: Final = TypeAdapter[bytes](Data)
_WORD: Final = TypeAdapter[bytes](Word)
_HASH: Final = TypeAdapter[str](Hash)
_HEAD: Final = TypeAdapter(WireHead | None)
_RECEIPT: Final = TypeAdapter(WireReceipt | None)
_TRANSACTION: Final = TypeAdapter(WireTransaction | None)
_LOGS: Final = TypeAdapter(list[WireLog])
_OUTCOMES: Final = (  # geth's words and those of its kin; the first that occurs counts
    ("already known", SendOutcome.ALREADY_KNOWN),
    ("known transaction", SendOutcome.ALREADY_KNOWN),
    ("already imported", SendOutcome.ALREADY_KNOWN),
    ("nonce too low", SendOutcome.NONCE_TOO_LOW),
    ("underpriced", SendOutcome.UNDERPRICED),
    ("fee too low", SendOutcome.UNDERPRICED),
    ("less than block base fee", SendOutcome.UNDERPRICED),
    ("less than the block base fee", SendOutcome.UNDERPRICED),
    ("insufficient funds", SendOutcome.INSUFFICIENT_FUNDS),
)


class Rpc:
    """An endpoint at `url`; each request has `within_s` from its first byte to its last. Raises RpcError throughout.

    Its path may hold a key, so that only its host is ever named. `errors` gives names to custom errors.
    """

    def __init__(self, url: httpx.URL, *, within_s: float = 4.0, errors: Errors | None = None) -> None:
        folder, _, self._path = url.path.rpartition("/")  # the client puts a slash before what it appends
        self._client = Client(url.copy_with(path=folder or "/"), within_s=within_s)
        self._errors: Errors = errors or {}
        self._hidden = Hidden(*(part for part in url.path.split("/") if len(part) >= RUN))
        self._ids = itertools.count(1)

    @property
    def host(self) -> str:
        return self._client.host

    async def aclose(self) -> None:
        """Closes idle connections."""
        await self._client.aclose()

    async def chain_id(self) -> int:
        return read_as(_QUANTITY, await self._ask("eth_chainId"))

    async def block_number(self) -> int:
        return read_as(_QUANTITY, await self._ask("eth_blockNumber"))

    async def head(self, block: Block = "latest") -> Head | None:
        """The block by number or tag; None: it has no such block."""
        read = read_as(_HEAD, await self._ask("eth_getBlockByNumber", _block(block), False))
        head = read.read() if read else None
        if head and isinstance(block, int) and head.number != block:
            raise malformed("another block than the one asked for")
        return head

    async def head_by_hash(self, block_hash: str) -> Head | None:
        """The block with that hash; None: it does not know it."""
        read = read_as(_HEAD, await self._ask("eth_getBlockByHash", block_hash, False))
        if read and read.hash != block_hash:
            raise malformed("another block than the one asked for")
        return read.read() if read else None

    async def balance(self, address: ChecksumAddress, block: Block = "latest") -> Wei:
        return read_as(_QUANTITY, await self._ask("eth_getBalance", address, _block(block)))

    async def nonce(self, address: ChecksumAddress, block: Block = "latest") -> int:
        """How many of its transactions are mined."""
        return read_as(_QUANTITY, await self._ask("eth_getTransactionCount", address, _block(block)))

    async def code(self, address: ChecksumAddress, block: Block = "latest") -> bytes:
        return read_as(_DATA, await self._ask("eth_getCode", address, _block(block)))

    async def storage(self, address: ChecksumAddress, slot: int, block: Block = "latest") -> bytes:
        """One word of a contract's storage."""
        return read_as(_WORD, await self._ask("eth_getStorageAt", address, f"0x{slot:064x}", _block(block)))

    async def call(self, call: Call, sender: ChecksumAddress, block: Block = "latest") -> bytes:
        """What the call would return. Raises RpcError with the revert when it would revert."""
        return read_as(_DATA, await self._ask("eth_call", _call(call, sender), _block(block)))

    async def estimate_gas(self, call: Call, sender: ChecksumAddress) -> int:
        """Gas the call would need now. Raises RpcError with the revert when it would revert."""
        return read_as(_QUANTITY, await self._ask("eth_estimateGas", _call(call, sender)))

    async def max_priority_fee(self) -> Wei:
        """The tip it suggests, per gas."""
        return read_as(_QUANTITY, await self._ask("eth_maxPriorityFeePerGas"))

    async def send_raw(self, raw: bytes) -> Sent:
        """Sends signed bytes, once. Raises RpcError when nobody can tell what became of them."""
        tx_hash = f"0x{keccak(raw).hex()}"
        try:
            answer = await self._ask("eth_sendRawTransaction", f"0x{raw.hex()}")
        except RpcError as error:
            if error.code not in (RpcCode.REFUSED, RpcCode.REVERTED):
                raise
            return Sent(_outcome(str(error)), tx_hash, str(error))
        if read_as(_HASH, answer) != tx_hash:
            raise malformed("another hash than that of what was sent")
        return Sent(SendOutcome.ACCEPTED, tx_hash)

    async def receipt(self, tx_hash: str) -> Receipt | None:
        """None: no block it knows of holds the transaction."""
        read = read_as(_RECEIPT, await self._ask("eth_getTransactionReceipt", tx_hash))
        if read and read.hash != tx_hash:
            raise malformed("another receipt than the one asked for")
        try:
            return read.read() if read else None
        except ValueError as error:
            raise malformed(str(error)) from None

    async def transaction(self, tx_hash: str) -> Transaction | None:
        """None: it does not know the transaction."""
        read = read_as(_TRANSACTION, await self._ask("eth_getTransactionByHash", tx_hash))
        if read and read.hash != tx_hash:
            raise malformed("another transaction than the one asked for")
        try:
            return read.read() if read else None
        except ValueError as error:
            raise malformed(str(error)) from None

    async def logs(
        self, addresses: Sequence[ChecksumAddress], topics: Topics, first: int, last: int
    ) -> tuple[Log, ...]:
        """Logs of those contracts in blocks `first` to `last`, both included, in the order of the chain."""
        asked: dict[str, JsonValue] = {
            "address": list(addresses),
            "topics": [_topic(each) for each in topics],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        logs = tuple(each.read() for each in read_as(_LOGS, await self._ask("eth_getLogs", asked)))
        if any(not _wanted(log, addresses, topics, first, last) for log in logs):
            raise malformed("a log that was not asked for")
        return tuple(sorted(logs, key=lambda log: (log.block, log.index)))

    async def _ask(self, method: str, *params: JsonValue) -> object:
        asked = next(self._ids)
        body: JsonValue = {"jsonrpc": "2.0", "id": asked, "method": method, "params": list(params)}
        try:
            reply = await self._client.send("POST", self._path, body=body, limit=MAX_ANSWER)
        except NetFault as fault:
            raise of_net(fault) from None
        try:
            return result_of(reply, asked, self._errors)
        except RpcError as error:
            raise error.without(self._hidden) from None


def _block(block: Block) -> str:
    return hex(block) if isinstance(block, int) else block


def _call(call: Call, sender: ChecksumAddress) -> dict[str, JsonValue]:
    return {"from": sender, "to": call.to, "data": f"0x{call.data.hex()}", "value": hex(call.value)}


def _topic(topic: bytes | Sequence[bytes] | None) -> JsonValue:
    if topic is None:
        return None
    return f"0x{topic.hex()}" if isinstance(topic, bytes) else [f"0x{each.hex()}" for each in topic]


def _wanted(log: Log, addresses: Sequence[ChecksumAddress], topics: Topics, first: int, last: int) -> bool:
    if log.address not in addresses or not first <= log.block <= last or len(log.topics) < len(topics):
        return False
    return all(
        asked is None or found == asked or (not isinstance(asked, bytes) and found in asked)
        for found, asked in zip(log.topics, topics, strict=False)
    )


def _outcome(text: str) -> SendOutcome:
    lower = text.lower()
    return next((outcome for words, outcome in _OUTCOMES if words in lower), SendOutcome.OTHER)
