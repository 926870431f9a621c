"""What the tests of secrets are given."""

from collections.abc import Iterator

import pytest

from tests.proof.canaries import Search
from tests.proof.echo import Echo, echoing


@pytest.fixture
def search() -> Iterator[Search]:
    """Whatever it has found is a violation."""
    made = Search()
    yield made
    assert made.found == []


@pytest.fixture
def echo() -> Iterator[Echo]:
    """A server that repeats what it is sent."""
    with echoing() as server:
        yield server
