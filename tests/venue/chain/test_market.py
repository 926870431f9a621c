"""What it costs to get in: asked once for many, and by nobody in vain."""

import asyncio

import pytest

from tests.venue.chain.fake_chain import FakeChain
from venue.chain.answers import Head
from venue.chain.bucket import urgently
from venue.chain.market import SHARED_MS, Market, Markets
from venue.chain.rpc import RpcCode, RpcError
from venue.chain.step import Policy


class Slow(FakeChain):
    """Answers once it is let, or fails."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.asked = 0
        self.fails = False

    async def head(self) -> Head:
        self.asked += 1
        await self.let.wait()
        if self.fails:
            raise RpcError(RpcCode.TOO_SLOW, "no whole answer in time")
        return await super().head()


class House:
    """Markets, their node and their clock."""

    def __init__(self) -> None:
        self.chain = Slow()
        self.now_ms = 10_000
        self.markets = Markets(self.chain, Policy().fee_cap, lambda: self.now_ms)

    async def waiting(self, count: int) -> list[asyncio.Task[Market]]:
        tasks = [asyncio.create_task(self.markets.recent()) for _ in range(count)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return tasks


@pytest.fixture
async def house() -> House:
    return House()


async def test_who_asks_at_the_same_time_shares_an_answer_for_a_second(house: House) -> None:
    tasks = await house.waiting(50)
    house.chain.let.set()
    first, *others = await asyncio.gather(*tasks)
    assert all(each is first for each in others)
    house.chain.mine()
    house.now_ms += SHARED_MS - 1
    assert await house.markets.recent() is first
    assert house.chain.asked == 1
    house.now_ms += 1
    assert (await house.markets.recent()).head == first.head + 1


async def test_a_clock_that_goes_back_shares_nothing(house: House) -> None:
    house.chain.let.set()
    await house.markets.recent()
    house.now_ms -= 1
    await house.markets.recent()
    assert house.chain.asked == 2


async def test_what_is_fresh_is_asked_each_time_and_shared_afterwards(house: House) -> None:
    house.chain.let.set()
    await house.markets.fresh()
    newest = await house.markets.fresh()
    assert house.chain.asked == 2
    assert await house.markets.recent() is newest


async def test_an_error_is_everybodys_and_the_next_one_asks_again(house: House) -> None:
    tasks = await house.waiting(5)
    house.chain.fails = True
    house.chain.let.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, RpcError) for each in found)
    assert house.chain.asked == 1
    house.chain.fails = False
    assert (await house.markets.recent()).head == len(house.chain.blocks) - 1


async def test_who_leaves_takes_nothing_from_the_others(house: House) -> None:
    first, second = await house.waiting(2)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    house.chain.let.set()
    assert (await second).head == len(house.chain.blocks) - 1


async def test_the_urgent_do_not_wait_for_those_who_are_not(house: House) -> None:
    (patient,) = await house.waiting(1)
    with urgently():
        (urgent,) = await house.waiting(1)
    assert house.chain.asked == 2
    house.chain.let.set()
    await asyncio.gather(patient, urgent)
