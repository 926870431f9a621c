import pytest
from eth_utils.address import to_checksum_address

from venue.chain import machine
from venue.chain.call import Call
from venue.chain.facts import Fact, Result, TxIncluded, TxSigned
from venue.chain.machine import (
    Adopt,
    ChainCode,
    Readopt,
    RecordIncluded,
    RecordSigned,
    Refusal,
    Reserve,
    Settle,
    decide,
)
from venue.chain.state import Chain, evolve

WALLET = "0x1111111111111111111111111111111111111111"
TO = to_checksum_address("0x2222222222222222222222222222222222222222")


def do(chain: Chain, command: machine.Command) -> tuple[Fact, ...]:
    """The command's facts, folded."""
    answer = decide(chain, command)
    assert not isinstance(answer, Refusal), answer
    for fact in answer:
        evolve(chain, fact)
    return answer


def code(chain: Chain, command: machine.Command) -> ChainCode:
    answer = decide(chain, command)
    assert isinstance(answer, Refusal)
    return answer.code


def reserve(tx_id: str, data: bytes = b"\x01\x02\x03\x04") -> Reserve:
    return Reserve(tx_id, "openTrade", Call(TO, data), 200_000, 150)


def signed(tx_id: str, tx_hash: str, *, cancels: bool = False) -> RecordSigned:
    return RecordSigned(TxSigned(tx_id, tx_hash, "0x02", 10, 1, cancels, 5))


def included(tx_id: str, tx_hash: str, *, block: int = 7, succeeded: bool = True) -> RecordIncluded:
    return RecordIncluded(TxIncluded(tx_id, tx_hash, block, f"0xb{block}", succeeded, 21))


@pytest.fixture
def chain() -> Chain:
    made = Chain()
    do(made, Adopt(WALLET, 40))
    return made


def test_nonces_follow_one_another_from_what_the_chain_expected(chain: Chain) -> None:
    for tx_id in ("a", "b", "c"):
        do(chain, reserve(tx_id))
    assert [tx.nonce for tx in chain.open.values()] == [40, 41, 42]


def test_an_id_is_one_call(chain: Chain) -> None:
    do(chain, reserve("a"))
    assert do(chain, reserve("a")) == ()
    assert code(chain, reserve("a", b"\x09\x09\x09\x09")) is ChainCode.ID_REUSED
    assert len(chain.open) == 1


def test_nothing_is_reserved_without_a_wallet_or_for_another() -> None:
    chain = Chain()
    assert code(chain, reserve("a")) is ChainCode.NOT_ADOPTED
    do(chain, Adopt(WALLET, 0))
    assert do(chain, Adopt(WALLET, 5)) == ()
    assert chain.next_nonce == 0
    assert code(chain, Adopt(TO, 0)) is ChainCode.OTHER_WALLET


@pytest.mark.parametrize(
    ("cancels", "succeeded", "result"),
    [(False, True, Result.DONE), (False, False, Result.REVERTED), (True, True, Result.CANCELLED)],
)
def test_whatever_is_mined_decides(chain: Chain, cancels: bool, succeeded: bool, result: Result) -> None:
    do(chain, reserve("a"))
    do(chain, signed("a", "0xcall"))
    do(chain, signed("a", "0xnothing", cancels=True))
    mined = "0xnothing" if cancels else "0xcall"
    do(chain, included("a", mined, succeeded=succeeded))
    do(chain, Settle("a"))
    assert chain.ended["a"].result is result
    assert chain.ended["a"].hash == mined
    assert chain.spent == 21
    assert code(chain, reserve("a")) is ChainCode.ALREADY_ENDED


def test_what_was_given_up_is_not_asked_for_again(chain: Chain) -> None:
    do(chain, reserve("a"))
    do(chain, signed("a", "0x1"))
    do(chain, signed("a", "0x2", cancels=True))
    assert code(chain, signed("a", "0x3")) is ChainCode.GIVEN_UP
    do(chain, signed("a", "0x4", cancels=True))


def test_an_included_transaction_is_not_attempted_again_and_may_move(chain: Chain) -> None:
    do(chain, reserve("a"))
    do(chain, signed("a", "0x1"))
    assert code(chain, included("a", "0xother")) is ChainCode.UNKNOWN_HASH
    assert code(chain, Settle("a")) is ChainCode.NOT_INCLUDED
    do(chain, included("a", "0x1"))
    assert do(chain, included("a", "0x1")) == ()
    assert code(chain, signed("a", "0x2")) is ChainCode.INCLUDED
    assert code(chain, machine.RecordTaken("a")) is ChainCode.INCLUDED
    assert len(do(chain, included("a", "0x1", block=9))) == 2
    do(chain, machine.RecordReorged("a"))
    assert do(chain, machine.RecordReorged("a")) == ()
    do(chain, signed("a", "0x2"))


def test_a_nonce_that_somebody_else_used_ends_all_sending(chain: Chain) -> None:
    do(chain, reserve("a"))
    do(chain, reserve("b"))
    do(chain, signed("a", "0x1"))
    do(chain, machine.RecordTaken("a"))
    assert chain.ended["a"].result is Result.TAKEN
    assert chain.taken == (40,)
    assert code(chain, reserve("c")) is ChainCode.KEY_SHARED
    do(chain, signed("b", "0x2", cancels=True))


def test_the_number_of_open_transactions_has_a_bound(chain: Chain) -> None:
    for number in range(machine.MAX_OPEN):
        do(chain, reserve(str(number)))
    assert code(chain, reserve("more")) is ChainCode.TOO_MANY


@pytest.mark.parametrize("command", [signed("x", "0x1"), included("x", "0x1"), Settle("x"), machine.RecordTaken("x")])
def test_what_was_never_reserved_has_no_history(chain: Chain, command: machine.Command) -> None:
    assert code(chain, command) is ChainCode.UNKNOWN_TX


def test_a_shared_key_is_taken_on_again_by_somebody_who_looked(chain: Chain) -> None:
    assert code(chain, Readopt(45, "ops")) is ChainCode.NOT_SHARED
    do(chain, reserve("a"))
    do(chain, reserve("b"))
    do(chain, machine.RecordTaken("a"))
    assert code(chain, Readopt(45, "ops")) is ChainCode.STILL_OPEN
    do(chain, machine.RecordTaken("b"))
    assert code(chain, Readopt(41, "ops")) is ChainCode.NONCE_BEHIND
    assert chain.taken == (40, 41)
    do(chain, Readopt(45, "ops"))
    do(chain, reserve("c"))
    assert chain.open["c"].nonce == 45
    assert code(chain, reserve("a")) is ChainCode.ALREADY_ENDED
    do(chain, machine.RecordTaken("c"))
    assert code(chain, reserve("d")) is ChainCode.KEY_SHARED
