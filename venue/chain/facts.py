"""What happened to the wallet's transactions. The journal has each of these before anybody acts on it."""

from dataclasses import dataclass
from enum import StrEnum

from venue.chain.call import Wei


class Result(StrEnum):
    """How a transaction ended, for good."""

    DONE = "done"
    REVERTED = "reverted"
    CANCELLED = "cancelled"
    """Its nonce went to a transaction of ours that does nothing: what was asked for will never happen."""
    TAKEN = "taken"
    """Somebody else used its nonce: what was asked for will never happen, and another holds the key."""


@dataclass(frozen=True, slots=True)
class WalletAdopted:
    """A wallet this journal sends from, and the nonce the chain expected of it at that moment."""

    address: str
    nonce: int


@dataclass(frozen=True, slots=True)
class TxReserved:
    """A call got its nonce. Nothing else will ever be asked for with that nonce."""

    tx_id: str
    wallet: str
    what: str
    nonce: int
    to: str
    data: str
    """Calldata in hex, as are all bytes in facts, with 0x."""
    value: Wei
    gas: int
    expires_block: int
    """After this block it is given up, by a transaction that does nothing and has the same nonce."""


@dataclass(frozen=True, slots=True)
class TxSigned:
    """Bytes that may be sent from now on."""

    tx_id: str
    hash: str
    raw: str
    max_fee: Wei
    max_priority: Wei
    cancels: bool
    """A transaction that does nothing, instead of the call."""
    block: int


@dataclass(frozen=True, slots=True)
class TxIncluded:
    """A block holds it. It may yet leave the chain with its block."""

    tx_id: str
    hash: str
    block: int
    block_hash: str
    succeeded: bool
    fee: Wei
    """Everything it cost, without its value."""


@dataclass(frozen=True, slots=True)
class TxReorged:
    """The block that held it is no longer on the chain."""

    tx_id: str
    hash: str


@dataclass(frozen=True, slots=True)
class TxSettled:
    """It ended, deep enough to be believed."""

    tx_id: str
    result: Result
    hash: str
    fee: Wei


@dataclass(frozen=True, slots=True)
class WalletReadopted:
    """Somebody has found out who else used the wallet's nonces; from here on it counts as the chain does."""

    address: str
    nonce: int
    who: str


@dataclass(frozen=True, slots=True)
class ContractPinned:
    """The code that is believed to stand at an address from now on."""

    address: str
    code: str
    """Its hash."""
    implementation: str
    """Whom it stands for (EIP-1967); empty: it is no such proxy."""
    who: str
    """Who accepted it instead of another; empty: it was the first that was seen."""


Fact = WalletAdopted | WalletReadopted | TxReserved | TxSigned | TxIncluded | TxReorged | TxSettled | ContractPinned
