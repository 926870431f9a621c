"""What to do next about one transaction, given what the chain shows. Pure."""

from dataclasses import dataclass

from venue.chain.answers import Receipt
from venue.chain.call import Wei
from venue.chain.facts import TxIncluded, TxSigned
from venue.chain.fees import Fees, outbid
from venue.chain.state import Tx

MOST_TIMES = 5
"""A call is not outbid beyond so many times what the market asks: waiting is cheaper."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Patience and limits; heights in blocks."""

    confirmations: int = 10
    """How deep a transaction lies before it is believed."""
    rebroadcast_ms: int = 15_000
    outbid_blocks: int = 15
    """An attempt that waited for so long is outbid."""
    expires_blocks: int = 150
    """A call that has not been mined by then is given up."""
    fee_cap: Wei = 5 * 10**9
    """Most per gas."""
    least_gas: int = 1_500_000
    """What the dearest call of the venue needs, whatever is said: it is a limit, and what is not used is not paid."""
    most_gas: int = 3_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What the chain shows about a transaction."""

    head: int
    base_fee: Wei
    market: Fees
    deep_nonce: int
    """The wallet's next nonce `confirmations` blocks ago."""
    mined: Receipt | None
    """Whichever attempt a block holds."""
    sent_ms: int | None
    """When the newest attempt was last sent by this process."""
    now_ms: int


@dataclass(frozen=True, slots=True)
class Include:
    """Record that a block holds an attempt."""

    included: TxIncluded


@dataclass(frozen=True, slots=True)
class Unwind:
    """Record that no block holds it any more; its bytes are sent again."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Record that it ended."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Record that somebody else used the nonce."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign another attempt, record it, and send it."""

    fees: Fees
    cancels: bool


@dataclass(frozen=True, slots=True)
class Resend:
    """Send the same bytes again."""

    attempt: TxSigned


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do; `why` when a person should know."""

    why: str = ""


Step = Include | Unwind | Finish | Taken | Sign | Resend | Wait


def step(tx: Tx, seen: Seen, policy: Policy) -> Step:
    """The one next thing to do."""
    if seen.mined:
        return _mined(tx, seen.mined, seen.head, policy)
    if tx.included:
        return Unwind()
    if seen.deep_nonce > tx.nonce:
        return Taken()
    if not tx.attempts:
        # Reserved by a process that died before it signed. What it wanted may no longer be wanted.
        return Sign(seen.market, cancels=True)
    return _waiting(tx, seen, policy)


def _mined(tx: Tx, mined: Receipt, head: int, policy: Policy) -> Step:
    included = TxIncluded(tx.reserved.tx_id, mined.hash, mined.block, mined.block_hash, mined.succeeded, mined.fee)
    if tx.included != included:
        return Include(included)
    return Finish() if head - mined.block >= policy.confirmations else Wait()


def _waiting(tx: Tx, seen: Seen, policy: Policy) -> Step:
    newest = tx.attempts[-1]
    if tx.cancelling or seen.head > tx.reserved.expires_block:
        return _giving_up(tx, newest, seen, policy)
    if _outdated(newest, seen, policy):
        better = outbid(_fees(newest), seen.market, min(policy.fee_cap, MOST_TIMES * seen.market.max_fee))
        return Sign(better, cancels=False) if better else _resend(newest, seen, policy, "waiting at the fee cap")
    return _resend(newest, seen, policy, "")


def _giving_up(tx: Tx, newest: TxSigned, seen: Seen, policy: Policy) -> Step:
    """An expired call is not sent any more; what does nothing may cost twice the cap, or it could not replace a call
    that is at the cap itself."""
    if not tx.cancelling or _outdated(newest, seen, policy):
        better = outbid(_fees(newest), seen.market, 2 * policy.fee_cap)
        if better:
            return Sign(better, cancels=True)
    return _resend(newest, seen, policy, "given up, and waiting at the fee cap") if tx.cancelling else Wait("expired")


def _outdated(newest: TxSigned, seen: Seen, policy: Policy) -> bool:
    return seen.head - newest.block >= policy.outbid_blocks or seen.base_fee > newest.max_fee


def _fees(attempt: TxSigned) -> Fees:
    return Fees(attempt.max_fee, attempt.max_priority)


def _resend(newest: TxSigned, seen: Seen, policy: Policy, why: str) -> Step:
    if seen.sent_ms is None or seen.now_ms - seen.sent_ms >= policy.rebroadcast_ms:
        return Resend(newest)
    return Wait(why)
