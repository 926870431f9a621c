"""Days provoke thousands of log lines; they are not shown."""

from collections.abc import Iterator

import pytest
import structlog

from tests.simulation.crowd import hushed


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    before = structlog.get_config()
    hushed()
    yield
    structlog.configure(**before)
