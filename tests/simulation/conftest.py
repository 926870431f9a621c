"""Days provoke thousands of log lines; they are not shown."""

import sys
import time
from collections.abc import Iterator

import pytest
import structlog

from tests.scale import FORM
from tests.simulation.crowd import Progress, hushed

EVERY_S = 60.0


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    before = structlog.get_config()
    hushed()
    yield
    structlog.configure(**before)


@pytest.fixture
def progress(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Progress:
    """How far a run of minutes or hours has come, a line each minute on stderr; nothing in `make test`."""
    said = time.monotonic()

    def told(how_far: str) -> None:
        nonlocal said
        if FORM and time.monotonic() > said + EVERY_S:
            said = time.monotonic()
            with capsys.disabled():
                sys.stderr.write(f"{request.node.name}: {how_far}\n")

    return told
