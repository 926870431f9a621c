"""Several endpoints: who is asked, who is believed, and who is not asked again."""

import asyncio

import httpx
import pytest
from eth_utils.crypto import keccak

from tests.chain.node import Node
from tests.venue.chain import rpc_server as server
from tests.venue.chain.bench import ALICE, Bench, balance, one, three, two
from tests.venue.chain.rpc_server import Fault, serving
from venue.avantis.addresses import BASE
from venue.chain.answers import SendOutcome
from venue.chain.call import Call
from venue.chain.endpoints import Endpoints
from venue.chain.health import FAILURES, REST_S, Phase, reference
from venue.chain.rpc import Rpc, RpcCode, RpcError

__all__ = ["one", "three", "two"]


async def test_an_endpoint_of_another_chain_is_banned_before_it_is_asked_anything(two: Bench) -> None:
    two.servers[0].chain_id = 1
    assert await two.block() == 1_000
    assert two.phases == [Phase.BANNED, Phase.HEALTHY]
    assert two.servers[0].asked == ["eth_chainId"]
    two.servers[0].chain_id = BASE
    two.now_s += 1_000_000
    await two.all.refresh()
    assert two.servers[0].asked == ["eth_chainId"], "and never again"
    assert two.all.rows()[0].last_error == "WRONG_CHAIN: chain id 1: expected 8453"


async def test_a_wrong_chain_alone_never_gets_a_transaction(one: Bench) -> None:
    one.servers[0].chain_id = 1
    for _ in range(2):
        with pytest.raises(RpcError) as caught:
            await one.all.send_raw(b"\x02")
        assert not caught.value.sent
    assert one.servers[0].asked == ["eth_chainId"]


async def test_whoever_comes_back_after_a_failure_proves_its_chain_again(one: Bench) -> None:
    assert await one.block() == 1_000
    one.servers[0].plan.append(server.raw(b"", 502))
    one.servers[0].chain_id = 10
    assert (await one.refusal()).code is RpcCode.WRONG_CHAIN
    assert one.phases == [Phase.BANNED]
    assert (await one.refusal()).code is RpcCode.NO_ENDPOINT


@pytest.mark.parametrize(
    "fault", [server.reset, server.raw(b"", 500), server.raw(b"["), server.too_often("3"), server.drip]
)
async def test_a_read_fails_over_at_once(three: Bench, fault: Fault) -> None:
    await three.all.refresh()
    for each in three.servers[:2]:
        each.always = fault
    assert await three.block() == 1_000
    assert three.slept == []


async def test_a_read_is_asked_three_times_with_growing_pauses_and_then_given_up(one: Bench) -> None:
    await one.all.refresh()
    one.servers[0].always = server.raw(b"", 500)
    assert (await one.refusal()).code is RpcCode.SERVER_ERROR
    assert one.slept == [0.2, 0.4]


async def test_a_read_has_a_deadline_over_all_attempts() -> None:
    async with serving(2) as servers:
        bench = Bench(servers, within_s=0.4)
        for each in servers:
            each.always = server.drip
        assert (await bench.refusal()).code is RpcCode.TOO_SLOW
        await bench.all.aclose()


async def test_a_revert_is_an_answer_and_a_refusal_is_asked_of_the_others_only(two: Bench) -> None:
    await two.all.refresh()
    two.servers[0].always = two.servers[1].always = server.error(3, "execution reverted", "0x")
    with pytest.raises(RpcError) as caught:
        await two.all.read(lambda rpc: rpc.call(Call(ALICE, b""), ALICE))
    assert caught.value.code is RpcCode.REVERTED
    assert sum(two.asked("eth_call")) == 1
    two.servers[0].always = two.servers[1].always = server.error(-32602, "query exceeds max results")
    assert (await two.refusal()).code is RpcCode.REFUSED
    assert two.phases == [Phase.HEALTHY, Phase.HEALTHY]
    assert two.slept == []


async def test_five_failures_in_a_row_and_it_rests_until_it_may_prove_itself(one: Bench) -> None:
    await one.all.refresh()
    one.servers[0].always = server.raw(b"", 500)
    await one.refusal()
    await one.refusal()
    assert one.phases == [Phase.RESTING]
    before = len(one.servers[0].asked)
    assert before == 2 + FAILURES
    assert (await one.refusal()).code is RpcCode.NO_ENDPOINT
    assert len(one.servers[0].asked) == before
    one.servers[0].always = None
    one.now_s += REST_S
    assert await one.block() == 1_000
    assert one.phases == [Phase.HEALTHY]


async def test_a_host_that_says_too_often_is_left_alone_for_as_long_as_it_says() -> None:
    async with serving(1) as servers:
        bench = Bench(servers)
        same_host = Endpoints([servers[0].rpc(), servers[0].rpc()], BASE, clock=lambda: bench.now_s, sleep=bench.sleep)
        servers[0].plan.append(server.too_often("7"))
        with pytest.raises(RpcError) as caught:
            await same_host.read(Rpc.block_number)
        assert caught.value.code is RpcCode.RATE_LIMITED
        assert [row.phase for row in same_host.rows()] == [Phase.PAUSED, Phase.PAUSED]
        bench.now_s += 6.0
        with pytest.raises(RpcError) as caught:
            await same_host.read(Rpc.block_number)
        assert caught.value.retry_after_s == pytest.approx(1.0)
        assert len(servers[0].asked) == 1
        bench.now_s += 1.1
        assert await same_host.read(Rpc.block_number) == 1_000
        await same_host.aclose()
        await bench.all.aclose()


@pytest.mark.parametrize(
    "fault", [server.raw(b"{"), server.envelope(id=0, result="0x1"), server.gzip_bomb(), server.huge]
)
async def test_three_malformed_answers_are_a_ban(two: Bench, fault: Fault) -> None:
    await two.all.refresh()
    two.servers[0].always = fault
    for _ in range(3):
        await two.all.refresh()
    assert two.phases == [Phase.BANNED, Phase.HEALTHY]


async def test_malformed_answers_far_apart_are_bad_luck(one: Bench) -> None:
    await one.all.refresh()
    for _ in range(5):
        one.servers[0].plan.append(server.raw(b"{"))
        assert await one.block() == 1_000
        one.now_s += 301.0
    assert one.phases == [Phase.HEALTHY]


async def test_whoever_is_450_blocks_behind_is_asked_last(three: Bench) -> None:
    three.servers[0].block -= 450
    await three.all.refresh()
    assert three.phases == [Phase.LAGGING, Phase.HEALTHY, Phase.HEALTHY]
    assert [row.lag for row in three.all.rows()] == [450, 0, 0]
    before = three.asked()
    for _ in range(5):
        assert await three.block() == 1_000
    assert three.asked()[0] == before[0]
    three.servers[1].always = three.servers[2].always = server.reset
    assert await three.block() == 550, "but asked, when it is all there is"
    three.servers[1].always = three.servers[2].always = None
    three.servers[0].block += 450
    await three.all.refresh()
    assert three.phases[0] is Phase.HEALTHY


async def test_one_alone_cannot_make_the_others_look_late(three: Bench) -> None:
    three.servers[2].block += 1_000_000
    await three.all.refresh()
    assert three.phases == [Phase.HEALTHY, Phase.HEALTHY, Phase.LAGGING]
    assert reference([]) is None
    assert reference([5]) == 5


async def test_a_transaction_is_sent_once_to_each(two: Bench) -> None:
    await two.all.refresh()
    for each in two.servers:
        each.always = server.reset
    with pytest.raises(RpcError) as caught:
        await two.all.send_raw(b"\x02")
    assert caught.value.sent
    assert two.asked("eth_sendRawTransaction") == [1, 1]
    for each in two.servers:
        each.always = None
        each.answers["eth_sendRawTransaction"] = "0x" + keccak(b"\x02").hex()
    assert (await two.all.send_raw(b"\x02")).outcome is SendOutcome.ACCEPTED
    assert two.asked("eth_sendRawTransaction") == [2, 2]


async def test_rows_name_hosts_and_nothing_of_their_paths(one: Bench) -> None:
    await one.block()
    row = one.all.rows()[0]
    assert row.host == f"127.0.0.1:{one.servers[0].url.port}"
    assert row.latency_ms is not None
    assert "canary" not in repr(row)


async def test_against_a_real_node(node: Node) -> None:
    endpoints = Endpoints([Rpc(httpx.URL(node.http_url)) for _ in range(3)], BASE)
    await node.mine(4)
    agreed = await endpoints.quorum(balance)
    assert (agreed.value, agreed.block, agreed.voices) == (10_000 * 10**18, 4, 3)
    await endpoints.aclose()


async def test_closing_waits_for_all_who_are_asked() -> None:
    """Those nobody waits for any more as well."""
    async with serving(3) as servers:
        bench = Bench(servers)
        servers[2].always = server.drip
        before = asyncio.all_tasks()
        asking = asyncio.create_task(bench.all.refresh())
        while not servers[2].asked:  # noqa: ASYNC110 - it comes over loopback
            await asyncio.sleep(0)
        asking.cancel()
        await bench.all.aclose()
        ours = {task for task in asyncio.all_tasks() - before if "venue" in str(task.get_coro())}
        assert not ours
