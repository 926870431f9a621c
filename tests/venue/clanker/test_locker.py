"""Calls of the lockers, what they answer, and which of them may be signed."""

import pytest
from eth_abi.abi import encode
from eth_typing import ChecksumAddress

from tests.venue.uniswap.support import KEY, STRANGER, TOKEN, WALLET
from venue.chain.abi import AbiError, Event, Function
from venue.chain.call import Call
from venue.chain.guard import Guard, GuardCode, Refused
from venue.clanker import locker
from venue.clanker.contracts import (
    AVAILABLE_FEES,
    CLAIM,
    CLAIM_TOKENS,
    CLANKER,
    COLLECT_REWARDS,
    STORE_TOKENS,
    TOKEN_REWARDS,
)
from venue.clanker.rules import rules
from venue.uniswap.addresses import UNISWAP
from venue.uniswap.v4 import RawKey

NOBODY = "0x" + "00" * 20


def answer(token: str, key: RawKey = KEY.raw, parts: tuple[int, ...] = (8000, 2000)) -> bytes:
    people = [STRANGER, WALLET]
    return encode(TOKEN_REWARDS.returns, [(token, key, 7, 1, parts, people, people)])


@pytest.mark.parametrize(
    ("function", "selector"),
    [
        (COLLECT_REWARDS, "5763dbd0"),
        (TOKEN_REWARDS, "30bd3eeb"),
        (AVAILABLE_FEES, "8296535a"),
        (CLAIM, "21c0b342"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_selectors(function: Function, selector: str) -> None:
    assert function.selector.hex() == selector


@pytest.mark.parametrize(
    ("event", "starts", "ends"), [(STORE_TOKENS, "adf5da73", "e35d"), (CLAIM_TOKENS, "f98eaa9c", "13c5")]
)
def test_topics(event: Event, starts: str, ends: str) -> None:
    assert event.topic.hex().startswith(starts)
    assert event.topic.hex().endswith(ends)


def test_a_launch_names_its_pool_and_its_recipients() -> None:
    rewards = locker.rewards(answer(TOKEN), TOKEN)
    assert rewards is not None
    assert (rewards.key, rewards.paired) == (KEY, UNISWAP.usdc)
    assert rewards.shares == ((STRANGER, 8000), (WALLET, 2000))
    assert rewards.indexes(WALLET) == (1,)
    assert locker.rewards(answer(NOBODY, (NOBODY, NOBODY, 0, 0, NOBODY)), TOKEN) is None


@pytest.mark.parametrize(
    "returned",
    [
        answer(STRANGER),
        answer(TOKEN, (UNISWAP.weth, UNISWAP.usdc, 500, 10, NOBODY)),
        answer(TOKEN, (TOKEN, UNISWAP.usdc, 500, 10, NOBODY)),
        answer(TOKEN, parts=(10_000,)),
        answer(TOKEN) + bytes(32),
        b"",
    ],
)
def test_a_launch_that_cannot_be_is_not_believed(returned: bytes) -> None:
    with pytest.raises(AbiError):
        locker.rewards(returned, TOKEN)


def allowed(call: Call) -> None:
    async def survives(_: Call) -> str:
        return ""

    Guard(rules(WALLET, [TOKEN], [UNISWAP.usdc, UNISWAP.weth]), survives).allow(call)


@pytest.mark.parametrize("at", [CLANKER.locker, CLANKER.older_locker])
def test_our_launches_are_collected_and_claimed_for_us(at: ChecksumAddress) -> None:
    allowed(locker.collect(at, TOKEN))
    allowed(locker.claim(CLANKER, WALLET, UNISWAP.usdc))


@pytest.mark.parametrize(
    "call",
    [
        locker.collect(CLANKER.locker, STRANGER),
        locker.claim(CLANKER, STRANGER, UNISWAP.usdc),
        locker.claim(CLANKER, WALLET, STRANGER),
    ],
)
def test_nothing_is_paid_for_others(call: Call) -> None:
    with pytest.raises(Refused) as refused:
        allowed(call)
    assert refused.value.code is GuardCode.FORBIDDEN_ARGUMENT
