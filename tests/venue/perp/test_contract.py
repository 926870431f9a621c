"""The contract, tried on every venue there is; the reference also where it can do less and answers late."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.house import listed, settled
from tests.venue.perp.bench import USDC, Bench
from tests.venue.perp.contract import FillContract
from tests.venue.perp.contract_edges import EdgeContract
from tests.venue.perp.paper_bench import PaperBench
from tests.venue.perp.reference_bench import ReferenceBench
from tests.venue.perp.reference_book import Faults, Rules
from venue.perp import Capabilities


class TestPaper(FillContract, EdgeContract):
    """The embedded exchange."""

    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[Bench]:
        async with settled(tmp_path) as settlement:
            await listed(settlement, "BTC", price="60000")
            await listed(settlement, "ETH")
            bench = PaperBench(settlement)
            await bench.insure()
            yield bench


class TestReference(FillContract, EdgeContract):
    """The reference venue when nothing goes wrong."""

    @pytest.fixture
    def bench(self) -> Bench:
        return ReferenceBench(Rules(max_interest=1_000_000 * USDC))


class TestPoorReference(FillContract, EdgeContract):
    """A venue that can do little."""

    @pytest.fixture
    def bench(self) -> Bench:
        able = Capabilities(reduces=False, worst_price=False, max_positions=3, gas=True)
        return ReferenceBench(Rules(capabilities=able))


class TestSlowReference(FillContract, EdgeContract):
    """A venue that loses half of its answers and takes its time."""

    @pytest.fixture(params=range(3))
    def bench(self, request: pytest.FixtureRequest) -> Bench:
        return ReferenceBench(faults=Faults(lost_after=0.5, slowest=5), seed=request.param)
