"""What is done next about a transaction that waits."""

from dataclasses import replace

from venue.chain.facts import TxReserved, TxSigned
from venue.chain.fees import Fees
from venue.chain.state import Tx
from venue.chain.step import MOST_TIMES, Policy, Resend, Seen, Sign, Wait, step

POLICY = Policy()
GWEI = 10**9
TX = Tx(
    TxReserved("a", "0x1", "open", 7, "0x2", "0x", 0, 1_500_000, 1_000),
    (TxSigned("a", "0xaa", "0x", GWEI, GWEI // 10, cancels=False, block=100),),
)
SEEN = Seen(100 + POLICY.outbid_blocks, 1, Fees(GWEI, GWEI // 10), 7, None, 0, 1)


def test_one_that_waited_is_outbid_and_one_that_pays_enough_is_sent_again_or_left() -> None:
    assert isinstance(step(TX, SEEN, POLICY), Sign)
    cheap = replace(SEEN, market=Fees(GWEI // MOST_TIMES, 1))
    assert isinstance(step(TX, replace(cheap, now_ms=POLICY.rebroadcast_ms), POLICY), Resend)
    assert step(TX, cheap, POLICY) == Wait("waiting at the fee cap")


def test_giving_up_is_never_too_dear() -> None:
    late = replace(SEEN, head=1_001, market=Fees(1, 1))
    found = step(TX, late, POLICY)
    assert isinstance(found, Sign)
    assert found.cancels
