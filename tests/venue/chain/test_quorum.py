"""What decides about money: who must agree, as of which block, and what is no agreement."""

import pytest

from tests.venue.chain import rpc_server as server
from tests.venue.chain.bench import Bench, balance, one, three, two
from venue.chain.endpoints import Disagreement
from venue.chain.rpc import Rpc, RpcCode, RpcError

__all__ = ["one", "three", "two"]


async def test_two_of_three_decide_about_money(three: Bench) -> None:
    for each, wei in zip(three.servers, ("0x5", "0x6", "0x5"), strict=True):
        each.answers["eth_getBalance"] = wei
    agreed = await three.all.quorum(balance)
    assert (agreed.value, agreed.block, agreed.voices, agreed.endpoints, agreed.alone) == (5, 1_000, 2, 3, False)
    assert "contradicted" in three.all.rows()[1].last_error


async def test_three_answers_are_no_answer(three: Bench) -> None:
    for each, wei in zip(three.servers, ("0x5", "0x6", "0x7"), strict=True):
        each.answers["eth_getBalance"] = wei
    with pytest.raises(Disagreement, match="1 of 3 endpoints agree as of block 1000: 2 are needed"):
        await three.all.quorum(balance)


async def test_a_quorum_is_asked_at_a_block_that_enough_have(three: Bench) -> None:
    blocks: list[str] = []

    def answer(_: str, block: str) -> str:
        blocks.append(block)
        return "0x5"

    for each, ahead in zip(three.servers, (0, 2, 1), strict=True):
        each.block += ahead
        each.answers["eth_getBalance"] = answer
    assert (await three.all.quorum(balance)).block == 1_001
    assert blocks == [hex(1_001)] * 2


async def test_two_must_both_agree_and_be_close(two: Bench) -> None:
    for each in two.servers:
        each.answers["eth_getBalance"] = "0x5"
    assert (await two.all.quorum(balance)).voices == 2
    two.servers[1].block -= 450
    with pytest.raises(Disagreement):
        await two.all.quorum(balance)
    two.servers[1].block += 450
    two.servers[1].always = server.reset
    with pytest.raises(Disagreement, match="1 of 2 endpoints can be asked: 2 are needed"):
        await two.all.quorum(balance)


async def test_one_is_believed_and_says_that_it_is_alone(one: Bench) -> None:
    one.servers[0].answers["eth_getBalance"] = "0x5"
    agreed = await one.all.quorum(balance)
    assert (agreed.value, agreed.alone) == (5, True)


async def test_a_liar_that_drips_delays_nobody_for_long(three: Bench) -> None:
    for each in three.servers:
        each.answers["eth_getBalance"] = "0x5"
    three.servers[0].always = server.drip
    assert (await three.all.quorum(balance)).voices == 2


async def test_a_revert_that_most_agree_on_is_raised(three: Bench) -> None:
    await three.all.refresh()
    for each in three.servers[:2]:
        each.answers["eth_getBalance"] = None

    async def reverting(rpc: Rpc, block: int) -> int:
        del block
        three.servers[0].always = three.servers[1].always = server.error(3, "execution reverted: no", "0x")
        return await rpc.block_number()

    with pytest.raises(RpcError, match="execution reverted: no") as caught:
        await three.all.quorum(reverting)
    assert caught.value.code is RpcCode.REVERTED
