"""The only sender of transactions: one wallet, one nonce table, nothing sent that the journal does not hold.

Sends run side by side; their nonces come from the journal, one after another. `pass_once` does for every transaction
that has not ended whatever comes next (`step`), and recovery is the same pass.
"""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from eth_typing import ChecksumAddress

from venue.chain import machine
from venue.chain.answers import Head, Receipt, SendOutcome, Sent
from venue.chain.bucket import urgently
from venue.chain.call import Call, Wei
from venue.chain.facts import Fact, TxSigned
from venue.chain.fees import Fees
from venue.chain.guard import Passed
from venue.chain.machine import Refusal
from venue.chain.market import Market, Markets
from venue.chain.rpc import RpcError
from venue.chain.signer import Signed, Signer
from venue.chain.state import Chain, Ended, Tx
from venue.chain.step import Finish, Include, Policy, Resend, Seen, Sign, Step, Taken, Unwind, Wait, step

T = TypeVar("T")
AT_ONCE = 16
"""Transactions looked at side by side in a pass."""
ABOVE_STUCK = 4
"""Most transactions above one that does not get into a block."""
_FINE: Final = (SendOutcome.ACCEPTED, SendOutcome.ALREADY_KNOWN, SendOutcome.NONCE_TOO_LOW)


class Door(Protocol):
    """The journal, as the sender knows it."""

    async def submit(self, command: machine.Command) -> tuple[Fact, ...] | Refusal: ...

    async def read(self, look: Callable[[Chain], T]) -> T: ...


class Node(Protocol):
    """The chain, as the sender knows it. Everything it raises is an `RpcError`; what decides about money is agreed by
    several endpoints."""

    async def head(self) -> Head: ...

    async def max_priority_fee(self) -> Wei: ...

    async def nonce(self, address: ChecksumAddress, block: int | None = None) -> int:
        """The next nonce the chain expects, now or as of a block."""
        ...

    async def receipt(self, tx_hash: str) -> Receipt | None: ...

    async def estimate_gas(self, call: Call, sender: ChecksumAddress) -> int: ...

    async def send_raw(self, raw: bytes) -> Sent: ...


@dataclass(frozen=True, slots=True)
class Unsent:
    """Nothing was ever signed under that id."""


Standing = Unsent | Tx | Ended


class Sender:
    """Sends calls the guard has passed. `new` work stops when the key turns out not to be ours alone.

    `mark`, up to MOST_MARK, tells a process from one with a copy of its journal: both would sign the same bytes, and
    each would take what was mined for its own.
    """

    def __init__(
        self, door: Door, node: Node, signer: Signer, policy: Policy, now_ms: Callable[[], int], mark: Wei = 0
    ) -> None:
        self._door = door
        self._node = node
        self._signer = signer
        self._policy = policy
        self._now_ms = now_ms
        self._markets = Markets(node, policy.fee_cap, now_ms, mark)
        self._in_hand: set[str] = set()
        self._sent_ms: dict[str, int] = {}
        self.waiting: dict[str, str] = {}
        """Why transactions wait that a person should know of, by id."""

    async def aclose(self) -> None:
        """Gives up what is asked of the chain for several at once."""
        await self._markets.aclose()

    async def adopt(self, beside: tuple[str, ...] = ()) -> Refusal | None:
        """Takes the wallet on, once per journal, which may know those `beside` it. Raises what the node raises."""
        address = self._signer.address
        known = await self._door.read(lambda chain: chain.address)
        nonce = 0 if known == address else await self._node.nonce(address)
        answer = await self._door.submit(machine.Adopt(address, nonce, beside))
        return answer if isinstance(answer, Refusal) else None

    async def send(self, tx_id: str, passed: Passed) -> Refusal | None:
        """Reserves a nonce, signs, journals and sends; or says why not, and then nothing was signed.

        Raises what the node raises before the nonce is reserved. The same id for the same call again has no effect.
        """
        market = await self._markets.recent()
        if refused := await self._door.read(lambda chain: _piled_up(chain, market.head, self._policy)):
            return refused
        gas = self._gas(await self._node.estimate_gas(passed.call, self._signer.address))
        expires = market.head + self._policy.expires_blocks
        self._in_hand.add(tx_id)
        try:
            answer = await self._door.submit(machine.Reserve(tx_id, passed.what, passed.call, gas, expires))
            if isinstance(answer, Refusal):
                return answer
            tx = await self._door.read(lambda chain: _standing(chain, tx_id))
            if isinstance(tx, Tx) and not tx.attempts:
                fees = market.fees
                signed = self._signer.sign(
                    passed,
                    nonce=tx.nonce,
                    gas=tx.reserved.gas,
                    max_fee=fees.max_fee,
                    max_priority=fees.max_priority,
                )
                await self._record_and_send(tx, signed, fees, market.head, cancels=False)
            return None
        finally:
            self._in_hand.discard(tx_id)

    async def standing(self, tx_id: str) -> Standing:
        """What has become of a transaction."""
        return await self._door.read(lambda chain: _standing(chain, tx_id))

    async def pass_once(self) -> str:
        """One look at everything that has not ended. Raises what the node raises."""
        # Who is in hand now is left alone, even if it is not any more later: what was read of it is out of date then.
        txs, in_hand = await self._door.read(lambda chain: ([*chain.open.values()], {*self._in_hand}))
        self.waiting = {tx_id: why for tx_id, why in self.waiting.items() if tx_id in {t.reserved.tx_id for t in txs}}
        if not txs:
            return "nothing open"
        with urgently():  # without these nothing is cancelled or sent again
            market = await self._markets.fresh()
            deep = await self._node.nonce(self._signer.address, max(market.head - self._policy.confirmations, 0))
            used = max(deep, await self._node.nonce(self._signer.address))
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(tx: Tx) -> None:
            with urgently() if tx.cancelling else nullcontext():
                async with gate:
                    await self._advance(tx, market, deep, tx.nonce < used)

        looks = (one(tx) for tx in txs if tx.reserved.tx_id not in in_hand)
        ends = await asyncio.gather(*looks, return_exceptions=True)  # none of them goes on beside the next pass
        if error := next((end for end in ends if end is not None), None):
            raise error
        return f"{len(txs)} open"

    def _gas(self, estimate: int) -> int:
        return min(max(estimate * 5 // 4, self._policy.least_gas), self._policy.most_gas)

    async def _advance(self, tx: Tx, market: Market, deep_nonce: int, used: bool) -> None:
        """`used`: a block holds something with its nonce; otherwise there is no receipt to ask for."""
        mined = await self._mined(tx) if used or tx.included else None
        sent_ms = self._sent_ms.get(tx.attempts[-1].hash) if tx.attempts else None
        seen = Seen(market.head, market.base_fee, market.fees, deep_nonce, mined, sent_ms, self._now_ms())
        await self._do(tx, step(tx, seen, self._policy), market)

    async def _mined(self, tx: Tx) -> Receipt | None:
        for attempt in reversed(tx.attempts):
            if mined := await self._node.receipt(attempt.hash):
                return mined
        return None

    async def _do(self, tx: Tx, what: Step, market: Market) -> None:
        tx_id = tx.reserved.tx_id
        match what:
            case Include():
                await self._door.submit(machine.RecordIncluded(what.included))
            case Unwind():
                await self._door.submit(machine.RecordReorged(tx_id))
            case Finish():
                await self._door.submit(machine.Settle(tx_id))
            case Taken():
                await self._door.submit(machine.RecordTaken(tx_id))
            case Sign():
                await self._record_and_send(tx, self._signed(tx, what), what.fees, market.head, what.cancels)
            case Resend():
                await self._send(tx_id, what.attempt.hash, bytes.fromhex(what.attempt.raw[2:]))
            case Wait():
                if what.why:
                    self.waiting[tx_id] = what.why

    def _signed(self, tx: Tx, what: Sign) -> Signed:
        fees = what.fees
        if what.cancels:
            return self._signer.sign_cancel(nonce=tx.nonce, max_fee=fees.max_fee, max_priority=fees.max_priority)
        newest = bytes.fromhex(tx.attempts[-1].raw[2:])
        return self._signer.sign_again(newest, max_fee=fees.max_fee, max_priority=fees.max_priority)

    async def _record_and_send(self, tx: Tx, signed: Signed, fees: Fees, block: int, cancels: bool) -> None:
        tx_id = tx.reserved.tx_id
        fact = TxSigned(tx_id, signed.hash, f"0x{signed.raw.hex()}", fees.max_fee, fees.max_priority, cancels, block)
        answer = await self._door.submit(machine.RecordSigned(fact))
        if not isinstance(answer, Refusal):
            await self._send(tx_id, signed.hash, signed.raw)

    async def _send(self, tx_id: str, tx_hash: str, raw: bytes) -> None:
        """Whatever comes of it: the bytes are journaled, and only the chain says what became of them.

        Urgent, whatever they do: a close that is signed later cannot be mined before them.
        """
        self._sent_ms[tx_hash] = self._now_ms()
        try:
            with urgently():
                sent = await self._node.send_raw(raw)
        except RpcError as error:
            if not error.sent:
                self._sent_ms.pop(tx_hash)
            self.waiting[tx_id] = f"sent, and no answer: {error}" if error.sent else f"not sent yet: {error}"
            return
        if sent.outcome in _FINE:
            self.waiting.pop(tx_id, None)
        else:
            self.waiting[tx_id] = sent.text


def _standing(chain: Chain, tx_id: str) -> Standing:
    return chain.open.get(tx_id) or chain.ended.get(tx_id) or Unsent()


def _piled_up(chain: Chain, head: int, policy: Policy) -> Refusal | None:
    """Nothing is piled up above a nonce that does not get into a block: none of it could be mined before."""
    lowest = next(iter(chain.open.values()), None)
    if lowest is None or lowest.included or not lowest.attempts or len(chain.open) <= ABOVE_STUCK:
        return None
    waited = head - lowest.attempts[0].block
    if waited <= 2 * policy.outbid_blocks:
        return None
    return Refusal(machine.ChainCode.TOO_MANY, f"nonce {lowest.nonce} has waited for {waited} blocks")
