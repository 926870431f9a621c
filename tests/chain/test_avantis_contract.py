"""The contract of venues, tried on the live one: real contracts, a real node, honest servers."""

from collections.abc import AsyncGenerator, Generator

import pytest
import pytest_asyncio

from tests.chain.avantis_bench import AvantisBench, benched
from tests.chain.avantis_house import staged
from tests.chain.node import Node
from tests.chain.stage import Stage
from tests.venue.perp.contract import FillContract
from tests.venue.perp.contract_edges import EdgeContract


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[Stage, None, None]:
    with staged(session_node) as made:
        yield made


class TestAvantis(FillContract, EdgeContract):
    """Without a spread, and with all the fees: a fill is to the micro-dollar what was quoted."""

    dust = 1
    """Quotes round against the trader; the contract rounds the fee of a part down."""

    @pytest_asyncio.fixture
    async def bench(self, stage: Stage) -> AsyncGenerator[AvantisBench, None]:
        async with benched(stage) as made:
            yield made
