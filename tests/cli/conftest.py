"""What the tests of the live commands share."""

from collections.abc import Generator

import pytest

from tests.chain.fixtures import _needs_anvil
from tests.cli.live import LiveVenue, live_venue


@pytest.fixture(scope="module")
def live() -> Generator[LiveVenue, None, None]:
    """A live venue with a chain of its own."""
    _needs_anvil()
    with live_venue() as made:
        yield made
