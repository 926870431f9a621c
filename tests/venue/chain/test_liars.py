"""Three endpoints, of which the first and fastest lies: nothing that is decided is its word alone."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import pytest
from eth_utils.crypto import keccak

from tests.venue.chain import rpc_server as server
from tests.venue.chain.bench import ALICE, Bench, balance, one, three, two
from tests.venue.chain.rpc_server import RpcServer, block_hash, wire_head
from venue.chain.agreed import AgreedNode
from venue.chain.answers import SendOutcome
from venue.chain.bucket import urgently
from venue.chain.call import Call
from venue.chain.heads import EndpointBlocks, Event, Heads
from venue.chain.market import Markets
from venue.chain.rpc import RpcCode, RpcError

__all__ = ["one", "three", "two"]
ASKED: Final = Call(ALICE, b"\x01")
RAW: Final = b"\x02\x01"
HASH: Final = f"0x{keccak(RAW).hex()}"
GWEI: Final = 10**9
NO: Final = server.error(3, "execution reverted: no", "0x")
FEE: Final = int("0x5f5e100", 16)


def chain_of(each: RpcServer, delay_s: float) -> None:
    """A node that knows every block up to its newest."""
    each.delay_s = delay_s
    each.answers |= {
        "eth_getBlockByNumber": lambda tag, _: wire_head(each.block if tag == "latest" else int(tag, 16)),
        "eth_getBlockByHash": lambda asked, _: wire_head(int(asked[-32:], 16)),
        "eth_maxPriorityFeePerGas": hex(GWEI // 1000),
        "eth_estimateGas": hex(200_000),
        "eth_call": "0x01",
        "eth_sendRawTransaction": HASH,
        "eth_getBalance": "0x5",
    }


@pytest.fixture
async def bench(three: Bench) -> Bench:
    for each, delay_s in zip(three.servers, (0.0, 0.01, 0.02), strict=True):
        chain_of(each, delay_s)
    await three.all.refresh()
    return three


@pytest.fixture
def liar(bench: Bench) -> RpcServer:
    return bench.servers[0]


@pytest.fixture
def node(bench: Bench) -> AgreedNode:
    return AgreedNode(bench.all)


async def test_one_that_says_it_would_revert_refuses_nothing(liar: RpcServer, node: AgreedNode) -> None:
    liar.faults["eth_call"] = NO
    for _ in range(5):
        assert await node.would_revert(ASKED, ALICE) == ""


async def test_one_that_says_it_would_not_allows_nothing(bench: Bench, node: AgreedNode) -> None:
    bench.servers[1].faults["eth_call"] = NO
    bench.servers[2].faults["eth_call"] = server.error(3, "VM Exception: reverted", "0x")
    assert "revert" in await node.would_revert(ASKED, ALICE)


async def test_one_word_against_another_is_no_refusal_of_the_venue(
    bench: Bench, liar: RpcServer, node: AgreedNode
) -> None:
    liar.faults["eth_call"] = NO
    bench.servers[2].faults["eth_call"] = server.raw(b"", 502)
    with pytest.raises(RpcError) as caught:
        await node.would_revert(ASKED, ALICE)
    assert caught.value.code is RpcCode.DISAGREEMENT
    assert "HTTP 502" in str(caught.value)


async def test_an_answer_that_was_lost_is_asked_for_again(bench: Bench, node: AgreedNode) -> None:
    for each in bench.servers[:2]:
        each.plan += [server.raw(b"", 502)]
    assert await node.would_revert(ASKED, ALICE) == ""


async def test_the_largest_estimate_counts(bench: Bench, liar: RpcServer, node: AgreedNode) -> None:
    liar.answers["eth_estimateGas"] = hex(21_000)
    assert await node.estimate_gas(ASKED, ALICE) == 200_000
    liar.faults["eth_estimateGas"] = NO
    assert await node.estimate_gas(ASKED, ALICE) == 200_000
    bench.servers[1].faults["eth_estimateGas"] = NO
    with pytest.raises(RpcError, match="no") as caught:
        await node.estimate_gas(ASKED, ALICE)
    assert caught.value.code is RpcCode.REVERTED


@pytest.mark.parametrize("ahead", [1, 5, 100_000, -1, -5, -450])
async def test_the_newest_block_is_one_that_enough_have(liar: RpcServer, node: AgreedNode, ahead: int) -> None:
    liar.block += ahead
    assert (await node.head()).number == 1_000
    assert (await node.deep(10)).number == 990
    assert (await Markets(node, 5 * GWEI, lambda: 0).fresh()).head == 1_000


async def test_a_block_that_a_liar_alone_is_ahead_of_is_found_by_asking_again(
    bench: Bench, liar: RpcServer, node: AgreedNode
) -> None:
    liar.block += 1
    liar.answers["eth_getBlockByNumber"] = lambda tag, _: wire_head(int(tag, 16), branch=7)
    bench.servers[1].block -= 1
    assert (await node.head()).number == 999


async def test_clock_and_fee_of_a_block_are_agreed(liar: RpcServer, node: AgreedNode) -> None:
    lie = {"timestamp": hex(10**12), "baseFeePerGas": hex(10**15)}
    liar.answers["eth_getBlockByNumber"] = lambda *_: wire_head(1_000) | lie
    liar.answers["eth_maxPriorityFeePerGas"] = hex(10**15)
    head = await node.head()
    assert (head.timestamp_s, head.base_fee) == (1_700_002_000, FEE)
    high = await Markets(node, 5 * GWEI, lambda: 0).fresh()
    liar.answers["eth_maxPriorityFeePerGas"] = "0x0"
    low = await Markets(node, 5 * GWEI, lambda: 0).fresh()
    assert high == low
    assert high.fees.max_priority == GWEI // 1000


async def taken(events: AsyncGenerator[Event, None], count: int) -> list[Event]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


async def test_a_false_newest_block_stops_nobody(bench: Bench, liar: RpcServer) -> None:
    liar.block = 10**9
    liar.answers["eth_getBlockByHash"] = lambda *_: None
    seconds = itertools.count()
    heads = Heads(EndpointBlocks(bench.all), clock=lambda: float(next(seconds)), sleep=lambda _: asyncio.sleep(0))
    async with aclosing(heads.events()) as events:
        assert [getattr(event, "hash", "") for event in await taken(events, 1)] == [block_hash(1_000)]
        for each in bench.servers[1:]:
            each.block += 3
        found = await taken(events, 3)
    assert [getattr(event, "number", 0) for event in found] == [1_001, 1_002, 1_003]
    assert heads.pulse.moved


async def test_what_is_signed_goes_to_all(bench: Bench, node: AgreedNode) -> None:
    with urgently():
        assert (await node.send_raw(RAW)).outcome is SendOutcome.ACCEPTED
    assert bench.asked("eth_sendRawTransaction") == [1, 1, 1], "whoever answers first may drop it"
    await node.send_raw(RAW)
    assert bench.asked("eth_sendRawTransaction") == [2, 2, 2]


@pytest.mark.parametrize("words", ["nonce too low", "insufficient funds", "no"])
async def test_who_accepts_outweighs_who_refuses(liar: RpcServer, node: AgreedNode, words: str) -> None:
    liar.faults["eth_sendRawTransaction"] = server.error(-32000, words)
    assert (await node.send_raw(RAW)).outcome is SendOutcome.ACCEPTED


async def test_a_refusal_of_all_is_their_answer(bench: Bench, node: AgreedNode) -> None:
    for each, words in zip(bench.servers, ("no", "nonce too low", "insufficient funds"), strict=True):
        each.faults["eth_sendRawTransaction"] = server.error(-32000, words)
    assert (await node.send_raw(RAW)).outcome is SendOutcome.NONCE_TOO_LOW


async def test_quorums_at_the_same_time_share_the_question_for_the_newest_block(bench: Bench) -> None:
    before = bench.asked()
    await asyncio.gather(*[bench.all.quorum(balance) for _ in range(10)])
    # One question for all who come within a quarter of a second; a busy machine takes longer to come.
    assert all(now - count <= 5 for count, now in zip(before, bench.asked(), strict=True))
    for each in bench.servers:
        each.block += 1
    assert (await bench.all.quorum(balance)).block == 1_001, "and nobody who comes later gets an old answer"


async def test_who_leaves_takes_no_blocks_from_the_others(bench: Bench) -> None:
    first, second = (asyncio.create_task(bench.all.quorum(balance)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).voices == 3


async def test_the_urgent_ask_for_themselves(bench: Bench) -> None:
    before = bench.asked()
    patient = asyncio.create_task(bench.all.quorum(balance))
    await asyncio.sleep(0)
    with urgently():
        await bench.all.quorum(balance)
    await patient
    assert bench.asked() == [count + 2 for count in before]


async def test_too_few_are_named_with_their_reasons(two: Bench) -> None:
    for each in two.servers:
        chain_of(each, 0.0)
    two.servers[0].chain_id = 1
    with pytest.raises(RpcError) as caught:
        await AgreedNode(two.all).head()
    host = two.servers[0].url.netloc.decode()
    text = f"1 of 2 endpoints can be asked: 2 are needed ({host}: chain id 1: expected 8453)"
    assert (caught.value.code, str(caught.value)) == (RpcCode.DISAGREEMENT, text)
    await two.all.aclose()


async def test_who_is_behind_is_named_as_such(two: Bench) -> None:
    for each in two.servers:
        chain_of(each, 0.0)
    two.servers[1].block -= 450
    with pytest.raises(RpcError, match="450 blocks behind the others"):
        await AgreedNode(two.all).head()


async def test_the_only_one_says_itself_what_is_wrong(one: Bench) -> None:
    one.servers[0].chain_id = 1
    with pytest.raises(RpcError, match="chain id 1: expected 8453") as caught:
        await AgreedNode(one.all).head()
    assert caught.value.code is RpcCode.WRONG_CHAIN
