"""What a node says, once it has been read strictly. Quantities are in wei, gas or blocks; hashes are lower-case hex."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final, Literal

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from venue.chain.call import Wei

_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-f][0-9a-f]{0,63})", re.IGNORECASE)
_DATA: Final = re.compile(r"0x(?:[0-9a-f]{2})*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Head:
    """A block without what it holds."""

    number: int
    hash: str
    parent_hash: str
    timestamp_s: int
    base_fee: Wei


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a transaction that was mined."""

    address: ChecksumAddress
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    block_hash: str
    tx_hash: str
    index: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction that was mined."""

    hash: str
    block: int
    block_hash: str
    succeeded: bool
    gas_used: int
    gas_price: Wei
    l1_fee: Wei
    """What a rollup charges on top for its data; 0 where there is no such thing."""
    logs: tuple[Log, ...]

    @property
    def fee(self) -> Wei:
        """Everything it cost, without its value."""
        return self.gas_used * self.gas_price + self.l1_fee


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that a node knows."""

    hash: str
    sender: ChecksumAddress
    nonce: int
    to: ChecksumAddress | None
    value: Wei
    data: bytes
    block: int | None
    """None: in no block yet."""
    block_hash: str | None


class SendOutcome(StrEnum):
    """What a node says to a transaction; stable."""

    ACCEPTED = "accepted"
    ALREADY_KNOWN = "already_known"
    NONCE_TOO_LOW = "nonce_too_low"
    """Also the answer when this very transaction has been mined: look for its hash."""
    UNDERPRICED = "underpriced"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer to a transaction that was sent."""

    outcome: SendOutcome
    hash: str
    """As we computed it."""
    text: str = field(default="")
    """The node's words, when it did not accept."""


def _quantity(value: object) -> int:
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise ValueError("no quantity")
    return int(value, 16)


def _data(value: object) -> bytes:
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise ValueError("no bytes")
    return bytes.fromhex(value[2:])


def _sized(value: object, size: int) -> bytes:
    data = _data(value)
    if len(data) != size:
        raise ValueError(f"not {size} bytes")
    return data


def _word(value: object) -> bytes:
    return _sized(value, 32)


def _hash(value: object) -> str:
    return f"0x{_sized(value, 32).hex()}"


def _address(value: object) -> str:
    return to_checksum_address(_sized(value, 20))


def _bit(value: object) -> bool:
    if _quantity(value) > 1:
        raise ValueError("neither 0 nor 1")
    return value == "0x1"


Quantity = Annotated[int, BeforeValidator(_quantity)]
Data = Annotated[bytes, BeforeValidator(_data)]
Word = Annotated[bytes, BeforeValidator(_word)]
Hash = Annotated[str, BeforeValidator(_hash)]
Address = Annotated[ChecksumAddress, BeforeValidator(_address)]
Bit = Annotated[bool, BeforeValidator(_bit)]


class _Wire(BaseModel):
    """Nodes say more than is asked; what is read is read strictly."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class WireFault(_Wire):
    """The error object of JSON-RPC."""

    code: int
    message: str
    data: object = None


class WireEnvelope(_Wire):
    """A JSON-RPC answer."""

    jsonrpc: Literal["2.0"]
    id: int | None
    result: object = None
    error: WireFault | None = None


class WireHead(_Wire):
    """A block of `eth_getBlockBy...` or of `newHeads`."""

    number: Quantity
    hash: Hash
    parent_hash: Hash = Field(alias="parentHash")
    timestamp: Quantity
    base_fee: Quantity = Field(alias="baseFeePerGas")

    def read(self) -> Head:
        return Head(self.number, self.hash, self.parent_hash, self.timestamp, self.base_fee)


class WireLog(_Wire):
    """A log that is on the chain."""

    address: Address
    topics: list[Word] = Field(max_length=4)
    data: Data
    block: Quantity = Field(alias="blockNumber")
    block_hash: Hash = Field(alias="blockHash")
    tx_hash: Hash = Field(alias="transactionHash")
    index: Quantity = Field(alias="logIndex")
    removed: Literal[False] = False

    def read(self) -> Log:
        topics = tuple(self.topics)
        return Log(self.address, topics, self.data, self.block, self.block_hash, self.tx_hash, self.index)


class WireReceipt(_Wire):
    """A receipt; `l1Fee` is there on rollups of the OP stack."""

    hash: Hash = Field(alias="transactionHash")
    block: Quantity = Field(alias="blockNumber")
    block_hash: Hash = Field(alias="blockHash")
    status: Bit
    gas_used: Quantity = Field(alias="gasUsed")
    gas_price: Quantity = Field(alias="effectiveGasPrice")
    l1_fee: Quantity = Field(alias="l1Fee", default=0)
    logs: list[WireLog]

    def read(self) -> Receipt:
        logs = tuple(log.read() for log in self.logs)
        place = (self.hash, self.block, self.block_hash)
        if any((log.tx_hash, log.block, log.block_hash) != place for log in logs):
            raise ValueError("a log of another transaction")
        return Receipt(*place, self.status, self.gas_used, self.gas_price, self.l1_fee, logs)


class WireTransaction(_Wire):
    """A transaction, mined or not."""

    hash: Hash
    sender: Address = Field(alias="from")
    nonce: Quantity
    to: Address | None
    value: Quantity
    data: Data = Field(alias="input")
    block: Quantity | None = Field(alias="blockNumber", default=None)
    block_hash: Hash | None = Field(alias="blockHash", default=None)

    def read(self) -> Transaction:
        if (self.block is None) != (self.block_hash is None):
            raise ValueError("half a block")
        return Transaction(
            self.hash, self.sender, self.nonce, self.to, self.value, self.data, self.block, self.block_hash
        )
