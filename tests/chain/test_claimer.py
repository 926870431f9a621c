"""Fees from the pools to the books, on a chain, with strangers and deaths in between."""

from collections.abc import AsyncGenerator

import pytest
from vyper.compiler import compile_code  # type: ignore[import-untyped]

from engine.fees import Earned
from engine.live.fees import LiveFees
from tests.chain.money_house import OTHER_TOKEN, THOUSAND, House, Lonely, own_blocks
from tests.chain.node import Node
from tests.chain.stage import STRANGER, TOKEN, TRADER, USDC_KEY, Stage
from tests.venue.chain.fake_chain import Crash
from venue.clanker import locker
from venue.clanker.contracts import CLANKER, FeeIn
from venue.clanker.reader import MULTICALL
from venue.uniswap.addresses import UNISWAP
from venue.uniswap.v4 import PoolKey

TOKENS = (TOKEN, OTHER_TOKEN)
BOTH: dict[str, str] = dict.fromkeys(TOKENS, "")
AGGREGATE3 = """# pragma version ~=0.4.3
struct Call:
    target: address
    allowFailure: bool
    callData: Bytes[128]

struct Result:
    success: bool
    returnData: Bytes[128]

@external
@payable
def aggregate3(calls: DynArray[Call, 64]) -> DynArray[Result, 64]:
    results: DynArray[Result, 64] = []
    for call: Call in calls:
        success: bool = False
        returned: Bytes[128] = b""
        success, returned = raw_call(call.target, call.callData, max_outsize=128, revert_on_failure=False)
        results.append(Result(success=success, returnData=returned))
    return results
"""


@pytest.fixture
async def stage(node: Node) -> AsyncGenerator[Stage, None]:
    """Two launches that pay the trader four fifths of what they earn, in USDC."""
    async with own_blocks(node) as stage:
        async with Lonely(stage):
            await stage.token(OTHER_TOKEN)
            for token in TOKENS:
                key = PoolKey(UNISWAP.usdc, token, 0x800000, 200, USDC_KEY.hooks)
                await stage.launch(token, key, [(STRANGER, 2000), (TRADER, 8000)])
        yield stage


async def opened(stage: Stage) -> House:
    house = House(stage)
    await house.sender.adopt()
    return house


async def accrued(stage: Stage, first: int, second: int = 0) -> None:
    async with Lonely(stage):
        for token, amount in ((TOKEN, first), (OTHER_TOKEN, second)):
            if amount:
                await stage.accrue_fees(token, UNISWAP.usdc, amount)


async def usdc(stage: Stage) -> int:
    """What the trader has got since the beginning."""
    return await stage.balance(UNISWAP.usdc, TRADER) - THOUSAND


def ids(house: House) -> list[str]:
    return [tx_id.split("/")[2] for tx_id in (*house.memory.chain.ended, *house.memory.chain.open)]


async def test_two_launches_are_claimed_at_once_and_told_apart(stage: Stage) -> None:
    house = await opened(stage)
    await accrued(stage, 10_000_001, 5_000_000)
    fees = LiveFees(house.claimer)
    assert await fees.claim_pooled_fees(dict(BOTH)) == ()
    await house.turns(12)
    found = await fees.claim_pooled_fees(dict(BOTH))
    assert [(each.address, each.amount) for each in found] == [(TOKEN, 8_000_000), (OTHER_TOKEN, 4_000_000)]
    assert isinstance(found[0], Earned)
    assert await usdc(stage) == 12_000_000
    assert ids(house) == ["collect", "collect", "claim"]
    booked = {each.address: each.ref for each in found}
    assert await house.earned(booked, most=8) == ()
    house = await house.reborn()
    assert await house.earned(booked, most=8) == ()
    assert (house.claimer.unattributed, dict(house.claimer.troubles)) == (0, {})
    await accrued(stage, 1_000_000)
    (more,) = await house.earned(booked, most=20)
    assert (more.token, more.amount, more.ref > booked[TOKEN]) == (TOKEN, 800_000, True)


async def test_what_brings_nothing_is_not_collected(stage: Stage) -> None:
    made = compile_code(AGGREGATE3, output_formats=["bytecode_runtime"])
    await stage.node.set_code(MULTICALL, bytes.fromhex(made["bytecode_runtime"][2:]))
    house = await opened(stage)
    assert await house.earned(dict(BOTH), most=5) == ()
    assert house.memory.chain.next_nonce == 0
    await accrued(stage, 0, 5_000_000)
    (found,) = await house.earned(dict(BOTH))
    assert (found.token, found.amount, ids(house)) == (OTHER_TOKEN, 4_000_000, ["collect", "claim"])


async def test_what_strangers_collect_is_no_launchs(stage: Stage) -> None:
    house = await opened(stage)
    await accrued(stage, 1_000_000)
    async with Lonely(stage):
        await stage.must(locker.collect(CLANKER.locker, TOKEN), STRANGER)
    await accrued(stage, 10_000_000)
    (found,) = await house.earned(dict(BOTH))
    assert found.amount == 8_000_000
    await house.turns(3)
    assert house.claimer.unattributed == 800_000
    assert "unattributed" in house.claimer.troubles
    assert await usdc(stage) == 8_800_000


async def test_what_strangers_claim_for_us_is_booked_once_it_lies_deep(stage: Stage) -> None:
    house = await opened(stage)
    await accrued(stage, 10_000_000)
    await house.claimer.claim_pooled_fees(dict(BOTH))
    await house.turns(2)
    async with Lonely(stage):
        await stage.must(locker.claim(CLANKER, TRADER, UNISWAP.usdc), STRANGER)
    found = await house.earned(dict(BOTH))
    assert [(each.token, each.amount) for each in found] == [(TOKEN, 8_000_000)]
    assert "claim" not in ids(house)
    assert not house.claimer.troubles
    again = await (await house.reborn()).earned(dict(BOTH))
    assert again == found, "not booked yet, so it is said again"


async def test_fees_in_other_currencies_are_a_figure(stage: Stage) -> None:
    async with Lonely(stage):
        await stage.launch(TOKEN, USDC_KEY, [(TRADER, 10_000)], FeeIn.BOTH)
        await stage.accrue_fees(TOKEN, TOKEN, 10**18)
    house = await opened(stage)
    await accrued(stage, 1_000_000)
    (found,) = await house.earned(dict(BOTH))
    assert found.amount == 1_000_000
    assert house.claimer.others == {TOKEN: 10**18}


async def test_what_is_no_launch_of_ours_is_said(stage: Stage) -> None:
    house = await opened(stage)
    assert await house.earned({STRANGER: "", "nonsense": ""}, most=3) == ()
    assert set(house.claimer.troubles) == {STRANGER, "nonsense"}


async def test_a_death_at_any_moment_loses_nothing_and_books_nothing_twice(stage: Stage) -> None:
    died = 0
    while True:
        before = await stage.node.snapshot()
        house = await opened(stage)
        house = House(stage, facts=house.memory.facts, dies_at=died)
        await accrued(stage, 10_000_000, 5_000_000)
        booked: dict[str, str] = dict(BOTH)
        sums: dict[str, int] = dict.fromkeys(booked, 0)
        crashed = False
        for _ in range(45):
            try:
                for fees in await house.claimer.claim_pooled_fees(dict(booked)):
                    assert fees.ref > booked[fees.token]
                    booked[fees.token] = fees.ref
                    sums[fees.token] += fees.amount
                if all(sums.values()):
                    break
                await house.turn()
            except Crash:
                crashed = True
                house = await house.reborn()
        assert sums == {TOKEN: 8_000_000, OTHER_TOKEN: 4_000_000}
        assert await usdc(stage) == 12_000_000
        await stage.node.revert(before)
        if not crashed:
            break
        died += 1
    assert died > 15
