from collections.abc import AsyncGenerator

import pytest_asyncio

from tests.venue.avantis.server import AvantisServer, serving
from venue.avantis.hosts import Api, Hosts


@pytest_asyncio.fixture
async def server() -> AsyncGenerator[AvantisServer, None]:
    async with serving() as running:
        yield running


@pytest_asyncio.fixture
async def api(server: AvantisServer) -> AsyncGenerator[Api, None]:
    made = Api(Hosts((server.family(),), within_s=2.0))
    yield made
    await made.aclose()
