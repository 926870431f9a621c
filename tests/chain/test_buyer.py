"""Buybacks from the order to the burn, on a chain, through refusals, reorgs and deaths."""

from collections.abc import AsyncGenerator

import pytest
from eth_typing import ChecksumAddress

from tests.chain.money_house import DOLLAR, THOUSAND, House, Lonely, own_blocks
from tests.chain.node import Node
from tests.chain.stage import KEEPER, SET_RATE, STRANGER, TOKEN, TRADER, USDC_KEY, WETH_KEY, Stage
from tests.venue.chain.fake_chain import Crash
from venue.chain.erc20 import ALLOWANCE
from venue.chain.guard import GuardCode
from venue.swap import PROTOCOL_TOKEN, SwapDeclined, SwapOrder, Swapped, SwapUnsettled
from venue.uniswap import permit2
from venue.uniswap.addresses import DEAD, UNISWAP, RouterVersion
from venue.uniswap.hops import TRIES, SwapCode
from venue.uniswap.plan import StepName
from venue.uniswap.route import RouteCode
from venue.uniswap.trail import named
from venue.uniswap.v4 import PoolKey

HUNDRED = 100 * DOLLAR
BOUGHT = 5000 * 10**18
LEAST = BOUGHT * 98 // 100
SHARES = [(STRANGER, 2000), (TRADER, 8000)]


@pytest.fixture
async def stage(node: Node) -> AsyncGenerator[Stage, None]:
    """Blocks are mined by the test alone."""
    async with own_blocks(node) as stage:
        yield stage


async def launched(stage: Stage, weth: bool = False) -> None:
    async with Lonely(stage):
        await stage.launch(TOKEN, WETH_KEY if weth else USDC_KEY, SHARES)


async def opened(stage: Stage, version: RouterVersion = RouterVersion.V2_0, weth: bool = False) -> House:
    await launched(stage, weth)
    house = House(stage, version)
    assert await house.sender.adopt() is None
    return house


def order(order_id: str = "a", burn: bool = True, least: int = LEAST, token: str = TOKEN) -> SwapOrder:
    return SwapOrder(order_id, token, HUNDRED, least, burn)


def steps(house: House) -> list[tuple[int, StepName]]:
    """What was ever given a nonce, in order."""
    names = [named(tx_id) for tx_id in (*house.memory.chain.ended, *house.memory.chain.open)]
    numbered = sorted((name.number, name.hop, name.step) for name in names if name)
    return [(hop, step) for _, hop, step in numbered]


async def signed(house: House, hop: int, times: int = 1) -> None:
    """Turns until that hop's swap has been signed so many times."""

    async def enough() -> bool:
        return steps(house).count((hop, StepName.SWAP)) >= times

    await house.until(enough)


async def outbid(stage: Stage, key: PoolKey, token_in: ChecksumAddress, bought: int, paid: int) -> None:
    """The price moves in the next block, before anything of ours."""
    data = SET_RATE.encode(key.pool_id, key.zero_for_one(token_in), bought, paid)
    tip = hex(50 * 10**9)
    asked = {"from": KEEPER, "to": UNISWAP.pool_manager, "data": f"0x{data.hex()}", "gas": hex(200_000)}
    await stage.node.rpc("eth_sendTransaction", {**asked, "maxFeePerGas": tip, "maxPriorityFeePerGas": tip})


async def balances(stage: Stage) -> tuple[int, int, int, int]:
    """USDC, WETH and tokens of the trader, and what is burned."""
    return (
        await stage.balance(UNISWAP.usdc, TRADER),
        await stage.balance(UNISWAP.weth, TRADER),
        await stage.balance(TOKEN, TRADER),
        await stage.balance(TOKEN, DEAD),
    )


@pytest.mark.parametrize("version", RouterVersion)
async def test_a_token_paired_with_usdc_is_bought_straight_and_burned(stage: Stage, version: RouterVersion) -> None:
    house = await opened(stage, version)
    assert await house.buyer.quote(PROTOCOL_TOKEN, HUNDRED) == BOUGHT
    assert await house.buyer.swap_usdc_for_token(order(token=PROTOCOL_TOKEN)) == SwapUnsettled("a")
    assert await house.buyer.quote(TOKEN, HUNDRED) is None, "one at a time"
    assert await house.settled("a") == Swapped("a", BOUGHT, burned=True)
    assert await balances(stage) == (THOUSAND - HUNDRED, 0, 0, BOUGHT)
    wanted = [(0, StepName.APPROVE), (0, StepName.APPROVE_ROUTER), (0, StepName.SWAP), (1, StepName.BURN)]
    assert steps(house) == wanted
    assert await stage.ask(UNISWAP.usdc, ALLOWANCE, TRADER, UNISWAP.permit2) == (0,)
    assert await house.buyer.swap_usdc_for_token(order()) == Swapped("a", BOUGHT, burned=True), "once"
    assert await (await house.reborn()).buyer.outcome("a") == Swapped("a", BOUGHT, burned=True)


@pytest.mark.parametrize("version", RouterVersion)
async def test_a_token_paired_with_weth_is_bought_in_two_hops(stage: Stage, version: RouterVersion) -> None:
    house = await opened(stage, version, weth=True)
    assert await house.buyer.quote(TOKEN, HUNDRED) == BOUGHT
    await house.buyer.swap_usdc_for_token(order(burn=False))
    assert await house.settled("a") == Swapped("a", BOUGHT, burned=False)
    assert await balances(stage) == (THOUSAND - HUNDRED, 0, BOUGHT, 0)


async def test_what_nobody_can_price_has_no_quote(stage: Stage) -> None:
    await stage.node.rpc("evm_setAutomine", True)
    house = House(stage)
    assert await house.buyer.quote(TOKEN, HUNDRED) is None
    assert str(RouteCode.OTHER_POOL) in house.buyer.troubles[TOKEN]
    assert await house.buyer.quote("nonsense", HUNDRED) is None
    await launched(stage)
    for age in (None, 60):
        young = House(stage, age_s=age)
        assert await young.buyer.quote(TOKEN, HUNDRED) is None
        await young.sender.adopt()
        declined = await young.buyer.swap_usdc_for_token(order())
        assert isinstance(declined, SwapDeclined)
        assert declined.code == RouteCode.TOO_NEW
    assert await house.buyer.quote(TOKEN, HUNDRED) == BOUGHT
    assert not house.buyer.troubles


async def test_fewer_tokens_than_asked_for_is_no_trade(stage: Stage) -> None:
    house = await opened(stage)
    declined = await house.buyer.swap_usdc_for_token(order(least=BOUGHT + 1))
    assert isinstance(declined, SwapDeclined)
    assert (declined.code, steps(house)) == (SwapCode.TOO_FEW, [])
    await house.buyer.swap_usdc_for_token(order("b"))
    async with Lonely(stage):
        await stage.rate(USDC_KEY, UNISWAP.usdc, 40 * 10**18, 10**6)
    declined = await house.settled("b")
    assert isinstance(declined, SwapDeclined)
    assert declined.code == SwapCode.TOO_FEW
    assert StepName.SWAP not in [step for _, step in steps(house)]
    assert (await balances(stage))[0] == THOUSAND
    later = await (await house.reborn()).buyer.outcome("b")
    assert isinstance(later, SwapDeclined)
    assert later.code == SwapCode.NEVER_SIGNED


async def test_a_swap_that_reverts_in_its_block_spent_nothing(stage: Stage) -> None:
    house = await opened(stage)
    await house.buyer.swap_usdc_for_token(order())
    await signed(house, 0)
    await outbid(stage, USDC_KEY, UNISWAP.usdc, 40 * 10**18, 10**6)
    declined = await house.settled("a")
    assert isinstance(declined, SwapDeclined)
    assert declined.code == SwapCode.REVERTED
    assert (await balances(stage))[0] == THOUSAND
    assert await (await house.reborn()).buyer.outcome("a") == declined


async def test_an_allowance_by_permit2_that_expired_is_given_again(stage: Stage) -> None:
    version = RouterVersion.V2_0
    async with Lonely(stage):
        await stage.must(permit2.approve(UNISWAP.usdc, UNISWAP.permit2, HUNDRED), TRADER)
        await stage.must(permit2.approve_router(UNISWAP, version, UNISWAP.usdc, HUNDRED, 1), TRADER)
    house = await opened(stage, version)
    await house.buyer.swap_usdc_for_token(order(burn=False))
    assert await house.settled("a") == Swapped("a", BOUGHT, burned=False)
    assert steps(house) == [(0, StepName.APPROVE_ROUTER), (0, StepName.SWAP)]


async def test_a_second_hop_that_reverts_is_tried_again_with_a_new_quote(stage: Stage) -> None:
    house = await opened(stage, weth=True)
    await house.buyer.swap_usdc_for_token(order())
    await signed(house, 1)
    await outbid(stage, WETH_KEY, UNISWAP.weth, 80_000, 1)
    assert await house.settled("a") == Swapped("a", BOUGHT * 8 // 10, burned=True)
    assert steps(house).count((1, StepName.SWAP)) == 2
    assert await balances(stage) == (THOUSAND - HUNDRED, 0, 0, BOUGHT * 8 // 10)


async def test_a_second_hop_is_not_tried_for_ever_and_never_declined(stage: Stage) -> None:
    house = await opened(stage, weth=True)
    await house.buyer.swap_usdc_for_token(order())
    rate = 100_000
    for tried in range(1, TRIES + 1):
        await signed(house, 1, tried)
        rate = rate * 9 // 10
        await outbid(stage, WETH_KEY, UNISWAP.weth, rate, 1)
    await house.turns(4)
    assert SwapCode.TOO_MANY_TRIES in house.buyer.troubles["a"]
    house = await house.reborn()
    await house.turns(2)
    assert SwapCode.TOO_MANY_TRIES in house.buyer.troubles["a"]
    assert await house.buyer.outcome("a") == SwapUnsettled("a")
    assert await house.buyer.quote(TOKEN, HUNDRED), "it holds up nobody"
    assert house.buyer.try_again("a")
    assert await house.settled("a") == Swapped("a", 5 * 10**16 * rate, burned=True)
    assert not house.buyer.try_again("a")


async def test_a_pool_that_is_gone_half_way_is_waited_for(stage: Stage) -> None:
    house = await opened(stage, weth=True)
    await house.buyer.swap_usdc_for_token(order())
    await signed(house, 0)
    async with Lonely(stage):
        await stage.rate(WETH_KEY, UNISWAP.weth, 0, 0)
    await house.turns(10)
    assert SwapCode.NO_QUOTE in house.buyer.troubles["a"]
    assert await house.buyer.outcome("a") == SwapUnsettled("a")
    async with Lonely(stage):
        await stage.rate(WETH_KEY, UNISWAP.weth, 90_000, 1)
    assert await house.settled("a") == Swapped("a", BOUGHT * 9 // 10, burned=True)


async def test_weth_that_is_left_over_becomes_the_protocols_token(stage: Stage) -> None:
    house = await opened(stage, weth=True)
    assert await house.buyer.drain(10**18) is None
    async with Lonely(stage):
        await stage.mint(UNISWAP.weth, TRADER, 10**16)
    begun = await house.buyer.drain(10**18)
    assert isinstance(begun, SwapUnsettled)
    again = await house.buyer.drain(10**18)
    assert isinstance(again, SwapDeclined), "one at a time"
    assert again.code == SwapCode.BUSY
    assert await house.settled(begun.order_id) == Swapped(begun.order_id, 10**21, burned=True)
    assert await balances(stage) == (THOUSAND, 0, 0, 10**21)


async def test_a_reorg_of_the_swap_changes_nothing(stage: Stage) -> None:
    house = await opened(stage)
    await house.buyer.swap_usdc_for_token(order())
    await signed(house, 0)
    before = await stage.node.snapshot()
    await house.turn()
    assert (await balances(stage))[0] == THOUSAND - HUNDRED
    assert await house.buyer.outcome("a") == SwapUnsettled("a")
    await stage.node.revert(before)
    assert (await balances(stage))[0] == THOUSAND
    assert await house.settled("a") == Swapped("a", BOUGHT, burned=True)
    assert await balances(stage) == (THOUSAND - HUNDRED, 0, 0, BOUGHT)
    assert steps(house).count((0, StepName.SWAP)) == 1


@pytest.mark.parametrize("weth", [False, True])
async def test_a_death_at_any_moment_loses_nothing_and_buys_nothing_twice(stage: Stage, weth: bool) -> None:
    await launched(stage, weth)
    died = declined = 0
    while True:
        before = await stage.node.snapshot()
        house = House(stage, dies_at=died * (3 if weth else 1))
        try:
            await house.sender.adopt()
            await house.buyer.swap_usdc_for_token(order())
            await house.settled("a")
            break
        except Crash:
            died += 1
            house = await house.reborn()
        outcome = await house.settled("a")
        if isinstance(outcome, SwapDeclined):
            declined += 1
            await house.turns(8)
            assert (await balances(stage)) == (THOUSAND, 0, 0, 0)
            assert await house.buyer.outcome("a") == outcome or outcome.code == SwapCode.NEVER_SIGNED
        else:
            assert outcome == Swapped("a", BOUGHT, burned=True)
            assert await balances(stage) == (THOUSAND - HUNDRED, 0, 0, BOUGHT)
        await stage.node.revert(before)
    assert 0 < declined < died


async def test_what_the_guard_forbids_is_declined(stage: Stage) -> None:
    house = await opened(stage)
    huge = SwapOrder("a", TOKEN, 10**12, LEAST)
    declined = await house.buyer.swap_usdc_for_token(huge)
    assert isinstance(declined, SwapDeclined)
    assert declined.code == GuardCode.FORBIDDEN_ARGUMENT
    bad = await house.buyer.swap_usdc_for_token(SwapOrder("a/b", TOKEN, HUNDRED, LEAST))
    assert isinstance(bad, SwapDeclined)
    assert bad.code == SwapCode.BAD_ORDER
