"""What every test may say."""

from collections.abc import Callable

import pytest


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Callable[[int], None]:
    """Says how many cases a test has tried, where it is more than one; `make proof` adds them up."""
    return lambda cases: record_property("cases", cases)
