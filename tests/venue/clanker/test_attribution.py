"""Every launch gets what its own collection stored, to the last micro-dollar, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pytest
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from tests.venue.uniswap.support import STRANGER, TOKEN, WALLET
from venue.chain.abi import AbiError
from venue.clanker.attribution import Collected, attribute, claimed, collected
from venue.clanker.contracts import CLAIM_TOKENS, CLANKER, STORE_TOKENS
from venue.uniswap.addresses import UNISWAP

OTHER = to_checksum_address(f"0x{'bb' * 20}")
NONE: Mapping[ChecksumAddress, int] = MappingProxyType({})


@dataclass(frozen=True)
class Logged:
    """One log."""

    address: ChecksumAddress
    topics: tuple[bytes, ...]
    data: bytes


def topics(*addresses: str) -> tuple[bytes, ...]:
    return tuple(bytes(12) + bytes.fromhex(each[2:]) for each in addresses)


def stored(owner: str, currency: str, amount: int, at: ChecksumAddress = CLANKER.fee_locker) -> Logged:
    data = (amount + 10**9).to_bytes(32, "big") + amount.to_bytes(32, "big")
    return Logged(at, (STORE_TOKENS.topic, *topics(CLANKER.locker, owner, currency)), data)


def claim(owner: str, currency: str, amount: int) -> Logged:
    return Logged(CLANKER.fee_locker, (CLAIM_TOKENS.topic, *topics(owner, currency)), amount.to_bytes(32, "big"))


def test_a_receipt_says_what_was_stored_for_us() -> None:
    logs = [
        stored(STRANGER, UNISWAP.usdc, 80),
        stored(WALLET, UNISWAP.usdc, 20),
        stored(WALLET, UNISWAP.usdc, 5),
        stored(WALLET, UNISWAP.weth, 7),
        stored(WALLET, TOKEN, 9),
        stored(WALLET, UNISWAP.usdc, 1000, at=STRANGER),
        claim(WALLET, UNISWAP.usdc, 1000),
    ]
    found = collected(logs, TOKEN, WALLET, CLANKER, UNISWAP.usdc)
    assert (found.token, found.usdc) == (TOKEN, 25)
    assert found.other == {UNISWAP.weth: 7, TOKEN: 9}
    assert collected([], TOKEN, WALLET, CLANKER, UNISWAP.usdc) == Collected(TOKEN, 0, NONE)


def test_a_log_that_cannot_be_is_not_skipped() -> None:
    with pytest.raises(AbiError):
        collected([Logged(CLANKER.fee_locker, (STORE_TOKENS.topic,), b"")], TOKEN, WALLET, CLANKER, UNISWAP.usdc)


def test_claims_pay_us_whoever_claims() -> None:
    logs = [
        claim(WALLET, UNISWAP.usdc, 20),
        claim(WALLET, UNISWAP.usdc, 3),
        claim(WALLET, TOKEN, 4),
        claim(STRANGER, UNISWAP.usdc, 99),
        stored(WALLET, UNISWAP.usdc, 99),
    ]
    assert claimed(logs, WALLET, CLANKER) == {UNISWAP.usdc: 23, TOKEN: 4}


def test_what_strangers_collected_is_nobodys() -> None:
    found = attribute([Collected(TOKEN, 20, NONE), Collected(OTHER, 5, NONE)], 32)
    assert (found.per_token, found.unattributed, found.pending) == ({TOKEN: 20, OTHER: 5}, 7, ())


def test_what_a_stranger_claimed_waits_for_its_log() -> None:
    first = attribute([Collected(TOKEN, 20, NONE), Collected(OTHER, 5, NONE)], 21)
    assert (first.per_token, first.unattributed) == ({TOKEN: 20, OTHER: 1}, 0)
    then = attribute(first.pending, 4)
    assert (then.per_token, then.unattributed, then.pending) == ({OTHER: 4}, 0, ())


def test_only_usdc_waits() -> None:
    assert attribute([Collected(TOKEN, 0, {UNISWAP.weth: 7})], 0).pending == ()


@given(
    st.lists(st.tuples(st.sampled_from([TOKEN, OTHER, STRANGER]), st.integers(0, 10**9)), max_size=8),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=4),
)
def test_no_cent_is_given_twice_or_lost(earned: list[tuple[ChecksumAddress, int]], arrivals: list[int]) -> None:
    waiting: tuple[Collected, ...] = tuple(Collected(token, amount, NONE) for token, amount in earned)
    given_to: dict[ChecksumAddress, int] = {}
    spare = 0
    for arrived in arrivals:
        found = attribute(waiting, arrived)
        assert sum(found.per_token.values()) + found.unattributed == arrived
        assert not found.unattributed or not found.pending
        for token, amount in found.per_token.items():
            given_to[token] = given_to.get(token, 0) + amount
        spare, waiting = spare + found.unattributed, found.pending
    for token in {token for token, _ in earned}:
        left = sum(each.usdc for each in waiting if each.token == token)
        assert given_to.get(token, 0) + left == sum(amount for whose, amount in earned if whose == token)
    assert sum(given_to.values()) + spare == sum(arrivals)
