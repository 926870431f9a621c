"""One process that buys back and claims on a chain of ours, and its deaths."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Self

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from tests.chain.node import KEYS, Node
from tests.chain.stage import TOKEN, TRADER, USDC_KEY, WETH_KEY, Stage
from tests.venue.chain.fake_chain import Crash
from tests.venue.chain.memory import Memory
from tests.venue.chain.support import signer_of
from venue.avantis.addresses import BASE
from venue.chain.agreed import AgreedNode
from venue.chain.call import Call
from venue.chain.endpoints import Endpoints
from venue.chain.facts import Fact
from venue.chain.guard import Guard
from venue.chain.rpc import Rpc
from venue.chain.sender import Sender
from venue.chain.step import Policy
from venue.clanker import rules as clanker_rules
from venue.clanker.claimer import Claimer, Fees, Parts
from venue.clanker.launches import Launches
from venue.clanker.reader import Reader
from venue.net.url import checked_url
from venue.swap import SwapOutcome, SwapUnsettled
from venue.uniswap import rules
from venue.uniswap.addresses import UNISWAP, RouterVersion
from venue.uniswap.buyer import Buyer
from venue.uniswap.hops import Hops
from venue.uniswap.plan import Planner
from venue.uniswap.pools import Pools
from venue.uniswap.route import Limits

OTHER_TOKEN: Final = to_checksum_address("0xB000000000000000000000000000000000000bbB")
POLICY: Final = Policy(confirmations=2, expires_blocks=40)
DOLLAR: Final = 10**6
THOUSAND: Final = 1000 * DOLLAR
BLOCK_MS: Final = 2_000
_OPEN: Final[list[Endpoints]] = []
OLD_S: Final = 10**6


class Mortal(Memory):
    """Dies at the given commit: at an even count before it, at an odd one after it."""

    def __init__(self, facts: list[Fact] | None = None, dies_at: int | None = None) -> None:
        super().__init__(facts)
        self.commits = 0
        self._dies_at = dies_at

    def _maybe_crash(self) -> None:
        self.commits += 1
        if self.commits - 1 == self._dies_at:
            raise Crash


class House:
    """Everything of one process. Another one begins with the facts of its journal, and nothing else."""

    def __init__(
        self,
        stage: Stage,
        version: RouterVersion = RouterVersion.V2_0,
        facts: list[Fact] | None = None,
        dies_at: int | None = None,
        age_s: int | None = OLD_S,
    ) -> None:
        self.stage = stage
        self.version = version
        self.memory = Mortal(facts, dies_at)
        self._turns = 0
        self._endpoints = Endpoints([Rpc(checked_url(stage.node.http_url, "node"))], BASE)
        _OPEN.append(self._endpoints)
        self.node = AgreedNode(self._endpoints)
        self.sender = Sender(self.memory, self.node, signer_of(bytes.fromhex(KEYS[0][2:])), POLICY, self.now_ms)
        tokens = (TOKEN, OTHER_TOKEN)
        allowed = {
            **rules.rules(TRADER, tokens, version),
            **clanker_rules.rules(TRADER, tokens, [UNISWAP.usdc]),
        }
        self.guard = Guard(allowed, self._simulate)
        self.launches = Launches(self.node, TRADER)

        async def age(_: ChecksumAddress) -> int | None:
            return age_s

        pools = Pools(self.node, Planner(UNISWAP, version, Limits(), TRADER), self.launches.pool, age)
        self.buyer = Buyer(Hops(pools, self.guard, self.sender, 20_000), self.memory, TOKEN)
        reader = Reader(self.node, TRADER, UNISWAP.usdc)
        self.claimer = Claimer(Parts(reader, self.launches, self.guard, self.sender, self.memory, POLICY.confirmations))

    def now_ms(self) -> int:
        return self._turns * BLOCK_MS

    async def reborn(self) -> "House":
        """The next process."""
        house = House(self.stage, self.version, self.memory.facts)
        await house.sender.adopt()
        return house

    async def turn(self) -> None:
        """A block, and a look of every loop."""
        self._turns += 1
        await self.stage.node.mine()
        await self.sender.pass_once()
        await self.buyer.pass_once()
        await self.claimer.pass_once()

    async def turns(self, count: int) -> None:
        for _ in range(count):
            await self.turn()

    async def settled(self, order_id: str, most: int = 60) -> SwapOutcome:
        """The outcome of an order, once it is known."""
        for _ in range(most):
            outcome = await self.buyer.outcome(order_id)
            if not isinstance(outcome, SwapUnsettled):
                return outcome
            await self.turn()
        raise AssertionError(f"unsettled: {dict(self.buyer.troubles)}")

    async def until(self, ready: Callable[[], Awaitable[bool]], most: int = 40) -> None:
        for _ in range(most):
            if await ready():
                return
            await self.turn()
        raise AssertionError("never")

    async def earned(self, last: dict[str, str], most: int = 30) -> tuple[Fees, ...]:
        """Begins a round, and what it brought."""
        found = await self.claimer.claim_pooled_fees(last)
        for _ in range(most):
            if found:
                break
            await self.turn()
            found = await self.claimer.claim_pooled_fees(last)
        return found

    async def _simulate(self, call: Call) -> str:
        return await self.node.would_revert(call, TRADER)


class Lonely:
    """Strangers act at once, each in a block of its own, while ours wait for blocks."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def __aenter__(self) -> Self:
        await self._stage.node.rpc("evm_setAutomine", True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stage.node.rpc("evm_setAutomine", False)


async def rates(stage: Stage) -> None:
    """1 USDC buys 0.0005 WETH or 50 tokens, 1 WETH buys 100 000 tokens; the trader has 1000 USDC."""
    await stage.usdc(TRADER, THOUSAND)
    await stage.rate(USDC_KEY, UNISWAP.usdc, 50 * 10**18, 10**6)
    await stage.rate(WETH_KEY, UNISWAP.weth, 100_000, 1)
    await stage.v3_rate(UNISWAP.usdc, UNISWAP.weth, Limits().weth_fee, 5 * 10**14, 10**6)


@asynccontextmanager
async def own_blocks(node: Node) -> AsyncGenerator[Stage, None]:
    """The stage, with blocks that are mined by the test alone."""
    stage = await Stage.build(node)
    await rates(stage)
    await node.rpc("evm_setAutomine", False)
    try:
        yield stage
    finally:
        await node.rpc("evm_setAutomine", True)
        while _OPEN:
            await _OPEN.pop().aclose()
