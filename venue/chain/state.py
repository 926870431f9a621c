"""The wallet's transactions, folded from facts: the only nonce table there is."""

from dataclasses import dataclass, field, replace

from venue.chain.call import Wei
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


@dataclass(frozen=True, slots=True)
class Ended:
    """What is kept of a transaction that has ended."""

    reserved: TxReserved
    result: Result
    hash: str
    """Empty when somebody else's transaction ended it."""
    fee: Wei

    @property
    def nonce(self) -> int:
        return self.reserved.nonce


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction that has not ended."""

    reserved: TxReserved
    attempts: tuple[TxSigned, ...] = ()
    """In the order they were signed; any of them may be mined, and at most one will be."""
    included: TxIncluded | None = None

    @property
    def nonce(self) -> int:
        return self.reserved.nonce

    @property
    def cancelling(self) -> bool:
        """Whether it has been given up; whichever attempt is mined still decides."""
        return any(attempt.cancels for attempt in self.attempts)

    def attempt(self, tx_hash: str) -> TxSigned | None:
        """The attempt with that hash."""
        return next((attempt for attempt in self.attempts if attempt.hash == tx_hash), None)


@dataclass(slots=True)
class Chain:
    """One wallet on one chain."""

    address: str = ""
    next_nonce: int = 0
    open: dict[str, Tx] = field(default_factory=dict)
    """By id, and in the order of their nonces."""
    ended: dict[str, Ended] = field(default_factory=dict)
    taken: tuple[int, ...] = ()
    """Nonces somebody else used. Not empty: the key is not ours alone, and nothing more is sent until
    somebody has found out why."""
    spent: Wei = 0
    """Fees of everything that ended."""
    pins: dict[str, ContractPinned] = field(default_factory=dict)
    """The code that is believed, by address."""


def evolve(chain: Chain, fact: Fact) -> None:
    """Folds a fact into the state in place."""
    match fact:
        case WalletAdopted():
            chain.address, chain.next_nonce = fact.address, fact.nonce
        case WalletReadopted():
            chain.next_nonce, chain.taken = fact.nonce, ()
        case TxReserved():
            chain.open[fact.tx_id] = Tx(fact)
            chain.next_nonce = fact.nonce + 1
        case TxSigned():
            tx = chain.open[fact.tx_id]
            chain.open[fact.tx_id] = replace(tx, attempts=(*tx.attempts, fact))
        case TxIncluded():
            chain.open[fact.tx_id] = replace(chain.open[fact.tx_id], included=fact)
        case TxReorged():
            chain.open[fact.tx_id] = replace(chain.open[fact.tx_id], included=None)
        case TxSettled():
            _settle(chain, fact)
        case ContractPinned():
            chain.pins[fact.address] = fact


def _settle(chain: Chain, fact: TxSettled) -> None:
    tx = chain.open.pop(fact.tx_id)
    chain.ended[fact.tx_id] = Ended(tx.reserved, fact.result, fact.hash, fact.fee)
    chain.spent += fact.fee
    if fact.result is Result.TAKEN:
        chain.taken = (*chain.taken, tx.nonce)
