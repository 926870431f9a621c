"""Buybacks and fees on a chain, by the calls the program makes, each of them on its allow-list."""

import pytest
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from tests.chain.node import Node
from tests.chain.stage import STRANGER, TOKEN, TRADER, USDC_KEY, WETH_KEY, Receipt, Stage
from venue.chain.call import Call
from venue.chain.erc20 import ALLOWANCE
from venue.chain.guard import Guard
from venue.clanker import locker
from venue.clanker import rules as clanker_rules
from venue.clanker.attribution import attribute, claimed, collected
from venue.clanker.contracts import CLANKER, FeeIn
from venue.uniswap import permit2, rules, v3, v4
from venue.uniswap.addresses import DEAD, UNISWAP, RouterVersion
from venue.uniswap.permit2 import Allowed
from venue.uniswap.plan import Planner, Standing, Terms
from venue.uniswap.receipts import bought
from venue.uniswap.route import Hop, Limits, V3Hop, least, route

NEVER = 4_000_000_000
HUNDRED = 100 * 10**6
LIMITS = Limits()
OTHER_TOKEN = to_checksum_address("0xB000000000000000000000000000000000000bbB")


@pytest.fixture
async def stage(node: Node) -> Stage:
    """1 USDC buys 0.0005 WETH or 50 tokens, 1 WETH buys 100 000 tokens; the trader has 1000 USDC."""
    stage = await Stage.build(node)
    await stage.usdc(TRADER, 1000 * 10**6)
    await stage.rate(USDC_KEY, UNISWAP.usdc, 50 * 10**18, 10**6)
    await stage.rate(WETH_KEY, UNISWAP.weth, 100_000, 1)
    await stage.v3_rate(UNISWAP.usdc, UNISWAP.weth, LIMITS.weth_fee, 5 * 10**14, 10**6)
    return stage


async def survives(_: Call) -> str:
    return ""


async def signed(stage: Stage, version: RouterVersion, call: Call) -> Receipt:
    """As the program sends it: past the allow-list, then onto the chain."""
    Guard(rules.rules(TRADER, [TOKEN], version), survives).allow(call)
    return await stage.must(call, TRADER)


async def quote(stage: Stage, hop: Hop, amount: int) -> int:
    if isinstance(hop, V3Hop):
        return v3.quoted(await stage.read(v3.quote(UNISWAP, hop.token_in, hop.token_out, hop.fee, amount)))
    return v4.quoted(await stage.read(v4.quote(UNISWAP, hop.key, hop.token_in, amount)))


async def standing(stage: Stage, version: RouterVersion, hop: Hop) -> Standing:
    if isinstance(hop, V3Hop):
        asked = permit2.allowance(hop.token_in, TRADER, UNISWAP.v3_router)
        return Standing(permit2.allowed_by_token(await stage.read(asked)))
    asked = permit2.allowance(hop.token_in, TRADER, UNISWAP.permit2)
    by_permit2 = permit2.allowance_of_router(UNISWAP, version, hop.token_in, TRADER)
    return Standing(
        permit2.allowed_by_token(await stage.read(asked)), permit2.allowed_by_permit2(await stage.read(by_permit2))
    )


async def walked(stage: Stage, version: RouterVersion, hops: tuple[Hop, ...], amount: int) -> int:
    """Swaps along the route, and returns what the wallet bought."""
    planner = Planner(UNISWAP, version, LIMITS, TRADER)
    for hop in hops:
        expected = await quote(stage, hop, amount)
        terms = Terms(amount, expected, least(expected, 10_000), NEVER)
        for step in planner.plan(hop, terms, await standing(stage, version, hop)).steps:
            receipt = await signed(stage, version, step.call)
            if step.buys is not None:
                amount = bought(receipt.logs, step.buys, TRADER)
                assert amount == expected
    return amount


@pytest.mark.parametrize("version", RouterVersion)
async def test_a_token_paired_with_usdc_is_bought_straight_and_burned(stage: Stage, version: RouterVersion) -> None:
    got = await walked(stage, version, route(UNISWAP, LIMITS, TOKEN, USDC_KEY, 10**6), HUNDRED)
    assert got == await stage.balance(TOKEN, TRADER) == 5000 * 10**18
    assert await stage.balance(UNISWAP.usdc, TRADER) == 900 * 10**6
    await signed(stage, version, Planner(UNISWAP, version, LIMITS, TRADER).burn(TOKEN, got).call)
    assert (await stage.balance(TOKEN, TRADER), await stage.balance(TOKEN, DEAD)) == (0, got)


async def test_a_token_paired_with_weth_is_bought_in_two_hops_and_nothing_stays_allowed(stage: Stage) -> None:
    version = RouterVersion.V2_0
    got = await walked(stage, version, route(UNISWAP, LIMITS, TOKEN, WETH_KEY, 10**6), HUNDRED)
    assert got == 5000 * 10**18
    assert await stage.balance(UNISWAP.weth, TRADER) == 0
    for token, spender in (
        (UNISWAP.usdc, UNISWAP.v3_router),
        (UNISWAP.weth, UNISWAP.permit2),
    ):
        assert await stage.ask(token, ALLOWANCE, TRADER, spender) == (0,)
    hops = route(UNISWAP, LIMITS, TOKEN, WETH_KEY, 10**6)
    assert (await standing(stage, version, hops[1])).by_permit2.amount == 0


def swap(version: RouterVersion, least: int, deadline: int = NEVER) -> Call:
    return v4.swap(UNISWAP, version, v4.V4Swap(USDC_KEY, UNISWAP.usdc, HUNDRED, least), deadline)


async def test_the_universal_router_refuses_what_the_real_one_does(stage: Stage) -> None:
    version = RouterVersion.V2_0
    good = 5000 * 10**18

    async def selector(call: Call) -> bytes:
        return (await stage.refusal(call, TRADER))[:4]

    assert await selector(swap(version, good)) == keccak(text="AllowanceExpired(uint256)")[:4]
    await stage.must(permit2.approve_router(UNISWAP, version, UNISWAP.usdc, HUNDRED - 1, NEVER), TRADER)
    assert await selector(swap(version, good)) == keccak(text="InsufficientAllowance(uint256)")[:4]
    await stage.must(permit2.approve_router(UNISWAP, version, UNISWAP.usdc, HUNDRED, NEVER), TRADER)
    assert await selector(swap(version, good)), "the token does not let Permit2 take it"
    await stage.must(permit2.approve(UNISWAP.usdc, UNISWAP.permit2, HUNDRED), TRADER)
    assert await stage.passes(swap(version, good), TRADER)
    assert await selector(swap(version, good + 1)) == keccak(text="V4TooLittleReceived(uint256,uint256)")[:4]
    assert await selector(swap(version, good, deadline=1)) == keccak(text="TransactionDeadlinePassed()")[:4]
    other = swap(RouterVersion.V2_1_1, good)
    wrong_words = Call(UNISWAP.universal[version], other.data)
    assert not (await stage.send(wrong_words, TRADER)).succeeded
    await stage.rate(USDC_KEY, UNISWAP.usdc, 0, 0)
    assert await selector(swap(version, good)) == keccak(text="PoolNotInitialized()")[:4]


async def test_the_v3_router_refuses_what_the_real_one_does(stage: Stage) -> None:
    def call(least: int, deadline: int = NEVER) -> Call:
        order = v3.V3Swap(UNISWAP.usdc, UNISWAP.weth, LIMITS.weth_fee, TRADER, HUNDRED, least)
        return v3.swap(UNISWAP, order, deadline)

    good = 5 * 10**16
    assert await stage.refusal(call(good), TRADER), "nothing is allowed yet"
    await stage.must(permit2.approve(UNISWAP.usdc, UNISWAP.v3_router, HUNDRED), TRADER)
    assert b"Too little received" in await stage.refusal(call(good + 1), TRADER)
    assert b"Transaction too old" in await stage.refusal(call(good, deadline=1), TRADER)
    assert bought((await stage.must(call(good), TRADER)).logs, UNISWAP.weth, TRADER) == good


async def test_an_allowance_by_permit2_ends_with_its_time(stage: Stage) -> None:
    version = RouterVersion.V2_0
    block = await stage.node.rpc("eth_getBlockByNumber", "latest", False)
    until = int(block["timestamp"], 16) + 100
    await stage.must(permit2.approve(UNISWAP.usdc, UNISWAP.permit2, HUNDRED), TRADER)
    await stage.must(permit2.approve_router(UNISWAP, version, UNISWAP.usdc, HUNDRED, until), TRADER)
    asked = permit2.allowance_of_router(UNISWAP, version, UNISWAP.usdc, TRADER)
    assert permit2.allowed_by_permit2(await stage.read(asked)) == Allowed(HUNDRED, until)
    assert await stage.passes(swap(version, 1), TRADER)
    await stage.node.mine(200)
    assert (await stage.refusal(swap(version, 1), TRADER))[:4] == keccak(text="AllowanceExpired(uint256)")[:4]


async def launched(stage: Stage, token: ChecksumAddress, preference: FeeIn = FeeIn.PAIRED) -> None:
    key = USDC_KEY if token == TOKEN else v4.PoolKey(UNISWAP.usdc, token, 0x800000, 200, USDC_KEY.hooks)
    await stage.launch(token, key, [(STRANGER, 2000), (TRADER, 8000)], preference)


async def test_fees_reach_their_launches_through_one_pooled_balance(stage: Stage) -> None:
    await stage.token(OTHER_TOKEN)
    waiting = []
    for token, usdc in ((TOKEN, 10_000_001), (OTHER_TOKEN, 5_000_000)):
        await launched(stage, token)
        await stage.accrue_fees(token, UNISWAP.usdc, usdc)
        call = locker.collect(CLANKER.locker, token)
        Guard(clanker_rules.rules(TRADER, [TOKEN, OTHER_TOKEN], [UNISWAP.usdc]), survives).allow(call)
        receipt = await stage.must(call, TRADER)
        waiting.append(collected(receipt.logs, token, TRADER, CLANKER, UNISWAP.usdc))
    assert [each.usdc for each in waiting] == [8_000_000, 4_000_000]
    await stage.accrue_fees(TOKEN, UNISWAP.usdc, 1_000_000)
    await stage.must(locker.collect(CLANKER.locker, TOKEN), STRANGER)
    available = await stage.read(locker.available_fees(CLANKER, TRADER, UNISWAP.usdc))
    assert locker.available(available) == 12_800_000
    before = await stage.balance(UNISWAP.usdc, TRADER)
    receipt = await stage.must(locker.claim(CLANKER, TRADER, UNISWAP.usdc), STRANGER)
    arrived = claimed(receipt.logs, TRADER, CLANKER)[UNISWAP.usdc]
    assert await stage.balance(UNISWAP.usdc, TRADER) == before + arrived
    found = attribute(waiting, arrived)
    assert (found.per_token, found.unattributed) == ({TOKEN: 8_000_000, OTHER_TOKEN: 4_000_000}, 800_000)
    refusal = await stage.refusal(locker.claim(CLANKER, TRADER, UNISWAP.usdc), TRADER)
    assert refusal.hex() == "846d8c5c", "NoFeesToClaim()"


async def test_fees_in_both_currencies_are_told_apart(stage: Stage) -> None:
    await launched(stage, TOKEN, FeeIn.BOTH)
    await stage.accrue_fees(TOKEN, UNISWAP.usdc, 1_000_000)
    await stage.accrue_fees(TOKEN, TOKEN, 10**18)
    receipt = await stage.must(locker.collect(CLANKER.locker, TOKEN), TRADER)
    found = collected(receipt.logs, TOKEN, TRADER, CLANKER, UNISWAP.usdc)
    assert (found.usdc, dict(found.other)) == (800_000, {TOKEN: 8 * 10**17})


async def test_the_locker_knows_the_pool_of_a_launch(stage: Stage) -> None:
    asked = locker.token_rewards(CLANKER.locker, TOKEN)
    assert locker.rewards(await stage.read(asked), TOKEN) is None
    assert not await stage.passes(locker.collect(CLANKER.locker, TOKEN), TRADER)
    await launched(stage, TOKEN)
    found = locker.rewards(await stage.read(asked), TOKEN)
    assert found is not None
    assert (found.key, found.indexes(TRADER)) == (USDC_KEY, (1,))
