"""Several wallets in one journal: whatever is asked, in whatever order, none of them touches another's nonces."""

from copy import deepcopy
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.venue.chain.test_machine import included, reserve, signed
from venue.chain import machine
from venue.chain.facts import ContractPinned, Fact, TxReserved
from venue.chain.machine import Adopt, ChainCode, Pin, Readopt, RecordReorged, RecordTaken, Refusal, Settle
from venue.chain.wallets import Of, Wallets, decide

NAMES: Final = ("0xA", "0xB", "0xC")
FIRST: Final = dict(zip(NAMES, (0, 7, 40), strict=True))
IDS: Final = ("a", "b", "c", "d")
STRANGER: Final = "0xD"


def do(wallets: Wallets, wallet: str, command: machine.Command) -> tuple[Fact, ...]:
    """The command's facts, folded."""
    answer = decide(wallets, Of(wallet, command))
    assert not isinstance(answer, Refusal), answer
    for fact in answer:
        wallets.evolve(fact)
    return answer


def code(wallets: Wallets, wallet: str, command: machine.Command) -> ChainCode:
    answer = decide(wallets, Of(wallet, command))
    assert isinstance(answer, Refusal), answer
    return answer.code


def adopted(*names: str) -> Wallets:
    wallets = Wallets()
    for name in names:
        do(wallets, name, Adopt(name, FIRST[name], NAMES))
    return wallets


def _pinned(number: int) -> Pin:
    return Pin(ContractPinned("0xcode", f"0x{number}", "", "ops" if number else ""))


def _of_tx(tx_id: str) -> st.SearchStrategy[machine.Command]:
    hashes = st.sampled_from(("0x1", "0x2"))
    return st.one_of(
        st.just(reserve(tx_id)),
        st.builds(lambda tx_hash, cancels: signed(tx_id, tx_hash, cancels=cancels), hashes, st.booleans()),
        st.builds(lambda tx_hash, succeeded: included(tx_id, tx_hash, succeeded=succeeded), hashes, st.booleans()),
        st.just(RecordReorged(tx_id)),
        st.just(Settle(tx_id)),
        st.just(RecordTaken(tx_id)),
    )


_ADOPT: Final = st.builds(
    Adopt, st.sampled_from((*NAMES, STRANGER)), st.integers(0, 50), st.sampled_from(((), NAMES[:1], NAMES))
)
_COMMAND: Final = st.one_of(
    st.sampled_from(IDS).flatmap(_of_tx), st.sampled_from(IDS).flatmap(_of_tx), _ADOPT, st.integers(0, 2).map(_pinned)
)
_HISTORY: Final = st.lists(st.builds(Of, st.sampled_from((*NAMES, "")), _COMMAND), max_size=80)


@settings(max_examples=300, deadline=None)
@given(known=st.integers(0, 3), history=_HISTORY)
def test_nonces_are_gapless_and_nobody_elses_and_replay_is_the_same(known: int, history: list[Of]) -> None:
    wallets, facts = adopted(*NAMES[:known]), list[Fact]()
    replayed = deepcopy(wallets)
    for asked in history:
        before = deepcopy(wallets)
        answer = decide(wallets, asked)
        assert wallets == before, "deciding changes nothing"
        for fact in () if isinstance(answer, Refusal) else answer:
            facts.append(fact)
            wallets.evolve(fact)
        others = [name for name in before.chains if name != asked.wallet]
        assert all(_without_pins(wallets, name) == _without_pins(before, name) for name in others)
    for fact in facts:
        replayed.evolve(fact)
    assert replayed == wallets
    _hold(wallets, [fact for fact in facts if isinstance(fact, TxReserved)])


def _without_pins(wallets: Wallets, name: str) -> tuple[object, ...]:
    chain = wallets.of(name)
    return chain.address, chain.next_nonce, dict(chain.open), dict(chain.ended), chain.taken, chain.spent


def _hold(wallets: Wallets, reserved: list[TxReserved]) -> None:
    assert len({each.tx_id for each in reserved}) == len(reserved)
    for name, chain in wallets.chains.items():
        nonces = [each.nonce for each in reserved if each.wallet == name]
        first = chain.next_nonce - len(nonces)
        assert nonces == list(range(first, chain.next_nonce))
        assert chain.address == name
        assert chain.pins is wallets.pins
        assert {*chain.open, *chain.ended} == {each.tx_id for each in reserved if each.wallet == name}
    assert all(wallets.sender(each.tx_id) == each.wallet for each in reserved)


def test_every_wallet_counts_from_what_the_chain_expected_of_it() -> None:
    wallets = adopted(*NAMES)
    for tx_id, name in (("a", "0xA"), ("b", "0xC"), ("c", "0xC"), ("d", "0xA")):
        do(wallets, name, reserve(tx_id))
    assert [tx.nonce for tx in wallets.of("0xA").open.values()] == [0, 1]
    assert [tx.nonce for tx in wallets.of("0xC").open.values()] == [40, 41]
    assert wallets.of("0xB").next_nonce == 7


def test_an_id_is_one_wallets_for_good() -> None:
    wallets = adopted("0xA", "0xB")
    do(wallets, "0xA", reserve("a"))
    assert code(wallets, "0xB", reserve("a")) is ChainCode.ID_REUSED
    assert code(wallets, "0xB", signed("a", "0x1")) is ChainCode.UNKNOWN_TX
    do(wallets, "0xA", signed("a", "0x1"))
    do(wallets, "0xA", included("a", "0x1"))
    do(wallets, "0xA", Settle("a"))
    assert code(wallets, "0xB", reserve("a")) is ChainCode.ID_REUSED
    assert code(wallets, "0xA", reserve("a")) is ChainCode.ALREADY_ENDED


def test_a_shared_key_stops_its_own_wallet_only() -> None:
    wallets = adopted("0xA", "0xB")
    do(wallets, "0xA", reserve("a"))
    do(wallets, "0xA", RecordTaken("a"))
    assert code(wallets, "0xA", reserve("b")) is ChainCode.KEY_SHARED
    do(wallets, "0xB", reserve("b"))
    assert code(wallets, "0xB", Readopt(9, "ops")) is ChainCode.NOT_SHARED
    assert code(wallets, "0xC", Readopt(9, "ops")) is ChainCode.NOT_SHARED
    do(wallets, "0xA", Readopt(3, "ops"))
    do(wallets, "0xA", reserve("c"))
    assert (wallets.of("0xA").open["c"].nonce, wallets.of("0xB").next_nonce) == (3, 8)


def test_what_stands_at_an_address_is_believed_by_all_and_by_those_who_come_later() -> None:
    wallets = adopted("0xA")
    do(wallets, "", _pinned(0))
    do(wallets, "0xB", Adopt("0xB", 0, NAMES))
    assert do(wallets, "0xA", _pinned(0)) == ()
    assert code(wallets, "0xB", Pin(ContractPinned("0xcode", "0x9", "", ""))) is ChainCode.PINNED
    do(wallets, "0xB", _pinned(1))
    assert {wallets.of(name).pins["0xcode"].code for name in ("", *NAMES)} == {"0x1"}


@pytest.mark.parametrize(
    ("known", "asks", "beside", "welcome"),
    [
        ((), "0xA", (), True),
        (("0xA",), "0xA", (), True),
        (("0xA", "0xB"), "0xB", (), True),
        (("0xA",), "0xB", (), False),
        (("0xA",), "0xB", ("0xA", "0xB"), True),
        (("0xA", "0xB"), "0xC", ("0xA", "0xC"), False),
        (("0xA", "0xB"), "0xC", NAMES, True),
        (("0xA", "0xB"), "0xC", ("0xC",), False),
    ],
)
def test_a_new_wallet_is_taken_on_beside_all_that_are_known(
    known: tuple[str, ...], asks: str, beside: tuple[str, ...], welcome: bool
) -> None:
    wallets = adopted(*known)
    if welcome:
        facts = do(wallets, asks, Adopt(asks, 9, beside))
        assert len(facts) == (asks not in known)
        assert wallets.of(asks).next_nonce == (FIRST[asks] if asks in known else 9)
    else:
        assert code(wallets, asks, Adopt(asks, 9, beside)) is ChainCode.OTHER_WALLET


@pytest.mark.parametrize("door", ["", "0xB"])
def test_nobody_takes_on_a_wallet_through_the_door_of_another(door: str) -> None:
    wallets = adopted("0xA")
    do(wallets, "0xA", reserve("a"))
    assert code(wallets, door, Adopt("0xA", 0, NAMES)) is ChainCode.OTHER_WALLET
    assert wallets.of("0xA").next_nonce == 1


@pytest.mark.parametrize("wallet", ["", "0xB"])
def test_nothing_is_sent_from_a_wallet_that_was_not_taken_on(wallet: str) -> None:
    assert code(adopted("0xA"), wallet, reserve("a")) is ChainCode.NOT_ADOPTED
