"""The contracts of these tests are the real ones by their selectors, topics and refusals."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from tests.chain.compiled import CONTRACTS, compiled, source
from tests.chain.node import Node
from tests.chain.stage import EXECUTION_FEE, HOUSE_USDC, PLACES, STRANGER, TRADER, Receipt, Stage
from venue.avantis import contracts as avantis
from venue.avantis.addresses import AVANTIS
from venue.chain import erc20
from venue.chain.abi import Event, Function
from venue.chain.call import Call
from venue.clanker import contracts as clanker
from venue.uniswap import contracts as uniswap
from venue.uniswap.addresses import DEAD

PRICE = 1912_5000000000
ERC20 = (erc20.APPROVE, erc20.ALLOWANCE, erc20.BALANCE_OF, erc20.TRANSFER)
FUNCTIONS: Mapping[str, tuple[Function, ...]] = {
    "Usdc": ERC20,
    "Weth": ERC20,
    "Token": ERC20,
    "Trading": (
        avantis.OPEN_TRADE,
        avantis.CLOSE_TRADE_MARKET,
        avantis.INCREASE_POSITION_SIZE,
        avantis.UPDATE_MARGIN,
        avantis.CANCEL_OPEN_LIMIT_ORDER,
        avantis.NONCE_BITMAP,
    ),
    "TradingStorage": (avantis.OPEN_TRADES, avantis.OPEN_TRADES_COUNT),
    "FeeLocker": (clanker.AVAILABLE_FEES, clanker.CLAIM),
    "Locker": (clanker.COLLECT_REWARDS, clanker.TOKEN_REWARDS, clanker.FEE_PREFERENCES),
    "SwapRouter02": (uniswap.EXACT_INPUT_SINGLE, uniswap.MULTICALL),
    "QuoterV2": (uniswap.V3_QUOTE,),
    "V4Quoter": (uniswap.V4_QUOTE,),
    "Permit2": (uniswap.PERMIT2_APPROVE, uniswap.PERMIT2_ALLOWANCE),
    "UniversalRouter": (uniswap.EXECUTE,),
    "UniversalRouter211": (uniswap.EXECUTE,),
}
EVENTS: Mapping[str, tuple[Event, ...]] = {
    "Usdc": (erc20.TRANSFERRED,),
    "Weth": (erc20.TRANSFERRED,),
    "Token": (erc20.TRANSFERRED,),
    "Trading": (avantis.MARKET_ORDER_INITIATED, avantis.MARKET_EXECUTED, avantis.MARKET_OPEN_CANCELED),
    "FeeLocker": (clanker.STORE_TOKENS, clanker.CLAIM_TOKENS),
}


@pytest.fixture
async def stage(node: Node) -> Stage:
    """A trader with 10 000 USDC, of which the storage may take 1000."""
    stage = await Stage.build(node)
    await stage.usdc(TRADER, 10_000 * 10**6)
    await stage.must(Call(AVANTIS.usdc, erc20.APPROVE.encode(AVANTIS.storage, 1000 * 10**6)), TRADER)
    return stage


def opening(leverage: int = 10, collateral: int = 100, kind: int = 0, pair: int = 0, buy: bool = True) -> Call:
    trade = (TRADER, pair, 0, 0, collateral * 10**6, PRICE, buy, leverage * 10**10, 0, 0, 0)
    return Call(AVANTIS.trading, avantis.OPEN_TRADE.encode(trade, kind, 10**10), EXECUTION_FEE)


def closing(index: int, amount: int, price: int = PRICE) -> Call:
    return Call(AVANTIS.trading, avantis.CLOSE_TRADE_MARKET.encode(0, index, amount, price), EXECUTION_FEE)


def found(receipt: Receipt, event: Event) -> tuple[Any, ...]:
    """The one log of `event` by the router."""
    (log,) = (log for log in receipt.logs if log.address == AVANTIS.trading and log.topics[0] == event.topic)
    return event.decode(log.topics, log.data)


async def opened(stage: Stage, price: int = PRICE) -> tuple[Any, ...]:
    """The stored trade of a new position at 10x."""
    order_id = found(await stage.must(opening(), TRADER), avantis.MARKET_ORDER_INITIATED)[3]
    return tuple(found(await stage.execute(order_id, price), avantis.MARKET_EXECUTED)[1])


async def stored(stage: Stage, index: int) -> tuple[Any, ...]:
    return await stage.ask(AVANTIS.storage, avantis.OPEN_TRADES, TRADER, 0, index)


async def count(stage: Stage) -> int:
    return int((await stage.ask(AVANTIS.storage, avantis.OPEN_TRADES_COUNT, TRADER, 0))[0])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_the_real_ones(name: str) -> None:
    for function in FUNCTIONS[name]:
        assert compiled(name).functions[function.signature] == function.selector


@pytest.mark.parametrize("name", EVENTS)
def test_events_are_the_real_ones(name: str) -> None:
    for event in EVENTS[name]:
        assert event.topic in compiled(name).code


def test_contracts_know_each_other_where_the_program_expects_them() -> None:
    places = {address for _, address in PLACES}
    for path in CONTRACTS.glob("*.vy"):
        for literal in re.findall(r"0x[0-9a-fA-F]{40}", source(path.stem)):
            assert to_checksum_address(literal) in places, path.name


async def test_an_order_waits_until_the_keeper_executes_it(stage: Stage) -> None:
    receipt = await stage.must(opening(), TRADER)
    asked = found(receipt, avantis.MARKET_ORDER_INITIATED)
    assert asked[:4] == (TRADER.lower(), 0, True, 1)
    assert asked[7:10] == (100 * 10**6, 10 * 10**10, 10 * 10**10)
    assert asked[12] == PRICE
    assert await stage.balance(AVANTIS.usdc, TRADER) == 9_900 * 10**6
    assert await stage.balance(AVANTIS.usdc, AVANTIS.storage) == HOUSE_USDC + 100 * 10**6
    assert await count(stage) == 0
    executed = found(await stage.execute(1, PRICE + 10**10), avantis.MARKET_EXECUTED)
    assert (executed[0], *executed[2:4]) == (1, True, PRICE + 10**10)
    trade = await stored(stage, 0)
    assert trade[:4] == (TRADER.lower(), 0, 0, 100 * 10**6 - 450_000), "0.045 % of 1000 USDC is the fee"
    assert trade[4] == trade[10] > 1_600_000_000, "the size's place holds the time"
    assert trade[5:8] == (PRICE + 10**10, True, 10 * 10**10)
    assert await count(stage) == 1
    assert await stage.refusal(Call(AVANTIS.trading, Function("execute(uint256,uint256)").encode(1, PRICE)))


async def test_an_order_that_is_cancelled_or_slips_gives_its_usdc_back(stage: Stage) -> None:
    await stage.must(opening(), TRADER)
    await stage.must(opening(buy=False), TRADER)
    cancelled = found(await stage.cancel(1), avantis.MARKET_OPEN_CANCELED)
    assert cancelled[:3] == (1, TRADER.lower(), 0)
    found(await stage.execute(2, PRICE * 98 // 100), avantis.MARKET_OPEN_CANCELED)
    assert await stage.balance(AVANTIS.usdc, TRADER) == 10_000 * 10**6
    assert await count(stage) == 0


async def test_closing_pays_and_its_slot_is_used_again(stage: Stage) -> None:
    first, second = await opened(stage), await opened(stage)
    assert (first[2], second[2]) == (0, 1)
    held, before = first[3], await stage.balance(AVANTIS.usdc, TRADER)
    asked = found(await stage.must(closing(0, held), TRADER), avantis.MARKET_ORDER_INITIATED)
    assert asked[2] is False
    assert await stage.refusal(closing(0, held), TRADER), "it is being closed already"
    executed = found(await stage.execute(asked[3], PRICE * 11 // 10), avantis.MARKET_EXECUTED)
    fee = held * 10 * 45 // 100_000
    assert executed[6] == pytest.approx(2 * held - fee, abs=2), "10 % up at 10x doubles it"
    assert executed[5] == pytest.approx(100 * 10**10, rel=1e-6), "percent"
    assert await stage.balance(AVANTIS.usdc, TRADER) == before + executed[6]
    assert (await stored(stage, 0))[7] == 0
    assert await count(stage) == 1
    assert (await opened(stage))[2] == 0


async def test_closing_a_part_leaves_the_rest(stage: Stage) -> None:
    held = (await opened(stage))[3]
    await stage.must(closing(0, held // 4), TRADER)
    await stage.execute(2, PRICE)
    assert (await stored(stage, 0))[3] == held - held // 4
    await stage.must(closing(0, 1), TRADER)
    await stage.cancel(3)
    await stage.must(closing(0, 1), TRADER)


async def test_increasing_averages_the_price_and_keeps_the_slot(stage: Stage) -> None:
    trade = await opened(stage)
    added = (TRADER, 0, 0, PRICE * 2, 100 * 10**6, 10 * 10**10)
    call = Call(AVANTIS.trading, avantis.INCREASE_POSITION_SIZE.encode(added, 10**10), EXECUTION_FEE)
    await stage.must(call, TRADER)
    await stage.execute(2, PRICE * 2)
    after = await stored(stage, 0)
    assert after[3] == trade[3] + 100 * 10**6 - 450_000
    assert PRICE * 13 // 10 < after[5] < PRICE * 14 // 10
    assert await count(stage) == 1


async def test_margin_moves_at_once_and_keeps_the_notional(stage: Stage) -> None:
    trade = await opened(stage)

    def margin(kind: int, usdc: int, prices: list[bytes], wei: int = 1) -> Call:
        call = avantis.UPDATE_MARGIN.encode(0, 0, kind, usdc * 10**6, prices, 1)
        return Call(AVANTIS.trading, call, wei)

    await stage.must(margin(0, 100, [b"price"]), TRADER)
    after = await stored(stage, 0)
    assert after[3] == trade[3] + 100 * 10**6
    assert after[3] * after[7] == pytest.approx(trade[3] * trade[7], rel=1e-9)
    await stage.must(margin(1, 100, [b"price"]), TRADER)
    assert (await stored(stage, 0))[3] == trade[3]
    assert await stage.refusal(margin(0, 100, []), TRADER)
    assert await stage.refusal(margin(0, 100, [b"price"], wei=0), TRADER)
    assert await stage.refusal(margin(1, 90, [b"price"]), TRADER) == keccak(text="WrongLeverage()")[:4]


async def test_refusals(stage: Stage) -> None:
    for call, error in (
        (opening(leverage=51), "WrongLeverage()"),
        (opening(kind=3), "PnlOrderNotAllowed()"),
        (closing(0, 1), ""),
        (opening(collateral=9), ""),
        (opening(collateral=1001), ""),
        (replace(opening(), value=0), ""),
    ):
        refusal = await stage.refusal(call, TRADER)
        assert refusal == keccak(text=error)[:4] if error else refusal[:4] == keccak(text="Error(string)")[:4]
        assert not (await stage.send(call, TRADER)).succeeded
    assert await stage.passes(opening(leverage=75, kind=3, pair=115), TRADER)
    assert await stage.refusal(opening(), STRANGER), "in somebody else's name"
    held = (await opened(stage))[3]
    assert await stage.refusal(closing(0, held, price=0), TRADER) == keccak(text="HighSlippage()")[:4]


async def test_a_pair_holds_forty_trades(stage: Stage) -> None:
    await stage.must(Call(AVANTIS.usdc, erc20.APPROVE.encode(AVANTIS.storage, 10_000 * 10**6)), TRADER)
    for _ in range(40):
        await stage.must(opening(), TRADER)
    assert b"MAX_TRADES_PER_PAIR" in await stage.refusal(opening(), TRADER)
    assert await stage.passes(opening(pair=1), TRADER)


async def test_a_limit_order_waits_and_can_be_taken_back(stage: Stage) -> None:
    await stage.must(opening(kind=2), TRADER)
    call = Call(AVANTIS.trading, avantis.CANCEL_OPEN_LIMIT_ORDER.encode(0, 0))
    await stage.must(call, TRADER)
    assert await stage.balance(AVANTIS.usdc, TRADER) == 10_000 * 10**6
    assert await stage.refusal(call, TRADER)


async def test_a_liquidation_takes_everything_and_frees_the_slot(stage: Stage) -> None:
    await opened(stage)
    before = await stage.balance(AVANTIS.usdc, TRADER)
    with pytest.raises(AssertionError, match="NOT_LIQUIDATABLE"):
        await stage.liquidate(TRADER, 0, 0, PRICE * 95 // 100)
    receipt = await stage.liquidate(TRADER, 0, 0, PRICE * 91 // 100)
    assert all(log.topics[0] != avantis.MARKET_EXECUTED.topic for log in receipt.logs)
    assert await stage.balance(AVANTIS.usdc, TRADER) == before
    assert await count(stage) == 0


async def test_a_nonce_of_an_intent_is_a_bit(stage: Stage) -> None:
    await stage.use_nonce(TRADER, 256 * 7 + 3)
    assert await stage.ask(AVANTIS.trading, avantis.NONCE_BITMAP, TRADER, 7) == (1 << 3,)
    with pytest.raises(AssertionError):
        await stage.use_nonce(TRADER, 256 * 7 + 3)


async def test_tokens_move_by_allowance_only(stage: Stage) -> None:
    take = Function("transferFrom(address,address,uint256)", ("bool",)).encode(TRADER, STRANGER, 5)
    assert b"exceeds allowance" in await stage.refusal(Call(AVANTIS.usdc, take), STRANGER)
    receipt = await stage.give(AVANTIS.usdc, TRADER, DEAD, 5)
    assert [erc20.TRANSFERRED.decode(log.topics, log.data) for log in receipt.logs] == [
        (TRADER.lower(), DEAD.lower(), 5)
    ]
    assert await stage.balance(AVANTIS.usdc, DEAD) == 5
