"""What the chain says of a nonce: whether it is used, which order that registered, and how it ended."""

from collections.abc import AsyncGenerator, Generator
from dataclasses import replace

import pytest
import pytest_asyncio

from tests.chain.avantis_house import DEEP, MONEY, House, Outside, outside, process, staged
from tests.chain.avantis_servers import ETH
from tests.chain.node import Node
from tests.chain.stage import CLOSE_INTENT, OPEN_INTENT, TRADER, Stage
from tests.venue.chain.memory import Memory
from venue.avantis.addresses import AVANTIS
from venue.avantis.asked import Close, Open
from venue.avantis.intent_chain import IntentChain
from venue.avantis.intent_state import OpenIntent as Standing
from venue.avantis.intent_words import signed_fact
from venue.avantis.intents import CloseIntent, OpenIntent, OrderIntent
from venue.avantis.orders import Canceled, OrderStatus, Unknown
from venue.avantis.registered import Ambiguous, Cancellation, Execution
from venue.avantis.tracking import Verdict, nonce_slot, verdict
from venue.avantis.typed_signer import SignedIntent
from venue.avantis.units import TEN, USDC
from venue.avantis.wire import AvantisError
from venue.chain.call import Call
from venue.chain.envelope import RpcError
from venue.chain.erc20 import APPROVE

NONCE = 2**255 + 7
PRICE = 2000 * TEN


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[Stage, None, None]:
    with staged(session_node) as made:
        yield made


class Ground:
    """A chain, the venue's relay on it, and what our side sees."""

    def __init__(self, out: Outside, house: House) -> None:
        self.out = out
        self.status: OrderStatus = Unknown("nobody asked")
        self.chain = IntentChain(TRADER, house.node, self._history, DEEP)

    async def _history(self, _: str) -> OrderStatus:
        return self.status

    def opening(self, nonce: int = NONCE, collateral: int = 100 * USDC) -> OpenIntent:
        return OpenIntent(Open(TRADER, ETH, True, collateral, 5 * TEN, PRICE, TEN), self.out.clock.now + 90_000, nonce)

    async def relayed(self, intent: OrderIntent) -> int:
        """The block that registers it."""
        await self.out.stage.must(registering(intent))
        await self.out.sync()
        return int(await self.out.node.rpc("eth_blockNumber"), 16)

    async def bury(self) -> None:
        await self.out.mine(DEEP)

    async def standing(self, intent: OrderIntent) -> Standing:
        """The intent, once its nonce is seen as used."""
        await self.bury()
        fact = signed_fact("a", intent, SignedIntent(intent, b"", b"", b""))
        return Standing(fact, submitting=True, taken_block=(await self.chain.deep()).block)

    async def found(self, intent: OrderIntent) -> Execution | Cancellation | None:
        return await self.chain.history(await self.standing(intent))


def registering(intent: OrderIntent) -> Call:
    ends = intent.deadline_ms, intent.nonce
    asked = intent.asked
    if isinstance(intent, CloseIntent):
        assert isinstance(asked, Close)
        about = TRADER, asked.pair_index, asked.trade_index, intent.opened_at, asked.collateral, asked.price
        return Call(AVANTIS.trading, CLOSE_INTENT.encode(*about, *ends))
    assert isinstance(asked, Open)
    trade = TRADER, asked.pair_index, 0, 0, asked.collateral, asked.price, asked.is_long, asked.leverage, 0, 0, 0
    return Call(AVANTIS.trading, OPEN_INTENT.encode(trade, asked.slippage, *ends))


@pytest_asyncio.fixture
async def ground(stage: Stage) -> AsyncGenerator[Ground, None]:
    async with outside(stage) as out, process(out, Memory()) as house:
        await stage.must(Call(AVANTIS.usdc, APPROVE.encode(AVANTIS.storage, MONEY)), TRADER)
        await out.sync()
        yield Ground(out, house)


async def test_a_nonce_is_read_as_of_a_block_that_stays(ground: Ground) -> None:
    slot, bit = nonce_slot(NONCE)
    intent = ground.opening()
    before = await ground.chain.deep()
    block = await ground.relayed(intent)
    assert (await ground.chain.deep()).block == block - DEEP
    assert await ground.chain.nonce_word(slot, block - 1) == 0
    assert await ground.chain.nonce_word(slot, block) == 1 << bit
    assert verdict(0, NONCE, intent.deadline_ms, before.time_s) is Verdict.OPEN
    with pytest.raises(RpcError):
        await ground.chain.nonce_word(slot, block + 5)
    await ground.out.wait(200)
    await ground.bury()
    assert (await ground.chain.deep()).time_s * 1000 > intent.deadline_ms


async def test_nothing_is_believed_that_too_few_nodes_say(ground: Ground) -> None:
    urls = ground.out.node.http_url, "http://127.0.0.1:9"
    async with process(ground.out, Memory(), urls=urls) as house:
        chain = IntentChain(TRADER, house.node, ground._history, DEEP)
        for asking in (chain.deep(), chain.nonce_word(0, 1)):
            with pytest.raises(RpcError, match="1 of 2"):
                await asking
        with pytest.raises(AvantisError):
            await chain.opened_at(ETH, 0)


async def test_an_execution_is_found_by_the_nonce_alone(ground: Ground) -> None:
    await ground.relayed(ground.opening(nonce=1))
    intent = ground.opening()
    await ground.relayed(intent)
    await ground.relayed(ground.opening(nonce=2))
    assert await ground.found(intent) is None
    await ground.out.execute()
    held = ground.out.world.held(TRADER)[1]
    found = await ground.found(intent)
    assert isinstance(found, Execution)
    assert (found.trade_index, found.collateral, found.price) == (held.trade_index, held.collateral, PRICE)


async def test_a_close_is_found_with_what_it_paid(ground: Ground) -> None:
    await ground.relayed(ground.opening(nonce=1))
    assert await ground.chain.opened_at(ETH, 0) is None
    await ground.out.execute()
    (held,) = ground.out.world.held(TRADER)
    assert await ground.chain.opened_at(ETH, 0) == held.opened_at_s
    before = await ground.out.balance()
    asked = Close(TRADER, ETH, 0, held.collateral, PRICE, TEN)
    intent = CloseIntent(asked, held.opened_at_s, ground.out.clock.now + 90_000, NONCE)
    block = await ground.relayed(intent)
    await ground.out.execute()
    found = await ground.found(intent)
    assert isinstance(found, Execution)
    assert (found.paid, found.block > block) == (await ground.out.balance() - before, True)


async def test_a_cancellation_is_found_by_its_log_and_not_by_the_history_alone(ground: Ground) -> None:
    intent = ground.opening()
    block = await ground.relayed(intent)
    (waiting,) = ground.out.pending()
    for lie in (Canceled(99, None, block), Canceled(None, None, block), Canceled(waiting.order_id, None, block - 1)):
        ground.status = lie
        with pytest.raises(Ambiguous, match=f"the history says order {lie.order_id} was"):
            await ground.found(intent)
    ground.status = Canceled(waiting.order_id, None, block + 10_000)
    assert await ground.found(intent) is None
    ground.status = Canceled(waiting.order_id, None, block)
    with pytest.raises(Ambiguous, match="does not show it there"):
        await ground.found(intent)
    await ground.out.cancel()
    found = await ground.found(intent)
    assert isinstance(found, Cancellation)
    assert found.block > block


async def test_a_nonce_that_was_used_for_something_else_is_a_persons_business(ground: Ground) -> None:
    intent = ground.opening()
    await ground.relayed(ground.opening(nonce=1))
    await ground.out.stage.use_nonce(TRADER, NONCE)
    with pytest.raises(Ambiguous, match="registered no order like it"):
        await ground.found(intent)


async def test_two_orders_alike_in_the_block_of_the_nonce(ground: Ground) -> None:
    intent = ground.opening()
    keeper = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
    for each in (intent, ground.opening(nonce=1)):
        call = registering(each)
        asked = {"from": keeper, "to": call.to, "data": f"0x{call.data.hex()}", "gas": hex(5_000_000)}
        await ground.out.node.rpc("eth_sendTransaction", asked)
    await ground.out.mine()
    with pytest.raises(Ambiguous, match="registered 2 orders like it"):
        await ground.found(intent)


async def test_long_afterwards_only_the_blocks_of_its_time_are_looked_at(ground: Ground) -> None:
    intent = ground.opening()
    block = await ground.relayed(intent)
    await ground.out.execute()
    for _ in range(4):
        await ground.out.wait(2_000)
    standing = await ground.standing(intent)
    assert isinstance(await ground.chain.history(standing), Execution)
    first, last = ground.chain._spans[NONCE]
    assert first <= block <= last < (standing.taken_block or 0) - 3


async def test_what_a_person_names_is_read_from_its_block(ground: Ground) -> None:
    intent = ground.opening()
    await ground.relayed(intent)
    (waiting,) = ground.out.pending()
    await ground.out.execute()
    block = int(await ground.out.node.rpc("eth_blockNumber"), 16)
    signed = (await ground.standing(intent)).signed
    found = await ground.chain.execution(signed, waiting.order_id, block)
    assert isinstance(found, Execution)
    assert await ground.chain.execution(signed, waiting.order_id, block - 1) is None
    assert await ground.chain.execution(signed, waiting.order_id + 1, block) is None
    with pytest.raises(Ambiguous, match="deep yet"):
        await ground.chain.execution(signed, waiting.order_id, block + DEEP + 1)
    with pytest.raises(Ambiguous, match="as something else"):
        await ground.chain.execution(replace(signed, pair_index=3), waiting.order_id, block)
