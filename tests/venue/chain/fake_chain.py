"""A chain in memory that keeps the rules of nonces and fees, and breaks its word on request."""

import random
from dataclasses import dataclass, field
from functools import lru_cache

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from venue.chain.answers import Head, Receipt, SendOutcome, Sent
from venue.chain.call import Call
from venue.chain.rpc import RpcCode, RpcError

GWEI = 10**9


@dataclass(frozen=True)
class Pending:
    """A transaction in the pool, as its bytes say."""

    raw: bytes
    hash: str
    sender: str
    nonce: int
    to: str
    data: bytes
    max_fee: int
    tip: int

    @classmethod
    @lru_cache(4096)
    def of(cls, raw: bytes) -> "Pending":
        fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        return cls(
            raw,
            f"0x{keccak(raw).hex()}",
            Account.recover_transaction(raw),
            fields["nonce"],
            f"0x{bytes(fields['to']).hex()}",
            bytes(fields["data"]),
            fields["maxFeePerGas"],
            fields["maxPriorityFeePerGas"],
        )


class Crash(BaseException):
    """The process died here."""


@dataclass
class FakeChain:
    """One wallet's chain. `luck` draws the faults; without it there are none."""

    luck: random.Random | None = None
    base_fee: int = GWEI // 100
    blocks: list[list[Pending]] = field(default_factory=lambda: [[] for _ in range(50)])
    forks: int = 0
    pool: dict[int, Pending] = field(default_factory=dict)
    reverts: set[bytes] = field(default_factory=set)
    seen: dict[str, Pending] = field(default_factory=dict)
    """Everything that was ever offered, whatever was said to it."""
    silent: bool = False
    """Loses what it accepts."""

    def _next(self, block: int | None = None) -> int:
        upto = self.blocks if block is None else self.blocks[: block + 1]
        return sum(map(len, upto))

    def _lucky(self, chance: float) -> bool:
        return self.luck is not None and self.luck.random() < chance

    def mine(self, count: int = 1) -> None:
        """Blocks with whatever is next and pays enough."""
        for _ in range(count):
            block: list[Pending] = []
            self.blocks.append(block)
            while (tx := self.pool.get(self._next())) and tx.max_fee >= self.base_fee:
                block.append(self.pool.pop(tx.nonce))

    def reorg(self, depth: int, keep: bool = True) -> None:
        """The newest blocks are replaced by empty ones; what they held is pending again, or forgotten."""
        self.forks += 1
        for at in range(len(self.blocks) - depth, len(self.blocks)):
            for tx in self.blocks[at]:
                if keep:
                    self.pool.setdefault(tx.nonce, tx)
            self.blocks[at] = []

    def steal(self) -> None:
        """Somebody else uses the next nonce."""
        nonce = self._next()
        self.pool.pop(nonce, None)
        self.blocks.append([Pending(b"", f"0xforeign{nonce}", "", nonce, "", b"", 0, 0)])

    async def head(self) -> Head:
        self._maybe_crash()
        number = len(self.blocks) - 1
        return Head(number, self._hash(number), self._hash(number - 1), number * 2, self.base_fee)

    def _hash(self, number: int) -> str:
        return f"0x{self.forks:02x}{number:06x}"

    async def max_priority_fee(self) -> int:
        return GWEI // 1000

    async def nonce(self, address: str, block: int | None = None) -> int:
        del address
        return self._next(block)

    async def receipt(self, tx_hash: str) -> Receipt | None:
        self._maybe_crash()
        for number, block in enumerate(self.blocks):
            for tx in block:
                if tx.hash == tx_hash:
                    fine = tx.data not in self.reverts
                    return Receipt(tx_hash, number, self._hash(number), fine, 21_000, 1, 0, ())
        return None

    async def estimate_gas(self, call: Call, sender: str) -> int:
        del call, sender
        return 200_000

    async def send_raw(self, raw: bytes) -> Sent:
        self._maybe_crash()
        tx = Pending.of(raw)
        self.seen[tx.hash] = tx
        outcome = self._take(tx)
        self._maybe_crash()
        if self._lucky(0.05):
            raise RpcError(RpcCode.TOO_SLOW, "no whole answer in time")
        return Sent(outcome, tx.hash, outcome.value)

    def _take(self, tx: Pending) -> SendOutcome:
        if tx.nonce < self._next():
            return SendOutcome.NONCE_TOO_LOW
        standing = self.pool.get(tx.nonce)
        if standing and standing.hash == tx.hash:
            return SendOutcome.ALREADY_KNOWN
        if standing and (tx.max_fee * 10 < standing.max_fee * 11 or tx.tip * 10 < standing.tip * 11):
            return SendOutcome.UNDERPRICED
        if not self.silent and not self._lucky(0.1):
            self.pool[tx.nonce] = tx
        return SendOutcome.ACCEPTED

    def _maybe_crash(self) -> None:
        if self._lucky(0.02):
            raise Crash
