"""One endpoint: what it says read strictly, against a real node and against a mad one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import httpx
import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from tests.chain.node import ADDRESSES, CHAIN_ID, KEYS, Node
from tests.venue.chain import rpc_server as server
from tests.venue.chain.rpc_server import Fault, RpcServer, serving, wire_head
from venue.chain.abi import Function
from venue.chain.answers import SendOutcome
from venue.chain.call import Call
from venue.chain.reverts import revert_of
from venue.chain.rpc import Rpc, RpcCode, RpcError

ALICE, BOB = (to_checksum_address(each) for each in ADDRESSES[:2])
CONTRACT = to_checksum_address("0x" + "c0" * 20)
TX = "0x" + "ab" * 32
TOO_BIG = Function("TooBig(uint256)")
ERRORS = {TOO_BIG.selector: TOO_BIG}


@pytest.fixture
async def mad() -> AsyncGenerator[RpcServer, None]:
    async with serving() as servers:
        yield servers[0]


@pytest.fixture
async def asked(mad: RpcServer) -> AsyncGenerator[Rpc, None]:
    rpc = mad.rpc(within_s=2.0)
    yield rpc
    await rpc.aclose()


@pytest.fixture
async def real(node: Node) -> AsyncGenerator[Rpc, None]:
    rpc = Rpc(httpx.URL(node.http_url), errors=ERRORS)
    yield rpc
    await rpc.aclose()


def returning(data: bytes, revert: bool = False) -> bytes:
    """Code that copies `data` from behind itself and returns it, or reverts with it."""
    size = len(data).to_bytes(2, "big")
    return (
        b"\x61"
        + size
        + b"\x60\x0e\x5f\x39\x61"
        + size
        + b"\x5f"
        + (b"\xfd" if revert else b"\xf3")
        + b"\x00\x00"
        + data
    )


def emitting(topic: bytes) -> bytes:
    """Code that logs its call value under `topic`."""
    return b"\x34\x5f\x52\x7f" + topic + b"\x60\x20\x5f\xa1\x00"


def signed(nonce: int, to: str = BOB, value: int = 1, fee: int = 3_000_000_000) -> bytes:
    fields = {"type": 2, "chainId": CHAIN_ID, "nonce": nonce, "gas": 100_000, "to": to, "value": value}
    fees = {"maxFeePerGas": fee, "maxPriorityFeePerGas": min(fee, 1_000_000)}
    return bytes(Account.sign_transaction(fields | fees, KEYS[0]).raw_transaction)


async def refused(rpc: Rpc) -> RpcError:
    with pytest.raises(RpcError) as caught:
        await rpc.block_number()
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


async def test_a_real_node_answers_every_question(real: Rpc, node: Node) -> None:
    assert await real.chain_id() == CHAIN_ID
    await node.mine(3)
    head = await real.head()
    assert head is not None
    assert head.number == await real.block_number() == 3
    assert await real.head(3) == head == await real.head_by_hash(head.hash)
    before = await real.head(2)
    assert before is not None
    assert before.hash == head.parent_hash
    assert before.timestamp_s < head.timestamp_s
    assert await real.head(99) is None
    assert await real.head_by_hash(TX) is None
    assert await real.balance(ALICE) == 10_000 * 10**18
    assert await real.nonce(ALICE) == 0
    assert await real.max_priority_fee() > 0
    await node.set_code(CONTRACT, b"\x60\x01")
    await node.set_storage(CONTRACT, 7, b"\x2a")
    assert await real.code(CONTRACT) == b"\x60\x01"
    assert await real.storage(CONTRACT, 7) == bytes(31) + b"\x2a"


async def test_a_transaction_is_accepted_known_mined_and_then_its_nonce_is_too_low(real: Rpc, node: Node) -> None:
    await node.rpc("evm_setAutomine", False)
    raw = signed(0)
    sent = await real.send_raw(raw)
    assert sent.outcome is SendOutcome.ACCEPTED
    assert sent.hash == f"0x{keccak(raw).hex()}"
    assert (await real.send_raw(raw)).outcome is SendOutcome.ALREADY_KNOWN
    assert (await real.send_raw(signed(0, value=2))).outcome is SendOutcome.UNDERPRICED
    assert (await real.send_raw(signed(1, value=10**23))).outcome is SendOutcome.INSUFFICIENT_FUNDS
    waiting = await real.transaction(sent.hash)
    assert waiting is not None
    assert (waiting.sender, waiting.to, waiting.nonce, waiting.value, waiting.block) == (ALICE, BOB, 0, 1, None)
    assert await real.receipt(sent.hash) is None
    await node.mine()
    receipt = await real.receipt(sent.hash)
    assert receipt is not None
    assert receipt.succeeded
    assert (receipt.block, receipt.gas_used, receipt.l1_fee) == (1, 21_000, 0)
    assert receipt.fee == 21_000 * receipt.gas_price > 0
    assert await real.nonce(ALICE) == 1
    assert await real.nonce(ALICE, 0) == 0
    assert (await real.send_raw(signed(0, value=3))).outcome is SendOutcome.NONCE_TOO_LOW
    assert await real.transaction(TX) is None
    await node.rpc("evm_setAutomine", True)


async def test_logs_are_found_by_contract_and_topic(real: Rpc, node: Node) -> None:
    topic = keccak(text="Paid(uint256)")
    await node.set_code(CONTRACT, emitting(topic))
    for nonce in range(2):
        await real.send_raw(signed(nonce, to=CONTRACT, value=nonce + 5))
    for _ in range(1_000):
        if await real.block_number() >= 2:
            break
        await asyncio.sleep(0.005)  # the node answers before it has mined
    logs = await real.logs([CONTRACT], [topic], 0, 10)
    assert [(log.address, log.topics, int.from_bytes(log.data, "big"), log.block) for log in logs] == [
        (CONTRACT, (topic,), 5, 1),
        (CONTRACT, (topic,), 6, 2),
    ]
    assert await real.logs([CONTRACT], [[keccak(b"other"), topic]], 2, 2) == logs[1:]
    assert await real.logs([CONTRACT], [keccak(b"other")], 0, 10) == ()
    receipt = await real.receipt(logs[0].tx_hash)
    assert receipt is not None
    assert receipt.logs == logs[:1]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (Function("Error(string)").encode("too\nlate"), "too late"),
        (Function("Panic(uint256)").encode(0x12), "panic 0x12: division by zero"),
        (Function("TooBig(uint256)").encode(7), "TooBig(7)"),
        (Function("Unheard()").selector, f"unknown error 0x{Function('Unheard()').selector.hex()}"),
        (Function("Error(string)").selector + b"\x01", "a reason that cannot be decoded: 0x08c379a001"),
    ],
)
async def test_a_revert_is_raised_with_its_reason(real: Rpc, node: Node, data: bytes, reason: str) -> None:
    await node.set_code(CONTRACT, returning(data, revert=True))
    for ask in (real.call(Call(CONTRACT, b""), ALICE), real.estimate_gas(Call(CONTRACT, b""), ALICE)):
        with pytest.raises(RpcError) as caught:
            await ask
        assert caught.value.code is RpcCode.REVERTED
        assert caught.value.revert is not None
        assert (caught.value.revert.data, str(caught.value)) == (data, reason)


async def test_a_call_returns_bytes_and_is_estimated(real: Rpc, node: Node) -> None:
    await node.set_code(CONTRACT, returning(b"\x05" * 40))
    assert await real.call(Call(CONTRACT, b"\x01"), ALICE) == b"\x05" * 40
    assert 21_000 < await real.estimate_gas(Call(CONTRACT, b"\x01"), ALICE) < 40_000


def test_reasons_of_contracts_that_give_none() -> None:
    assert revert_of(b"", ERRORS).reason == "no reason given"
    assert revert_of(b"", ERRORS, "execution reverted").reason == "execution reverted"
    assert revert_of(Function("Error(string)").encode(""), ERRORS).reason == "no reason given"
    assert revert_of(Function("TooBig(uint256)").selector, ERRORS).reason == "TooBig"
    assert len(revert_of(Function("Error(string)").encode("a" * 5_000), ERRORS).reason) == 200


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (server.raw(b"{"), RpcCode.MALFORMED),
        (server.raw(b""), RpcCode.MALFORMED),
        (server.raw(b"null"), RpcCode.MALFORMED),
        (server.envelope(result="0x1", id=99), RpcCode.MALFORMED),
        (server.envelope(result="0x1", id=None), RpcCode.MALFORMED),
        (server.envelope(result=None), RpcCode.MALFORMED),
        (server.envelope(), RpcCode.MALFORMED),
        (server.envelope(result="0x01"), RpcCode.MALFORMED),
        (server.envelope(result=1), RpcCode.MALFORMED),
        (server.envelope(result="0x" + "f" * 65), RpcCode.MALFORMED),
        (server.envelope(result="0x1", error={"code": 1, "message": "m"}), RpcCode.MALFORMED),
        (server.raw(b'{"jsonrpc":"2.0","id":1,"id":1,"result":"0x1"}'), RpcCode.MALFORMED),
        (server.huge, RpcCode.MALFORMED),
        (server.gzip_bomb(), RpcCode.MALFORMED),
        (server.drip, RpcCode.TOO_SLOW),
        (server.reset, RpcCode.UNREACHABLE),
        (server.raw(b"oops", 503), RpcCode.SERVER_ERROR),
        (server.raw(b"no", 403), RpcCode.REFUSED),
        (server.raw(b"", 302, Location="http://127.0.0.1:1/"), RpcCode.REFUSED),
        (server.too_often(), RpcCode.RATE_LIMITED),
        (server.error(-32016, "over rate limit"), RpcCode.RATE_LIMITED),
        (server.error(-32601, "no such method\x1b[31m"), RpcCode.REFUSED),
    ],
)
async def test_every_fault_has_its_code(mad: RpcServer, asked: Rpc, fault: Fault, code: RpcCode) -> None:
    mad.plan.append(fault)
    error = await refused(asked)
    assert error.code is code
    assert str(error).isprintable()
    assert await asked.block_number() == 1_000, "and the next question is answered"


@pytest.mark.parametrize(("said", "pause"), [("7", 7.0), ("86400", 60.0), ("", None), ("soon", None), ("-1", None)])
async def test_how_long_to_pause_is_bounded(mad: RpcServer, asked: Rpc, said: str, pause: float | None) -> None:
    mad.plan.append(server.too_often(said))
    assert (await refused(asked)).retry_after_s == pause


async def test_nobody_there_means_nothing_was_sent() -> None:
    rpc = Rpc(httpx.URL("http://127.0.0.1:1/canary"))
    error = await refused(rpc)
    assert (error.code, error.sent) == (RpcCode.UNREACHABLE, False)
    await rpc.aclose()


@pytest.mark.parametrize("fault", [server.drip, server.reset, server.raw(b"", 502), server.raw(b"{}")])
async def test_a_send_without_an_answer_may_have_been_sent_and_is_not_repeated(
    mad: RpcServer, asked: Rpc, fault: Fault
) -> None:
    mad.plan.append(fault)
    with pytest.raises(RpcError) as caught:
        await asked.send_raw(b"\x02\x01")
    assert caught.value.sent
    assert mad.asked == ["eth_sendRawTransaction"]


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("already known", SendOutcome.ALREADY_KNOWN),
        ("nonce too low: next nonce 5, tx nonce 3", SendOutcome.NONCE_TOO_LOW),
        ("replacement transaction underpriced", SendOutcome.UNDERPRICED),
        ("max fee per gas less than block base fee", SendOutcome.UNDERPRICED),
        ("insufficient funds for gas * price + value", SendOutcome.INSUFFICIENT_FUNDS),
        ("transaction type not supported", SendOutcome.OTHER),
        ("execution reverted", SendOutcome.OTHER),
    ],
)
async def test_what_nodes_say_to_a_transaction(mad: RpcServer, asked: Rpc, message: str, outcome: SendOutcome) -> None:
    mad.plan.append(server.error(-32000, message))
    sent = await asked.send_raw(b"\x02\x01")
    assert (sent.outcome, sent.text) == (outcome, message)


def wire_receipt(**changed: object) -> dict[str, object]:
    log = {"address": CONTRACT, "topics": [TX], "data": "0x", "logIndex": "0x0", "removed": False}
    place = {"transactionHash": TX, "blockNumber": "0x5", "blockHash": TX}
    whole: dict[str, object] = {"status": "0x1", "gasUsed": "0x10", "effectiveGasPrice": "0x3", "l1Fee": "0x64"}
    return whole | place | {"logs": [log | place]} | changed


async def test_a_receipt_has_what_the_rollup_charges(mad: RpcServer, asked: Rpc) -> None:
    mad.answers["eth_getTransactionReceipt"] = wire_receipt()
    receipt = await asked.receipt(TX)
    assert receipt is not None
    assert (receipt.l1_fee, receipt.fee) == (100, 148)


async def test_answers_to_other_questions_are_not_believed(mad: RpcServer, asked: Rpc) -> None:
    other = "0x" + "cd" * 32
    mad.answers |= {
        "eth_getBlockByHash": wire_head(5),
        "eth_getBlockByNumber": wire_head(5),
        "eth_sendRawTransaction": other,
        "eth_getLogs": wire_receipt()["logs"],
    }
    asks: list[Callable[[], Awaitable[object]]] = [
        lambda: asked.head(6),
        lambda: asked.head_by_hash(other),
        lambda: asked.send_raw(b"\x02"),
        lambda: asked.logs([ALICE], [], 0, 9),
        lambda: asked.logs([CONTRACT], [], 6, 9),
        lambda: asked.logs([CONTRACT], [b"\x01" * 32], 0, 9),
        lambda: asked.logs([CONTRACT], [None, None], 0, 9),
    ]
    for ask in asks:
        with pytest.raises(RpcError) as caught:
            await ask()
        assert caught.value.code is RpcCode.MALFORMED
    assert len(await asked.logs([CONTRACT], [None], 0, 9)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"transactionHash": "0x" + "cd" * 32},
        {"status": "0x2"},
        {"status": None},
        {"gasUsed": 16},
        {"gasUsed": "0x"},
        {"blockHash": "0xab"},
        {"blockNumber": None},
        {"blockNumber": "0x6"},
        {"logs": None},
        {"logs": [{}]},
    ],
)
async def test_a_receipt_that_is_none_is_malformed(mad: RpcServer, asked: Rpc, changed: dict[str, object]) -> None:
    mad.answers["eth_getTransactionReceipt"] = wire_receipt(**changed)
    with pytest.raises(RpcError) as caught:
        await asked.receipt(TX)
    assert caught.value.code is RpcCode.MALFORMED
