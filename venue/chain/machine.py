"""What may be recorded of the wallet's transactions. Pure: a command leads to facts, or is refused.

A nonce is the arbiter: everything that is ever signed with it is an attempt at the same thing, and at most one attempt
can be mined. So nothing is guessed; whatever is mined with the nonce decides.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from venue.chain.call import Call, Wei
from venue.chain.facts import (
    ContractPinned,
    Fact,
    Result,
    TxIncluded,
    TxReorged,
    TxReserved,
    TxSettled,
    TxSigned,
    WalletAdopted,
    WalletReadopted,
)
from venue.chain.state import Chain, Tx

MAX_OPEN = 512
"""Most transactions that have not ended."""


class ChainCode(StrEnum):
    """Why the wallet's journal refuses something; stable."""

    OTHER_WALLET = "OTHER_WALLET"
    NOT_ADOPTED = "NOT_ADOPTED"
    KEY_SHARED = "KEY_SHARED"
    ID_REUSED = "ID_REUSED"
    ALREADY_ENDED = "ALREADY_ENDED"
    UNKNOWN_TX = "UNKNOWN_TX"
    UNKNOWN_HASH = "UNKNOWN_HASH"
    GIVEN_UP = "GIVEN_UP"
    INCLUDED = "INCLUDED"
    NOT_INCLUDED = "NOT_INCLUDED"
    TOO_MANY = "TOO_MANY"
    PINNED = "PINNED"
    NOT_SHARED = "NOT_SHARED"
    STILL_OPEN = "STILL_OPEN"
    NONCE_BEHIND = "NONCE_BEHIND"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command had no effect."""

    code: ChainCode
    detail: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """Send from `address`, whose next nonce on the chain is `nonce`. `beside`: whoever else may have sent before."""

    address: str
    nonce: int
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Readopt:
    """Send again although somebody else used nonces, by the word of `who`; the chain's next nonce is `nonce`."""

    nonce: int
    who: str


@dataclass(frozen=True, slots=True)
class Reserve:
    """Give a call the next nonce. The same id for the same call again has no effect."""

    tx_id: str
    what: str
    call: Call
    gas: int
    expires_block: int


@dataclass(frozen=True, slots=True)
class RecordSigned:
    """Bytes are signed and not yet sent."""

    signed: TxSigned


@dataclass(frozen=True, slots=True)
class RecordIncluded:
    """The chain holds an attempt."""

    included: TxIncluded


@dataclass(frozen=True, slots=True)
class RecordReorged:
    """The chain no longer holds the attempt it held."""

    tx_id: str


@dataclass(frozen=True, slots=True)
class Settle:
    """The attempt the chain holds is deep enough."""

    tx_id: str


@dataclass(frozen=True, slots=True)
class RecordTaken:
    """The chain has passed the nonce, deeply, with none of our attempts."""

    tx_id: str


@dataclass(frozen=True, slots=True)
class Pin:
    """Believe that this code stands at an address; other code than before only if somebody accepts it."""

    pinned: ContractPinned


Command = Adopt | Readopt | Reserve | RecordSigned | RecordIncluded | RecordReorged | Settle | RecordTaken | Pin


def decide(chain: Chain, command: Command) -> tuple[Fact, ...] | Refusal:
    """The facts a command leads to, or why it has none; the state is left as it is."""
    match command:
        case Adopt():
            return _adopt(chain, command)
        case Readopt():
            return _readopt(chain, command)
        case Reserve():
            return _reserve(chain, command)
        case RecordSigned():
            return _sign(chain, command.signed)
        case RecordIncluded():
            return _include(chain, command.included)
        case RecordReorged():
            return _reorg(chain, command.tx_id)
        case Settle():
            return _settle(chain, command.tx_id)
        case RecordTaken():
            return _taken(chain, command.tx_id)
        case Pin():
            return _pin(chain, command.pinned)
        case _:
            assert_never(command)


def _adopt(chain: Chain, command: Adopt) -> tuple[Fact, ...] | Refusal:
    if chain.address == command.address:
        return ()
    if chain.address:
        return Refusal(ChainCode.OTHER_WALLET, f"this journal sends from {chain.address}, not {command.address}")
    return (WalletAdopted(command.address, command.nonce),)


def _readopt(chain: Chain, command: Readopt) -> tuple[Fact, ...] | Refusal:
    if not chain.taken:
        return Refusal(ChainCode.NOT_SHARED, "nobody else is known to have used its nonces")
    if chain.open:
        return Refusal(ChainCode.STILL_OPEN, f"{len(chain.open)} transactions are open: run the engine until they end")
    if command.nonce < chain.next_nonce:
        text = f"the chain expects nonce {command.nonce}, and {chain.next_nonce - 1} is used: ask other nodes"
        return Refusal(ChainCode.NONCE_BEHIND, text)
    return (WalletReadopted(chain.address, command.nonce, command.who),)


def _reserve(chain: Chain, command: Reserve) -> tuple[Fact, ...] | Refusal:
    if not chain.address:
        return Refusal(ChainCode.NOT_ADOPTED, "no wallet yet")
    if chain.taken:
        return Refusal(ChainCode.KEY_SHARED, _shared(chain.taken))
    if command.tx_id in chain.ended:
        return Refusal(ChainCode.ALREADY_ENDED, f"{command.tx_id} ended: {chain.ended[command.tx_id].result}")
    if tx := chain.open.get(command.tx_id):
        same = _wanted(command) == (tx.reserved.what, tx.reserved.to, tx.reserved.data, tx.reserved.value)
        return () if same else Refusal(ChainCode.ID_REUSED, f"{command.tx_id} is another call")
    if len(chain.open) >= MAX_OPEN:
        return Refusal(ChainCode.TOO_MANY, f"{MAX_OPEN} transactions have not ended")
    what, to, data, value = _wanted(command)
    nonce, gas, expires = chain.next_nonce, command.gas, command.expires_block
    return (TxReserved(command.tx_id, chain.address, what, nonce, to, data, value, gas, expires),)


def _shared(taken: tuple[int, ...]) -> str:
    return f"somebody else used nonce {taken[0]} of the wallet: find out who, then `perpdesk wallet readopt`"


def _wanted(command: Reserve) -> tuple[str, str, str, Wei]:
    return command.what, str(command.call.to), f"0x{command.call.data.hex()}", command.call.value


def _open(chain: Chain, tx_id: str) -> Tx | Refusal:
    return chain.open.get(tx_id) or Refusal(ChainCode.UNKNOWN_TX, f"{tx_id} is not open")


def _sign(chain: Chain, signed: TxSigned) -> tuple[Fact, ...] | Refusal:
    tx = _open(chain, signed.tx_id)
    if isinstance(tx, Refusal):
        return tx
    if tx.attempt(signed.hash):
        return ()
    if tx.included:
        return Refusal(ChainCode.INCLUDED, f"{signed.tx_id} is in a block already")
    if tx.cancelling and not signed.cancels:
        return Refusal(ChainCode.GIVEN_UP, f"{signed.tx_id} has been given up")
    return (signed,)


def _include(chain: Chain, included: TxIncluded) -> tuple[Fact, ...] | Refusal:
    tx = _open(chain, included.tx_id)
    if isinstance(tx, Refusal):
        return tx
    if not tx.attempt(included.hash):
        return Refusal(ChainCode.UNKNOWN_HASH, f"{included.hash} is no attempt at {included.tx_id}")
    if tx.included == included:
        return ()
    return (included,) if not tx.included else (TxReorged(included.tx_id, tx.included.hash), included)


def _reorg(chain: Chain, tx_id: str) -> tuple[Fact, ...] | Refusal:
    tx = _open(chain, tx_id)
    if isinstance(tx, Refusal):
        return tx
    return (TxReorged(tx_id, tx.included.hash),) if tx.included else ()


def _settle(chain: Chain, tx_id: str) -> tuple[Fact, ...] | Refusal:
    tx = _open(chain, tx_id)
    if isinstance(tx, Refusal):
        return tx
    included = tx.included
    attempt = tx.attempt(included.hash) if included else None
    if included is None or attempt is None:
        return Refusal(ChainCode.NOT_INCLUDED, f"{tx_id} is in no block")
    result = Result.CANCELLED if attempt.cancels else Result.DONE if included.succeeded else Result.REVERTED
    return (TxSettled(tx_id, result, included.hash, included.fee),)


def _taken(chain: Chain, tx_id: str) -> tuple[Fact, ...] | Refusal:
    tx = _open(chain, tx_id)
    if isinstance(tx, Refusal):
        return tx
    if tx.included:
        return Refusal(ChainCode.INCLUDED, f"{tx_id} is in a block")
    return (TxSettled(tx_id, Result.TAKEN, "", 0),)


def _pin(chain: Chain, pinned: ContractPinned) -> tuple[Fact, ...] | Refusal:
    known = chain.pins.get(pinned.address)
    if known and (known.code, known.implementation) == (pinned.code, pinned.implementation):
        return ()
    if known and not pinned.who:
        return Refusal(ChainCode.PINNED, f"other code is pinned at {pinned.address}")
    return (pinned,)
