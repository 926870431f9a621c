"""Keeper passes over many waiting requests, beside executing the same ones one after the other."""

import asyncio
import tempfile
import time
from pathlib import Path

from tests.bench.report import report
from tests.engine.house import FixedPrices, ManualClock, done, keeper, settled
from tests.engine.test_requests import deposit, staged
from venue.exchange.requests.request import Kind

WAITING = 2_000


def keeper_pass() -> None:
    """Pool deposits per second in one pass."""
    together, alone = asyncio.run(_measured())
    report("requests.pass", "2,000 waiting", WAITING / together, "executed/s", "one at a time", WAITING / alone)


async def _measured() -> tuple[float, float]:
    clock = ManualClock()
    with tempfile.TemporaryDirectory() as directory:
        async with settled(Path(directory), clock) as settlement:
            prices: FixedPrices = await staged(settlement, clock)
            await asyncio.gather(*(done(settlement, deposit(clock)) for _ in range(WAITING)))
            began = time.perf_counter()
            await keeper(settlement, prices).pass_once()
            together = time.perf_counter() - began
            await asyncio.gather(*(done(settlement, deposit(clock)) for _ in range(WAITING)))
            keys = await settlement.read(lambda world: list(world.exchange.requests.pending))
            one = keeper(settlement, prices)
            began = time.perf_counter()
            for key in keys:
                await one.attempt(Kind.DEPOSIT, key)
            return together, time.perf_counter() - began
