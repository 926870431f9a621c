"""Endpoints over servers on loopback, with a clock that only sleeps move."""

from collections.abc import AsyncGenerator

import pytest
from eth_utils.address import to_checksum_address

from tests.chain.node import ADDRESSES
from tests.venue.chain.rpc_server import RpcServer, serving
from venue.avantis.addresses import BASE
from venue.chain.bucket import Budget
from venue.chain.endpoints import Endpoints
from venue.chain.health import Phase
from venue.chain.rpc import Rpc, RpcError

ALICE = to_checksum_address(ADDRESSES[0])


class Bench:
    """Servers, the endpoints over them, and the time, which passes only in sleeps."""

    def __init__(self, servers: list[RpcServer], within_s: float = 1.0, budget: Budget | None = None) -> None:
        self.servers = servers
        self.now_s = 1_000.0
        self.slept: list[float] = []
        rpcs = [each.rpc(within_s=0.3) for each in servers]
        self.all = Endpoints(
            rpcs, BASE, budget=budget, within_s=within_s, clock=lambda: self.now_s, sleep=self.sleep, jitter=lambda: 0.5
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    async def block(self) -> int:
        return await self.all.read(Rpc.block_number)

    async def refusal(self) -> RpcError:
        with pytest.raises(RpcError) as caught:
            await self.block()
        return caught.value

    @property
    def phases(self) -> list[Phase]:
        return [row.phase for row in self.all.rows()]

    def asked(self, method: str = "eth_blockNumber") -> list[int]:
        return [each.asked.count(method) for each in self.servers]


@pytest.fixture
async def three() -> AsyncGenerator[Bench, None]:
    async with serving(3) as servers:
        bench = Bench(servers)
        yield bench
        await bench.all.aclose()


@pytest.fixture
async def two() -> AsyncGenerator[Bench, None]:
    async with serving(2) as servers:
        bench = Bench(servers)
        yield bench
        await bench.all.aclose()


@pytest.fixture
async def one() -> AsyncGenerator[Bench, None]:
    async with serving(1) as servers:
        bench = Bench(servers)
        yield bench
        await bench.all.aclose()


async def balance(rpc: Rpc, block: int) -> int:
    return await rpc.balance(ALICE, block)
