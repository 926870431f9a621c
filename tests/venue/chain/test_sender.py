import asyncio
import random

import pytest
from eth_utils.address import to_checksum_address

from tests.venue.chain.fake_chain import GWEI, Crash, FakeChain
from tests.venue.chain.memory import Memory
from tests.venue.chain.support import KEY, signer_of
from venue.chain.abi import Function
from venue.chain.answers import Sent
from venue.chain.call import Call
from venue.chain.facts import Fact, Result, TxSigned
from venue.chain.fees import MOST_MARK
from venue.chain.guard import Guard, Passed, Rule
from venue.chain.machine import ChainCode
from venue.chain.rpc import RpcCode, RpcError
from venue.chain.sender import Sender, Unsent
from venue.chain.state import Ended, Tx
from venue.chain.step import Policy

TO = to_checksum_address("0x2222222222222222222222222222222222222222")
PING = Function("ping(uint256)")
POLICY = Policy(confirmations=10, rebroadcast_ms=15_000, outbid_blocks=15, expires_blocks=60, fee_cap=GWEI)
BLOCK_MS = 2_000


async def fine(_: Call) -> str:
    return ""


GUARD = Guard({TO: (Rule(PING),)}, fine)


async def ping(number: int) -> Passed:
    return await GUARD.passes(Call(TO, PING.encode(number)))


class House:
    """A sender, its journal, its chain, and a clock that runs with the blocks."""

    def __init__(self, chain: FakeChain | None = None, facts: list[Fact] | None = None, mark: int = 0) -> None:
        self.chain = chain or FakeChain()
        self.memory = Memory(facts, self.chain.luck)
        self.sender = Sender(self.memory, self.chain, signer_of(KEY), POLICY, self.now_ms, mark)

    def now_ms(self) -> int:
        return len(self.chain.blocks) * BLOCK_MS

    async def blocks(self, count: int) -> None:
        """That many blocks, each with a look at what is open."""
        for _ in range(count):
            self.chain.mine()
            await self.sender.pass_once()

    async def ended(self, tx_id: str) -> Ended:
        standing = await self.sender.standing(tx_id)
        assert isinstance(standing, Ended), standing
        return standing

    async def open(self, tx_id: str) -> Tx:
        standing = await self.sender.standing(tx_id)
        assert isinstance(standing, Tx), standing
        return standing


@pytest.fixture
async def house() -> House:
    made = House()
    assert await made.sender.adopt() is None
    return made


async def test_a_call_is_done_once_it_lies_deep_enough(house: House) -> None:
    assert isinstance(await house.sender.standing("a"), Unsent)
    assert await house.sender.send("a", await ping(1)) is None
    await house.blocks(10)
    assert (await house.open("a")).included
    await house.blocks(1)
    assert (await house.ended("a")).result is Result.DONE
    assert await house.sender.pass_once() == "nothing open"


async def test_a_revert_is_an_end(house: House) -> None:
    house.chain.reverts.add(PING.encode(1))
    await house.sender.send("a", await ping(1))
    await house.blocks(12)
    assert (await house.ended("a")).result is Result.REVERTED


async def test_sends_side_by_side_have_no_gap(house: House) -> None:
    answers = await asyncio.gather(*[house.sender.send(str(number), await ping(number)) for number in range(50)])
    assert answers == [None] * 50
    house.chain.mine()
    assert [tx.nonce for tx in house.chain.blocks[-1]] == list(range(50))


async def test_the_same_id_sends_nothing_twice(house: House) -> None:
    for _ in range(3):
        await house.sender.send("a", await ping(1))
    assert len(house.chain.seen) == 1
    refused = await house.sender.send("a", await ping(2))
    assert refused
    assert refused.code is ChainCode.ID_REUSED


@pytest.mark.parametrize("depth", range(1, 10))
@pytest.mark.parametrize("keep", [True, False])
async def test_a_reorg_takes_it_back_and_the_same_bytes_go_again(house: House, depth: int, keep: bool) -> None:
    await house.sender.send("a", await ping(1))
    await house.blocks(depth)
    assert (await house.open("a")).included
    house.chain.reorg(depth, keep=keep)
    await house.sender.pass_once()
    assert not (await house.open("a")).included
    await house.blocks(30)
    assert (await house.ended("a")).result is Result.DONE
    assert len(house.chain.seen) == 1


async def test_what_the_pool_lost_is_sent_again_with_the_same_bytes(house: House) -> None:
    house.chain.silent = True
    await house.sender.send("a", await ping(1))
    await house.blocks(3)
    house.chain.silent = False
    await house.blocks(20)
    assert (await house.ended("a")).result is Result.DONE
    assert len(house.chain.seen) == 1


async def test_a_risen_base_fee_is_outbid_and_one_attempt_counts(house: House) -> None:
    house.chain.base_fee = GWEI // 1000
    await house.sender.send("a", await ping(1))
    house.chain.base_fee = GWEI // 10
    await house.blocks(20)
    ended = await house.ended("a")
    assert ended.result is Result.DONE
    assert len(house.chain.seen) == 2


async def test_at_the_cap_it_waits_and_says_so(house: House) -> None:
    await house.sender.send("a", await ping(1))
    house.chain.pool.clear()
    house.chain.base_fee = 50 * GWEI
    await house.blocks(20)
    assert not (await house.open("a")).included
    assert "cap" in house.sender.waiting["a"]


async def test_after_its_block_it_is_given_up_and_never_happens(house: House) -> None:
    house.chain.base_fee = 50 * GWEI
    await house.sender.send("a", await ping(1))
    call_hash = next(iter(house.chain.seen))
    await house.blocks(61)
    house.chain.base_fee = GWEI // 100
    house.chain.pool.clear()
    await house.blocks(30)
    ended = await house.ended("a")
    assert ended.result is Result.CANCELLED
    assert ended.hash != call_hash
    assert not any(tx.data for block in house.chain.blocks for tx in block)


async def test_somebody_elses_nonce_stops_everything(house: House) -> None:
    house.chain.silent = True
    await house.sender.send("a", await ping(1))
    house.chain.steal()
    await house.blocks(12)
    assert (await house.ended("a")).result is Result.TAKEN
    refused = await house.sender.send("b", await ping(2))
    assert refused
    assert refused.code is ChainCode.KEY_SHARED


@pytest.mark.parametrize(("marks", "taken"), [((0, MOST_MARK - 1), 1), ((3, 3), 0)])
async def test_of_two_with_one_journal_that_do_the_same_at_once_one_learns_of_the_other(
    marks: tuple[int, int], taken: int
) -> None:
    """By its mark; without, both sign the same bytes, and what is mined is each one's own."""
    chain = FakeChain()
    houses = [House(chain, mark=mark) for mark in marks]
    for each in houses:
        assert await each.sender.adopt() is None
    for each in houses:
        assert await each.sender.send("a", await ping(1)) is None
    assert len(chain.seen) == len(set(marks))
    for _ in range(12):
        chain.mine()
        for each in houses:
            await each.sender.pass_once()
    results = sorted([(await each.ended("a")).result for each in houses])
    assert results == sorted([Result.DONE, Result.TAKEN if taken else Result.DONE])
    refused = [await each.sender.send("b", await ping(2)) for each in houses]
    assert [each.code for each in refused if each] == [ChainCode.KEY_SHARED] * taken


async def test_nothing_is_piled_up_above_a_stuck_nonce(house: House) -> None:
    house.chain.silent = True
    for number in range(5):
        await house.sender.send(str(number), await ping(number))
    await house.blocks(31)
    refused = await house.sender.send("more", await ping(9))
    assert refused
    assert refused.code is ChainCode.TOO_MANY


async def test_bytes_are_in_the_journal_before_they_are_sent(house: House) -> None:
    class Watching(FakeChain):
        async def send_raw(self, raw: bytes) -> Sent:
            held = [fact.raw for fact in house.memory.facts if isinstance(fact, TxSigned)]
            assert f"0x{raw.hex()}" in held
            return await super().send_raw(raw)

    house.sender._node = Watching()
    await house.sender.send("a", await ping(1))


@pytest.mark.parametrize("seed", range(60))
async def test_whatever_happens_each_call_happens_at_most_once_and_everything_ends(seed: int) -> None:
    luck = random.Random(seed)
    chain = FakeChain(luck)
    facts: list[Fact] = []
    house = House(chain, facts)
    wanted = 0
    for _ in range(120):
        try:
            await house.sender.adopt()
            wanted += await _one_thing(house, luck, wanted)
        except Crash:
            house = House(chain, facts)
    chain.luck = None
    chain.base_fee = GWEI // 100
    house = House(chain, facts)
    for _ in range(200):
        await house.blocks(1)
        if not house.memory.chain.open:
            break
    _check(house, wanted)


async def _one_thing(house: House, luck: random.Random, wanted: int) -> int:
    draw = luck.random()
    if draw < 0.3:
        await house.sender.send(f"tx{wanted}", await ping(wanted))
        return 1
    if draw < 0.35:
        house.chain.reorg(luck.randint(1, 9), keep=luck.random() < 0.7)
    elif draw < 0.4:
        house.chain.base_fee = luck.choice([GWEI // 1000, GWEI // 10, 3 * GWEI])
    else:
        await house.blocks(luck.randint(1, 4))
    return 0


def _check(house: House, wanted: int) -> None:
    chain = house.memory.chain
    assert not chain.open
    mined = [tx for block in house.chain.blocks for tx in block]
    assert [tx.nonce for tx in mined] == list(range(len(mined)))
    for number in range(wanted):
        happened = sum(tx.data == PING.encode(number) for tx in mined)
        ended = chain.ended.get(f"tx{number}")
        assert happened == bool(ended and ended.result is Result.DONE)
    assert not chain.taken


async def test_what_never_left_is_sent_at_the_next_pass(house: House) -> None:
    class Busy(FakeChain):
        busy = True

        async def send_raw(self, raw: bytes) -> Sent:
            if self.busy:
                raise RpcError(RpcCode.RATE_LIMITED, "every endpoint is paused", sent=False)
            return await super().send_raw(raw)

    node = house.sender._node = Busy()
    await house.sender.send("a", await ping(1))
    assert house.sender.waiting == {"a": "not sent yet: every endpoint is paused"}
    node.busy = False
    await house.sender.pass_once()
    assert len(node.seen) == 1
    assert not house.sender.waiting


async def test_a_call_has_enough_gas_whatever_the_estimate_says() -> None:
    class Liar(FakeChain):
        async def estimate_gas(self, call: Call, sender: str) -> int:
            del call, sender
            return 21_000

    house = House(Liar())
    await house.sender.adopt()
    await house.sender.send("a", await ping(1))
    assert (await house.open("a")).reserved.gas == POLICY.least_gas >= 1_500_000
