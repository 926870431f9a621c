"""Fixtures of tests that need a chain; a conftest that names them has them."""

import os
from collections.abc import AsyncGenerator, Generator

import pytest
import pytest_asyncio

from tests.chain.node import Node, executable


def _needs_anvil() -> None:
    if executable() is not None:
        return
    reason = "anvil is not here: `make .anvil/.stamp` fetches it, ANVIL_BINARY names another"
    if os.environ.get("REQUIRE_ANVIL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def session_node() -> Generator[Node, None, None]:
    """The one node of the session; tests ask for `node`."""
    _needs_anvil()
    with Node() as node:
        yield node


@pytest_asyncio.fixture
async def node(session_node: Node) -> AsyncGenerator[Node, None]:
    """The session's chain, as if nobody had used it before."""
    before = await session_node.snapshot()
    yield session_node
    await session_node.revert(before)


@pytest.fixture
def fresh_node() -> Generator[Node, None, None]:
    """A chain of the test's own, which it may stop and start."""
    _needs_anvil()
    with Node() as node:
        yield node
