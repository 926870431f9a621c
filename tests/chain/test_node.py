"""The node itself: what other tests build on."""

import psutil
import pytest

from tests.chain.node import ADDRESSES, CHAIN_ID, Node, NodeError


async def test_it_is_base_by_its_id_and_does_what_it_is_told(node: Node) -> None:
    assert int(await node.rpc("eth_chainId"), 16) == CHAIN_ID
    before = int(await node.rpc("eth_blockNumber"), 16)
    await node.mine(3)
    assert int(await node.rpc("eth_blockNumber"), 16) == before + 3
    await node.set_code(ADDRESSES[1], b"\x60\x01")
    assert await node.rpc("eth_getCode", ADDRESSES[1], "latest") == "0x6001"
    await node.set_balance(ADDRESSES[2], 7)
    assert int(await node.rpc("eth_getBalance", ADDRESSES[2], "latest"), 16) == 7
    await node.set_storage(ADDRESSES[1], 1, b"\x09")
    assert int(await node.rpc("eth_getStorageAt", ADDRESSES[1], "0x1", "latest"), 16) == 9


@pytest.mark.parametrize("time", [1, 2])
async def test_every_test_finds_the_chain_as_new(node: Node, time: int) -> None:
    assert int(await node.rpc("eth_blockNumber"), 16) == 0, time
    await node.mine()


async def test_a_refusal_is_an_error(node: Node) -> None:
    with pytest.raises(NodeError, match="eth_nonsense"):
        await node.rpc("eth_nonsense")


async def test_a_killed_node_comes_back_empty_on_its_port_and_a_stopped_one_is_gone(fresh_node: Node) -> None:
    url = fresh_node.http_url
    await fresh_node.mine(5)
    fresh_node.kill()
    fresh_node.start()
    assert fresh_node.http_url == url
    assert int(await fresh_node.rpc("eth_blockNumber"), 16) == 0
    pid = fresh_node.pid
    assert pid is not None
    fresh_node.stop()
    assert not psutil.pid_exists(pid)
